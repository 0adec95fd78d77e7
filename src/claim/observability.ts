// Fills in the fields of spec.observability that a claim leaves out.
import type { Platform } from '../platform/platform.ts'
import { seconds } from './duration.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { isEnabled, type Layer, layered } from './layers.ts'
import type { Observability } from './resolved-claim.ts'

/** Undefined on a platform without monitoring, where a check has refused a claim that asks for it. */
export function resolveObservability(
  { processing }: EventDrivenServiceSpec,
  layers: readonly Layer[],
  { observability: installed }: Platform,
): Observability | undefined {
  if (installed === undefined) return undefined
  const { metrics = {}, alerts = {}, slo, tracing, dashboard = true } = layered(layers, 'observability') ?? {}
  const { path = '', port } = metrics
  // A message in work counts for the lag as long as it may take.
  const lagSeconds = Math.max(seconds(alerts.lag ?? ''), seconds(processing?.maxDuration ?? ''))
  return {
    platform: installed,
    ...(isEnabled(layers, ({ observability }) => observability?.metrics) && { metrics: { path, ...(port !== undefined && { port }) } }),
    ...(isEnabled(layers, ({ observability }) => observability?.alerts) && { alerts: { lagSeconds } }),
    ...(slo && { objective: slo.objective }),
    ...(tracing && { tracing }),
    dashboard,
  }
}
