import type { ComposedResource, Concern } from '../capabilities/capability.ts'
import { beingDeleted, notReady, type Readiness } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { at, type JsonObject } from '../kubernetes/json.ts'
import { isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import { type ClaimCondition, conditionsOf } from './conditions.ts'
import { freeze } from './freeze.ts'
import { keepImmutableFields } from './immutable-fields.ts'
import { kindKey, mayBeMissing, missingCrd } from './missing-crds.ts'
import { type ClusterLookup, foreignObject, isKindKnown, nameConflict, noLookup, pendingDeletion } from './name-conflicts.ts'
import { freezeObject, unwrapObject, wrapInObject } from './provider-kubernetes.ts'
import { planSwitch } from './runtime-switch.ts'

/** Observed resources by their key. */
export type Observed = Readonly<Record<string, JsonObject>>

export interface Composed {
  readonly key: string
  readonly concern: Concern
  /** The Kubernetes object that the claim asks for. */
  readonly manifest: Manifest
  /** What Crossplane is told to make: the manifest, or the Object that carries it. */
  readonly desired: JsonObject
  readonly readiness: Readiness
}

export interface Composition {
  readonly resources: readonly Composed[]
  /** What is not made yet because its name may be, or is, taken. Crossplane is asked for objects of these names. */
  readonly nameQueries: readonly Composed[]
  /** Kinds of what is not made yet that the cluster may not know, each once. Crossplane is asked whether it does. */
  readonly kindQueries: readonly Manifest[]
  /** Whether this is all, and not a step on the way. */
  readonly complete: boolean
  /** Whether it waits for something that goes by itself, and of which Crossplane does not tell. */
  readonly waits: boolean
  readonly conditions: readonly ClaimCondition[]
  readonly status: JsonObject
}

/** What a claim becomes, given what is there already. */
export function compose(claim: ResolvedClaim, platform: Platform, observed: Observed, lookup: ClusterLookup = noLookup): Composition {
  const wrapped = platform.composeAs === 'ProviderKubernetes'
  const outerOf = ({ key }: ComposedResource) => (Object.hasOwn(observed, key) ? observed[key] : undefined)
  const innerOf = (resource: ComposedResource) => {
    const outer = outerOf(resource)
    return outer && wrapped ? unwrapObject(outer) : outer
  }
  const { resources, postponed, frozen, switching } = planSwitch(claim, innerOf)
  const composed: Composed[] = []
  const status: Record<string, JsonObject[string]> = {}
  const imageBefore = at(lookup.composite, 'status', 'workload', 'image')
  for (const resource of resources) {
    const { key, concern } = resource
    const outer = outerOf(resource)
    const inner = innerOf(resource)
    // The provider's three-way merge would take a count back that was said once, so wrapped it is never said.
    // Neither is it for a Deployment that is taken over with the replicas it has.
    const foreign = outer ? undefined : foreignObject(key, lookup)
    const isDeleted = [outer, inner].some(object => object && isBeingDeleted(object))
    const wanted = resource.build(claim, outer === undefined && foreign === undefined && !wrapped, outer !== undefined && !isDeleted)
    if (wanted === undefined) continue
    Object.assign(status, resource.status?.(inner, claim, imageBefore))
    if (resource === postponed) continue
    const current = inner ?? foreign
    const { manifest, refused } = current ? keepImmutableFields(resource, wanted, current, claim) : { manifest: wanted }
    const desired = wrapped ? wrapInObject(manifest, resource, platform) : manifest
    composed.push({
      key,
      concern,
      manifest,
      desired,
      readiness:
        (isDeleted ? beingDeleted(manifest) : undefined) ??
        refused ??
        (wrapped ? notApplied(manifest, outer) : undefined) ??
        (inner ? resource.ready(inner, claim) : notCreated(manifest)),
    })
  }
  for (const { resource, observed: inner, readiness } of frozen) {
    const outer = outerOf(resource)
    const manifest = freeze(inner)
    composed.push({ ...resource, manifest, desired: wrapped && outer ? freezeObject(outer) : manifest, readiness })
  }
  const created = lookup.canAsk && !wrapped ? composed.filter(({ key }) => !Object.hasOwn(observed, key)) : []
  const isKnown = ({ key, manifest }: Composed) => isKindKnown(lookup, key, manifest)
  const withoutCrd = created.filter(resource => isKnown(resource) === false)
  const blocked = blockedBy(created, lookup, claim, switching !== undefined)
  const waits = blocked?.reason === 'Waiting'
  // Amid a change of runtime it is known what goes, and why.
  const first = waits ? (switching ?? blocked) : (blocked ?? switching)
  const applied = composed.filter(resource => !(blocked ? created : withoutCrd).includes(resource))
  return {
    resources: applied,
    nameQueries: created.filter(isKnown),
    kindQueries: lookup.canAskKinds ? kindQueriesFor(created) : [],
    complete: first === undefined && withoutCrd.length === 0,
    waits,
    conditions: conditionsOf([
      ...withoutCrd.map(({ concern, manifest }) => ({ concern, readiness: missingCrd(manifest) })),
      ...(first ? [{ concern: 'Workload' as const, readiness: first }] : []),
      ...composed,
    ]),
    status,
  }
}

const kindQueriesFor = (created: readonly Composed[]): readonly Manifest[] => [
  ...new Map(created.filter(({ manifest }) => mayBeMissing(manifest)).map(({ manifest }) => [kindKey(manifest), manifest])).values(),
]

/** Why nothing new can be made now: a name is taken, or the answer is not here yet. */
function blockedBy(created: readonly Composed[], lookup: ClusterLookup, claim: ResolvedClaim, isSwitching: boolean): Readiness | undefined {
  let waits: Readiness | undefined
  for (const { key, manifest } of created) {
    const pending = pendingDeletion(key, manifest, lookup, claim, isSwitching)
    const object = pending ? undefined : foreignObject(key, lookup)
    const taken = object && nameConflict(manifest, object, lookup, claim)
    if (taken) return taken
    waits ??= pending
  }
  if (waits) return waits
  const answered = created.every(({ key, manifest }) => Object.hasOwn(lookup.existing, key) || isKindKnown(lookup, key, manifest) === false)
  return answered
    ? undefined
    : notReady(
        'Creating',
        'Crossplane is being asked whether the names of the resources are free. If this stays, it is one before 2.0, and the Composition has to say composeAs: ProviderKubernetes.',
      )
}

/** What lives is not what the claim asks for, where the provider can't apply it. */
function notApplied({ kind, metadata }: Manifest, outer: JsonObject | undefined): Readiness | undefined {
  const synced = outer && observedCondition(outer, 'Synced')
  if (synced?.status !== 'False') return undefined
  return notReady(synced.reason || 'NotSynced', `provider-kubernetes can't make ${kind} ${metadata.name}: ${synced.message}`)
}

const notCreated = ({ kind, metadata }: Manifest): Readiness =>
  notReady(
    'Creating',
    `${kind} ${metadata.name} is not there yet; if this stays, the events of the composite resource say why Crossplane can't make it.`,
  )
