import { expect, test } from 'vitest'
import schema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { compileAdvice } from '../../src/claim/advice.ts'
import { sentence } from '../../src/claim/findings.ts'
import type { Schema } from '../../src/claim/schema.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import type { MeshPlatform } from '../../src/platform/platform.ts'
import { claim } from '../fixtures/claims.ts'
import { gateways, withMesh } from '../fixtures/mesh.ts'
import { withObservability } from '../fixtures/observability.ts'

const advise = compileAdvice(schema as Schema)
const said = (document: Json) => advise(document).map(finding => `${sentence(finding)} [${finding.code}]`)

const digest = `sha256:${'0'.repeat(64)}`
const unpinned = (image: string) => [
  `spec.image: must be pinned: use a tag other than 'latest', or a digest, got '${image}' [UNPINNED_IMAGE]`,
]
const formerly = 'deprecated: use a secretRefs entry with envFrom true'

test.each([
  { says: 'a version', image: 'ghcr.io/acme/worker:1.4.2', advice: [] },
  { says: 'a digest', image: `ghcr.io/acme/worker@${digest}`, advice: [] },
  { says: 'latest with a digest', image: `worker:latest@${digest}`, advice: [] },
  { says: 'a tag that starts with latest', image: 'worker:latest-2', advice: [] },
  { says: 'latest', image: 'ghcr.io/acme/worker:latest', advice: unpinned('ghcr.io/acme/worker:latest') },
  { says: 'no tag', image: 'acme/worker', advice: unpinned('acme/worker') },
  { says: 'no tag after a registry with a port', image: 'localhost:5000/worker', advice: unpinned('localhost:5000/worker') },
])('an image with $says', ({ image, advice }) => expect(said(claim({ image }))).toEqual(advice))

test.each([
  { says: 'the successor', spec: { secretRefs: [{ name: 'db', envFrom: true }] }, advice: [] },
  { says: 'one', spec: { secret1Name: 'db' }, advice: [`spec.secret1Name: ${formerly} [DEPRECATED]`] },
  {
    says: 'two',
    spec: { secret5Name: 'b', secret2Name: 'a' },
    advice: [`spec.secret2Name: ${formerly} [DEPRECATED]`, `spec.secret5Name: ${formerly} [DEPRECATED]`],
  },
  { says: 'one that is null', spec: { secret1Name: null }, advice: [] },
])('deprecated fields: $says', ({ spec, advice }) => expect(said(claim(spec))).toEqual(advice))

test('a canary is advised like the image', () => {
  expect(said(claim({ mesh: { canary: { image: 'worker', weight: 1 } } }))).toEqual([
    "spec.mesh.canary.image: must be pinned: use a tag other than 'latest', or a digest, got 'worker' [UNPINNED_IMAGE]",
  ])
})

const idle = (path: string, why: string) => `${path}: has no effect ${why} [NO_EFFECT]`
test.each([
  { says: 'scaling of a Deployment', spec: { scaling: { maxReplicas: 3 } }, advice: [] },
  {
    says: 'scaling with Knative',
    spec: { runtime: 'Knative', scaling: { maxReplicas: 3 } },
    advice: [idle('spec.scaling', 'with runtime Knative: see knative.autoscaling')],
  },
  { says: 'Knative alone', spec: { runtime: 'Knative' }, advice: [] },
  { says: 'affinity with a port', spec: { httpPort: 80, sessionAffinity: 'ClientIP' }, advice: [] },
  { says: 'affinity without one', spec: { sessionAffinity: 'ClientIP' }, advice: [idle('spec.sessionAffinity', 'without httpPort')] },
  {
    says: 'affinity with Knative',
    spec: { runtime: 'Knative', httpPort: 80, sessionAffinity: 'ClientIP' },
    advice: [idle('spec.sessionAffinity', 'with runtime Knative')],
  },
  { says: 'affinity that is null', spec: { sessionAffinity: null }, advice: [] },
  { says: 'the count without NATS', spec: { nats: undefined, httpPort: 80, scaling: { minReplicas: 3 } }, advice: [] },
  {
    says: 'a latency without NATS',
    spec: { nats: undefined, httpPort: 80, processing: { averageDuration: '1s', targetLatency: '2s' } },
    advice: [idle('spec.processing.targetLatency', 'without nats: nothing scales on the lag')],
  },
  {
    says: 'all other scaling without NATS',
    spec: { nats: undefined, httpPort: 80, scaling: { minReplicas: 3, maxReplicas: 5, lagThreshold: 2, paused: false } },
    advice: ['maxReplicas', 'lagThreshold', 'paused'].map(field =>
      idle(`spec.scaling.${field}`, 'without nats: minReplicas is the number of replicas'),
    ),
  },
])('advice on fields without effect: $says', ({ spec, advice }) => expect(said(claim(spec))).toEqual(advice))

const busy = (path: string, threshold: number, concurrency: number) =>
  `${path}: makes ${threshold} messages per replica, but a replica works on ${concurrency} at once (spec.processing.concurrency), so the autoscaler will ask busy replicas to finish [BUSY_REPLICAS]`
