import type { Probe, ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Json, JsonObject } from '../../kubernetes/json.ts'

/** With Knative the HTTP probes name no port: Knative uses the container's only one. */
export const probes = ({ probes: { startup, liveness, readiness } }: ResolvedClaim, port?: Json): JsonObject => ({
  ...(startup && { startupProbe: probe(startup, port) }),
  ...(liveness && { livenessProbe: probe(liveness, port) }),
  ...(readiness && { readinessProbe: probe(readiness, port) }),
})

function probe({ handler, initialDelay, period, timeout, failures }: Probe, port: Json | undefined): JsonObject {
  const [action, details] = actionOf(handler, port)
  return {
    [action]: details,
    ...(initialDelay > 0 && { initialDelaySeconds: initialDelay }),
    periodSeconds: period,
    timeoutSeconds: timeout,
    failureThreshold: failures,
  }
}

function actionOf(handler: Probe['handler'], port: Json | undefined): [string, JsonObject] {
  if ('path' in handler) return ['httpGet', { path: handler.path, ...(port !== undefined && { port }) }]
  return 'exec' in handler ? ['exec', { command: handler.exec }] : ['tcpSocket', { port: handler.tcp }]
}
