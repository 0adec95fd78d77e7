// Reads and waits for claims, in both flavours of the API.

import { observedCondition } from '../../../src/kubernetes/conditions.ts'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { Reference } from './api.ts'
import type { Cluster } from './cluster.ts'

export const API_VERSION = 'platform.bizmatters.io/v1alpha1'
export const KIND = 'EventDrivenService'

export interface ClaimManifest extends JsonObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly annotations?: JsonObject }
  readonly spec: JsonObject
}

/** A worker with the shortest polling interval and cooldown of KEDA. */
export const worker = (namespace: string, name: string, stream: string, spec: JsonObject = {}): ClaimManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace },
  spec: {
    image: 'ghcr.io/acme/orders-worker:1.4.2',
    size: 'micro',
    nats: { stream, consumer: name },
    scaling: { minReplicas: 1, maxReplicas: 5, lagThreshold: 5, pollingInterval: 1, cooldownPeriod: 1 },
    ...spec,
  },
})

export const referenceOf = ({ metadata }: ClaimManifest): Reference => ({
  apiVersion: API_VERSION,
  kind: KIND,
  namespace: metadata.namespace,
  name: metadata.name,
})
export const deploymentOf = ({ metadata }: ClaimManifest): Reference => ({ apiVersion: 'apps/v1', kind: 'Deployment', ...metadata })
export const scaledObjectOf = ({ metadata: { name, namespace } }: ClaimManifest): Reference => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  namespace,
  name: `${name}-scaler`,
})

export interface ClaimCondition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A condition of the claim. */
export async function conditionOf({ api }: Cluster, claim: ClaimManifest, type: string): Promise<ClaimCondition | undefined> {
  return observedCondition(await api.get(referenceOf(claim)), type)
}

/** Waits until the condition has this status and, if given, this reason. */
export function becomes(
  cluster: Cluster,
  claim: ClaimManifest,
  type: string,
  status: 'True' | 'False',
  reason?: string,
): Promise<ClaimCondition> {
  const { name, namespace } = claim.metadata
  let last: ClaimCondition | undefined
  return cluster
    .until(`${namespace}/${name}: ${type} ${status} ${reason ?? ''}`, async () => {
      last = await conditionOf(cluster, claim, type)
      return last?.status === status && (reason === undefined || last.reason === reason) ? last : undefined
    })
    .catch(error => {
      throw new Error(`${error instanceof Error ? error.message : error}; the condition is ${JSON.stringify(last)}`)
    })
}

export const ready = (cluster: Cluster, claim: ClaimManifest) => becomes(cluster, claim, 'Ready', 'True')

/** The desired replicas of the Deployment; undefined without a Deployment. */
export async function replicasOf({ api }: Cluster, claim: ClaimManifest): Promise<number | undefined> {
  const replicas = at(await api.find(deploymentOf(claim)), 'spec', 'replicas')
  return typeof replicas === 'number' ? replicas : undefined
}

export const scaledTo = (cluster: Cluster, claim: ClaimManifest, replicas: number): Promise<boolean> => {
  const { name } = claim.metadata
  let last: number | undefined
  return cluster
    .until(`${name} has ${replicas} replicas`, async () => {
      last = await replicasOf(cluster, claim)
      return last === replicas
    })
    .catch(error => {
      throw new Error(`${error instanceof Error ? error.message : error}; it has ${last}`)
    })
}

export interface Counts {
  /** Every number of desired replicas during the watch. */
  readonly seen: readonly number[]
  /** Every number of available replicas during the watch. */
  readonly available: readonly number[]
  readonly stop: () => void
}

export function countsOf(cluster: Cluster, claim: ClaimManifest): Counts {
  const { namespace, name } = claim.metadata
  const seen: number[] = []
  const available: number[] = []
  const add = (counts: number[], count: Json | undefined) => {
    if (typeof count === 'number' && counts.at(-1) !== count) counts.push(count)
  }
  const watch = cluster.api.watch({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }, ({ object }) => {
    if (at(object, 'metadata', 'name') !== name) return
    add(seen, at(object, 'spec', 'replicas'))
    add(available, at(object, 'status', 'availableReplicas') ?? 0)
  })
  return { seen, available, stop: watch.stop }
}

export const createNamespace = ({ api }: Cluster, name: string) => api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** Deletes the claim, and waits until the claim and its resources are deleted. */
export async function deleteClaim(
  cluster: Cluster,
  claim: ClaimManifest,
  composed: readonly Reference[] = [deploymentOf(claim), scaledObjectOf(claim)],
): Promise<void> {
  const { api, until } = cluster
  await until(`${claim.metadata.name} is deleted`, () => api.delete(referenceOf(claim)).then(() => true))
  for (const reference of [referenceOf(claim), ...composed])
    await until(`${reference.kind} ${reference.name} is gone`, async () => (await api.find(reference)) === undefined)
}

const QUANTITY = /^(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|k|M|G)?$/
const units: Readonly<Record<string, number>> = { m: 1e-3, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** The API server writes 1000m as 1. */
function quantity(value: Json): number | undefined {
  const [, digits, unit = ''] = QUANTITY.exec(String(value)) ?? []
  return digits === undefined ? undefined : Number(digits) * (units[unit] ?? 1)
}

/** The paths of composed fields that the object lacks or has with other values. */
export function missing(composed: Json | undefined, live: Json | undefined, path = ''): string[] {
  if (Array.isArray(composed))
    return Array.isArray(live) && live.length === composed.length
      ? composed.flatMap((item, index) => missing(item, live[index], `${path}[${index}]`))
      : [`${path}: ${JSON.stringify(live)} instead of ${JSON.stringify(composed)}`]
  if (isObject(composed)) {
    if (!isObject(live)) return [`${path}: ${JSON.stringify(live)} instead of an object`]
    return Object.entries(composed).flatMap(([key, value]) => missing(value, live[key], `${path}.${key}`))
  }
  const isSame =
    composed === live ||
    (composed !== undefined && live !== undefined && path.includes('resources') && quantity(composed) === quantity(live))
  return isSame ? [] : [`${path}: ${JSON.stringify(live)} instead of ${JSON.stringify(composed)}`]
}
