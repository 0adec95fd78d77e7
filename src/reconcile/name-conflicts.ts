// Server-side apply takes over an object of the same name without a word, whoever made it. So before anything is made,
// Crossplane is asked what stands under its name already: docs/adr/0007-a-name-that-is-taken.md

import { beingDeleted, kindAndName, notReady, type Readiness, waitsForDeletion } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'
import { kindKey, mayBeMissing } from './missing-crds.ts'

export const ADOPT = 'platform.bizmatters.io/adopt'

export interface ClusterLookup {
  /** Whether Crossplane can be asked. */
  readonly canAsk: boolean
  /** And whether also for what kinds the cluster knows. */
  readonly canAskKinds: boolean
  /** The answers by the key of a resource; undefined where nothing stands under the name. A key that is missing was not asked yet. */
  readonly existing: Readonly<Record<string, JsonObject | undefined>>
  /** Whether the cluster knows a kind, by `nameOfKind`. One that is missing was not asked for yet. */
  readonly kinds: Readonly<Record<string, boolean>>
  readonly composite: JsonObject
  /** Whether the claim may take over what it finds. */
  readonly adopt: boolean
}

/** Where nobody can tell, as on the command line, every name counts as free. */
export const noLookup: ClusterLookup = { canAsk: false, canAskKinds: false, existing: {}, kinds: {}, composite: {}, adopt: false }

/** Whether the cluster knows the kind of a resource; undefined until Crossplane has said so. */
export function isKindKnown({ canAskKinds, existing: found, kinds }: ClusterLookup, key: string, manifest: Manifest): boolean | undefined {
  // Crossplane answers for a name only where the kind is known.
  if (!canAskKinds || !mayBeMissing(manifest) || Object.hasOwn(found, key)) return true
  const name = kindKey(manifest)
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined
}

/** What stands under the name of a resource and is not the claim's. */
export function foreignObject(key: string, lookup: ClusterLookup): JsonObject | undefined {
  const object = existingObject(key, lookup)
  const uid = at(lookup.composite, 'metadata', 'uid')
  return object !== undefined && (uid === undefined || at(controllerOf(object), 'uid') !== uid) ? object : undefined
}

const existingObject = (key: string, { existing: found }: ClusterLookup) => (Object.hasOwn(found, key) ? found[key] : undefined)

/** Why a resource can't be made under its name yet, as what stands there is about to go by itself. */
export function pendingDeletion(
  key: string,
  manifest: Manifest,
  lookup: ClusterLookup,
  claim: ResolvedClaim,
  isSwitching: boolean,
): Readiness | undefined {
  const object = existingObject(key, lookup)
  if (object === undefined) return undefined
  // Amid a change of runtime the Service that Knative made goes a moment after the Knative Service.
  if (isBeingDeleted(object) || (isSwitching && belongsToRoute(object, claim))) return beingDeleted(manifest)
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

/** What Knative makes for a Knative Service of the claim's name. */
function belongsToRoute(object: JsonObject, { name }: ResolvedClaim): boolean {
  const owner = controllerOf(object)
  return owner?.kind === 'Route' && textOf(owner.apiVersion).startsWith('serving.knative.dev/') && owner.name === name
}

/** Why a resource can't be made under its name; undefined where it can. */
export function nameConflict(
  manifest: Manifest,
  object: JsonObject,
  { adopt }: ClusterLookup,
  claim: ResolvedClaim,
): Readiness | undefined {
  const { kind } = manifest
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
  if (kind === 'Deployment' && !sameSelector(manifest, object))
    return conflict(
      `Its selector is another and can't be changed: give the claim another name, or delete it, with --cascade=orphan to keep its pods meanwhile.`,
    )
  const revision = at(object, 'spec', 'template', 'metadata', 'name')
  if (manifest.apiVersion.startsWith('serving.knative.dev/') && revision !== undefined)
    return conflict(
      `Its revision has a name of its own, '${textOf(revision)}', and Knative takes no change under the same name. Take the name out first: kubectl -n ${claim.namespace} patch services.serving.knative.dev ${manifest.metadata.name} --type=json -p '[{"op":"remove","path":"/spec/template/metadata/name"}]'`,
    )
  const leftover = leftoverOf(manifest, object)
  if (leftover !== undefined)
    return conflict(
      `It has ${leftover}, which would stay beside what the claim makes: eds migrate prints the command that mends this first.`,
    )
  return undefined
}

const controllerOf = (object: JsonObject): JsonObject | undefined => {
  const owner = items(at(object, 'metadata', 'ownerReferences')).find(reference => at(reference, 'controller') === true)
  return isObject(owner) ? owner : undefined
}

/** What server-side apply, which joins lists by their names, would leave in the object and break it with. */
function leftoverOf(manifest: Manifest, object: JsonObject): string | undefined {
  for (const [field, description] of podLists) {
    const ours = namesOf(at(manifest, 'spec', 'template', 'spec', field))
    const extra = namesOf(at(object, 'spec', 'template', 'spec', field)).find(name => !ours.includes(name))
    if (manifest.kind === 'Deployment' && extra !== undefined) return `${description} '${extra}'`
  }
  const ours = items(at(manifest, 'spec', 'ports')).map(port => at(port, 'port'))
  const unnamed = items(at(object, 'spec', 'ports')).find(port => at(port, 'name') === undefined && !ours.includes(at(port, 'port')))
  return manifest.kind === 'Service' && unnamed !== undefined ? `port ${textOf(at(unnamed, 'port'))} without a name` : undefined
}

const podLists = [
  ['containers', 'a container'],
  ['initContainers', 'an init container'],
] as const

const namesOf = (value: Json | undefined) => items(value).map(item => textOf(at(item, 'name')))

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

function sameSelector(manifest: Manifest, object: JsonObject): boolean {
  const wanted = at(manifest, 'spec', 'selector', 'matchLabels')
  const found = at(object, 'spec', 'selector', 'matchLabels')
  const expressions = at(object, 'spec', 'selector', 'matchExpressions')
  if (!isObject(wanted) || !isObject(found) || expressions !== undefined) return false
  const names = Object.keys(wanted)
  return names.length === Object.keys(found).length && names.every(name => wanted[name] === at(found, name))
}
