// The claims of the tests with Knative, and what is asked of them.
import { expect } from 'vitest'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../../cluster/api.ts'
import { API_VERSION, type ClaimManifest, KIND, ready, referenceOf } from '../../cluster/claim.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { subjectOf } from '../../cluster/nats.ts'
import { lacking } from '../../cluster/suite/composed.ts'
import { NODE_ADDRESS } from '../../node/addresses.ts'

export const NAMESPACE = 'knative'
export const IMAGE = 'ghcr.io/acme/knative-worker:1.0.0'

/** The stream of processed messages. */
export const DONE = 'DONE_ON_KNATIVE'

/** Fixed, because every node has a network of its own. */
export const LEDGER_PORT = 9100

/** The last pod of a service without requests is removed as soon as Knative can. */
export const quickly = { window: '6s', scaleDownDelay: '0s', maxScale: 3 }
export const alwaysOne = { minScale: 1, maxScale: 1 }

export const claimOf = (name: string, version: string, spec: JsonObject): ClaimManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace: NAMESPACE },
  spec: {
    image: IMAGE,
    size: 'micro',
    env: [
      { name: 'VERSION', value: version },
      { name: 'LEDGER', value: `http://${NODE_ADDRESS}:${LEDGER_PORT}` },
      { name: 'DRAIN_MS', value: '1000' },
      { name: 'DONE_SUBJECT', value: subjectOf(DONE) },
    ],
    ...spec,
  },
})

export const knativeServiceOf = (name: string): Reference => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  namespace: NAMESPACE,
  name,
})

/** The pods of a Knative Service, without those that are stopping: Knative's proxy takes 30 s for that. */
export async function podsOf({ api }: Cluster, name: string): Promise<JsonObject[]> {
  const query = `?labelSelector=serving.knative.dev/service=${name}`
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE }, query)
  return pods.filter(pod => at(pod, 'metadata', 'deletionTimestamp') === undefined)
}

/** The URL that the claim reports. */
export const urlOf = async ({ api }: Cluster, claim: ClaimManifest): Promise<string> =>
  String(at(await api.get(referenceOf(claim)), 'status', 'url'))

/** Waits until Knative serves the claim as it is, with the traffic that it asks for. */
export async function serves(cluster: Cluster, claim: ClaimManifest): Promise<void> {
  const { name } = claim.metadata
  await cluster.until(`Knative serves ${name} as it is`, async () => {
    expect(await lacking(cluster, claim)).toEqual([])
    const service = await cluster.api.get(knativeServiceOf(name))
    const isSeen = at(service, 'status', 'observedGeneration') === at(service, 'metadata', 'generation')
    return isSeen && observedCondition(service, 'Ready')?.status === 'True'
  })
  await ready(cluster, claim)
}
