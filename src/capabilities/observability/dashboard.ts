// The dashboard of one claim, for platforms that want one for each.
import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { exists } from '../readiness.ts'
import { metadata } from '../workload/labels.ts'
import { GRAFANA_OPERATOR } from './kinds.ts'
import { claimPanels, consumerPanel, dashboardJson } from './panels.ts'

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const
const GRAFANA_DASHBOARD = { apiVersion: 'grafana.integreatly.org/v1beta1', kind: 'GrafanaDashboard' } as const

export const configMapKind: KindInfo = {
  ...CONFIG_MAP,
  plural: 'configmaps',
  summarize: ({ data }) => Object.keys((data ?? {}) as object),
}

export const grafanaDashboardKind: KindInfo = {
  ...GRAFANA_DASHBOARD,
  plural: 'grafanadashboards',
  product: GRAFANA_OPERATOR,
  summarize: ({ spec }) => Object.entries((at(spec, 'instanceSelector', 'matchLabels') ?? {}) as object).map(label => label.join('=')),
}

const nameOf = ({ name }: ResolvedClaim) => `${name}-dashboard`

function jsonOf(claim: ResolvedClaim, { platform }: Observability): string {
  const { namespace, name, nats, runtime } = claim
  const panels = claimPanels(claim, platform)
  const ofConsumer = runtime === 'Deployment' && nats ? [consumerPanel(nats, platform.natsMetricPrefix)] : []
  return JSON.stringify(dashboardJson(`EventDrivenService: ${namespace}/${name}`, [...panels, ...ofConsumer]))
}

/** For the sidecar of Grafana's chart, which writes the files of all namespaces into one folder. */
export const dashboardConfigMap = (observability: Observability): ComposedResource => ({
  key: 'dashboard-config-map',
  build: claim => ({
    ...CONFIG_MAP,
    metadata: metadata(claim, nameOf(claim), { labels: observability.platform.dashboardLabels ?? { grafana_dashboard: '1' } }),
    data: { [`${claim.namespace}-${claim.name}.json`]: jsonOf(claim, observability) },
  }),
  ready: exists,
})

/** https://grafana.github.io/grafana-operator/docs/dashboards/ */
export const grafanaDashboard = (observability: Observability): ComposedResource => ({
  key: 'grafana-dashboard',
  build: claim => ({
    apiVersion: GRAFANA_DASHBOARD.apiVersion,
    kind: GRAFANA_DASHBOARD.kind,
    metadata: metadata(claim, nameOf(claim)),
    spec: {
      allowCrossNamespaceImport: true,
      instanceSelector: { matchLabels: observability.platform.dashboardLabels ?? { dashboards: 'grafana' } },
      json: jsonOf(claim, observability),
    },
  }),
  ready: exists,
})
