// The part of a pod that belongs to those who watch it, for every runtime.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'

/** The name of a port that only has metrics. */
export const METRICS_PORT_NAME = 'metrics'
const DEFAULT_PATH = '/metrics'

/** The port of the metrics, if the main port does not have them. */
export function ownMetricsPort({ port, observability, runtime }: ResolvedClaim): number | undefined {
  const own = observability?.metrics?.port
  return runtime === 'Knative' || own === port ? undefined : own
}

/** In a mesh Prometheus reads the metrics from the sidecar, which finds those of the container by these annotations. */
export function prometheusAnnotations(claim: ResolvedClaim): JsonObject {
  const { port, platform, mesh, observability } = claim
  const isRead = platform.features.prometheusAnnotations || mesh?.mtls === 'STRICT' || (mesh && observability?.metrics) !== undefined
  if (!isRead) return {}
  return {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(ownMetricsPort(claim) ?? port),
    'prometheus.io/path': observability?.metrics?.path ?? DEFAULT_PATH,
  }
}

/** https://github.com/open-telemetry/opentelemetry-operator#opentelemetry-auto-instrumentation-injection */
export function tracingAnnotations({ observability }: ResolvedClaim): JsonObject {
  const { tracing, platform } = observability ?? {}
  if (tracing === undefined) return {}
  return {
    [`instrumentation.opentelemetry.io/inject-${tracing}`]: platform?.instrumentation ?? 'true',
    // Sidecars may come first, and the operator would choose the first.
    'instrumentation.opentelemetry.io/container-names': 'main',
  }
}
