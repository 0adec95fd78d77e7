import type { JsonObject } from '../kubernetes/json.ts'

/** Where events reach a workload. */
export type Address = { readonly ref: JsonObject } | { readonly uri: string }

/** Suffix of the stand-in for the Service `<name>` while the runtime changes. */
export const STAND_IN_SUFFIX = '-switch'
