// The stages of a canary, from the observed objects alone: docs/adr/0020-istio-mesh.md
import type { Canary, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { isBeingDeleted } from '../../kubernetes/objects.ts'
import type { FindObserved } from '../capability.ts'
import { isRolledOut, serves } from './rollout.ts'

export const CANARY_DEPLOYMENT = { key: 'canary-deployment' }
export const CANARY_SERVICE = { key: 'canary-service' }
export const VIRTUAL_SERVICE = { key: 'mesh-virtual-service' }
export const HTTP_ROUTE = { key: 'mesh-http-route' }
const DEPLOYMENT = { key: 'deployment' }

export const canaryName = ({ name }: ResolvedClaim): string => `${name}-canary`

/**
 * `asked`: the claim has a canary, which gets requests once it is available.
 * `leaving`: the claim no longer has one, but a route still leads to it. `holds`: the routes stay as they are, because the
 * stable Deployment can't take over yet.
 */
export type CanaryStage =
  | { readonly is: 'absent' }
  | { readonly is: 'asked'; readonly canary: Canary; readonly isAvailable: boolean }
  | { readonly is: 'leaving'; readonly holds: boolean; readonly image: string }

export function canaryStage(claim: ResolvedClaim, findObserved: FindObserved): CanaryStage {
  const observed = alive(findObserved(CANARY_DEPLOYMENT))
  const canary = claim.mesh?.canary
  if (canary !== undefined)
    return { is: 'asked', canary, isAvailable: isAvailable(observed) && alive(findObserved(CANARY_SERVICE)) !== undefined }
  if (observed === undefined) return { is: 'absent' }
  const isRouted = [VIRTUAL_SERVICE, HTTP_ROUTE].some(route => leadsTo(canaryName(claim), alive(findObserved(route))))
  if (!isRouted) return { is: 'absent' }
  const image = imageOf(observed)
  return { is: 'leaving', holds: isAvailable(observed) && !canTakeOver(alive(findObserved(DEPLOYMENT)), image, claim), image }
}

const alive = (observed: JsonObject | undefined) => (observed && !isBeingDeleted(observed) ? observed : undefined)

const isAvailable = (observed: JsonObject | undefined) =>
  observed !== undefined && observedCondition(observed, 'Available')?.status === 'True'

const imageOf = (observed: JsonObject): string => {
  const containers = items(at(observed, 'spec', 'template', 'spec', 'containers'))
  return textOf(at(containers.find(container => at(container, 'name') === 'main') ?? {}, 'image'))
}

/** Whoever has seen the new version must not see the old one again, so a promoted image serves from the canary until it is rolled out. */
function canTakeOver(stable: JsonObject | undefined, promoted: string, { image }: ResolvedClaim): boolean {
  if (stable === undefined) return false
  return image === promoted ? imageOf(stable) === image && isRolledOut(stable) : serves(stable)
}

/** Whether a VirtualService or an HTTPRoute sends requests to a Service. */
function leadsTo(service: string, route: JsonObject | undefined): boolean {
  const isTo = (name: Json | undefined) => textOf(name).split('.')[0] === service
  const virtual = items(at(route, 'spec', 'http')).flatMap(http => items(at(http, 'route')))
  const ofGateway = items(at(route, 'spec', 'rules')).flatMap(rule => items(at(rule, 'backendRefs')))
  return [
    ...virtual.map(to => [at(to, 'destination', 'host'), at(to, 'weight')]),
    ...ofGateway.map(to => [at(to, 'name'), at(to, 'weight')]),
  ].some(([name, weight]) => isTo(name) && weight !== 0)
}
