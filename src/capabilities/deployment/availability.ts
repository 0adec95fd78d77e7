// A Deployment survives a rollout, a scale-in and the drain of a node with these fields. Kubernetes' scheduler already spreads the
// pods over zones and nodes; a constraint of ours would turn that off on nodes without a zone.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, isObject, items, type JsonObject } from '../../kubernetes/json.ts'

const isStandard = ({ platform }: ResolvedClaim) => platform.availability === 'Standard'

/** The fields of a Deployment's spec that say how a new version replaces the old one. */
export function updates(claim: ResolvedClaim, observed: JsonObject | undefined): JsonObject {
  const history = isStandard(claim) ? { revisionHistoryLimit: 3 } : {}
  if (claim.updates === 'OneAtATime') return { ...history, ...oneAtATime(observed) }
  if (!isStandard(claim)) return { strategy: { type: 'RollingUpdate' } }
  return { ...history, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } } }
}

/**
 * Kubernetes refuses Recreate beside the fields of a rolling update, and server-side apply removes only fields that nobody else
 * set or defaulted. So the first apply takes them over. Server-side apply shares a field of which both want the same value, so
 * the values are written as nobody else writes them.
 */
const TAKEN_OVER = { maxUnavailable: '100%', maxSurge: '0%' }

const rollingUpdateOf = (observed: JsonObject | undefined) => at(observed, 'spec', 'strategy', 'rollingUpdate')

/** Paused until the strategy is Recreate, because pods of two versions would run at once. */
function oneAtATime(observed: JsonObject | undefined): JsonObject {
  const current = rollingUpdateOf(observed)
  const isRemovable = current === undefined || Object.entries(TAKEN_OVER).every(([field, value]) => at(current, field) === value)
  return isRemovable ? { strategy: { type: 'Recreate' } } : { paused: true, strategy: { type: 'RollingUpdate', rollingUpdate: TAKEN_OVER } }
}

/** Whether the Deployment is yet to stop rolling. */
export const stillRolls = (observed: JsonObject, { updates }: ResolvedClaim): boolean =>
  updates === 'OneAtATime' && rollingUpdateOf(observed) !== undefined

/** The time in which a worker that is told to stop puts away its results. */
export const SECONDS_TO_FINISH = 30

/** Kubernetes' own grace period would end a pod in the middle of a long message. */
export const gracePeriod = ({ processing }: ResolvedClaim): JsonObject =>
  processing?.maxSeconds === undefined ? {} : { terminationGracePeriodSeconds: processing.maxSeconds + SECONDS_TO_FINISH }

/** Requests still arrive for a moment after a pod was told to stop, until every node has heard of it. */
export const preStop = (claim: ResolvedClaim, observed: JsonObject | undefined): JsonObject =>
  isStandard(claim) && receivesRequests(claim) && !hasOtherHook(observed) ? { lifecycle: { preStop: { sleep: { seconds: 5 } } } } : {}

/** An adopted Deployment may keep a hook of its own, and Kubernetes refuses two of them. */
function hasOtherHook(observed: JsonObject | undefined): boolean {
  const main = items(at(observed, 'spec', 'template', 'spec', 'containers')).find(container => at(container, 'name') === 'main')
  const hook = at(main, 'lifecycle', 'preStop')
  return isObject(hook) && Object.keys(hook).some(handler => handler !== 'sleep')
}

const receivesRequests = ({ httpPort, eventing, mesh }: ResolvedClaim) =>
  httpPort !== undefined ||
  (mesh !== undefined && mesh.hosts.length > 0) ||
  (eventing !== undefined && (eventing.triggers.length > 0 || eventing.kafka?.sink === 'workload'))
