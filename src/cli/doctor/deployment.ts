// A Deployment that others need: whether its pods run, and if not, why.
import { at, isObject, items, type JsonObject, textOf } from '../../json.ts'
import { condition, outdated } from '../../resources/parts.ts'
import { selectorOf, shell } from '../../shell.ts'
import { type Api, itemsOf, nameOf, namespaceOf } from './api.ts'
import type { Answer } from './http.ts'
import { parseVersion, tagOf, type Version } from './version.ts'

export const findDeployments = (api: Api, label: string): Promise<Answer> =>
  api.get(`/apis/apps/v1/deployments?labelSelector=${encodeURIComponent(label)}`)

export interface Health {
  readonly isWell: boolean
  readonly says: string
  /** Shows more. */
  readonly look: string
}

export async function healthOf(api: Api, deployment: JsonObject): Promise<Health> {
  const [name, namespace] = [nameOf(deployment), namespaceOf(deployment)]
  const [wanted, ready] = [at(deployment, 'spec', 'replicas') ?? 1, at(deployment, 'status', 'readyReplicas') ?? 0]
  const says = `Deployment ${namespace}/${name} has ${textOf(ready)} of ${textOf(wanted)} replicas ready`
  const selector = selectorOf(deployment)
  const look = shell`kubectl -n ${namespace} describe pods -l ${selector}`
  if (wanted === 0) return { isWell: false, says, look: shell`kubectl -n ${namespace} scale deployment ${name} --replicas=1` }
  if (outdated(deployment)) return { isWell: false, says: `${says}, and its newest spec was not looked at yet`, look }
  if (condition(deployment, 'Available')?.status === 'True') return { isWell: true, says, look }
  const pods = itemsOf(await api.get(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`))
  const why = pods.map(troubleOf).find(trouble => trouble !== undefined)
  return { isWell: false, says: why === undefined ? says : `${says}: ${why}`, look }
}

/** Why a pod does not run: what its containers wait for, else why it has no node. */
function troubleOf(pod: JsonObject): string | undefined {
  const containers = [...items(at(pod, 'status', 'initContainerStatuses')), ...items(at(pod, 'status', 'containerStatuses'))]
  const waiting = containers.map(container => at(container, 'state', 'waiting')).find(isObject)
  if (waiting !== undefined) return [waiting.reason, waiting.message].filter(part => typeof part === 'string' && part !== '').join(': ')
  const scheduled = condition(pod, 'PodScheduled')
  return scheduled?.status === 'False' ? `${scheduled.reason}: ${scheduled.message}` : undefined
}

export const serviceAccountOf = (deployment: JsonObject): string => {
  const name = at(deployment, 'spec', 'template', 'spec', 'serviceAccountName')
  return typeof name === 'string' && name !== '' ? name : 'default'
}

export const imageOf = (deployment: JsonObject): string =>
  textOf(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image') ?? '')

/** Of the image that runs; charts label their objects too, which is all there is where an image is named by digest. */
export const versionOf = (deployment: JsonObject): Version | undefined =>
  parseVersion(tagOf(imageOf(deployment))) ?? parseVersion(at(deployment, 'metadata', 'labels', 'app.kubernetes.io/version'))
