import type { Observability } from '../../claim/resolved-claim.ts'
import type { ObservabilityPlatform } from '../../platform/platform.ts'
import type { Capability, ComposedResource } from '../capability.ts'
import { checkObservability } from './checks.ts'
import { configMapKind, dashboardConfigMap, grafanaDashboard, grafanaDashboardKind } from './dashboard.ts'
import { podMonitor, podMonitorKind, queueProxyMonitor } from './pod-monitor.ts'
import { prometheusRule, prometheusRuleKind } from './prometheus-rule.ts'

/** Each has a key of its own, because Crossplane can't change the kind of an object. */
const dashboards: Readonly<Record<ObservabilityPlatform['dashboards'], (observability: Observability) => ComposedResource[]>> = {
  Platform: () => [],
  ConfigMap: observability => [dashboardConfigMap(observability)],
  GrafanaDashboard: observability => [grafanaDashboard(observability)],
}

/** On a platform with monitoring every claim has it, whether or not it says so. */
export const observability: Capability<Observability> = {
  name: 'observability',
  condition: 'Observability',
  role: {
    name: 'observability',
    purpose: 'a platform with observability in its input: the monitors and rules of the Prometheus Operator, and dashboards of claims.',
  },
  isUsual: platform => platform.observability !== undefined,
  kinds: [podMonitorKind, prometheusRuleKind, configMapKind, grafanaDashboardKind],
  check: checkObservability,
  resolve: claim => claim.observability,
  resources: (resolved, { runtime, mesh }) => [
    ...(resolved.metrics ? [podMonitor(resolved)] : []),
    // In the mesh the sidecar counts the requests, and lets nobody outside the mesh read those of the proxy.
    ...(runtime === 'Knative' && mesh === undefined && resolved.platform.knativeMetrics ? [queueProxyMonitor(resolved)] : []),
    prometheusRule(resolved),
    ...(resolved.dashboard ? dashboards[resolved.platform.dashboards](resolved) : []),
  ],
}
