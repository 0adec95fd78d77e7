// What the monitor and the pods of a claim say, for the fields that the examples leave at their defaults.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { monitoringReadiness } from '../../../src/capabilities/observability/kinds.ts'
import { podPattern } from '../../../src/capabilities/observability/series.ts'
import { factsOf } from '../../../src/cli/print/facts.ts'
import { at, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type ObservabilityPlatform, type Platform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { withMesh } from '../../fixtures/mesh.ts'
import { observedClaim, withObservability } from '../../fixtures/observability.ts'

interface Given {
  readonly spec?: JsonObject
  readonly own?: Partial<ObservabilityPlatform>
  readonly platform?: Platform
}

function rendered({ spec = {}, own, platform: base = builtInPlatform }: Given): Readonly<Record<string, JsonObject>> {
  const platform = withObservability(own, base)
  const { resources } = compose(observedClaim(spec, platform), platform, {})
  return Object.fromEntries(resources.map(({ key, manifest }) => [key, manifest]))
}

const metrics = (fields: JsonObject): JsonObject => ({ observability: { metrics: fields } })
const knative: JsonObject = { runtime: 'Knative', nats: undefined as unknown as Json }
const inMesh = { platform: withMesh() }
const endpoint = ['spec', 'podMetricsEndpoints', 0] as const
const annotations = ['spec', 'template', 'metadata', 'annotations'] as const
const claimLabel = { targetLabel: 'claim', replacement: 'orders' }
const revisionLabel = { sourceLabels: ['__meta_kubernetes_pod_label_serving_knative_dev_revision'], targetLabel: 'revision' }

test.each<{ says: string; given: Given; key: string; path: readonly (string | number)[]; is: Json | undefined }>([
  {
    says: 'the labels by which Prometheus selects a monitor',
    given: { own: { labels: { release: 'prometheus' } } },
    key: 'pod-monitor',
    path: ['metadata', 'labels', 'release'],
    is: 'prometheus',
  },
  {
    says: 'the same labels on the rules',
    given: { own: { labels: { release: 'prometheus' } } },
    key: 'prometheus-rule',
    path: ['metadata', 'labels', 'release'],
    is: 'prometheus',
  },
  {
    says: 'the pods of a Deployment, with the claim as a label',
    given: {},
    key: 'pod-monitor',
    path: ['spec'],
    is: {
      selector: { matchLabels: { 'app.kubernetes.io/name': 'orders' } },
      podMetricsEndpoints: [{ port: 'http', path: '/metrics', relabelings: [claimLabel] }],
    },
  },
  { says: 'a path of its own', given: { spec: metrics({ path: '/prom' }) }, key: 'pod-monitor', path: [...endpoint, 'path'], is: '/prom' },
  { says: 'a port of its own', given: { spec: metrics({ port: 9464 }) }, key: 'pod-monitor', path: [...endpoint, 'port'], is: 'metrics' },
  {
    says: 'that port on the container',
    given: { spec: metrics({ port: 9464 }) },
    key: 'deployment',
    path: ['spec', 'template', 'spec', 'containers', 0, 'ports', 1],
    is: { name: 'metrics', containerPort: 9464, protocol: 'TCP' },
  },
  {
    says: 'one port if both are the same',
    given: { spec: { httpPort: 8080, ...metrics({ port: 8080 }) } },
    key: 'deployment',
    path: ['spec', 'template', 'spec', 'containers', 0, 'ports'],
    is: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  },
  {
    says: 'the interval of the platform',
    given: { own: { interval: '15s' } },
    key: 'pod-monitor',
    path: [...endpoint, 'interval'],
    is: '15s',
  },
  {
    says: 'the pods of a Knative Service, with their revision as a label',
    given: { spec: knative },
    key: 'pod-monitor',
    path: ['spec'],
    is: {
      selector: { matchLabels: { 'serving.knative.dev/service': 'orders' } },
      podMetricsEndpoints: [{ port: 'user-port', path: '/metrics', relabelings: [claimLabel, revisionLabel] }],
    },
  },
  {
    says: 'what the proxy of Knative counts',
    given: { spec: knative },
    key: 'pod-monitor-queue-proxy',
    path: [...endpoint, 'port'],
    is: 'http-usermetric',
  },
  {
    says: 'no proxy of Knative that exports nothing',
    given: { spec: knative, own: { knativeMetrics: false } },
    key: 'pod-monitor-queue-proxy',
    path: [],
    is: undefined,
  },
  {
    says: 'no proxy of Knative in the mesh',
    given: { ...inMesh, spec: { ...knative, mesh: {} } },
    key: 'pod-monitor-queue-proxy',
    path: [],
    is: undefined,
  },
  {
    says: 'the sidecar in the mesh',
    given: { ...inMesh, spec: { mesh: {} } },
    key: 'pod-monitor',
    path: ['spec'],
    is: {
      selector: { matchLabels: { 'service.istio.io/canonical-name': 'orders' } },
      podMetricsEndpoints: [
        {
          port: 'http',
          path: '/stats/prometheus',
          relabelings: [
            { sourceLabels: ['__meta_kubernetes_pod_ip'], regex: '([^:]+)', targetLabel: '__address__', replacement: '$1:15020' },
            { sourceLabels: ['__meta_kubernetes_pod_ip'], regex: '(.+:.*)', targetLabel: '__address__', replacement: '[$1]:15020' },
            claimLabel,
          ],
        },
      ],
    },
  },
  {
    says: 'where the sidecar finds the metrics of the container, with plain text allowed too',
    given: { ...inMesh, spec: { mesh: { mtls: 'PERMISSIVE' }, ...metrics({ port: 9464, path: '/prom' }) } },
    key: 'deployment',
    path: annotations,
    is: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9464',
      'prometheus.io/path': '/prom',
      'traffic.sidecar.istio.io/excludeOutboundPorts': '4222',
    },
  },
  {
    says: 'no annotation outside the mesh',
    given: {},
    key: 'deployment',
    path: annotations,
    is: undefined,
  },
  {
    says: 'the language to trace, in the container',
    given: { spec: { observability: { tracing: 'java' } } },
    key: 'deployment',
    path: annotations,
    is: {
      'instrumentation.opentelemetry.io/inject-java': 'true',
      'instrumentation.opentelemetry.io/container-names': 'main',
    },
  },
  {
    says: 'the Instrumentation of the platform',
    given: { spec: { observability: { tracing: 'nodejs' } }, own: { instrumentation: 'opentelemetry/default' } },
    key: 'deployment',
    path: [...annotations, 'instrumentation.opentelemetry.io/inject-nodejs'],
    is: 'opentelemetry/default',
  },
  {
    says: 'no monitor without metrics',
    given: { spec: metrics({ enabled: false }) },
    key: 'pod-monitor',
    path: [],
    is: undefined,
  },
  {
    says: 'no rules without alerts',
    given: { spec: { observability: { alerts: { enabled: false } } } },
    key: 'prometheus-rule',
    path: [],
    is: undefined,
  },
])('$says', ({ given, key, path, is }) => expect(path.length === 0 ? rendered(given)[key] : at(rendered(given)[key], ...path)).toEqual(is))

