import type { Observability } from '../../claim/resolved-claim.ts'
import type { Capability } from '../capability.ts'
import { checkObservability } from './checks.ts'
import { podMonitor, podMonitorKind, queueProxyMonitor } from './pod-monitor.ts'
import { prometheusRule, prometheusRuleKind } from './prometheus-rule.ts'

/** On a platform with monitoring every claim has it, whether or not it says so. */
export const observability: Capability<Observability> = {
  name: 'observability',
  condition: 'Observability',
  role: {
    name: 'observability',
    purpose: 'a platform with observability in its input: the monitors and rules of the Prometheus Operator.',
  },
  isUsual: platform => platform.observability !== undefined,
  kinds: [podMonitorKind, prometheusRuleKind],
  check: checkObservability,
  resolve: claim => claim.observability,
  resources: (resolved, { runtime, mesh }) => [
    ...(resolved.metrics ? [podMonitor(resolved)] : []),
    // In the mesh the sidecar counts the requests, and lets nobody outside the mesh read those of the proxy.
    ...(runtime === 'Knative' && mesh === undefined && resolved.platform.knativeMetrics ? [queueProxyMonitor(resolved)] : []),
    prometheusRule(resolved),
  ],
}
