// The objects of the Prometheus Operator: what they have in common.

import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { withFullStop } from '../../text/full-stop.ts'
import { exists, notReady, type Readiness } from '../readiness.ts'
import { metadata } from '../workload/labels.ts'

export const PROMETHEUS_OPERATOR = 'the Prometheus Operator'
export const GRAFANA_OPERATOR = 'the Grafana Operator'

/** With the labels by which Prometheus selects the object. */
export const monitoringMetadata = (claim: ResolvedClaim, name: string, { platform }: Observability): Manifest['metadata'] =>
  metadata(claim, name, Object.keys(platform.labels).length === 0 ? {} : { labels: platform.labels })

/** The operator says so only with its feature gate StatusForConfigurationResources, for each Prometheus that selects the object. */
export function monitoringReadiness(observed: JsonObject): Readiness {
  const refusal = items(at(observed, 'status', 'bindings'))
    .flatMap(binding => items(at(binding, 'conditions')))
    .find(condition => at(condition, 'type') === 'Accepted' && at(condition, 'status') === 'False')
  if (refusal === undefined) return exists(observed)
  const message = withFullStop(textOf(at(refusal, 'message') ?? ''))
  return notReady(
    textOf(at(refusal, 'reason') ?? 'Refused'),
    `The Prometheus Operator refuses ${textOf(observed.kind)} ${textOf(at(observed, 'metadata', 'name'))}: ${message}`,
  )
}
