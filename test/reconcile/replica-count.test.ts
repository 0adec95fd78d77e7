// Who owns the replica count of a Deployment: KEDA with NATS, else the claim.
import { describe, expect, test } from 'vitest'
import { deployment } from '../../src/capabilities/deployment/deployment.ts'
import { freeze } from '../../src/capabilities/freeze.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import type { Observed } from '../../src/reconcile/observe.ts'
import { deepFreeze, put } from '../fixtures/claims.ts'
import { resolvedClaim } from '../fixtures/resolved-claim.ts'

const ANNOTATION = 'platform.bizmatters.io/replicas'
const http = (scaling: JsonObject = {}, more: JsonObject = {}): JsonObject => ({ nats: undefined, httpPort: 8080, scaling, ...more })

/** The replica count and its annotation. */
function counted(spec: JsonObject, observed: Observed = {}, platform: Platform = builtInPlatform): [Json | undefined, Json | undefined] {
  const { resources } = compose(resolvedClaim(spec), platform, deepFreeze(observed))
  const manifest = resources.find(({ key }) => key === 'deployment')?.manifest
  return [at(manifest, 'spec', 'replicas'), at(manifest, 'metadata', 'annotations', ANNOTATION)]
}

/** A Deployment of the claim with this many replicas; `set` is the count that we set last. */
function running(replicas: number, set?: number): Observed {
  const manifest = deployment.build(resolvedClaim(), 'existing') ?? {}
  const scaled = put(manifest, ['spec', 'replicas'], replicas)
  return { deployment: (set === undefined ? scaled : put(scaled, ['metadata', 'annotations', ANNOTATION], String(set))) as JsonObject }
}

const scaledObject = { scaledobject: { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' } }

describe('without NATS', () => {
  test.each<{ says: string; spec: JsonObject; observed?: Observed; count: number | undefined }>([
    { says: 'a new Deployment has one', spec: http(), count: 1 },
    { says: 'is minReplicas', spec: http({ minReplicas: 4 }), count: 4 },
    { says: 'is zero if the claim asks for it', spec: http({ minReplicas: 0 }), count: 0 },
    { says: 'is not the zero of an environment, which nothing would wake', spec: http({}, { environment: 'development' }), count: 1 },
    { says: 'is that of the environment', spec: http({}, { environment: 'production' }), count: 2 },
    { says: 'replaces a count that somebody else set', spec: http({ minReplicas: 4 }), observed: running(7, 4), count: 4 },
    { says: 'waits until the ScaledObject is gone', spec: http(), observed: { ...running(7), ...scaledObject }, count: undefined },
    { says: 'replaces the count of KEDA after that', spec: http({ minReplicas: 2 }), observed: running(7), count: 2 },
  ])('$says', ({ spec, observed, count }) => {
    expect(counted(spec, observed)).toEqual([count, count === undefined ? undefined : String(count)])
  })

  test('is set through provider-kubernetes too', () => {
    expect(counted(http({ minReplicas: 4 }), {}, { ...builtInPlatform, composeAs: 'ProviderKubernetes' })).toEqual([4, '4'])
  })
})

describe('once NATS is added', () => {
  test.each<{ says: string; observed: Observed; count: number | undefined }>([
    { says: 'stays as it is, because nobody else owns it yet', observed: running(4, 4), count: 4 },
    { says: 'stays as it is beside the new ScaledObject', observed: { ...running(4, 4), ...scaledObject }, count: 4 },
    { says: 'stays at zero', observed: running(0, 0), count: 0 },
    { says: "is KEDA's as soon as it changes", observed: { ...running(5, 4), ...scaledObject }, count: undefined },
    { says: "is KEDA's if it never was ours", observed: running(5), count: undefined },
  ])('$says', ({ observed, count }) => {
    expect(counted({}, observed)).toEqual([count, count === undefined ? undefined : String(count)])
  })
})

test.each([
  { says: 'ours is kept', observed: running(4, 4), count: 4 },
  { says: "KEDA's is left alone", observed: running(5, 4), count: undefined },
  { says: 'one that never was ours is left alone', observed: running(5), count: undefined },
])('while the runtime changes, $says', ({ observed, count }) => {
  expect(at(freeze(observed.deployment ?? {}, deployment), 'spec', 'replicas')).toBe(count)
})
