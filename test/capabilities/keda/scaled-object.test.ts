import { describe, expect, test } from 'vitest'
import { keda } from '../../../src/capabilities/keda/index.ts'
import { scaledObject } from '../../../src/capabilities/keda/scaled-object.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { conditions, resolvedClaim, type Said } from '../../fixtures/resolved-claim.ts'

const build = (spec: JsonObject = {}, metadata: JsonObject = {}) => scaledObject.build(resolvedClaim(spec, metadata), 'new') ?? {}
const consumer = { stream: 'ORDERS', consumer: 'orders-workers' }

test('builds the ScaledObject of the minimal claim', () => {
  expect(build()).toEqual({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {
      name: 'orders-worker-scaler',
      namespace: 'shop',
      labels: {
        'app.kubernetes.io/name': 'orders-worker',
        'app.kubernetes.io/component': 'event-driven-worker',
        'app.kubernetes.io/managed-by': 'crossplane',
      },
    },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders-worker' },
      minReplicaCount: 1,
      maxReplicaCount: 10,
      advanced: { horizontalPodAutoscalerConfig: { name: 'orders-worker-scaler' } },
      triggers: [
        {
          type: 'nats-jetstream',
          metadata: {
            natsServerMonitoringEndpoint: 'nats-headless.nats.svc.cluster.local:8222',
            account: '$SYS',
            accountID: '$G',
            stream: 'ORDERS',
            consumer: 'orders-workers',
            lagThreshold: '5',
            activationLagThreshold: '0',
          },
        },
      ],
    },
  })
})

test.each([
  { maxDuration: undefined, window: undefined },
  { maxDuration: '1s', window: 300 },
  { maxDuration: '5m', window: 300 },
  { maxDuration: '15m', window: 900 },
  { maxDuration: '1h', window: 3600 },
])('with messages of up to $maxDuration the count falls after $window s of low lag', ({ maxDuration, window }) => {
  const config = at(build({ processing: { maxDuration, concurrency: 2 } }), 'spec', 'advanced', 'horizontalPodAutoscalerConfig')
  expect(at(config, 'behavior')).toEqual(window && { scaleDown: { stabilizationWindowSeconds: window } })
})

test('is omitted without NATS', () => {
  expect(keda.resolve(resolvedClaim({ nats: undefined, httpPort: 8080 }))).toBeUndefined()
})

test('is omitted with runtime Knative, with or without NATS', () => {
  expect(keda.resolve(resolvedClaim({ runtime: 'Knative', nats: undefined }))).toBeUndefined()
  expect(keda.resolve(resolvedClaim({ runtime: 'Knative' }))).toBeUndefined()
})

test.each([
  { says: 'no account: $SYS as asked, $G where KEDA finds it', nats: {}, account: '$SYS', accountID: '$G' },
  { says: '$SYS: the same', nats: { account: '$SYS' }, account: '$SYS', accountID: '$G' },
  { says: '$SYS with an ID', nats: { account: '$SYS', accountID: 'AB' }, account: '$SYS', accountID: 'AB' },
  { says: 'an account: just that', nats: { account: 'ORDERS' }, account: 'ORDERS', accountID: undefined },
  { says: 'an account with its ID', nats: { account: 'ORDERS', accountID: 'AB' }, account: 'ORDERS', accountID: 'AB' },
])('$says', ({ nats, account, accountID }) => {
  const metadata = at(build({ nats: { ...consumer, ...nats } }), 'spec', 'triggers', 0, 'metadata') as JsonObject
  expect([metadata.account, metadata.accountID]).toEqual([account, accountID])
  expect(Object.hasOwn(metadata, 'accountID')).toBe(accountID !== undefined)
})

