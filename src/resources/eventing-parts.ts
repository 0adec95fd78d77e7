// What Broker, Trigger and KafkaSource have in common.
import type { Claim, Delivery } from '../claim/claim.ts'
import type { Json, JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import { condition, notReady, outdated, ready, SERVICE_PORT } from './parts.ts'
import type { Readiness } from './resource.ts'

export const EVENTING = 'eventing.knative.dev/v1'

/** Where events reach the workload. */
export type Address = { readonly ref: JsonObject } | { readonly uri: string }

/** Knative would look for a Service of Kubernetes on port 80, which is not ours, so such a one is named by its URL. */
export const serviceAddress = ({ name, namespace }: Claim, host = name): Address => ({
  uri: `http://${host}.${namespace}.svc:${SERVICE_PORT}`,
})

export const knativeAddress = ({ name, namespace }: Claim, host = name): Address => ({
  ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: host, namespace },
})

export const addressOf = (claim: Claim): Address => (claim.runtime === 'Knative' ? knativeAddress(claim) : serviceAddress(claim))

/** https://knative.dev/docs/eventing/sinks/ */
export const destination = (address: Address, path?: string): JsonObject =>
  'ref' in address ? { ref: address.ref, ...(path !== undefined && { uri: path }) } : { uri: `${address.uri}${path ?? '/'}` }

/** https://knative.dev/docs/eventing/event-delivery/ */
export function delivery(asked: Delivery | undefined, { namespace }: Claim): { delivery?: JsonObject } {
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

/** The same maps in the same order, whatever order the claim has them in. */
export function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] => (item === undefined ? [] : [[name, inOrder(item)]]))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Every kind of Knative's has the condition Ready. */
export function judgeEventing(what: string, observed: JsonObject, advice: string): Readiness {
  const state = condition(observed, 'Ready')
  if (state === undefined || outdated(observed))
    return notReady('Waiting', `Knative has not looked at ${what} yet; if this stays, see whether Knative Eventing runs.`)
  if (state.status === 'True') return ready('Ready', `${what} is ready.`)
  if (state.status === 'Unknown') return notReady('Waiting', `Knative is setting up ${what}; if this stays: ${advice}`)
  const message = `${state.message || 'no reason is given'}`.replace(/\.?$/, '.')
  // Knative has whole sentences for a reason at times.
  const reason = /^\w+$/.test(state.reason) ? state.reason : 'NotReady'
  return notReady(reason, `${what} is not ready: ${message} ${advice}`)
}
