// A living claim changes its runtime: the new workload is made first, events are led over to it, and only then does the
// old one go. Both sides want a Service of the claim's name, so that a stand-in of another name serves in between.
// docs/adr/0010-switching-the-runtime.md tells the steps.

import type { ComposedResource, Look } from '../capabilities/capability.ts'
import { deployment } from '../capabilities/deployment/deployment.ts'
import { httpService, service, standInService } from '../capabilities/deployment/service.ts'
import { eventingOf, resourcesOf } from '../capabilities/index.ts'
import { scaledObject } from '../capabilities/keda/scaled-object.ts'
import { knativeService, standInKnativeService } from '../capabilities/knative-serving/knative-service.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import { type Address, knativeAddress, STAND_IN, serviceAddress } from '../capabilities/workload/address.ts'
import type { Claim, Runtime } from '../claim/resolved-claim.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import { isLeaving } from '../kubernetes/objects.ts'

export interface Plan {
  readonly resources: readonly ComposedResource[]
  /** One of the resources that can't be made yet, as its name is still taken. */
  readonly later?: ComposedResource
  /** What is left of the other runtime and stays as it is for now. */
  readonly kept: readonly { readonly resource: ComposedResource; readonly observed: JsonObject; readonly readiness: Readiness }[]
  /** What goes on; undefined where nothing does. */
  readonly going?: Readiness
}

interface Side {
  readonly called: string
  readonly workload: ComposedResource
  /** What brings a Service of the claim's name into being. */
  readonly holder: ComposedResource
  readonly standIn: ComposedResource
  readonly others: readonly ComposedResource[]
  readonly address: (claim: Claim, host: string) => Address
}

const sides: Readonly<Record<Runtime, Side>> = {
  Deployment: {
    called: 'Deployment',
    workload: deployment,
    holder: service,
    standIn: standInService,
    others: [deployment, httpService, scaledObject],
    address: serviceAddress,
  },
  Knative: {
    called: 'Knative Service',
    workload: knativeService,
    holder: knativeService,
    standIn: standInKnativeService,
    others: [],
    address: knativeAddress,
  },
}

const other: Readonly<Record<Runtime, Runtime>> = { Deployment: 'Knative', Knative: 'Deployment' }

/** What to compose now. It follows from what is there alone, so a switch goes on from wherever it was left, even back. */
export function plan(claim: Claim, look: Look): Plan {
  const now = sides[claim.runtime]
  const old = sides[other[claim.runtime]]
  const left = [old.holder, ...old.others, old.standIn].flatMap(resource => {
    const observed = look(resource)
    return observed ? [{ resource, observed }] : []
  })
  if (left.length === 0 && look(now.standIn) === undefined) return { resources: resourcesOf(claim, look), kept: [] }

  const inUse = doorInUse(claim, now, old, look)
  const { door, side, host } = inUse
  const address = side.address(claim, host)
  const astray = eventingOf(claim, look, address).filter(resource => !brings(resource, claim, look(resource)))
  const moved = side === now && astray.length === 0
  const finished = moved && door === now.holder
  const later = look(old.holder) !== undefined && look(now.holder) === undefined ? now.holder : undefined
  const standIn = door !== now.holder || (!finished && look(now.standIn) !== undefined) ? now.standIn : undefined
  const all = { resources: [...resourcesOf(claim, look, address), ...(standIn ? [standIn] : [])], ...(later && { later }) }
  if (finished) return { ...all, kept: [] }
  const going = notReady('Switching', tell(claim, now, old, inUse, astray, look))
  const kept = moved ? [] : left.filter(({ observed }) => isAlive(observed)).map(thing => ({ ...thing, readiness: going }))
  return { ...all, kept, going }
}

function tell(claim: Claim, now: Side, old: Side, { side, host }: Door, astray: readonly ComposedResource[], look: Look): string {
  const before = `${old.called} ${claim.name}`
  if (side === old) {
    const workload = now.holder === now.workload && look(now.workload) === undefined ? now.standIn : now.workload
    const observed = look(workload)
    return `${before} goes on serving until the new ${now.called} is ready. ${observed ? workload.ready(observed, claim).message : 'It is being made.'}`
  }
  if (astray.length > 0)
    return `The new ${now.called} is ready and events are being led over to it; not there yet: ${astray.map(({ key }) => key).join(', ')}.`
  return `The new ${now.called} serves under the name ${host} until ${before} is gone and has left its name free.`
}

interface Door {
  readonly side: Side
  /** What events and requests go through to the workload. */
  readonly door: ComposedResource
  readonly host: string
}

/** Where events go now: to the newest door behind which a workload is ready, else where they went before. */
function doorInUse(claim: Claim, now: Side, old: Side, look: Look): Door {
  const doors = [now, old].flatMap((side): Door[] => [
    { side, door: side.holder, host: claim.name },
    { side, door: side.standIn, host: `${claim.name}${STAND_IN}` },
  ])
  const isReady = (resource: ComposedResource) => {
    const observed = look(resource)
    return observed !== undefined && isAlive(observed) && resource.ready(observed, claim).ready
  }
  // A Service is ready as soon as it is there; it is the Deployment behind it that has to be.
  const serves = ({ side, door }: Door) => isReady(door) && (side === sides.Knative || isReady(side.workload))
  const before = doors.filter(({ door }) => isAlive(look(door))).sort((a, b) => Number(a.side === now) - Number(b.side === now))
  return doors.find(serves) ?? before[0] ?? { side: now, door: now.standIn, host: `${claim.name}${STAND_IN}` }
}

const isAlive = (observed: JsonObject | undefined) => observed !== undefined && !isLeaving(observed)

/** Whether a source of events is known to bring them where it is now told to. */
function brings(resource: ComposedResource, claim: Claim, observed: JsonObject | undefined): boolean {
  const target = targetOf(resource.build(claim, false, observed !== undefined))
  if (target === undefined) return true
  return observed !== undefined && isAlive(observed) && same(target, targetOf(observed)) && resource.ready(observed, claim).ready
}

const targetOf = (manifest: JsonObject | undefined) => at(manifest, 'spec', 'subscriber') ?? at(manifest, 'spec', 'sink')

/** Whether two destinations are one. */
const same = (a: Json, b: Json | undefined): boolean =>
  [['uri'], ['ref', 'kind'], ['ref', 'name']].every(path => at(a, ...path) === at(b, ...path))
