// A living claim changes its runtime: the new workload is made first, events are led over to it, and only then does the
// old one go. Both sides want a Service of the claim's name, so that a stand-in of another name serves in between.
// docs/adr/0010-switching-the-runtime.md tells the steps.

import type { ComposedResource, FindObserved } from '../capabilities/capability.ts'
import { deployment } from '../capabilities/deployment/deployment.ts'
import { httpService, service, standInService } from '../capabilities/deployment/service.ts'
import { eventingResources, resourcesOf } from '../capabilities/index.ts'
import { scaledObject } from '../capabilities/keda/scaled-object.ts'
import { knativeService, standInKnativeService } from '../capabilities/knative-serving/knative-service.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import { type Address, knativeAddress, STAND_IN_SUFFIX, serviceAddress } from '../capabilities/workload/address.ts'
import type { ResolvedClaim, Runtime } from '../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import { isBeingDeleted } from '../kubernetes/objects.ts'

export interface SwitchPlan {
  readonly resources: readonly ComposedResource[]
  /** One of the resources that can't be made yet, as its name is still taken. */
  readonly postponed?: ComposedResource
  /** What is left of the other runtime and stays as it is for now. */
  readonly frozen: readonly { readonly resource: ComposedResource; readonly observed: JsonObject; readonly readiness: Readiness }[]
  /** What goes on; undefined where nothing does. */
  readonly switching?: Readiness
}

interface Side {
  readonly noun: string
  readonly workload: ComposedResource
  /** What brings a Service of the claim's name into being. */
  readonly nameOwner: ComposedResource
  readonly standIn: ComposedResource
  readonly others: readonly ComposedResource[]
  readonly address: (claim: ResolvedClaim, host: string) => Address
}

const sides: Readonly<Record<Runtime, Side>> = {
  Deployment: {
    noun: 'Deployment',
    workload: deployment,
    nameOwner: service,
    standIn: standInService,
    others: [deployment, httpService, scaledObject],
    address: serviceAddress,
  },
  Knative: {
    noun: 'Knative Service',
    workload: knativeService,
    nameOwner: knativeService,
    standIn: standInKnativeService,
    others: [],
    address: knativeAddress,
  },
}

const other: Readonly<Record<Runtime, Runtime>> = { Deployment: 'Knative', Knative: 'Deployment' }

/** What to compose now. It follows from what is there alone, so a switch goes on from wherever it was left, even back. */
export function planSwitch(claim: ResolvedClaim, findObserved: FindObserved): SwitchPlan {
  const now = sides[claim.runtime]
  const old = sides[other[claim.runtime]]
  const left = [old.nameOwner, ...old.others, old.standIn].flatMap(resource => {
    const observed = findObserved(resource)
    return observed ? [{ resource, observed }] : []
  })
  if (left.length === 0 && findObserved(now.standIn) === undefined) return { resources: resourcesOf(claim, findObserved), frozen: [] }

  const inUse = currentEntryPoint(claim, now, old, findObserved)
  const { resource: door, side, host } = inUse
  const address = side.address(claim, host)
  const notRerouted = eventingResources(claim, findObserved, address).filter(
    resource => !deliversToTarget(resource, claim, findObserved(resource)),
  )
  const moved = side === now && notRerouted.length === 0
  const finished = moved && door === now.nameOwner
  const postponed = findObserved(old.nameOwner) !== undefined && findObserved(now.nameOwner) === undefined ? now.nameOwner : undefined
  const standIn = door !== now.nameOwner || (!finished && findObserved(now.standIn) !== undefined) ? now.standIn : undefined
  const all = { resources: [...resourcesOf(claim, findObserved, address), ...(standIn ? [standIn] : [])], ...(postponed && { postponed }) }
  if (finished) return { ...all, frozen: [] }
  const switching = notReady('Switching', progressMessage(claim, now, old, inUse, notRerouted, findObserved))
  const frozen = moved ? [] : left.filter(({ observed }) => isAlive(observed)).map(thing => ({ ...thing, readiness: switching }))
  return { ...all, frozen, switching }
}

function progressMessage(
  claim: ResolvedClaim,
  now: Side,
  old: Side,
  { side, host }: EntryPoint,
  notRerouted: readonly ComposedResource[],
  findObserved: FindObserved,
): string {
  const before = `${old.noun} ${claim.name}`
  if (side === old) {
    const workload = now.nameOwner === now.workload && findObserved(now.workload) === undefined ? now.standIn : now.workload
    const observed = findObserved(workload)
    return `${before} goes on serving until the new ${now.noun} is ready. ${observed ? workload.ready(observed, claim).message : 'It is being made.'}`
  }
  if (notRerouted.length > 0)
    return `The new ${now.noun} is ready and events are being led over to it; not there yet: ${notRerouted.map(({ key }) => key).join(', ')}.`
  return `The new ${now.noun} serves under the name ${host} until ${before} is gone and has left its name free.`
}

interface EntryPoint {
  readonly side: Side
  /** What events and requests go through to the workload. */
  readonly resource: ComposedResource
  readonly host: string
}

/** Where events go now: to the newest door behind which a workload is ready, else where they went before. */
function currentEntryPoint(claim: ResolvedClaim, now: Side, old: Side, findObserved: FindObserved): EntryPoint {
  const candidates = [now, old].flatMap((side): EntryPoint[] => [
    { side, resource: side.nameOwner, host: claim.name },
    { side, resource: side.standIn, host: `${claim.name}${STAND_IN_SUFFIX}` },
  ])
  const isReady = (resource: ComposedResource) => {
    const observed = findObserved(resource)
    return observed !== undefined && isAlive(observed) && resource.ready(observed, claim).ready
  }
  // A Service is ready as soon as it is there; it is the Deployment behind it that has to be.
  const serves = ({ side, resource: door }: EntryPoint) => isReady(door) && (side === sides.Knative || isReady(side.workload))
  const before = candidates
    .filter(({ resource: door }) => isAlive(findObserved(door)))
    .sort((a, b) => Number(a.side === now) - Number(b.side === now))
  return candidates.find(serves) ?? before[0] ?? { side: now, resource: now.standIn, host: `${claim.name}${STAND_IN_SUFFIX}` }
}

const isAlive = (observed: JsonObject | undefined) => observed !== undefined && !isBeingDeleted(observed)

/** Whether a source of events is known to bring them where it is now told to. */
function deliversToTarget(resource: ComposedResource, claim: ResolvedClaim, observed: JsonObject | undefined): boolean {
  const target = targetOf(resource.build(claim, false, observed !== undefined))
  if (target === undefined) return true
  return (
    observed !== undefined && isAlive(observed) && isSameDestination(target, targetOf(observed)) && resource.ready(observed, claim).ready
  )
}

const targetOf = (manifest: JsonObject | undefined) => at(manifest, 'spec', 'subscriber') ?? at(manifest, 'spec', 'sink')

/** Whether two destinations are one. */
const isSameDestination = (a: Json, b: Json | undefined): boolean =>
  [['uri'], ['ref', 'kind'], ['ref', 'name']].every(path => at(a, ...path) === at(b, ...path))
