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
  { says: 'as it is, where it fits', claim: { activationScale: 4 }, becomes: [0, 4, 10] },
  { says: 'moves a default limit', claim: { activationScale: 5 }, environment: 'development', becomes: [0, 5, 5] },
  { says: 'moves a default that keeps more alive', claim: { activationScale: 3 }, defaults: { minScale: 6 }, becomes: [3, 3, 10] },
  { says: 'of a default gives way to the claim’s limit', claim: { maxScale: 3 }, defaults: { activationScale: 5 }, becomes: [0, 3, 3] },
  {
    says: 'of a default gives way to what the claim keeps alive',
    claim: { minScale: 7 },
    defaults: { activationScale: 5 },
    becomes: [7, 7, 10],
  },
  {
    says: 'of a default is left out where no more than one may run',
    claim: { maxScale: 1 },
    defaults: { activationScale: 5 },
    becomes: [0, undefined, 1],
  },
  { says: 'knows no limit where there is none', claim: { maxScale: 0, activationScale: 500 }, becomes: [0, 500, 0] },
])('$says', ({ claim, environment, defaults, becomes }) => {
  expect(settle(claim, environment, defaults)).toEqual(becomes)
})
