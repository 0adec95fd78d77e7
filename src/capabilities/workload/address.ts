// Where a workload is reached.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'

/** The port of the Service, whatever port the container has. */
export const SERVICE_PORT = 8080

/** Ends the name of what stands in for the Service `<name>` while the runtime changes. */
export const STAND_IN_SUFFIX = '-switch'

/** Where events reach the workload. */
export type Address = { readonly ref: JsonObject } | { readonly uri: string }

/** Knative would look for a Service of Kubernetes on port 80, which is not ours, so such a one is named by its URL. */
export const serviceAddress = ({ name, namespace }: ResolvedClaim, host = name): Address => ({
  uri: `http://${host}.${namespace}.svc:${SERVICE_PORT}`,
})

export const knativeAddress = ({ name, namespace }: ResolvedClaim, host = name): Address => ({
  ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: host, namespace },
})

export const addressOf = (claim: ResolvedClaim): Address => (claim.runtime === 'Knative' ? knativeAddress(claim) : serviceAddress(claim))
