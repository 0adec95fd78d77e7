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
  const isRead = metrics?.enabled !== false
  if (mesh !== undefined && isRead) return []
  if (runtime === 'Knative') {
    if (mesh === undefined && knativeMetrics) return []
    const problem =
      "is not supported here with runtime Knative: ask the platform team to have Knative export metrics (observability.knativeMetrics in the function's input)"
    return mesh === undefined ? [{ code: 'UNSUPPORTED', path, problem }] : [withoutMetrics]
  }
  if (nats === undefined && mesh === undefined)
    return [{ code: 'CONFLICT', path, problem: 'requires nats, mesh or runtime Knative: nobody else counts what fails' }]
  return isRead ? [] : [withoutMetrics]
}

const withoutMetrics: Finding = {
  code: 'CONFLICT',
  path: ['spec', 'observability', 'slo'],
  problem: 'must not be set with observability.metrics.enabled false: the metrics count what fails',
}
