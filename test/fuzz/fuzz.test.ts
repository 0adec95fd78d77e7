// A little of what `npm run fuzz` does at length. FC_RUNS sets how much.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claim, RUNS } from '../claims.ts'
import { manifestsOf } from './calls.ts'
import { targets } from './targets.ts'

test.each(targets)('withstood by $name', async ({ attack, share }) => {
  const details = await attack(Math.ceil(RUNS * Math.max(share, 0.1)))
  expect(details.failed ? fc.defaultReportMessage(details) : '').toBe('')
})

test('there is something to spoil: a valid claim is composed', () => {
  expect(manifestsOf(claim())).toHaveLength(4)
})
