// Server-side apply takes over an object of the same name without a word, whoever made it. So before anything is made,
// Crossplane is asked what stands under its name already: docs/adr/0007-adopt-only-by-annotation.md

import type { ComposedResource } from '../capabilities/capability.ts'
import { beingDeleted, kindAndName, notReady, type Readiness, waitsForDeletion } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { controllerOf, isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'

import type { ClusterLookup } from './cluster-lookup.ts'

export const ADOPT = 'platform.bizmatters.io/adopt'

/** What stands under the name of a resource and is not the claim's. */
export function foreignObject(key: string, lookup: ClusterLookup): JsonObject | undefined {
  const object = existingObject(key, lookup)
  const uid = at(lookup.composite, 'metadata', 'uid')
  return object !== undefined && (uid === undefined || at(controllerOf(object), 'uid') !== uid) ? object : undefined
}

const existingObject = (key: string, { existing: found }: ClusterLookup) => (Object.hasOwn(found, key) ? found[key] : undefined)

/** Why a resource can't be made under its name yet, as what stands there is about to go by itself. */
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
    return waitsForDeletion(manifest, 'is of a deleted claim of this name', '{.metadata.ownerReferences}')
  return undefined
}

/** Of a claim of the same name there is one at a time. Its composite may have had another name. */
function belongsToPreviousClaim(object: JsonObject, { composite }: ClusterLookup, { name, namespace }: ResolvedClaim): boolean {
  const owner = controllerOf(object)
  if (owner === undefined || owner.kind !== composite.kind || owner.uid === at(composite, 'metadata', 'uid')) return false
  const label = (of: string) => at(object, 'metadata', 'labels', `crossplane.io/claim-${of}`)
  return owner.name === at(composite, 'metadata', 'name') || (label('name') === name && label('namespace') === namespace)
}

/** Why a resource can't be made under its name; undefined if it can. */
export function nameConflict(
  resource: ComposedResource,
  manifest: Manifest,
  object: JsonObject,
  { adopt }: ClusterLookup,
  claim: ResolvedClaim,
): Readiness | undefined {
  const conflict = (text: string) =>
    notReady('NameTaken', `${kindAndName(manifest)} exists already${managerOf(object)}. Nothing was touched. ${text}`)
  if (!adopt)
    return conflict(
      `Give the claim another name, or let it take the object over: kubectl -n ${claim.namespace} annotate eventdrivenservice ${claim.name} ${ADOPT}=true`,
    )
  const owner = controllerOf(object)
  if (owner !== undefined)
    return conflict(
      `It can't be taken over from its controller: give the claim another name, or delete ${textOf(at(owner, 'kind'))} ${textOf(at(owner, 'name'))}.`,
    )
  const reason = resource.conflict?.(manifest, object, claim)
  return reason === undefined ? undefined : conflict(reason)
}

/** Who looks after the object, as far as it tells. */
function managerOf(object: JsonObject): string {
  const owner = controllerOf(object)
  if (owner !== undefined) return `, controlled by ${textOf(at(owner, 'kind'))} ${textOf(at(owner, 'name'))}`
  const manager =
    at(object, 'metadata', 'labels', 'app.kubernetes.io/managed-by') ??
    at(items(at(object, 'metadata', 'managedFields')).find(isAuthor), 'manager')
  return typeof manager === 'string' ? `, managed by ${manager}` : ''
}

/** Kubernetes' own controllers write into everything, mostly its status. */
const isAuthor = (entry: Json) => at(entry, 'subresource') === undefined && at(entry, 'manager') !== 'kube-controller-manager'
