// The dashboard of all claims, in package/monitoring: every claim at a glance, and one in depth.
import type { JsonObject } from '../../kubernetes/json.ts'
import { claimPanels, dashboardJson, type Panel } from './panels.ts'

const overview: readonly Panel[] = [
  stat('Claims', 'Claims of the cluster.', 'count(eds_claim_condition{type="Ready"})'),
  stat('Not ready', 'Claims that are not ready.', 'count(eds_claim_condition{type="Ready",status!="True"}) or vector(0)'),
  stat('Alerts', 'Alerts on claims that fire.', 'count(ALERTS{alertstate="firing",claim!=""}) or vector(0)'),
  stat('Messages that wait', 'The lag of all claims together.', 'sum(keda_scaler_metrics_value{scaledObject=~".+-scaler"})'),
  {
    title: 'Claims',
    description: 'The state of each claim, and why.',
    unit: 'short',
    kind: 'table',
    queries: [{ expr: 'max by (namespace, name, type, status, reason) (eds_claim_condition)', legend: '' }],
  },
  {
    title: 'Lag by claim',
    description: 'The ten claims with the most messages that wait or are in work.',
    unit: 'short',
    kind: 'timeseries',
    queries: [{ expr: 'topk(10, max by (namespace, scaledObject) (keda_scaler_metrics_value))', legend: '{{namespace}}/{{scaledObject}}' }],
  },
  {
    title: 'Replicas by claim',
    description: 'The ten claims with the most replicas, as the claims report them.',
    unit: 'short',
    kind: 'timeseries',
    queries: [{ expr: 'topk(10, eds_claim_replicas)', legend: '{{namespace}}/{{name}}' }],
  },
]

/** The recording rules in package/monitoring/build-alerts.yaml count each build five times. */
const builds: readonly Panel[] = [
  {
    title: 'Builds',
    description: 'The builds of the last hour, those that failed, and those that wait to begin. Builds that were canceled do not count.',
    unit: 'short',
    kind: 'timeseries',
    queries: [
      { expr: 'sum_over_time(eds:builds_ended:count5m[1h]) / 5', legend: 'ended' },
      { expr: 'sum_over_time(eds:builds_failed:count5m[1h]) / 5', legend: 'failed' },
      {
        expr: 'count(eds_buildrun_condition{claim!="",type="Succeeded",status="Unknown",reason=~"Pending|Exceeded.+"}) or vector(0)',
        legend: 'wait',
      },
    ],
  },
  {
    title: 'Builds that fail',
    description: 'Without mistakes that only the author can correct. 5 % may fail in 30 days.',
    unit: 'percentunit',
    kind: 'timeseries',
    queries: [
      { expr: 'sum_over_time(eds:builds_failed:count5m[6h]) / sum_over_time(eds:builds_ended:count5m[6h])', legend: '6 hours' },
      { expr: 'sum_over_time(eds:builds_failed:count5m[3d]) / sum_over_time(eds:builds_ended:count5m[3d])', legend: '3 days' },
    ],
  },
  {
    title: 'Duration of builds',
    description: '95 % of the builds of the last six hours took less. The alert begins at ten minutes.',
    unit: 's',
    kind: 'timeseries',
    queries: [{ expr: 'eds:builds_duration_seconds:p95_6h', legend: 'p95' }],
  },
]

function stat(title: string, description: string, expr: string): Panel {
  return { title, description, unit: 'short', kind: 'stat', queries: [{ expr, legend: '' }] }
}

const variable = (name: string, label: string, query: string): JsonObject => ({
  name,
  label,
  type: 'query',
  datasource: { type: 'prometheus', uid: `\${datasource}` },
  query: { query, refId: name },
  refresh: 2,
  sort: 1,
  current: {},
})

export const claimsDashboard = (): JsonObject =>
  dashboardJson(
    'EventDrivenService: the claims',
    [...overview, ...builds, ...claimPanels({ namespace: '$namespace', name: '$claim' }, { kedaNamespaceLabel: 'namespace' })],
    {
      uid: 'event-driven-service-claims',
      description: 'All claims, and one of them in depth. The alerts and what to do about each: docs/runbooks.md.',
    },
    [
      variable('namespace', 'Namespace', 'label_values(eds_claim_condition, namespace)'),
      variable('claim', 'Claim', 'label_values(eds_claim_condition{namespace="$namespace"}, name)'),
    ],
  )
