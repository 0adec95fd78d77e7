// Server-side apply silently takes over an existing object of the same name. So Crossplane is asked for such an object before
// a resource is created: docs/adr/0007-adopt-only-by-annotation.md

import type { ComposedResource } from '../capabilities/capability.ts'
import { beingDeleted, kindAndName, notReady, type Readiness, waitsForDeletion } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { controllerOf, isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'

import type { ClusterLookup } from './cluster-lookup.ts'

export const ADOPT = 'platform.bizmatters.io/adopt'

/** The existing object with the name of a resource, if it is not the claim's. */
export function foreignObject(key: string, lookup: ClusterLookup): JsonObject | undefined {
  const object = existingObject(key, lookup)
  const uid = at(lookup.composite, 'metadata', 'uid')
  return object !== undefined && (uid === undefined || at(controllerOf(object), 'uid') !== uid) ? object : undefined
}

/** The foreign object that becomes the claim's. */
export function adoptableObject(key: string, lookup: ClusterLookup): JsonObject | undefined {
  const object = lookup.adopt ? foreignObject(key, lookup) : undefined
  return object !== undefined && controllerOf(object) === undefined ? object : undefined
}

const existingObject = (key: string, { existing: found }: ClusterLookup) => (Object.hasOwn(found, key) ? found[key] : undefined)

/** Why a resource has to wait until an existing object of its name is deleted. */
export function pendingDeletion(
  { key, isLeftByOtherRuntime }: ComposedResource,
  manifest: Manifest,
  lookup: ClusterLookup,
  claim: ResolvedClaim,
  isSwitching: boolean,
): Readiness | undefined {
  const object = existingObject(key, lookup)
  if (object === undefined) return undefined
  if (isBeingDeleted(object) || (isSwitching && isLeftByOtherRuntime?.(object, claim))) return beingDeleted(manifest)
  if (belongsToPreviousClaim(object, lookup, claim))
    return waitsForDeletion(manifest, 'belongs to a deleted claim of the same name', '{.metadata.ownerReferences}')
  return undefined
}

/** Only one claim of a name exists at a time. The composite of the previous one may have had another name. */
function belongsToPreviousClaim(object: JsonObject, { composite }: ClusterLookup, { name, namespace }: ResolvedClaim): boolean {
  const owner = controllerOf(object)
  if (owner === undefined || owner.kind !== composite.kind || owner.uid === at(composite, 'metadata', 'uid')) return false
  const label = (of: string) => at(object, 'metadata', 'labels', `crossplane.io/claim-${of}`)
  return owner.name === at(composite, 'metadata', 'name') || (label('name') === name && label('namespace') === namespace)
}

/** Why a resource can't be created because of a foreign object; undefined if the claim may adopt it. */
export function nameConflict(
  resource: ComposedResource,
  manifest: Manifest,
  object: JsonObject,
  { adopt }: ClusterLookup,
  claim: ResolvedClaim,
): Readiness | undefined {
  const conflict = (text: string) =>
    notReady('NameTaken', `${kindAndName(manifest)} already exists${managerOf(object)}. Nothing was changed. ${text}`)
  if (!adopt)
    return conflict(
      `Rename the claim, or let it adopt the object: kubectl -n ${claim.namespace} annotate eventdrivenservice ${claim.name} ${ADOPT}=true`,
    )
  const owner = controllerOf(object)
  if (owner !== undefined)
    return conflict(
      `Another controller owns it, so the claim can't adopt it: rename the claim, or delete ${textOf(at(owner, 'kind'))} ${textOf(at(owner, 'name'))}.`,
    )
  const reason = resource.conflict?.(manifest, object, claim)
  return reason === undefined ? undefined : conflict(reason)
}

/** Who manages the object, if it says so. */
function managerOf(object: JsonObject): string {
  const owner = controllerOf(object)
  if (owner !== undefined) return `, controlled by ${textOf(at(owner, 'kind'))} ${textOf(at(owner, 'name'))}`
  const manager =
    at(object, 'metadata', 'labels', 'app.kubernetes.io/managed-by') ??
    at(items(at(object, 'metadata', 'managedFields')).find(isAuthor), 'manager')
  return typeof manager === 'string' ? `, managed by ${manager}` : ''
}

/** Kubernetes' own controllers write to every object, mostly to its status. */
const isAuthor = (entry: Json) => at(entry, 'subresource') === undefined && at(entry, 'manager') !== 'kube-controller-manager'
