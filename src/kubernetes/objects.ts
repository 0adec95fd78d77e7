import { at, type JsonObject } from './json.ts'

/** Whether a Kubernetes object is being deleted. */
export const isBeingDeleted = (object: JsonObject): boolean => at(object, 'metadata', 'deletionTimestamp') !== undefined

/** A complete Kubernetes object, without status. */
export interface Manifest extends JsonObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [field: string]: JsonObject[string] }
}
