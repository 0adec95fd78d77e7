// Checks that need the platform.
import type { Spec } from '../../claim/checks.ts'
import type { Finding } from '../../claim/findings.ts'
import type { Platform } from '../../platform/platform.ts'

export function checkObservability(spec: Spec, _name: string, platform: Platform): Finding[] {
  if (spec.observability === undefined) return []
  if (platform.observability === undefined) {
    const problem =
      "is not supported here: ask the platform team to install the Prometheus Operator and to set observability in the function's input"
    return [{ code: 'UNSUPPORTED', path: ['spec', 'observability'], problem }]
  }
  return spec.observability.slo === undefined ? [] : uncounted(spec, platform.observability)
}

/** Nobody counts the failures of such a claim. */
function uncounted(
  { runtime, nats, mesh, observability: { metrics } = {} }: Spec,
  { knativeMetrics }: Platform['observability'] & object,
): Finding[] {
  const path = ['spec', 'observability', 'slo']
  if (runtime === 'Knative' && mesh === undefined) {
    const problem =
      "is not supported here with runtime Knative: ask the platform team to have Knative export metrics (observability.knativeMetrics in the function's input)"
    return knativeMetrics ? [] : [{ code: 'UNSUPPORTED', path, problem }]
  }
  if (nats === undefined && mesh === undefined)
    return [{ code: 'CONFLICT', path, problem: 'requires nats, mesh or runtime Knative: nobody else counts what fails' }]
  if (metrics?.enabled !== false) return []
  return [{ code: 'CONFLICT', path, problem: 'must not be set with observability.metrics.enabled false: the metrics count what fails' }]
}
