// What eds wait can wait for, judged by one look at the cluster.

import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { isCurrentPod } from '../../kubernetes/pod-troubles.ts'
import type { Platform } from '../../platform/platform.ts'
import { reportBuild } from '../build/report.ts'
import { type Api, nameOf } from '../doctor/api.ts'
import type { Check } from '../doctor/check.ts'
import { examineNamed, isReconciled, type Named } from '../doctor/claims.ts'
import { scalesOnNats } from '../doctor/diagnosis.ts'
import { natsDiagnosis } from '../doctor/nats.ts'
import { examinePods } from '../doctor/pods.ts'
import { checkObjects, examineComposite, followObjects } from '../why/composed.ts'
import { countsOf, factsOf, shortRow, showQueue } from '../why/investigate.ts'

export interface Look {
  /** `never`: waiting is useless until somebody changes the claim. */
  readonly state: 'done' | 'pending' | 'never'
  readonly says: string
}

const done = (says: string): Look => ({ state: 'done', says })
const pending = (says: string): Look => ({ state: 'pending', says })
const never = (says: string): Look => ({ state: 'never', says })

export const goals = ['ready', 'drained', 'scaled-to-zero'] as const
export type Goal = (typeof goals)[number]

interface Subject {
  readonly claim: ResolvedClaim
  /** The claim as the cluster has it. */
  readonly document: JsonObject
  readonly check: Check
  readonly isBlocked: boolean
  readonly platform: Platform
}

export async function look(api: Api, named: Named, goal: Goal, platformOf: (composite: JsonObject) => Platform): Promise<Look> {
  const { check, claim, composite: document, isBlocked = false } = await examineNamed(api, named, platformOf)
  if (claim === undefined || document === undefined) return isBlocked ? never(check.message) : pending(check.message)
  const subject = { claim, document, check, isBlocked, platform: platformOf(document) }
  switch (goal) {
    case 'ready':
      return isReady(api, subject)
    case 'drained':
      return isDrained(api, subject)
    case 'scaled-to-zero':
      return isScaledToZero(api, subject)
    default:
      return goal satisfies never
  }
}

async function isReady(api: Api, { claim, document, check, isBlocked, platform }: Subject): Promise<Look> {
  if (isBlocked) return never(check.message)
  const examined = await examineComposite(api, document)
  const composite = examined === undefined ? document : examined.composite
  const follow = () => followObjects(api, { claim, document, composite, platform })
  if (check.state !== 'well') {
    const isFinal = isRefused(document, composite) || (hasUnreadyBuild(document) && reportBuild(claim, await follow())?.hasFailed)
    return isFinal ? never(check.message) : pending(check.message)
  }
  // Whoever may not read the composite still has the claim's conditions.
  const mayBeRead = examined === undefined || composite !== undefined || !examined.mayHaveObjects
  if (examined && mayBeRead && examined.check.state !== 'well') return pending(tell(examined.check, claim))
  const { unfinished } = checkObjects(claim, await follow())
  if (unfinished !== undefined) return pending(tell(unfinished, claim))
  const pods = await examinePods(api, claim)
  if (pods.check.state !== 'well' && pods.check.state !== 'unneeded') return pending(tell(pods.check, claim))
  const old = claim.runtime === 'Deployment' ? pods.pods?.filter(isCurrentPod).find(pod => !runsImage(pod, claim)) : undefined
  if (old !== undefined) return pending(`Pods: pod ${nameOf(old)} does not run ${claim.image} yet`)
  return done(factsOf(claim, countsOf([pods])))
}

/** A build that failed for the latest spec is not repeated. */
const hasUnreadyBuild = (document: JsonObject): boolean =>
  observedCondition(document, 'BuildReady')?.status === 'False' && isReconciled(document)

/** Whether the function refused the latest spec. If only its input is wrong, the platform team may fix that at any time. */
const isRefused = (document: JsonObject, composite: JsonObject | undefined): boolean =>
  observedCondition(document, 'WorkloadReady')?.reason === 'InvalidClaim' &&
  isReconciled(document) &&
  (composite === undefined || isReconciled(composite))

const runsImage = (pod: JsonObject, { image }: ResolvedClaim) =>
  items(at(pod, 'spec', 'containers')).some(container => at(container, 'image') === image)

async function isDrained(api: Api, { claim, platform }: Subject): Promise<Look> {
  if (!scalesOnNats(claim)) return never('the claim has no NATS consumer')
  const checks = await natsDiagnosis.check(api, { claims: [claim], platform })
  const queue = checks.find(({ queue }) => queue !== undefined)?.queue
  const problem = checks.find(({ state }) => state !== 'well')
  if (queue === undefined) return pending(problem === undefined ? 'NATS does not report the consumer' : tell(problem, claim))
  return queue.lag === 0 ? done(showQueue(queue)) : pending(showQueue(queue))
}

async function isScaledToZero(api: Api, { claim, document, check }: Subject): Promise<Look> {
  const { check: row, pods } = await examinePods(api, claim)
  if (pods === undefined) return pending(tell(row, claim))
  const left = pods.filter(pod => !['Failed', 'Succeeded'].includes(textOf(at(pod, 'status', 'phase')))).length
  // A claim that is new has no pods yet.
  const isKnown = isReconciled(document) && observedCondition(document, 'WorkloadReady')?.status === 'True'
  if (left === 0) return isKnown ? done('no pods') : pending(check.message)
  const obstacle = obstacleOf(claim)
  return obstacle === undefined ? pending(`${left} ${left === 1 ? 'pod is' : 'pods are'} left`) : never(obstacle)
}

/** Why the claim keeps pods even without messages or requests. */
function obstacleOf({ runtime, scaling, knative }: ResolvedClaim): string | undefined {
  const [field, minimum] =
    runtime === 'Knative' ? ['knative.autoscaling.minScale', knative.autoscaling.minScale] : ['scaling.minReplicas', scaling.minReplicas]
  if (minimum > 0) return `spec.${field} is ${minimum}`
  return runtime === 'Deployment' && scaling.paused ? 'autoscaling is paused by spec.scaling.paused' : undefined
}

function tell({ name, message }: Check, claim: ResolvedClaim): string {
  return `${shortRow(name, claim)}: ${message}`
}
