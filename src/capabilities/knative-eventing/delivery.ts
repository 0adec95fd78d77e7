// Where Broker, Trigger and KafkaSource deliver events, and how.
import type { Delivery, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../../kubernetes/json.ts'
import type { Address } from '../address.ts'
import { scalar } from '../summary.ts'

/** https://knative.dev/docs/eventing/sinks/ */
export const destination = (address: Address, path?: string): JsonObject =>
  'ref' in address ? { ref: address.ref, ...(path !== undefined && { uri: path }) } : { uri: `${address.uri}${path ?? '/'}` }

/** The fields that identify a destination; Knative fills in others. */
export const targetKey = (target: Json | undefined): string =>
  JSON.stringify([['uri'], ['ref', 'kind'], ['ref', 'name']].map(path => at(target, ...path)))

/** Next to a ref, the URI is a path. */
export const summarizeDestination = (target: Json | undefined): string =>
  `to ${scalar(at(target, 'ref', 'name')) ?? ''}${scalar(at(target, 'uri')) ?? ''}`

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
