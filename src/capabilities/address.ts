import type { JsonObject } from '../kubernetes/json.ts'

/** Events reach a workload at an object of Knative or at the URL of a Kubernetes Service. */
export type Address = { readonly ref: JsonObject } | { readonly uri: string; readonly service: string }

/** Suffix of the stand-in for the Service `<name>` while the runtime changes. */
export const STAND_IN_SUFFIX = '-switch'

/** The port of a workload's Service, independent of the container's. */
export const SERVICE_PORT = 8080