test('a platform that begins to watch rolls no pods', () => {
  for (const spec of [{}, { httpPort: 8080 }, knative, { environment: 'production' }]) {
    const before = compose(observedClaim(spec, builtInPlatform), builtInPlatform, {}).resources
    const after = rendered({ spec })
    for (const { key, manifest } of before) expect(after[key]).toEqual(manifest)
  }
})

test('the names of pods match the pattern of their claim, however long they are', () => {
  const letters = [...'bcdfghjklmnpqrstvwxz2456789']
  const text = (minLength: number, maxLength: number) => fc.string({ unit: fc.constantFrom(...letters), minLength, maxLength })
  const name = fc
    .string({ unit: fc.constantFrom(...letters, '-'), minLength: 1, maxLength: 56 })
    .map(end => `a${end}`.slice(0, 56).replace(/-$/, 'z'))
  fc.assert(
    fc.property(name, text(1, 10), text(5, 5), (name, hash, random) => {
      // https://github.com/kubernetes/apiserver: a generated name keeps 58 characters of its base.
      const podOf = (replicaSet: string) => `${`${replicaSet}-`.slice(0, 58)}${random}`
      expect(podOf(`${name}-${hash}`)).toMatch(new RegExp(`^${podPattern({ name }, false)}$`))
      const ofKnative = podPattern({ name }, true)
      if (ofKnative !== undefined) expect(podOf(`${name}-00001-deployment-${hash}`)).toMatch(new RegExp(`^${ofKnative}$`))
    }),
  )
})

test.each([
  { pod: 'orders-7c9f-x2k4p', isOurs: true },
  { pod: 'orders-api-7c9f-x2k4p', isOurs: false },
  { pod: 'my-orders-7c9f-x2k4p', isOurs: false },
])('pod $pod belongs to orders: $isOurs', ({ pod, isOurs }) =>
  expect(new RegExp(`^${podPattern({ name: 'orders' }, false)}$`).test(pod)).toBe(isOurs),
)

const observed = (conditions: JsonObject[]): JsonObject => ({
  kind: 'PodMonitor',
  metadata: { name: 'orders' },
  status: { bindings: [{ name: 'main', conditions }] },
})

test.each<{ says: string; object: JsonObject; is: JsonObject }>([
  { says: 'as soon as it exists', object: { kind: 'PodMonitor', metadata: { name: 'orders' } }, is: { ready: true } },
  { says: 'once Prometheus has it', object: observed([{ type: 'Accepted', status: 'True' }]), is: { ready: true } },
  {
    says: 'not while the operator refuses it',
    object: observed([{ type: 'Accepted', status: 'False', reason: 'InvalidConfiguration', message: 'no such port' }]),
    is: {
      ready: false,
      reason: 'InvalidConfiguration',
      message: 'The Prometheus Operator refuses PodMonitor orders: no such port.',
    },
  },
])('a monitor is ready $says', ({ object, is }) => expect(monitoringReadiness(object)).toMatchObject(is))

test('each kind has a one-line summary', () => {
  const { 'pod-monitor': monitor, 'prometheus-rule': rule } = rendered({ spec: { observability: { slo: { objective: 99 } } } })
  expect([monitor, rule].map(object => factsOf(object ?? {}))).toEqual(['/metrics of port http', '12 alerts, 6 recording rules'])
})
