// Checks whether the pods of a Deployment run, and if not, why.

import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import { at, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { labelSelectorOf } from '../../kubernetes/selector.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, itemsOf, nameOf, namespaceOf } from './api.ts'
import type { Answer } from './http.ts'
import { findObstacle } from './missing-pods.ts'
import { describe, listPods, troublesOf } from './pods.ts'
import { parseVersion, tagOf, type Version } from './version.ts'

export const findDeployments = (api: Api, label: string): Promise<Answer> =>
  api.get(`/apis/apps/v1/deployments?labelSelector=${encodeURIComponent(label)}`)

export interface Health {
  readonly isWell: boolean
  readonly message: string
  /** Shows more. */
  readonly inspect: string
}

export async function healthOf(api: Api, deployment: JsonObject): Promise<Health> {
  const [name, namespace] = [nameOf(deployment), namespaceOf(deployment)]
  const [desired, ready] = [at(deployment, 'spec', 'replicas') ?? 1, at(deployment, 'status', 'readyReplicas') ?? 0]
  const message = `Deployment ${namespace}/${name} has ${textOf(ready)} of ${textOf(desired)} replicas ready`
  const selector = labelSelectorOf(deployment)
  const inspect = shell`kubectl -n ${namespace} describe pods -l ${selector}`
  if (desired === 0) return { isWell: false, message, inspect: shell`kubectl -n ${namespace} scale deployment ${name} --replicas=1` }
  if (hasUnobservedGeneration(deployment))
    return { isWell: false, message: `${message}, and its latest spec has not been observed yet`, inspect }
  if (observedCondition(deployment, 'Available')?.status === 'True') return { isWell: true, message, inspect }
  const pods = itemsOf(await listPods(api, namespace, selector))
  const obstacle = pods.length === 0 ? await findObstacle(api, namespace, selector) : undefined
  if (obstacle !== undefined) return { isWell: false, message: `${message}: ${obstacle.message}`, inspect: obstacle.inspect }
  const troubles = await troublesOf(api, pods)
  return { isWell: false, message: troubles.length === 0 ? message : `${message}: ${describe(troubles)}`, inspect }
}

export const serviceAccountOf = (deployment: JsonObject): string => {
  const name = at(deployment, 'spec', 'template', 'spec', 'serviceAccountName')
  return typeof name === 'string' && name !== '' ? name : 'default'
}

export const imageOf = (deployment: JsonObject): string =>
  textOf(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image') ?? '')

/** Reads the tag of the image, or the chart's label if the image is pinned by digest. */
export const versionOf = (deployment: JsonObject): Version | undefined =>
  parseVersion(tagOf(imageOf(deployment))) ?? parseVersion(at(deployment, 'metadata', 'labels', 'app.kubernetes.io/version'))
