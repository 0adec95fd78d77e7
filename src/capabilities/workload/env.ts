import type { ResolvedClaim, Source, Variable } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { imageVersion } from './labels.ts'
import { natsFiles } from './volumes.ts'

const optionally = ({ optional }: Source) => (optional ? { optional } : {})

const variable = (v: Variable): JsonObject => {
  if ('value' in v) return { name: v.name, value: v.value }
  const key = { name: v.from.name, key: v.key, ...optionally(v.from) }
  return { name: v.name, valueFrom: v.from.kind === 'Secret' ? { secretKeyRef: key } : { configMapKeyRef: key } }
}

/** The platform's variables, then the claim's. Knative sets PORT itself and refuses another. */
export function env(claim: ResolvedClaim): JsonObject[] {
  const { nats, port, runtime, variables } = claim
  return [
    ...(nats
      ? [
          { name: 'NATS_URL', value: nats.url },
          { name: 'NATS_STREAM_NAME', value: nats.stream },
          { name: 'NATS_CONSUMER_GROUP', value: nats.consumer },
        ]
      : []),
    ...(runtime === 'Deployment' ? [{ name: 'PORT', value: String(port) }] : []),
    // Server-side apply refuses a duplicate name, and the claim may set these itself.
    ...Object.entries(replaceable(claim)).flatMap(([name, value]) =>
      value === undefined || variables.some(v => v.name === name) ? [] : [{ name, value: String(value) }],
    ),
    ...variables.map(variable),
  ]
}

/** The platform's variables of which a claim may have its own. */
const replaceable = (claim: ResolvedClaim): Readonly<Record<string, string | number | undefined>> => ({
  OTEL_SERVICE_NAME: claim.name,
  OTEL_SERVICE_VERSION: imageVersion(claim),
  OTEL_RESOURCE_ATTRIBUTES: resourceAttributes(claim),
  CONCURRENCY: claim.processing?.concurrency,
  MAX_PROCESSING_SECONDS: claim.processing?.maxSeconds,
  ...natsFiles(claim),
})

/** https://opentelemetry.io/docs/specs/semconv/resource/ */
export function resourceAttributes(claim: Pick<ResolvedClaim, 'namespace' | 'environment' | 'image'>): string {
  const { namespace, environment } = claim
  const attributes = {
    'service.namespace': namespace,
    'service.version': imageVersion(claim),
    ...(environment && { 'deployment.environment.name': environment }),
  }
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}

export const envFrom = ({ bulkSources }: ResolvedClaim): { envFrom?: JsonObject[] } =>
  bulkSources.length === 0
    ? {}
    : {
        envFrom: bulkSources.map(({ prefix, ...source }) => {
          const ref = { name: source.name, ...optionally(source) }
          return { ...(prefix !== undefined && { prefix }), ...(source.kind === 'Secret' ? { secretRef: ref } : { configMapRef: ref }) }
        }),
      }