test('passes trigger metadata as text and leaves unset fields to KEDA', () => {
  const scaling = { minReplicas: 0, maxReplicas: 40, lagThreshold: 20, activationLagThreshold: 3, pollingInterval: 15, cooldownPeriod: 0 }
  const spec = at(build({ scaling }), 'spec')
  expect(spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 40, pollingInterval: 15, cooldownPeriod: 0 })
  const metadata = at(spec, 'triggers', 0, 'metadata') as JsonObject
  expect(metadata).toMatchObject({ lagThreshold: '20', activationLagThreshold: '3' })
  expect(Object.values(metadata).map(value => typeof value)).toEqual(Object.values(metadata).map(() => 'string'))
  expect(Object.keys(at(build(), 'spec') as JsonObject)).not.toContain('pollingInterval')
  expect(Object.keys(at(build(), 'spec') as JsonObject)).not.toContain('cooldownPeriod')
})

test.each([
  { paused: true, annotations: { 'autoscaling.keda.sh/paused': 'true' } },
  { paused: false, annotations: undefined },
  { paused: undefined, annotations: undefined },
])('paused $paused: annotations $annotations', ({ paused, annotations }) => {
  expect(at(build({ scaling: { ...(paused !== undefined && { paused }) } }), 'metadata', 'annotations')).toEqual(annotations)
})

