// A change of runtime creates the new workload, reroutes events to it, and only then deletes the old one. Both need a Service
// of the claim's name, so a stand-in of another name serves in between: docs/adr/0010-runtime-switch-by-stand-in.md

import { STAND_IN_SUFFIX } from '../capabilities/address.ts'
import type { Capability, FindObserved, OwnedResource, RuntimeParts } from '../capabilities/capability.ts'
import { resourcesOf, runtimes } from '../capabilities/index.ts'
import { inProgress, type Readiness } from '../capabilities/readiness.ts'
import type { ResolvedClaim, Runtime } from '../claim/resolved-claim.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { ClusterLookup } from './cluster-lookup.ts'
import { adoptableObject } from './name-conflicts.ts'
import type { Observation, Observe } from './observe.ts'

export interface SwitchPlan {
  readonly resources: readonly OwnedResource[]
  /** The key of the resource whose name the old runtime still has. */
  readonly postponed?: string
  /** Resources of the old runtime that stay as they are for now. */
  readonly frozen: readonly { readonly resource: OwnedResource; readonly readiness: Readiness }[]
  /** The current step; undefined if no change is in progress. */
  readonly switching?: Readiness
}

type Side = RuntimeParts<OwnedResource>

const other: Readonly<Record<Runtime, Runtime>> = { Deployment: 'Knative', Knative: 'Deployment' }

/** What to compose now. It depends only on the observed objects, so a change can resume or turn back at any step. */
export function planSwitch(claim: ResolvedClaim, observe: Observe, lookup: ClusterLookup, all?: readonly Capability[]): SwitchPlan {
  const find = ({ key }: OwnedResource) => observe(key)
  const findObserved: FindObserved = ({ key }) => observe(key)?.object ?? adoptableObject(key, lookup)
  const resourcesAt = (side: Side, host?: string) => resourcesOf(claim, { findObserved, address: side.address(claim, host) }, all)
  const now = runtimes[claim.runtime]
  const old = runtimes[other[claim.runtime]]
  const left = [old.entryPoint, ...old.others, old.standIn].filter(isSeen(find))
  if (left.length === 0 && !isSeen(find)(now.standIn)) return { resources: resourcesAt(now), frozen: [] }

  const inUse = currentEntryPoint(claim, now, old, find)
  const { resource: entryPoint, side, host } = inUse
  const resources = resourcesAt(side, host)
  const notRerouted = resources.filter(resource => !leadsToTarget(resource, claim, find(resource)))
  const moved = side === now && notRerouted.length === 0
  const finished = moved && entryPoint === now.entryPoint
  const postponed = isSeen(find)(old.entryPoint) && !isSeen(find)(now.entryPoint) ? now.entryPoint.key : undefined
  const needsStandIn = entryPoint !== now.entryPoint || (!finished && isSeen(find)(now.standIn))
  const plan = { resources: needsStandIn ? [...resources, now.standIn] : resources, ...(postponed !== undefined && { postponed }) }
  if (finished) return { ...plan, frozen: [] }
  const switching = inProgress('Switching', progressMessage(claim, now, old, inUse, notRerouted, find))
  const frozen = moved ? [] : left.filter(resource => isAlive(find(resource))).map(resource => ({ resource, readiness: switching }))
  return { ...plan, frozen, switching }
}

type Find = (resource: OwnedResource) => Observation | undefined

const isSeen =
  (find: Find) =>
  (resource: OwnedResource): boolean =>
    find(resource)?.object !== undefined

const isAlive = (observation: Observation | undefined): observation is Observation & { readonly object: JsonObject } =>
  observation?.object !== undefined && !observation.isDeleted

function progressMessage(
  claim: ResolvedClaim,
  now: Side,
  old: Side,
  { side, host }: EntryPoint,
  notRerouted: readonly OwnedResource[],
  find: Find,
): string {
  const before = `${old.noun} ${claim.name}`
  if (side === old) {
    const workload = now.backend ?? (isSeen(find)(now.entryPoint) ? now.entryPoint : now.standIn)
    const observed = find(workload)?.object
    return `${before} keeps serving until the new ${now.noun} is ready. ${observed ? workload.ready(observed, claim).message : 'It is being created.'}`
  }
  if (notRerouted.length > 0)
    return `The new ${now.noun} is ready. Waiting for these to be rerouted to it: ${notRerouted.map(({ key }) => key).join(', ')}.`
  return `The new ${now.noun} serves as ${host} until ${before} has been deleted.`
}

interface EntryPoint {
  readonly side: Side
  /** The Service that events and requests go through. */
  readonly resource: OwnedResource
  readonly host: string
}

/** Where events go now: to the newest entry point with a ready workload, else where they went before. */
function currentEntryPoint(claim: ResolvedClaim, now: Side, old: Side, find: Find): EntryPoint {
  const candidates = [now, old].flatMap((side): EntryPoint[] => [
    { side, resource: side.entryPoint, host: claim.name },
    { side, resource: side.standIn, host: `${claim.name}${STAND_IN_SUFFIX}` },
  ])
  const isReady = (resource: OwnedResource) => {
    const observation = find(resource)
    return isAlive(observation) && resource.ready(observation.object, claim).ready
  }
  const serves = ({ side: { backend }, resource }: EntryPoint) => isReady(resource) && (backend === undefined || isReady(backend))
  const before = candidates
    .filter(({ resource }) => isAlive(find(resource)))
    .sort((a, b) => Number(a.side === now) - Number(b.side === now))
  return candidates.find(serves) ?? before[0] ?? { side: now, resource: now.standIn, host: `${claim.name}${STAND_IN_SUFFIX}` }
}

/** Whether an object sends events to the current target, as far as it reports. */
function leadsToTarget({ build, target, ready }: OwnedResource, claim: ResolvedClaim, observation: Observation | undefined): boolean {
  // A new object sends nothing to the old target, and it may have to wait for long: for its CRD, or for its name.
  if (target === undefined || observation === undefined) return true
  const wanted = build(claim, 'existing')
  if (wanted === undefined) return true
  return isAlive(observation) && target(observation.object) === target(wanted) && ready(observation.object, claim).ready
}
