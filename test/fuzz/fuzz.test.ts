// A little of what `npm run fuzz` does at length. FC_RUNS sets how much.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claim, RUNS } from '../fixtures/claims.ts'
import { manifestsOf, platforms } from './calls.ts'
import { targets } from './targets.ts'

test.each(targets)('withstood by $name', async ({ attack, share }) => {
  const details = await attack(Math.ceil(RUNS * Math.max(share, 0.1)))
  expect(details.failed ? fc.defaultReportMessage(details) : '').toBe('')
})

test('there is something to spoil: a valid claim is composed, whatever the platform', () => {
  expect(manifestsOf(claim())).toHaveLength(4)
  for (const [platform] of fc.sample(fc.tuple(platforms), { numRuns: 20, seed: 1 })) expect(manifestsOf(claim(), platform)).toHaveLength(4)
})
