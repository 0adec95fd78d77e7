// The panels of one claim, for its own dashboard and for that of all claims: https://grafana.com/docs/grafana/latest/dashboards/
import type { Nats } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { ObservabilityPlatform } from '../../platform/platform.ts'
import {
  failedShare,
  kedaSeries,
  knativeTraffic,
  matchers,
  meshTraffic,
  messageTraffic,
  ownSeries,
  p95Seconds,
  type Subject,
  type Traffic,
} from './series.ts'

export interface Query {
  readonly expr: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly description: string
  readonly unit: 'short' | 's' | 'bytes' | 'percentunit' | 'reqps'
  readonly kind: 'timeseries' | 'stat' | 'table'
  readonly queries: readonly Query[]
}

/** The window that Grafana chooses for the range that its reader sees. */
const WINDOW = '$__rate_interval'

const graph = (title: string, description: string, unit: Panel['unit'], ...queries: Query[]): Panel => ({
  title,
  description,
  unit,
  kind: 'timeseries',
  queries,
})
const line = (legend: string, expr: string): Query => ({ expr, legend })
const rate = (series: string, window = WINDOW) => `sum(rate(${series}[${window}]))`

/** Knative, the mesh and the worker library count differently, and a claim has one or two of them. */
const countersOf = (subject: Subject): readonly (Traffic & { readonly by: string })[] => [
  { ...messageTraffic(subject), by: 'worker library' },
  { ...knativeTraffic(subject), by: 'Knative' },
  { ...meshTraffic(subject), by: 'mesh' },
]

export function claimPanels(subject: Subject, { kedaNamespaceLabel }: Pick<ObservabilityPlatform, 'kedaNamespaceLabel'>): Panel[] {
  const { namespace, name } = subject
  const deployment = matchers({ namespace, deployment: `~${name}(-[0-9]{5,}-deployment)?` })
  const pods = { namespace, pod: `~${name}-([0-9]{5,}-d[-a-z0-9]+|[a-z0-9]{1,10}-[a-z0-9]{5})` }
  const main = matchers({ ...pods, container: 'main' })
  const revisions = matchers({ k8s_namespace_name: namespace, kn_revision_name: `~${name}-[0-9]{5,}` })
  const counters = countersOf(subject)
  return [
    graph(
      'Lag',
      'Messages that wait or are in work, as KEDA counts them.',
      'short',
      line('lag', `max(keda_scaler_metrics_value{${matchers(kedaSeries(subject, kedaNamespaceLabel))}})`),
    ),
    graph(
      'Replicas',
      'Those that the autoscaler wants, and those that are ready.',
      'short',
      line('wanted', `sum(kube_deployment_spec_replicas{${deployment}})`),
      line('ready', `sum(kube_deployment_status_replicas_ready{${deployment}})`),
    ),
    graph(
      'Rate',
      'Messages or requests a second, by whoever counts them.',
      'reqps',
      ...counters.map(({ noun, by, all }) => line(`${noun} (${by})`, rate(all))),
    ),
    graph(
      'Errors',
      'The share that fails.',
      'percentunit',
      ...counters.map(traffic => line(`${traffic.noun} (${traffic.by})`, failedShare(traffic, WINDOW))),
    ),
    graph(
      'Duration',
      'One message or request in twenty takes longer.',
      's',
      line('messages', p95Seconds({ buckets: `worker_duration_seconds_bucket{${matchers(ownSeries(subject))}}`, perSecond: 1 }, WINDOW)),
      ...counters.flatMap(({ duration, by }) => (duration ? [line(`requests (${by})`, p95Seconds(duration, WINDOW))] : [])),
    ),
    graph(
      'Scaling events',
      'How often the number of wanted replicas changed in 5 minutes.',
      'short',
      line('changes', `sum(changes(kube_deployment_spec_replicas{${deployment}}[5m]))`),
    ),
    graph(
      'Cold starts',
      "Requests that wait in Knative's activator for a first pod.",
      'short',
      line('waiting', `sum(kn_revision_request_queued{${revisions}})`),
    ),
    graph(
      'Restarts',
      'Containers that started again in 5 minutes.',
      'short',
      line('restarts', `sum(increase(kube_pod_container_status_restarts_total{${matchers(pods)}}[5m]))`),
    ),
    graph('Memory', 'The largest container.', 'bytes', line('memory', `max(container_memory_working_set_bytes{${main}})`)),
  ]
}

/** The consumer, as the NATS exporter sees it. */
export function consumerPanel({ stream, consumer }: Pick<Nats, 'stream' | 'consumer'>, prefix: string): Panel {
  const series = (name: string) => `${prefix}_consumer_${name}{stream_name=${quoted(stream)},consumer_name=${quoted(consumer)}}`
  return graph(
    'Consumer',
    'Messages of the consumer: not delivered yet, delivered and not acknowledged, delivered more than once.',
    'short',
    line('waiting', `max(${series('num_pending')})`),
    line('in work', `max(${series('num_ack_pending')})`),
    line('delivered again', `max(${series('num_redelivered')})`),
  )
}

/** A name of JetStream may have quotes. */
const quoted = (text: string): string => JSON.stringify(text)

const COLUMNS = 24
const SMALL = { w: 6, h: 4 }
const LARGE = { w: 8, h: 8 }
const datasource: JsonObject = { type: 'prometheus', uid: `\${datasource}` }

/** From left to right, small ones first. */
export function placed(panels: readonly Panel[]): JsonObject[] {
  let [x, y, height] = [0, 0, 0]
  return panels.map((panel, index) => {
    const size = panel.kind === 'stat' ? SMALL : LARGE
    if (x + size.w > COLUMNS || (height > 0 && size.h !== height)) [x, y, height] = [0, y + height, 0]
    const gridPos = { x, y, ...size }
    ;[x, height] = [x + size.w, size.h]
    return panelJson(panel, index + 1, gridPos)
  })
}

const panelJson = ({ title, description, unit, kind, queries }: Panel, id: number, gridPos: JsonObject): JsonObject => ({
  id,
  type: kind,
  title,
  description,
  datasource,
  gridPos,
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr,
    legendFormat: legend,
    ...(kind !== 'timeseries' && { instant: true, format: kind === 'table' ? 'table' : 'time_series' }),
  })),
})

/** A dashboard around its panels. */
export const dashboardJson = (title: string, panels: readonly Panel[], more: JsonObject = {}, variables: readonly JsonObject[] = []) => ({
  ...more,
  title,
  tags: ['event-driven-service'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timezone: 'browser',
  templating: {
    list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', refresh: 1, current: {} }, ...variables],
  },
  annotations: { list: [] },
  panels: placed(panels),
})
