// Changes of a running service under load. Each request and each message is counted.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { type ClaimManifest, createNamespace, deleteClaim, ready, referenceOf, worker } from '../cluster/claim.ts'
import { figures } from './figures.ts'
import { lossOfMessages, lossOfRequests, processed, publishMessages, sendRequests } from './load.ts'
import { podNames, podsOf, rolledOut, urlOf } from './service.ts'
import type { Setting } from './setting.ts'
import { applyAndTime } from './stages.ts'
import { IMAGE, NEXT_IMAGE } from './workers.ts'

const NAMESPACE = 'updates'
const REPLICAS = 2
const REQUESTS_PER_SECOND = 25
const MESSAGES_PER_SECOND = 10
const SETTLE_MS = 1_000
const scaling = { minReplicas: REPLICAS, maxReplicas: REPLICAS, lagThreshold: 1_000, pollingInterval: 1, cooldownPeriod: 1 }
const env = (drainMs: number, more: readonly JsonObject[] = []) => [
  { name: 'WORK_MS', value: '100' },
  { name: 'DRAIN_MS', value: String(drainMs) },
  ...more,
]
/** A claim whose pods receive requests, so that they wait 5 s before they are told to stop. */
const front = worker(NAMESPACE, 'front', 'FRONT', { image: IMAGE, httpPort: 8080, scaling, env: env(1_000) })
/** The same without `httpPort`: the platform takes it for a worker that only probes reach. */
const silent = worker(NAMESPACE, 'silent', 'SILENT', { image: IMAGE, scaling, env: env(0) })

interface Change {
  readonly operation: string
  readonly change: (setting: Setting) => Promise<unknown>
}

/** Makes the change while requests and messages arrive, and records what became of them. */
async function underLoad(setting: Setting, claim: ClaimManifest, { operation, change }: Change) {
  const { cluster, nats } = setting
  const { stream, consumer } = claim.spec.nats as { stream: string; consumer: string }
  const url = await urlOf(cluster, claim)
  const opened = sendRequests(url, { perSecond: REQUESTS_PER_SECOND })
  const kept = sendRequests(url, { perSecond: REQUESTS_PER_SECOND, keepAlive: true })
  const messages = publishMessages(nats, stream, { perSecond: MESSAGES_PER_SECOND })
  await delay(SETTLE_MS)
  const before = await podNames(cluster, claim)
  await change(setting)
  await cluster.until('the change reaches the pods', async () => (await podNames(cluster, claim)) !== before)
  await rolledOut(cluster, claim)
  await delay(SETTLE_MS)
  const [newConnections, keptConnections, { ids, seconds }] = await Promise.all([opened.stop(), kept.stop(), messages.stop()])
  await cluster.until('all messages are processed', async () => (await nats.lag(stream, consumer)) === 0)
  const result = await processed(nats, 'DONE', ids)
  const losses = [
    lossOfRequests(`${operation}, a connection for each request`, newConnections),
    lossOfRequests(`${operation}, kept connections`, keptConnections),
    lossOfMessages(operation, ids.length, seconds, result),
  ]
  figures.losses.push(...losses)
  return { losses, versions: newConnections.answers }
}

export function updatesUnderLoad(given: () => Setting): void {
  describe('a change under load', () => {
    const patch =
      (claim: ClaimManifest, spec: JsonObject) =>
      ({ cluster }: Setting) =>
        cluster.api.patch(referenceOf(claim), { spec })

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      for (const claim of [front, silent]) {
        const { stream, consumer } = claim.spec.nats as { stream: string; consumer: string }
        await nats.createStream(stream)
        await nats.createConsumer(stream, consumer)
      }
      figures.stages['two pods, their image on the node'] = await applyAndTime(cluster, front)
      await rolledOut(cluster, front)
    })
    afterAll(async () => {
      for (const claim of [front, silent]) await deleteClaim(given().cluster, claim)
    })

    test.each<Change>([
      { operation: 'a new image', change: patch(front, { image: NEXT_IMAGE }) },
      { operation: 'another size', change: patch(front, { size: 'small' }) },
      {
        operation: 'a pod is deleted',
        change: async ({ cluster }) => {
          const [pod] = await podsOf(cluster, front)
          await cluster.kubectl(['-n', NAMESPACE, 'delete', 'pod', String(at(pod, 'metadata', 'name')), '--wait=false'])
        },
      },
      { operation: 'fewer replicas', change: patch(front, { scaling: { ...scaling, minReplicas: 1, maxReplicas: 1 } }) },
    ])('$operation loses no request and no message', async one => {
      const { losses } = await underLoad(given(), front, one)
      expect(losses.filter(({ lost, twice }) => lost + twice > 0)).toEqual([])
    })

    test('a new image of a service without httpPort loses no message; requests fail if its program stops at once', async () => {
      const { cluster } = given()
      await cluster.api.apply(silent)
      await ready(cluster, silent)
      await rolledOut(cluster, silent)
      const { losses, versions } = await underLoad(given(), silent, {
        operation: 'a new image without httpPort, stopping at once',
        change: patch(silent, { image: NEXT_IMAGE }),
      })
      expect(Object.keys(versions).sort()).toEqual(['1.0.0', '1.1.0'])
      expect(losses.filter(({ of, lost, twice }) => of === 'messages' && lost + twice > 0)).toEqual([])
    })
  })
}
