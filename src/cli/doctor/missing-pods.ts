// Finds out why pods that should exist can't be created: quota, admission, a missing ServiceAccount. The Deployment keeps the message of
// the first failure, and the events of its ReplicaSet have the latest.

import { observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { withoutPodName } from '../../kubernetes/pod-troubles.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, itemsOf, nameOf } from './api.ts'
import { timeOf } from './events.ts'

export interface Obstacle {
  readonly message: string
  /** Shows more. */
  readonly inspect: string
}

/** What keeps the ReplicaSets with these labels from creating pods; undefined if they lack none, or if nothing says why. */
export async function findObstacle(api: Api, namespace: string, selector: string): Promise<Obstacle | undefined> {
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets?labelSelector=${encodeURIComponent(selector)}`
  const lacking = itemsOf(await api.get(path)).filter(lacksPods)
  if (lacking.length === 0) return undefined
  const names = lacking.map(nameOf)
  const failures = itemsOf(await api.get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent(FAILURES)}`))
    .filter(({ involvedObject }) => isObject(involvedObject) && names.includes(textOf(involvedObject.name)))
    .map(event => ({ name: textOf(at(event, 'involvedObject', 'name')), message: textOf(event.message), time: timeOf(event) }))
  const last =
    failures.sort((a, b) => a.time.localeCompare(b.time)).at(-1) ?? lacking.map(conditionOf).find(({ message }) => message !== '')
  if (last === undefined) return undefined
  const message = last.message.replace(PREFIX, '')
  return {
    message: `ReplicaSet ${last.name} can't create pods: ${withoutPodName(message)}`,
    inspect: shell`kubectl -n ${namespace} describe replicaset ${last.name}`,
  }
}

// Kubernetes combines events once there are many.
const PREFIX = /^(?:\(combined from similar events\): )?Error creating: /

const FAILURES = 'involvedObject.kind=ReplicaSet,reason=FailedCreate'

const countAt = (object: JsonObject, ...path: readonly string[]): number => {
  const count = at(object, ...path)
  return typeof count === 'number' ? count : 0
}

const lacksPods = (replicaSet: JsonObject): boolean => countAt(replicaSet, 'spec', 'replicas') > countAt(replicaSet, 'status', 'replicas')

function conditionOf(replicaSet: JsonObject): { readonly name: string; readonly message: string } {
  const failure = observedCondition(replicaSet, 'ReplicaFailure')
  return { name: nameOf(replicaSet), message: failure?.status === 'True' ? failure.message : '' }
}
