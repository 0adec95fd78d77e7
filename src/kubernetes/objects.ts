import { at, isObject, items, type JsonObject, textOf } from './json.ts'

/** Whether a Kubernetes object is being deleted. */
export const isBeingDeleted = (object: JsonObject): boolean => at(object, 'metadata', 'deletionTimestamp') !== undefined

/** The owner that controls an object: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/ */
export function controllerOf(object: JsonObject): JsonObject | undefined {
  const owner = items(at(object, 'metadata', 'ownerReferences')).find(reference => at(reference, 'controller') === true)
  return isObject(owner) ? owner : undefined
}

/** A complete Kubernetes object, without status. */
export interface Manifest extends JsonObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace: string; readonly [field: string]: JsonObject[string] }
}

/** The group of an API version; empty for the core group. */
export const groupOf = (apiVersion: string): string => apiVersion.split('/').slice(0, -1).join('')

/** `apps/Deployment`; `/Service` for the core group. */
export const groupKindOf = ({ apiVersion, kind }: JsonObject): string => `${groupOf(textOf(apiVersion))}/${textOf(kind)}`