test.each([{ length: 1 }, { length: 47 }, { length: 48 }, { length: 56 }])(
  'a claim name of $length characters: ScaledObject and HPA fit into 63',
  ({ length }) => {
    const manifest = build({}, { name: 'n'.repeat(length) })
    const hpa = String(at(manifest, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name'))
    expect([hpa.length, String(at(manifest, 'metadata', 'name')).length]).toEqual([length + 7, length + 7])
    expect(hpa.length).toBeLessThanOrEqual(63)
  },
)

describe('ready', () => {
  const advice =
    "Check that stream 'ORDERS' with consumer 'orders-workers' exists in account '$G', and that nats-headless.nats.svc.cluster.local:8222 is the monitoring endpoint of the NATS server (spec.nats). See: kubectl -n shop describe scaledobject orders-worker-scaler"
  const noTarget = "ScaledObject doesn't have correct scaleTargetRef specification: deployments.apps"
  const waiting = 'KEDA has not processed ScaledObject orders-worker-scaler yet. If this message persists, check that KEDA is running.'
  const ok = 'ScaledObject is defined correctly and is ready for scaling'

  test.each<{ says: string; said: readonly Said[]; is: [ready: boolean, reason: string, message: string] }>([
    {
      says: 'ready',
      said: [['Ready', 'True', 'ScaledObjectReady', ok]],
      is: [true, 'Ready', 'ScaledObject orders-worker-scaler scales Deployment orders-worker.'],
    },
    {
      says: 'ready, with nothing to do',
      said: [
        ['Ready', 'True', 'ScaledObjectReady', ok],
        ['Active', 'False', 'ScalerNotActive'],
        ['Paused', 'False'],
        ['Fallback', 'False'],
      ],
      is: [true, 'Ready', 'ScaledObject orders-worker-scaler scales Deployment orders-worker.'],
    },
    {
      says: 'ready before its next poll',
      said: [
        ['Ready', 'True', 'ScaledObjectReady', ok],
        ['Active', 'Unknown'],
      ],
      is: [
        false,
        'Waiting',
        'KEDA has not reported a lag yet. It asks NATS every 30 s (spec.scaling.pollingInterval). If this message persists, check that KEDA is running.',
      ],
    },
    {
      says: 'scaled to zero, where the HPA has nothing to do',
      said: [
        ['Ready', 'True', 'ScaledObjectReady', ok],
        ['HPAActive', 'True', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero'],
      ],
      is: [true, 'Ready', 'ScaledObject orders-worker-scaler scales Deployment orders-worker.'],
    },
    {
      says: 'an HPA that gets no metric',
      said: [
        ['Ready', 'True', 'ScaledObjectReady', ok],
        ['HPAActive', 'False', 'FailedGetExternalMetric', 'HPA is not actively scaling: unable to fetch metrics'],
      ],
      is: [
        false,
        'FailedGetExternalMetric',
        "HPA orders-worker-scaler can't scale beyond one replica: unable to fetch metrics. See: kubectl -n shop describe hpa orders-worker-scaler; kubectl describe apiservice v1beta1.external.metrics.k8s.io",
      ],
    },
    {
      says: 'an HPA that gets no metric, as KEDA 2.20.0 says it',
      said: [['Ready', 'False', 'HPAMetricsUnavailable', 'HPA is not healthy: FailedGetExternalMetric']],
      is: [
        false,
        'HPAMetricsUnavailable',
        "HPA orders-worker-scaler can't scale beyond one replica: HPA is not healthy: FailedGetExternalMetric. See: kubectl -n shop describe hpa orders-worker-scaler; kubectl describe apiservice v1beta1.external.metrics.k8s.io",
      ],
    },
    {
      says: 'an HPA beside another',
      said: [
        ['Ready', 'True', 'ScaledObjectReady', ok],
        ['HPAActive', 'False', 'AmbiguousSelector', 'HPA is not actively scaling: pods are controlled by multiple HPAs'],
      ],
      is: [
        false,
        'AmbiguousSelector',
        "HPA orders-worker-scaler can't scale beyond one replica: pods are controlled by multiple HPAs. See: kubectl -n shop describe hpa orders-worker-scaler",
      ],
    },
    {
      says: 'a trigger that fails, and so the HPA as well',
      said: [
        ['Ready', 'False', 'TriggerError', 'broken'],
        ['HPAActive', 'False', 'FailedGetExternalMetric', 'HPA is not actively scaling: broken'],
      ],
      is: [false, 'TriggerError', `KEDA can't use ScaledObject orders-worker-scaler: broken. ${advice}`],
    },
    { says: 'nothing said yet', said: [], is: [false, 'Waiting', waiting] },
    { says: 'not known yet', said: [['Ready', 'Unknown']], is: [false, 'Waiting', waiting] },
    {
      says: 'a trigger that fails',
      said: [['Ready', 'False', 'TriggerError', 'Triggers defined in ScaledObject are not working correctly']],
      is: [
        false,
        'TriggerError',
        `KEDA can't use ScaledObject orders-worker-scaler: Triggers defined in ScaledObject are not working correctly. ${advice}`,
      ],
    },
    {
      says: 'a check that fails, with a full stop of its own',
      said: [['Ready', 'False', 'ScaledObjectCheckFailed', 'ScaledObject does not have correct scaleTargetRef.']],
      is: [
        false,
        'ScaledObjectCheckFailed',
        `KEDA can't use ScaledObject orders-worker-scaler: ScaledObject does not have correct scaleTargetRef. ${advice}`,
      ],
    },
    {
      says: 'a missing secret',
      said: [['Ready', 'False', 'ScaledObjectCheckFailed', 'error resolving secrets for ScaleTarget: Secret "orders-db" not found']],
      is: [
        false,
        'ScaledObjectCheckFailed',
        'KEDA can\'t use ScaledObject orders-worker-scaler: error resolving secrets for ScaleTarget: Secret "orders-db" not found. Create the secret in namespace shop, or remove it from the claim (spec.secretRefs). See: kubectl -n shop describe scaledobject orders-worker-scaler',
      ],
    },
    {
      says: 'the Deployment did not exist yet',
      said: [['Ready', 'False', 'ScaledObjectCheckFailed', `${noTarget} "orders-worker" not found`]],
      is: [false, 'Waiting', 'ScaledObject orders-worker-scaler waits for Deployment orders-worker.'],
    },
    {
      says: 'another Deployment is missing',
      said: [['Ready', 'False', 'ScaledObjectCheckFailed', `${noTarget} "orders" not found`]],
      is: [false, 'ScaledObjectCheckFailed', `KEDA can't use ScaledObject orders-worker-scaler: ${noTarget} "orders" not found. ${advice}`],
    },
    {
      says: 'not ready without a reason',
      said: [['Ready', 'False', '', 'broken']],
      is: [false, 'NotReady', `KEDA can't use ScaledObject orders-worker-scaler: broken. ${advice}`],
    },
  ])('$says', ({ said, is: [ready, reason, message] }) => {
    expect(scaledObject.ready({ status: { conditions: conditions(...said) } }, resolvedClaim())).toMatchObject({ ready, reason, message })
  })

  const byClaim = 'Autoscaling is paused by spec.scaling.paused; the replica count stays as it is.'
  const fix = (...annotations: string[]) =>
    `To resume: kubectl -n shop annotate scaledobject orders-worker-scaler ${annotations.map(name => `autoscaling.keda.sh/${name}-`).join(' ')}`
  test.each<{ says: string; annotations?: JsonObject; asks: boolean; is: [ready: boolean, reason: string, message: string] }>([
    { says: 'as the claim asks', annotations: { paused: 'true' }, asks: true, is: [true, 'Paused', byClaim] },
    {
      says: 'with a replica count that the claim did not set',
      annotations: { 'paused-replicas': '0' },
      asks: false,
      is: [
        false,
        'PausedByAnnotation',
        `Autoscaling is paused by an annotation on ScaledObject orders-worker-scaler that the claim did not set: autoscaling.keda.sh/paused-replicas=0. ${fix('paused-replicas')}`,
      ],
    },
    {
      says: 'in both directions by others',
      annotations: { 'paused-scale-in': 'true', 'paused-scale-out': 'true' },
      asks: false,
      is: [
        false,
        'PausedByAnnotation',
        `Autoscaling is paused by annotations on ScaledObject orders-worker-scaler that the claim did not set: autoscaling.keda.sh/paused-scale-in=true, autoscaling.keda.sh/paused-scale-out=true. ${fix('paused-scale-in', 'paused-scale-out')}`,
      ],
    },
    {
      says: 'as the claim asks, and with a number by others',
      annotations: { paused: 'true', 'paused-replicas': '3' },
      asks: true,
      is: [
        false,
        'PausedByAnnotation',
        `Autoscaling is paused by an annotation on ScaledObject orders-worker-scaler that the claim did not set: autoscaling.keda.sh/paused-replicas=3. ${fix('paused-replicas')}`,
      ],
    },
    {
      says: 'no more, which KEDA has not seen yet',
      annotations: { paused: 'false' },
      asks: false,
      is: [true, 'Paused', 'Autoscaling is still paused; KEDA has not picked up the change yet.'],
    },
    {
      says: 'no more, without annotations',
      asks: false,
      is: [true, 'Paused', 'Autoscaling is still paused; KEDA has not picked up the change yet.'],
    },
  ])('paused $says', ({ annotations = {}, asks, is: [ready, reason, message] }) => {
    const observed = {
      metadata: {
        annotations: Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`autoscaling.keda.sh/${name}`, value])),
      },
      // The HPA was taken away, and what was said of it stays.
      status: { conditions: conditions(['Ready', 'True', 'ScaledObjectReady', ok], ['HPAActive', 'False', 'Old'], ['Paused', 'True']) },
    }
    expect(scaledObject.ready(observed, resolvedClaim({ scaling: { paused: asks } }))).toEqual({ ready, reason, message })
  })

  test('the advice names the account that KEDA reads', () => {
    const { message } = scaledObject.ready(
      { status: { conditions: conditions(['Ready', 'False', 'TriggerError', 'x']) } },
      resolvedClaim({ nats: { ...consumer, account: 'MINE' } }),
    )
    expect(message).toContain("exists in account 'MINE'")
  })

  test('provider-kubernetes reads the same condition', () => expect(scaledObject.readyCondition).toBe('Ready'))
})

test('status: the bounds in force', () => {
  expect(scaledObject.status?.(undefined, resolvedClaim({ environment: 'production', scaling: { paused: true } }), {})).toEqual({
    autoscaler: { kind: 'ScaledObject', name: 'orders-worker-scaler', minReplicas: 2, maxReplicas: 20, paused: true },
  })
})
