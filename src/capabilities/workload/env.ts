import type { ResolvedClaim, Variable } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'

const variable = (v: Variable): JsonObject =>
  'value' in v ? { name: v.name, value: v.value } : { name: v.name, valueFrom: { secretKeyRef: { name: v.secret, key: v.key } } }

/** The platform's variables, then the claim's. Knative sets PORT itself and refuses another. */
export function env({ name, nats, port, runtime, variables }: ResolvedClaim): JsonObject[] {
  // Server-side apply refuses a duplicate name, and the claim may set OTEL_SERVICE_NAME itself.
  const named = variables.some(v => v.name === 'OTEL_SERVICE_NAME')
  return [
    ...(nats
      ? [
          { name: 'NATS_URL', value: nats.url },
          { name: 'NATS_STREAM_NAME', value: nats.stream },
          { name: 'NATS_CONSUMER_GROUP', value: nats.consumer },
        ]
      : []),
    ...(runtime === 'Deployment' ? [{ name: 'PORT', value: String(port) }] : []),
    ...(named ? [] : [{ name: 'OTEL_SERVICE_NAME', value: name }]),
    ...variables.map(variable),
  ]
}

export const envFrom = ({ bulkSecrets }: ResolvedClaim): { envFrom?: JsonObject[] } =>
  bulkSecrets.length === 0
    ? {}
    : { envFrom: bulkSecrets.map(({ name, prefix }) => ({ ...(prefix !== undefined && { prefix }), secretRef: { name } })) }
