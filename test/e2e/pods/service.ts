// What the tests ask of a claim's pods and Services.
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { type ClaimManifest, deploymentOf } from '../cluster/claim.ts'
import type { Cluster } from '../cluster/cluster.ts'

/** The address of the claim's Service once it answers: kube-proxy hears of a ready pod a moment after the Deployment. */
export async function urlOf({ api, until }: Cluster, { metadata: { name, namespace } }: ClaimManifest): Promise<string> {
  const { spec } = await api.get({ apiVersion: 'v1', kind: 'Service', namespace, name })
  const url = `http://${at(spec, 'clusterIP')}:${at(spec, 'ports', 0, 'port')}`
  await until(`${url} answers`, async () => (await fetch(url)).ok)
  return url
}

const allPodsOf = ({ api }: Cluster, { metadata: { name, namespace } }: ClaimManifest): Promise<JsonObject[]> =>
  api.list({ apiVersion: 'v1', kind: 'Pod', namespace }, `?labelSelector=app.kubernetes.io/name=${name}`)

/** The pods of the claim, without those that are on their way out. */
export const podsOf = async (cluster: Cluster, claim: ClaimManifest): Promise<JsonObject[]> =>
  (await allPodsOf(cluster, claim)).filter(pod => at(pod, 'metadata', 'deletionTimestamp') === undefined)

/** The names of the pods, to see that a change has reached them. */
export const podNames = async (cluster: Cluster, claim: ClaimManifest): Promise<string> =>
  (await podsOf(cluster, claim))
    .map(pod => at(pod, 'metadata', 'name'))
    .sort()
    .join()

export const addressOf = (pod: JsonObject) => `http://${at(pod, 'status', 'podIP')}:8080`

/** Waits until all replicas run the latest version, and every other pod has ended. */
export async function rolledOut(cluster: Cluster, claim: ClaimManifest): Promise<void> {
  const { name } = claim.metadata
  await cluster.until(`the rollout of ${name}`, async () => {
    const { metadata, spec, status } = await cluster.api.get(deploymentOf(claim))
    const replicas = at(spec, 'replicas')
    const all = ['replicas', 'updatedReplicas', 'availableReplicas'].every(count => (at(status, count) ?? 0) === replicas)
    return all && at(status, 'observedGeneration') === at(metadata, 'generation') && (await allPodsOf(cluster, claim)).length === replicas
  })
}

export interface PodWatch {
  /** The names of all pods of the claim that there were, in order. */
  readonly seen: readonly string[]
  /** Containers of these pods that were started again. */
  readonly restarts: () => number
  readonly stop: () => void
}

export function watchPods({ api }: Cluster, { metadata: { name, namespace } }: ClaimManifest): PodWatch {
  const seen: string[] = []
  const restarts = new Map<string, number>()
  const { stop } = api.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, ({ object }) => {
    if (at(object, 'metadata', 'labels', 'app.kubernetes.io/name') !== name) return
    const pod = String(at(object, 'metadata', 'name'))
    if (!seen.includes(pod)) seen.push(pod)
    restarts.set(pod, Number(at(object, 'status', 'containerStatuses', 0, 'restartCount') ?? 0))
  })
  return { seen, restarts: () => [...restarts.values()].reduce((sum, count) => sum + count, 0), stop }
}
