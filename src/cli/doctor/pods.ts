// Finds out why pods do not run or are not ready, and quotes the scheduler and the kubelet.

import { STAND_IN_SUFFIX } from '../../capabilities/address.ts'
import { NAME_LABEL } from '../../capabilities/workload/labels.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, itemsOf, nameOf, namespaceOf } from './api.ts'
import { type Check, unknown, unneeded, well, wrong } from './check.ts'
import type { Answer } from './http.ts'

/** Why a pod does not run or is not ready. */
export interface Trouble {
  readonly pod: string
  /** Such as `ImagePullBackOff`. */
  readonly reason: string
  readonly message: string
  /** Shows more. */
  readonly inspect: string
}

export const listPods = (api: Api, namespace: string, selector: string): Promise<Answer> =>
  api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)

/** Checks the pods of a claim, for both runtimes. */
export async function checkPods(api: Api, claim: ResolvedClaim): Promise<Check> {
  const row = `Pods of ${claim.namespace}/${claim.name}`
  const answer = await listPods(api, claim.namespace, selectorOf(claim))
  if (!answer.ok) return unknown(row, `can't be listed: ${answer.reason}`)
  const pods = itemsOf(answer).filter(isCurrent)
  if (pods.length === 0) return unneeded(row, 'the claim has no pods at the moment')
  const troubles = await troublesOf(api, pods)
  const [first] = troubles
  if (first !== undefined) return wrong(row, `${troubles.length} of ${pods.length} failing: ${describe(troubles)}`, first.inspect)
  const ready = pods.filter(isReady).length
  const message = `${ready} of ${pods.length} ready`
  return ready === pods.length ? well(row, message) : unknown(row, `${message}; the others may still be starting`)
}

/** Includes the stand-in, which is the new Knative Service while a claim changes its runtime. */
const selectorOf = ({ runtime, name }: ResolvedClaim) =>
  runtime === 'Knative' ? `serving.knative.dev/service in (${name},${name}${STAND_IN_SUFFIX})` : `${NAME_LABEL}=${name}`

/** Lists each reason once, because a claim may have a thousand pods with the same problem. */
export function describe(troubles: readonly Trouble[]): string {
  return [...new Set(troubles.map(({ reason }) => reason))]
    .flatMap(reason => {
      const [first, ...others] = troubles.filter(one => one.reason === reason)
      if (first === undefined) return []
      const too = others.length === 0 ? '' : ` (and ${others.length} more with ${reason})`
      return [`pod ${first.pod}: ${joined(': ', reason, first.message)}${too}`]
    })
    .join('; ')
}

const joined = (separator: string, ...parts: readonly string[]) => parts.filter(part => part !== '').join(separator)

export async function troublesOf(api: Api, all: readonly JsonObject[]): Promise<Trouble[]> {
  const pods = all.filter(isCurrent)
  const own = pods.map(troubleOf)
  const silent = pods.filter((pod, index) => own[index] === undefined && !isReady(pod))
  const [first] = silent
  const events = first === undefined ? undefined : await warningsOfPods(api, namespaceOf(first))
  const reported = events === undefined ? [] : silent.map(pod => reportedTrouble(pod, events))
  return [...own, ...reported].filter(trouble => trouble !== undefined)
}

/** A pod that has ended or is terminating has a successor, which shows any remaining problem. */
const isCurrent = (pod: JsonObject) =>
  at(pod, 'metadata', 'deletionTimestamp') === undefined && !['Failed', 'Succeeded'].includes(textOf(at(pod, 'status', 'phase')))

const isReady = (pod: JsonObject) => observedCondition(pod, 'Ready')?.status === 'True'

/** The reasons for which every starting container waits. */
const STARTING: readonly unknown[] = ['ContainerCreating', 'PodInitializing']

/** The problem in the pod's own status: it has no node, or a container does not run. */
function troubleOf(pod: JsonObject): Trouble | undefined {
  const scheduled = observedCondition(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return trouble(pod, scheduled.reason, scheduled.message)
  for (const container of [...items(at(pod, 'status', 'initContainerStatuses')), ...items(at(pod, 'status', 'containerStatuses'))]) {
    const waiting = at(container, 'state', 'waiting')
    if (isObject(waiting) && !STARTING.includes(waiting.reason)) return troubleOfWaiting(pod, container, waiting)
    const terminated = at(container, 'state', 'terminated')
    if (isObject(terminated) && terminated.exitCode !== 0)
      return trouble(pod, textOr(terminated.reason, 'Error'), ended(container, terminated), logs(pod, container))
  }
  return undefined
}

function troubleOfWaiting(pod: JsonObject, container: Json, waiting: JsonObject): Trouble {
  const before = at(container, 'lastState', 'terminated')
  const [reason, message] = [textOr(waiting.reason, 'Waiting'), textOr(waiting.message, '')]
  if (!isObject(before)) return trouble(pod, reason, message)
  const why = textOr(before.reason, 'Error').replace(/^Error$/, '')
  return trouble(pod, reason, joined('; ', message, joined(', ', ended(container, before), why)), `${logs(pod, container)} --previous`)
}

/** Omits the termination message because a program may write secrets into it. */
const ended = (container: Json, { exitCode }: JsonObject) =>
  `container ${textOf(at(container, 'name'))} ended with exit code ${textOf(exitCode)}`

const textOr = (value: Json | undefined, otherwise: string) => (typeof value === 'string' && value !== '' ? value : otherwise)

const logs = (pod: JsonObject, container: Json) =>
  shell`kubectl -n ${namespaceOf(pod)} logs ${nameOf(pod)} -c ${textOf(at(container, 'name'))} --tail=50`

const trouble = (pod: JsonObject, reason: string, message: string, inspect?: string): Trouble => ({
  pod: nameOf(pod),
  reason,
  message,
  inspect: inspect ?? shell`kubectl -n ${namespaceOf(pod)} describe pod ${nameOf(pod)}`,
})

/** One request for all pods of the namespace, because a claim may have a thousand pods. */
const warningsOfPods = (api: Api, namespace: string): Promise<Answer> =>
  api.get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent('involvedObject.kind=Pod,type=Warning')}`)

/** The problem that only an event reports: a failing probe, or a pod whose containers are not created. */
function reportedTrouble(pod: JsonObject, events: Answer): Trouble | undefined {
  const containers = items(at(pod, 'status', 'containerStatuses'))
  const hasStarted = containers.length > 0 && containers.every(container => at(container, 'state', 'running') !== undefined)
  if (!events.ok && hasStarted) return trouble(pod, 'NotReady', `its events, which name the cause, can't be read: ${events.reason}`)
  const reasons = hasStarted ? ['Unhealthy'] : ['FailedCreatePodSandBox', 'FailedMount']
  const last = itemsOf(events)
    .filter(event => at(event, 'involvedObject', 'name') === nameOf(pod) && reasons.includes(textOf(event.reason)))
    .sort((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .at(-1)
  return last && trouble(pod, textOf(last.reason), textOr(last.message, ''))
}

/** Events of events.k8s.io leave lastTimestamp empty. */
const timeOf = ({ lastTimestamp, eventTime }: JsonObject) => textOr(lastTimestamp, textOr(eventTime, ''))
