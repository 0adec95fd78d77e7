// Where Broker, Trigger and KafkaSource deliver events, and how.
import type { Delivery, ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Address } from '../workload/address.ts'

/** https://knative.dev/docs/eventing/sinks/ */
export const destination = (address: Address, path?: string): JsonObject =>
  'ref' in address ? { ref: address.ref, ...(path !== undefined && { uri: path }) } : { uri: `${address.uri}${path ?? '/'}` }

/** https://knative.dev/docs/eventing/event-delivery/ */
export function delivery(asked: Delivery | undefined, { namespace }: ResolvedClaim): { delivery?: JsonObject } {
  if (asked === undefined) return {}
  const { deadLetter, ...rest } = asked
  const { ref, uri } = deadLetter ?? {}
  return {
    delivery: {
      ...rest,
      ...(ref && { deadLetterSink: { ref: { ...ref, namespace: ref.namespace ?? namespace } } }),
      ...(uri !== undefined && { deadLetterSink: { uri } }),
    },
  }
}