test.each<{ says: string; spec: JsonObject; advice: string[] }>([
  { says: 'a threshold that follows from the concurrency', spec: { processing: { maxDuration: '1h', concurrency: 3 } }, advice: [] },
  {
    says: 'its own threshold, no higher',
    spec: { processing: { maxDuration: '1h', concurrency: 3 }, scaling: { lagThreshold: 3 } },
    advice: [],
  },
  { says: 'short messages', spec: { processing: { maxDuration: '5m' }, scaling: { lagThreshold: 9 } }, advice: [] },
  {
    says: 'long messages and a higher threshold',
    spec: { processing: { maxDuration: '5m1s' }, scaling: { lagThreshold: 9 } },
    advice: [busy('spec.scaling.lagThreshold', 9, 1)],
  },
  {
    says: 'long messages and a threshold that follows from a latency',
    spec: { processing: { maxDuration: '1h', concurrency: 2, averageDuration: '10s', targetLatency: '1m' } },
    advice: [busy('spec.processing.targetLatency', 12, 2)],
  },
  {
    says: 'values of the wrong type',
    spec: { processing: { maxDuration: 7, concurrency: 'x' }, scaling: { lagThreshold: 'x' } },
    advice: [],
  },
])('advice on long messages: $says', ({ spec, advice }) => expect(said(claim(spec))).toEqual(advice))

test.each([
  { says: 'nothing', document: null },
  { says: 'text', document: 'x' },
  { says: 'no spec', document: {} },
  { says: 'a spec that is a list', document: { spec: ['image'] } },
  { says: 'an image that is a number', document: claim({ image: 5 }) },
  { says: 'an empty image', document: claim({ image: '' }) },
])('gives no advice for $says', ({ document }) => expect(said(document)).toEqual([]))

const hosts = ['a.example.com']
test.each<{ says: string; mesh: JsonObject; platform: MeshPlatform; advice: string[] }>([
  {
    says: 'a secret without hosts',
    mesh: { tlsSecret: 'a' },
    platform: platformOf(),
    advice: [idle('spec.mesh.tlsSecret', 'without mesh.hosts')],
  },
  { says: 'a secret with hosts', mesh: { tlsSecret: 'a', hosts }, platform: platformOf(), advice: [] },
  {
    says: 'tracing without a provider',
    mesh: { tracing: { sampling: 1 } },
    platform: { trustDomain: 'a', natsBypass: true },
    advice: [idle('spec.mesh.tracing', "here: the platform names no provider of traces (mesh.tracingProvider in the function's input)")],
  },
  { says: 'tracing with a provider', mesh: { tracing: { sampling: 1 } }, platform: platformOf(), advice: [] },
  {
    says: 'retries through the Gateway API',
    mesh: { retries: { attempts: 1 }, hosts },
    platform: platformOf(gateways.GatewayAPI),
    advice: [idle('spec.mesh.retries', 'on requests through mesh.hosts: the HTTPRoutes of this gateway have no retries')],
  },
  { says: 'retries in the mesh only', mesh: { retries: { attempts: 1 } }, platform: platformOf(gateways.GatewayAPI), advice: [] },
])('the mesh of the platform: $says', ({ mesh, platform, advice }) => {
  const told = compileAdvice(schema as Schema, { mesh: platform })(claim({ mesh }))
  expect(told.map(finding => `${sentence(finding)} [${finding.code}]`)).toEqual(advice)
})

test.each<{ says: string; spec: JsonObject; dashboards?: 'Platform' | 'ConfigMap'; advice: string[] }>([
  { says: 'a lag with nats', spec: { observability: { alerts: { lag: '5m' } } }, advice: [] },
  {
    says: 'a lag without nats',
    spec: { nats: undefined, httpPort: 8080, observability: { alerts: { lag: '5m' } } },
    advice: [idle('spec.observability.alerts.lag', 'without nats and runtime Deployment: there is no lag')],
  },
  {
    says: 'a dashboard where the platform has one for all',
    spec: { observability: { dashboard: true } },
    advice: [
      idle(
        'spec.observability.dashboard',
        "here: the platform has one dashboard for all claims (observability.dashboards in the function's input)",
      ),
    ],
  },
  { says: 'a dashboard of its own', spec: { observability: { dashboard: false } }, dashboards: 'ConfigMap', advice: [] },
])('observability: $says', ({ spec, dashboards = 'Platform', advice }) => {
  const { observability } = withObservability({ dashboards })
  const told = compileAdvice(schema as Schema, { ...(observability && { observability }) })(claim(spec))
  expect(told.map(finding => `${sentence(finding)} [${finding.code}]`)).toEqual(advice)
})

function platformOf(gateway: MeshPlatform['gateway'] & object = gateways.Istio): MeshPlatform {
  const { mesh } = withMesh({ gateway })
  if (mesh === undefined) throw new Error('no mesh')
  return mesh
}
