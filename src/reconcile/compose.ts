import type { ComposedResource, Concern } from '../capabilities/capability.ts'
import { beingDeleted, notReady, type Readiness } from '../capabilities/readiness.ts'
import type { Claim } from '../claim/resolved-claim.ts'
import { condition } from '../kubernetes/conditions.ts'
import { at, type JsonObject } from '../kubernetes/json.ts'
import { isLeaving, type Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import { type Condition, conditionsOf } from './conditions.ts'
import { keep } from './freeze.ts'
import { hold } from './immutable-fields.ts'
import { mayLack, nameOfKind, unknownKind } from './missing-crds.ts'
import { goingAway, knows, type Neighbours, nobody, stranger, takenBy } from './name-conflicts.ts'
import { keepWrapped, unwrap, wrap } from './provider-kubernetes.ts'
import { plan } from './runtime-switch.ts'

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
  readonly asks: readonly Composed[]
  /** Kinds of what is not made yet that the cluster may not know, each once. Crossplane is asked whether it does. */
  readonly kinds: readonly Manifest[]
  /** Whether this is all, and not a step on the way. */
  readonly complete: boolean
  /** Whether it waits for something that goes by itself, and of which Crossplane does not tell. */
  readonly waits: boolean
  readonly conditions: readonly Condition[]
  readonly status: JsonObject
}

/** What a claim becomes, given what is there already. */
export function compose(claim: Claim, platform: Platform, observed: Observed, neighbours: Neighbours = nobody): Composition {
  const wrapped = platform.composeAs === 'ProviderKubernetes'
  const outerOf = ({ key }: ComposedResource) => (Object.hasOwn(observed, key) ? observed[key] : undefined)
  const innerOf = (resource: ComposedResource) => {
    const outer = outerOf(resource)
    return outer && wrapped ? unwrap(outer) : outer
  }
  const { resources, later, kept, going } = plan(claim, innerOf)
  const composed: Composed[] = []
  const status: Record<string, JsonObject[string]> = {}
  const imageBefore = at(neighbours.composite, 'status', 'workload', 'image')
  for (const resource of resources) {
    const { key, concern } = resource
    const outer = outerOf(resource)
    const inner = innerOf(resource)
    // The provider's three-way merge would take a count back that was said once, so wrapped it is never said.
    // Neither is it for a Deployment that is taken over with the replicas it has.
    const found = outer ? undefined : stranger(key, neighbours)
    const leaving = [outer, inner].some(object => object && isLeaving(object))
    const wanted = resource.build(claim, outer === undefined && found === undefined && !wrapped, outer !== undefined && !leaving)
    if (wanted === undefined) continue
    Object.assign(status, resource.status?.(inner, claim, imageBefore))
    if (resource === later) continue
    const there = inner ?? found
    const { manifest, refused } = there ? hold(resource, wanted, there, claim) : { manifest: wanted }
    const desired = wrapped ? wrap(manifest, resource, platform) : manifest
    composed.push({
      key,
      concern,
      manifest,
      desired,
      readiness:
        (leaving ? beingDeleted(manifest) : undefined) ??
        refused ??
        (wrapped ? held(manifest, outer) : undefined) ??
        (inner ? resource.ready(inner, claim) : absent(manifest)),
    })
  }
  for (const { resource, observed: inner, readiness } of kept) {
    const outer = outerOf(resource)
    const manifest = keep(inner)
    composed.push({ ...resource, manifest, desired: wrapped && outer ? keepWrapped(outer) : manifest, readiness })
  }
  const fresh = neighbours.canAsk && !wrapped ? composed.filter(({ key }) => !Object.hasOwn(observed, key)) : []
  const known = ({ key, manifest }: Composed) => knows(neighbours, key, manifest)
  const lacking = fresh.filter(resource => known(resource) === false)
  const blocked = blockedBy(fresh, neighbours, claim, going !== undefined)
  const waits = blocked?.reason === 'Waiting'
  // Amid a change of runtime it is known what goes, and why.
  const first = waits ? (going ?? blocked) : (blocked ?? going)
  const made = composed.filter(resource => !(blocked ? fresh : lacking).includes(resource))
  return {
    resources: made,
    asks: fresh.filter(known),
    kinds: neighbours.canAskKinds ? kindsOf(fresh) : [],
    complete: first === undefined && lacking.length === 0,
    waits,
    conditions: conditionsOf([
      ...lacking.map(({ concern, manifest }) => ({ concern, readiness: unknownKind(manifest) })),
      ...(first ? [{ concern: 'Workload' as const, readiness: first }] : []),
      ...composed,
    ]),
    status,
  }
}

const kindsOf = (fresh: readonly Composed[]): readonly Manifest[] => [
  ...new Map(fresh.filter(({ manifest }) => mayLack(manifest)).map(({ manifest }) => [nameOfKind(manifest), manifest])).values(),
]

/** Why nothing new can be made now: a name is taken, or the answer is not here yet. */
function blockedBy(fresh: readonly Composed[], neighbours: Neighbours, claim: Claim, switching: boolean): Readiness | undefined {
  let waits: Readiness | undefined
  for (const { key, manifest } of fresh) {
    const going = goingAway(key, manifest, neighbours, claim, switching)
    const object = going ? undefined : stranger(key, neighbours)
    const taken = object && takenBy(manifest, object, neighbours, claim)
    if (taken) return taken
    waits ??= going
  }
  if (waits) return waits
  const answered = fresh.every(({ key, manifest }) => Object.hasOwn(neighbours.found, key) || knows(neighbours, key, manifest) === false)
  return answered
    ? undefined
    : notReady(
        'Creating',
        'Crossplane is being asked whether the names of the resources are free. If this stays, it is one before 2.0, and the Composition has to say composeAs: ProviderKubernetes.',
      )
}

/** What lives is not what the claim asks for, where the provider can't apply it. */
function held({ kind, metadata }: Manifest, outer: JsonObject | undefined): Readiness | undefined {
  const synced = outer && condition(outer, 'Synced')
  if (synced?.status !== 'False') return undefined
  return notReady(synced.reason || 'NotSynced', `provider-kubernetes can't make ${kind} ${metadata.name}: ${synced.message}`)
}

const absent = ({ kind, metadata }: Manifest): Readiness =>
  notReady(
    'Creating',
    `${kind} ${metadata.name} is not there yet; if this stays, the events of the composite resource say why Crossplane can't make it.`,
  )
