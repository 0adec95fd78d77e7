// Knative requires the activation scale to be within the bounds. If two values conflict, the default yields.
import { expect, test } from 'vitest'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { knativeClaim } from '../fixtures/claims.ts'

const settle = (autoscaling: object, environment: string | undefined, defaults: object = {}) => {
  const parsed = parseClaim(
    knativeClaim({ knative: { autoscaling: { ...autoscaling } }, ...(environment !== undefined && { environment }) }),
    { ...builtInPlatform, defaults: { knative: { autoscaling: defaults } } },
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  const { minScale, maxScale, activationScale } = parsed.claim.knative.autoscaling
  return [minScale, activationScale, maxScale]
}

test.each([
  { says: 'the same value, if it fits', claim: { activationScale: 4 }, becomes: [0, 4, 10] },
  { says: 'moves a default upper bound', claim: { activationScale: 5 }, environment: 'development', becomes: [0, 5, 5] },
  { says: 'moves a default lower bound', claim: { activationScale: 3 }, defaults: { minScale: 6 }, becomes: [3, 3, 10] },
  {
    says: 'a default yields to the upper bound of the claim',
    claim: { maxScale: 3 },
    defaults: { activationScale: 5 },
    becomes: [0, 3, 3],
  },
  {
    says: 'a default yields to the lower bound of the claim',
    claim: { minScale: 7 },
    defaults: { activationScale: 5 },
    becomes: [7, 7, 10],
  },
  {
    says: 'a default is omitted if the upper bound is one',
    claim: { maxScale: 1 },
    defaults: { activationScale: 5 },
    becomes: [0, undefined, 1],
  },
  { says: 'any value, if there is no upper bound', claim: { maxScale: 0, activationScale: 500 }, becomes: [0, 500, 0] },
])('activation scale: $says', ({ claim, environment, defaults, becomes }) => {
  expect(settle(claim, environment, defaults)).toEqual(becomes)
})
