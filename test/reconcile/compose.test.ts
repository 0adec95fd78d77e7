import { describe, expect, test } from 'vitest'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import type { Observed } from '../../src/reconcile/observe.ts'
import { deepFreeze, put } from '../fixtures/claims.ts'
import { conditions, resolvedClaim } from '../fixtures/resolved-claim.ts'

const wrapping: Platform = { ...builtInPlatform, composeAs: 'ProviderKubernetes', providerConfig: 'in-cluster' }
const keys = ['serviceaccount', 'deployment', 'service', 'scaledobject', 'poddisruptionbudget']

const claim = resolvedClaim()
const composed = (observed: Observed, platform = builtInPlatform) => compose(claim, platform, deepFreeze(observed))

const running: Observed = {
  serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'orders-worker' } },
  deployment: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'orders-worker', generation: 1 },
    spec: { replicas: 3 },
    status: {
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      readyReplicas: 3,
      conditions: conditions(['Available', 'True'], ['Progressing', 'True']),
    },
  },
  service: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'orders-worker' } },
  scaledobject: {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'orders-worker-scaler' },
    status: { conditions: conditions(['Ready', 'True', 'ScaledObjectReady']) },
  },
  poddisruptionbudget: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'orders-worker' } },
}

/** The object as provider-kubernetes reports it. */
const within = (manifest: JsonObject): JsonObject => ({ kind: 'Object', spec: { forProvider: {} }, status: { atProvider: { manifest } } })
const runningWithin: Observed = Object.fromEntries(Object.entries(running).map(([key, manifest]) => [key, within(manifest)]))

describe('resource keys, which never change:', () => {
  const scaledAndSafe = ['scaledobject', 'poddisruptionbudget']
  const knativeKeys = ['serviceaccount', 'knative-service', 'poddisruptionbudget']
  const without = (key: string) => keys.filter(other => other !== key)

  test.each<{ says: string; spec: JsonObject; keys: string[] }>([
    { says: 'the minimal claim', spec: {}, keys },
    { says: 'a port', spec: { httpPort: 3000 }, keys: ['serviceaccount', 'deployment', 'service', 'http-service', ...scaledAndSafe] },
    { says: 'Knative', spec: { runtime: 'Knative', nats: undefined }, keys: knativeKeys },
    { says: 'Knative with NATS and a port', spec: { runtime: 'Knative', httpPort: 3000 }, keys: knativeKeys },
    { says: 'no more than one replica', spec: { scaling: { maxReplicas: 1 } }, keys: without('poddisruptionbudget') },
    {
      says: 'no NATS and one replica',
      spec: { nats: undefined, httpPort: 8080 },
      keys: ['serviceaccount', 'deployment', 'service', 'http-service'],
    },
    {
      says: 'no NATS and two replicas',
      spec: { nats: undefined, httpPort: 8080, scaling: { minReplicas: 2 } },
      keys: ['serviceaccount', 'deployment', 'service', 'http-service', 'poddisruptionbudget'],
    },
  ])('$says', ({ spec, keys }) => {
    expect(compose(resolvedClaim(spec), builtInPlatform, {}).resources.map(({ key }) => key)).toEqual(keys)
  })
})

describe('replicas', () => {
  const replicas = (observed: Observed, platform?: Platform) => {
    const { resources } = composed(observed, platform)
    return at(resources.find(({ key }) => key === 'deployment')?.manifest, 'spec', 'replicas')
  }
  const scaledTo = (count: number): Observed => ({ deployment: put(running.deployment ?? {}, ['spec', 'replicas'], count) as JsonObject })

  test.each<{ says: string; observed: Observed; platform?: Platform; replicas: number | undefined }>([
    { says: 'a new Deployment starts with one', observed: {}, replicas: 1 },
    { says: 'a new Deployment starts with one beside other observed objects', observed: { service: {}, theirs: {} }, replicas: 1 },
    { says: 'keeps the five replicas that KEDA chose', observed: scaledTo(5), replicas: undefined },
    { says: 'keeps the zero replicas that KEDA chose', observed: scaledTo(0), replicas: undefined },
    { says: 'leaves the count of a Deployment that was just created to KEDA', observed: { deployment: {} }, replicas: undefined },
    { says: 'are never set through provider-kubernetes', observed: {}, platform: wrapping, replicas: undefined },
    {
      says: 'are not set through provider-kubernetes for an observed Deployment',
      observed: runningWithin,
      platform: wrapping,
      replicas: undefined,
    },
  ])('$says', ({ observed, platform, replicas: expected }) => expect(replicas(observed, platform)).toBe(expected))
})

