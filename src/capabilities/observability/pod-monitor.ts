// https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
// Pods and not Services, because a claim may have two Services, and Prometheus would read its pods twice.
import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { selectorLabels } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { METRICS_PORT_NAME, ownMetricsPort } from '../workload/metrics.ts'
import { monitoringMetadata, monitoringReadiness, PROMETHEUS_OPERATOR } from './kinds.ts'
import { queueProxyMonitorName } from './series.ts'

const KIND = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor' } as const

export const podMonitorKind: KindInfo = {
  ...KIND,
  plural: 'podmonitors',
  product: PROMETHEUS_OPERATOR,
  summarize: ({ spec }) =>
    items(at(spec, 'podMetricsEndpoints')).map(one => `${scalar(at(one, 'path'))} of port ${scalar(at(one, 'port'))}`),
}

export const podMonitor = (observability: Observability): ComposedResource => ({
  key: 'pod-monitor',
  build: claim => manifestOf(claim, claim.name, observability, endpointOf(claim, observability)),
  ready: monitoringReadiness,
})

/** The requests of a Knative Service, as the proxy beside its container counts them. */
export const queueProxyMonitor = (observability: Observability): ComposedResource => ({
  key: 'pod-monitor-queue-proxy',
  build: claim =>
    manifestOf(claim, queueProxyMonitorName(claim), observability, { port: 'http-usermetric', path: '/metrics', relabelings: [] }),
  ready: monitoringReadiness,
})

interface Endpoint {
  readonly port: string
  readonly path: string
  readonly relabelings: readonly JsonObject[]
}

const manifestOf = (claim: ResolvedClaim, name: string, observability: Observability, { port, path, relabelings }: Endpoint) => ({
  apiVersion: KIND.apiVersion,
  kind: KIND.kind,
  metadata: monitoringMetadata(claim, name, observability),
  spec: {
    selector: { matchLabels: podsOf(claim) },
    podMetricsEndpoints: [
      {
        port,
        path,
        ...(observability.platform.interval !== undefined && { interval: observability.platform.interval }),
        relabelings: [...relabelings, ...ownLabels(claim)],
      },
    ],
  },
})

/** In the mesh a canary is watched too. */
function podsOf(claim: ResolvedClaim): JsonObject {
  if (claim.mesh !== undefined) return meshPods(claim)
  return claim.runtime === 'Knative' ? { 'serving.knative.dev/service': claim.name } : selectorLabels(claim)
}

const ownLabels = ({ name, runtime }: ResolvedClaim): JsonObject[] => [
  { targetLabel: 'claim', replacement: name },
  ...(runtime === 'Knative'
    ? [{ sourceLabels: ['__meta_kubernetes_pod_label_serving_knative_dev_revision'], targetLabel: 'revision' }]
    : []),
]

function endpointOf(claim: ResolvedClaim, { metrics }: Observability): Endpoint {
  const main = claim.runtime === 'Knative' ? 'user-port' : 'http'
  if (claim.mesh !== undefined) return { port: main, path: '/stats/prometheus', relabelings: toSidecar }
  return { port: ownMetricsPort(claim) === undefined ? main : METRICS_PORT_NAME, path: metrics?.path ?? '', relabelings: [] }
}

/**
 * The sidecar has its own metrics and those of the container at a port that no container lists, so the address of another port is
 * rewritten: https://istio.io/latest/docs/ops/integrations/prometheus/#option-1-metrics-merging
 */
const toSidecar: readonly JsonObject[] = [
  { sourceLabels: ['__meta_kubernetes_pod_ip'], regex: '([^:]+)', targetLabel: '__address__', replacement: '$1:15020' },
  { sourceLabels: ['__meta_kubernetes_pod_ip'], regex: '(.+:.*)', targetLabel: '__address__', replacement: '[$1]:15020' },
]
