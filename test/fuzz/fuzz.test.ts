// A short version of `npm run fuzz`. FC_RUNS sets the number of runs.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { claim, RUNS } from '../fixtures/claims.ts'
import { manifestsOf, platforms } from './calls.ts'
import { targets } from './targets.ts'

test.each(targets)('finds no error with $name', async ({ attack, share }) => {
  const details = await attack(Math.ceil(RUNS * Math.max(share, 0.1)))
  expect(details.failed ? fc.defaultReportMessage(details) : '').toBe('')
})

test('composes valid claims on every platform, so there is something to corrupt', () => {
  expect(manifestsOf(claim())).toHaveLength(5)
  for (const [platform] of fc.sample(fc.tuple(platforms), { numRuns: 20, seed: 1 })) expect(manifestsOf(claim(), platform)).toHaveLength(5)
})