describe('readiness', () => {
  const readiness = (observed: Observed, platform?: Platform) =>
    Object.fromEntries(composed(observed, platform).resources.map(({ key, readiness }) => [key, readiness.reason]))

  const notSynced = { conditions: conditions(['Synced', 'False', 'ReconcileError', 'forbidden']) }

  test.each<{ says: string; observed: Observed; platform?: Platform; reasons: Record<string, string> }>([
    {
      says: 'no object exists',
      observed: {},
      reasons: {
        serviceaccount: 'Creating',
        deployment: 'Creating',
        service: 'Creating',
        scaledobject: 'Creating',
        poddisruptionbudget: 'Creating',
      },
    },
    {
      says: 'every object exists',
      observed: running,
      reasons: {
        serviceaccount: 'Created',
        deployment: 'Available',
        service: 'Created',
        scaledobject: 'Ready',
        poddisruptionbudget: 'Created',
      },
    },
    {
      says: 'some objects exist',
      observed: { serviceaccount: running.serviceaccount ?? {}, deployment: running.deployment ?? {} },
      reasons: {
        serviceaccount: 'Created',
        deployment: 'Available',
        service: 'Creating',
        scaledobject: 'Creating',
        poddisruptionbudget: 'Creating',
      },
    },
    {
      says: 'through provider-kubernetes, every object exists',
      observed: runningWithin,
      platform: wrapping,
      reasons: {
        serviceaccount: 'Created',
        deployment: 'Available',
        service: 'Created',
        scaledobject: 'Ready',
        poddisruptionbudget: 'Created',
      },
    },
    {
      says: 'through provider-kubernetes, the provider has not reconciled yet',
      observed: { deployment: { kind: 'Object', spec: {} } },
      platform: wrapping,
      reasons: {
        serviceaccount: 'Creating',
        deployment: 'Creating',
        service: 'Creating',
        scaledobject: 'Creating',
        poddisruptionbudget: 'Creating',
      },
    },
    {
      says: 'through provider-kubernetes, the provider lacks permission',
      observed: { deployment: { kind: 'Object', status: notSynced } },
      platform: wrapping,
      reasons: {
        serviceaccount: 'Creating',
        deployment: 'ReconcileError',
        service: 'Creating',
        scaledobject: 'Creating',
        poddisruptionbudget: 'Creating',
      },
    },
    {
      says: 'through provider-kubernetes, every object exists but the provider can no longer update it',
      observed: {
        ...runningWithin,
        deployment: { ...runningWithin.deployment, status: { ...(runningWithin.deployment?.status as JsonObject), ...notSynced } },
      },
      platform: wrapping,
      reasons: {
        serviceaccount: 'Created',
        deployment: 'ReconcileError',
        service: 'Created',
        scaledobject: 'Ready',
        poddisruptionbudget: 'Created',
      },
    },
  ])('$says', ({ observed, platform, reasons }) => expect(readiness(observed, platform)).toEqual(reasons))

  test.each(keys)('%s that is being deleted is not ready, however well it works until then', key => {
    const leaving = (object: JsonObject) => put(object, ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z') as JsonObject
    const object = leaving(running[key] as JsonObject)
    const outer = leaving(within(running[key] as JsonObject))
    for (const [observed, platform] of [
      [{ ...running, [key]: object }, builtInPlatform],
      [{ ...runningWithin, [key]: within(object) }, wrapping],
      [{ ...runningWithin, [key]: outer }, wrapping],
    ] as const) {
      const { resources } = composed(observed, platform)
      expect(resources.find(resource => resource.key === key)?.readiness).toMatchObject({
        ready: false,
        reason: 'Waiting',
        message: expect.stringMatching(/is being deleted and will be recreated once it is gone/),
      })
      expect(resources.filter(({ readiness }) => !readiness.ready)).toHaveLength(1)
    }
  })

  test('says what to do while an object is missing', () => {
    const message = composed({}).resources.map(({ readiness }) => readiness.message)[1]
    expect(message).toBe(
      "Deployment orders-worker does not exist yet. If this message persists, the events of the composite resource say why Crossplane can't create it.",
    )
  })

  test("says why provider-kubernetes can't apply it", () => {
    const observed = { deployment: { status: { conditions: conditions(['Synced', 'False', '', 'no kind Deployment']) } } }
    expect(composed(observed, wrapping).resources[1]?.readiness).toEqual({
      ready: false,
      reason: 'NotSynced',
      message: "provider-kubernetes can't apply Deployment orders-worker: no kind Deployment",
    })
  })
})

describe('the desired object', () => {
  test('is the manifest itself', () => {
    for (const { manifest, desired } of composed({}).resources) expect(desired).toBe(manifest)
  })

  test('is an Object that wraps the manifest if the platform uses provider-kubernetes', () => {
    const native = composed(running).resources
    const { resources } = composed(runningWithin, wrapping)
    expect(resources.map(({ key }) => key)).toEqual(keys)
    for (const [index, { manifest, desired }] of resources.entries()) {
      expect(manifest).toEqual(native[index]?.manifest)
      expect(desired).toMatchObject({ kind: 'Object', spec: { forProvider: { manifest }, providerConfigRef: { name: 'in-cluster' } } })
      expect(Object.keys(desired)).not.toContain('metadata')
    }
  })
})

describe('conditions and status', () => {
  const safe = 'AvailabilityReady true Created'
  const summary = (observed: Observed) => composed(observed).conditions.map(({ type, ready, reason }) => `${type} ${ready} ${reason}`)
  const without = (key: string) => Object.fromEntries(Object.entries(running).filter(([name]) => name !== key))

  test.each<{ says: string; observed: Observed; is: string[] }>([
    {
      says: 'no object exists',
      observed: {},
      is: ['WorkloadReady false Creating', 'ScalingReady false Creating', 'AvailabilityReady false Creating'],
    },
    { says: 'everything is ready', observed: running, is: ['WorkloadReady true Available', 'ScalingReady true Ready', safe] },
    { says: 'a Service is missing', observed: without('service'), is: ['WorkloadReady false Creating', 'ScalingReady true Ready', safe] },
    {
      says: 'the ScaledObject is missing',
      observed: without('scaledobject'),
      is: ['WorkloadReady true Available', 'ScalingReady false Creating', safe],
    },
    {
      says: 'scaled to zero',
      observed: { ...running, deployment: { spec: { replicas: 0 } } },
      is: ['WorkloadReady true ScaledToZero', 'ScalingReady true Ready', safe],
    },
  ])('$says', ({ observed, is }) => expect(summary(observed)).toEqual(is))

  test('the status reports the image and the autoscaler', () => {
    expect(composed(running).status).toEqual({
      workload: {
        kind: 'Deployment',
        name: 'orders-worker',
        size: 'medium',
        replicas: 3,
        readyReplicas: 3,
      },
      autoscaler: { kind: 'ScaledObject', name: 'orders-worker-scaler', minReplicas: 1, maxReplicas: 10, paused: false },
    })
  })

  test('the status is the same through provider-kubernetes', () =>
    expect(composed(runningWithin, wrapping).status).toEqual(composed(running).status))

  test.each<{ says: string; path: (string | number)[]; to: Json }>([
    { says: 'another resource version', path: ['deployment', 'metadata', 'resourceVersion'], to: '8' },
    {
      says: 'another generation, already observed',
      path: ['deployment', 'metadata', 'annotations'],
      to: { 'deployment.kubernetes.io/revision': '7' },
    },
    { says: 'fields of other managers', path: ['deployment', 'metadata', 'managedFields'], to: [{ manager: 'keda' }] },
    { says: 'a new time', path: ['deployment', 'status', 'conditions', 0, 'lastUpdateTime'], to: '2026-01-02T03:04:05Z' },
    { says: 'another replica count', path: ['deployment', 'spec', 'replicas'], to: 7 },
    {
      says: 'another message of the rollout',
      path: ['deployment', 'status', 'conditions', 1, 'message'],
      to: 'ReplicaSet "x-5d4f" is progressing.',
    },
    { says: 'another poll of KEDA', path: ['scaledobject', 'status', 'lastActiveTime'], to: '2026-01-02T03:04:05Z' },
    { says: 'a Service address', path: ['service', 'spec'], to: { clusterIP: '10.0.0.7' } },
  ])('conditions stay the same with $says', ({ path, to }) => {
    expect(composed(put(running as JsonObject, path, to) as Observed).conditions).toEqual(composed(running).conditions)
  })
})

test('ignores an observed resource with an unknown key', () => {
  expect(composed({ ...running, theirs: { kind: 'ConfigMap' }, __proto__: { deployment: {} } })).toEqual(composed(running))
})
