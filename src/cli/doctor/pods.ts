// Finds out why pods do not run or are not ready, and quotes the scheduler and the kubelet.

import { STAND_IN_SUFFIX } from '../../capabilities/address.ts'
import { NAME_LABEL } from '../../capabilities/workload/labels.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import { groupTroubles, isCurrentPod, isReadyPod, type PodTrouble, troubleOfPod } from '../../kubernetes/pod-troubles.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, itemsOf, nameOf, namespaceOf } from './api.ts'
import { type Check, unknown, unneeded, well, wrong } from './check.ts'
import { timeOf } from './events.ts'
import type { Answer } from './http.ts'
import { findObstacle } from './missing-pods.ts'

/** Why a pod does not run or is not ready. */
export interface Trouble extends PodTrouble {
  /** Shows more. */
  readonly inspect: string
}

export const listPods = (api: Api, namespace: string, selector: string): Promise<Answer> =>
  api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)

export interface ExaminedPods {
  readonly check: Check
  /** All that exist, also those that have ended or are terminating; undefined if they can't be listed. */
  readonly pods: readonly JsonObject[] | undefined
  readonly troubles: readonly Trouble[]
}

/** Checks the pods of a claim, for both runtimes. */
export async function examinePods(api: Api, claim: ResolvedClaim): Promise<ExaminedPods> {
  const row = `Pods of ${claim.namespace}/${claim.name}`
  const selector = selectorOf(claim)
  const answer = await listPods(api, claim.namespace, selector)
  if (!answer.ok) return { check: unknown(row, `can't be listed: ${answer.reason}`), pods: undefined, troubles: [] }
  const pods = itemsOf(answer)
  const current = pods.filter(isCurrentPod)
  const obstacle = current.length === 0 ? await findObstacle(api, claim.namespace, selector) : undefined
  if (obstacle !== undefined) return { check: wrong(row, obstacle.message, obstacle.inspect), pods, troubles: [] }
  const troubles = await troublesOf(api, pods)
  return { check: checkPods(row, current, troubles), pods, troubles }
}

function checkPods(row: string, pods: readonly JsonObject[], troubles: readonly Trouble[]): Check {
  if (pods.length === 0) return unneeded(row, 'the claim has no pods at the moment')
  const [first] = troubles
  if (first !== undefined) return wrong(row, `${troubles.length} of ${pods.length} failing: ${describe(troubles)}`, first.inspect)
  const ready = pods.filter(isReadyPod).length
  const message = `${ready} of ${pods.length} ready`
  return ready === pods.length ? well(row, message) : unknown(row, `${message}; the others may still be starting`)
}

/** Includes the stand-in, which is the new Knative Service while a claim changes its runtime. */
const selectorOf = ({ runtime, name }: ResolvedClaim) =>
  runtime === 'Knative' ? `serving.knative.dev/service in (${name},${name}${STAND_IN_SUFFIX})` : `${NAME_LABEL}=${name}`

/** Lists each problem once, because a claim may have a thousand pods with the same one. */
export function describe(troubles: readonly Trouble[]): string {
  const groups = groupTroubles(troubles)
  const shown = groups.slice(0, MOST_PROBLEMS).map(({ reason, message, pods: [first, ...others] }) => {
    const too = others.length === 0 ? '' : ` (and ${others.length} more with ${reason})`
    return `pod ${first}: ${joined(': ', reason, message)}${too}`
  })
  const rest = groups.length - shown.length
  return [...shown, ...(rest === 0 ? [] : [`and ${rest} more`])].join('; ')
}

const MOST_PROBLEMS = 10

const joined = (separator: string, ...parts: readonly string[]) => parts.filter(part => part !== '').join(separator)

/** The problems of the pods, from their own status; where that does not tell enough, from their events. */
export async function troublesOf(api: Api, all: readonly JsonObject[]): Promise<Trouble[]> {
  const pods = all.filter(isCurrentPod)
  const told = pods.map(pod => ({ pod, trouble: troubleOfPod(pod) }))
  const silent = told.filter(({ pod, trouble }) => (trouble === undefined || trouble.mayPass) && !isReadyPod(pod))
  const [first] = silent
  const events = first === undefined ? undefined : await warningsOfPods(api, namespaceOf(first.pod))
  const certain = told.flatMap(({ pod, trouble }) => (trouble && !trouble.mayPass ? { ...trouble, inspect: inspect(pod, trouble) } : []))
  const reported = events === undefined ? [] : silent.flatMap(({ pod }) => reportedTrouble(pod, events) ?? [])
  return [...certain, ...reported]
}

/** The command that shows more. */
function inspect(pod: JsonObject, { container, logs }: Pick<PodTrouble, 'container' | 'logs'>): string {
  const [namespace, name] = [namespaceOf(pod), nameOf(pod)]
  if (container === undefined || logs === undefined) return shell`kubectl -n ${namespace} describe pod ${name}`
  const command = shell`kubectl -n ${namespace} logs ${name} -c ${container} --tail=50`
  return logs === 'previous' ? `${command} --previous` : command
}

/** One request for all pods of the namespace, because a claim may have a thousand pods. */
const warningsOfPods = (api: Api, namespace: string): Promise<Answer> =>
  api.get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent('involvedObject.kind=Pod,type=Warning')}`)

/** The problem that only an event reports: a failing probe, or a pod whose containers are not created. */
function reportedTrouble(pod: JsonObject, events: Answer): Trouble | undefined {
  const containers = items(at(pod, 'status', 'containerStatuses'))
  const hasStarted = containers.length > 0 && containers.every(container => at(container, 'state', 'running') !== undefined)
  const trouble = (reason: string, message: string): Trouble => ({ pod: nameOf(pod), reason, message, inspect: inspect(pod, {}) })
  if (!events.ok && hasStarted) return trouble('NotReady', `its events, which name the cause, can't be read: ${events.reason}`)
  const reasons = hasStarted ? ['Unhealthy'] : ['FailedCreatePodSandBox', 'FailedMount']
  const last = itemsOf(events)
    .filter(event => at(event, 'involvedObject', 'name') === nameOf(pod) && reasons.includes(textOf(event.reason)))
    .sort((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .at(-1)
  return last && trouble(textOf(last.reason), nonEmptyText(last.message) ?? '')
}
