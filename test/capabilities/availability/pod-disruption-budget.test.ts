import { expect, test } from 'vitest'
import { availability } from '../../../src/capabilities/availability/index.ts'
import { podDisruptionBudget } from '../../../src/capabilities/availability/pod-disruption-budget.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

const labels = {
  'app.kubernetes.io/name': 'orders-worker',
  'app.kubernetes.io/component': 'event-driven-worker',
  'app.kubernetes.io/managed-by': 'crossplane',
}

test.each([
  { runtime: 'Deployment', matchLabels: { 'app.kubernetes.io/name': 'orders-worker' } },
  { runtime: 'Knative', matchLabels: { 'serving.knative.dev/service': 'orders-worker' } },
])('with runtime $runtime lets at most a quarter of the pods be evicted at once', ({ runtime, matchLabels }) => {
  expect(podDisruptionBudget.build(resolvedClaim({ runtime }), 'new')).toEqual({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'orders-worker', namespace: 'shop', labels },
    spec: { maxUnavailable: '25%', unhealthyPodEvictionPolicy: 'AlwaysAllow', selector: { matchLabels } },
  })
})

const knative = (autoscaling: JsonObject): JsonObject => ({ runtime: 'Knative', nats: undefined, knative: { autoscaling } })
const http = (scaling: JsonObject): JsonObject => ({ nats: undefined, httpPort: 8080, scaling })

test.each<{ says: string; spec: JsonObject; exists: boolean }>([
  { says: 'the defaults', spec: {}, exists: true },
  { says: 'up to two replicas', spec: { scaling: { maxReplicas: 2 } }, exists: true },
  { says: 'at most one replica', spec: { scaling: { maxReplicas: 1 } }, exists: false },
  { says: 'one at a time', spec: { updates: 'OneAtATime' }, exists: false },
  { says: 'two replicas without NATS', spec: http({ minReplicas: 2 }), exists: true },
  { says: 'one replica without NATS, whatever the maximum', spec: http({ maxReplicas: 9 }), exists: false },
  { says: 'Knative', spec: knative({}), exists: true },
  { says: 'Knative without a limit', spec: knative({ maxScale: 0 }), exists: true },
  { says: 'Knative with at most one replica', spec: knative({ maxScale: 1 }), exists: false },
])('for $says: $exists', ({ spec, exists }) => {
  const claim = resolvedClaim(spec)
  expect(availability.resolve(claim) !== undefined).toBe(exists)
  expect(availability.resolve({ ...claim, platform: { ...builtInPlatform, availability: 'None' } })).toBeUndefined()
})

test('cannot adopt one with minAvailable, which Kubernetes refuses beside ours', () => {
  const claim = resolvedClaim()
  const manifest = podDisruptionBudget.build(claim, 'adopted')
  if (manifest === undefined) throw new Error('no PodDisruptionBudget')
  expect(podDisruptionBudget.conflict?.(manifest, { spec: { minAvailable: 1 } }, claim)).toBe(
    "It has minAvailable, which excludes the claim's maxUnavailable. Delete it: kubectl -n shop delete poddisruptionbudget orders-worker",
  )
  expect(podDisruptionBudget.conflict?.(manifest, { spec: { maxUnavailable: 1 } }, claim)).toBeUndefined()
})
