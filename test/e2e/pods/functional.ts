// A message is published, processed and logged; the probes answer; and the replicas follow the messages, each of which is processed
// once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at } from '../../../src/kubernetes/json.ts'
import { type ClaimManifest, countsOf, createNamespace, deleteClaim, deploymentOf, ready, scaledTo, worker } from '../cluster/claim.ts'
import { runDocumented } from '../cluster/install.ts'
import { figures } from './figures.ts'
import { lossOfMessages, processed, publishAtOnce } from './load.ts'
import { addressOf, podsOf, urlOf } from './service.ts'
import type { Setting } from './setting.ts'
import { applyAndTime } from './stages.ts'
import { IMAGE } from './workers.ts'

const NAMESPACE = 'shop'
const MAXIMUM = 4
const AT_ONCE = 50
const WORK_MS = 1_000
const SAMPLE_MS = 250
const scaling = { minReplicas: 1, maxReplicas: MAXIMUM, lagThreshold: 5, pollingInterval: 1, cooldownPeriod: 1 }
const orders: ClaimManifest = worker(NAMESPACE, 'orders-worker', 'ORDERS', {
  image: IMAGE,
  scaling,
  env: [{ name: 'WORK_MS', value: String(WORK_MS) }],
})
const sleepy: ClaimManifest = worker(NAMESPACE, 'sleepy', 'SLEEPY', {
  image: IMAGE,
  scaling: { ...scaling, minReplicas: 0 },
  env: [{ name: 'WORK_MS', value: String(WORK_MS) }],
})

export function processesMessages(given: () => Setting): void {
  describe('a worker', () => {
    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      for (const { metadata, spec } of [orders, sleepy]) {
        const stream = String((spec.nats as { stream: string }).stream)
        await nats.createStream(stream)
        await nats.createConsumer(stream, metadata.name, { max_deliver: 10 })
      }
    })
    afterAll(async () => {
      for (const claim of [orders, sleepy]) await deleteClaim(given().cluster, claim)
    })

    test('becomes ready', async () => {
      const { cluster } = given()
      figures.stages['a worker, its image not on the node'] = await applyAndTime(cluster, orders)
    })

    test('processes and logs a message', async () => {
      const { cluster, nats } = given()
      const ids = await publishAtOnce(nats, 'ORDERS', 1)
      await cluster.until('the message is processed', async () => (await processed(nats, 'DONE', ids)).once === 1)
      const log = await cluster.kubectl(['-n', NAMESPACE, 'logs', 'deployment/orders-worker'])
      expect(log).toContain(`processed ${ids[0]} (delivery 1`)
    })

    test('gives eds doctor nothing to report', async () => {
      expect(await runDocumented(given().cluster, `eds doctor ${NAMESPACE}/orders-worker`)).not.toContain('✗')
    })

    test.each(['/health', '/ready'])('answers %s through its Service', async path => {
      expect((await fetch(`${await urlOf(given().cluster, orders)}${path}`)).status).toBe(200)
    })

    test(`scales up for ${AT_ONCE} messages, processes each once, and scales down to the minimum`, async () => {
      const { cluster, nats } = given()
      const counts = countsOf(cluster, orders)
      const began = Date.now()
      const ids = await publishAtOnce(nats, 'ORDERS', AT_ONCE)
      await cluster.until('all messages are processed', async () => (await nats.lag('ORDERS', 'orders-worker')) === 0)
      const seconds = (Date.now() - began) / 1_000
      const result = await processed(nats, 'DONE', ids)
      expect(result).toMatchObject({ once: AT_ONCE, twice: [], never: [] })
      await scaledTo(cluster, orders, 1)
      // The pods that were told to stop.
      await cluster.until('one pod is left', async () => (await podsOf(cluster, orders)).length === 1)
      counts.stop()
      console.log(`replicas: ${counts.seen.join(', ')}`)
      expect(Math.max(...counts.seen)).toBe(MAXIMUM)
      figures.losses.push(lossOfMessages(`scale up to ${MAXIMUM} and down to 1`, AT_ONCE, seconds, await processed(nats, 'DONE', ids)))
    })

    test('scales from zero to the maximum and back to zero', async () => {
      const { cluster, nats } = given()
      const { api } = cluster
      await cluster.api.apply(sleepy)
      await ready(cluster, sleepy)
      await scaledTo(cluster, sleepy, 0)
      await cluster.until('no pod is left', async () => (await podsOf(cluster, sleepy)).length === 0)
      const began = Date.now()
      const sample = async () => {
        const [lag, deployment] = await Promise.all([nats.lag('SLEEPY', 'sleepy'), api.get(deploymentOf(sleepy))])
        const replicas = Number(at(deployment, 'status', 'readyReplicas') ?? 0)
        figures.samples.push({ second: (Date.now() - began) / 1_000, lag, replicas })
      }
      await sample()
      const sampling = setInterval(() => void sample().catch(() => undefined), SAMPLE_MS)
      const ids = await publishAtOnce(nats, 'SLEEPY', AT_ONCE)
      await cluster.until('the first is processed', async () => (await processed(nats, 'DONE', ids)).never.length < AT_ONCE)
      figures.seconds['from zero to the first processed message'] = (Date.now() - began - WORK_MS) / 1_000
      await scaledTo(cluster, sleepy, MAXIMUM)
      await cluster.until('all messages are processed', async () => (await nats.lag('SLEEPY', 'sleepy')) === 0)
      const seconds = (Date.now() - began) / 1_000
      await scaledTo(cluster, sleepy, 0)
      await cluster.until('no pod is left', async () => (await podsOf(cluster, sleepy)).length === 0)
      clearInterval(sampling)
      const result = await processed(nats, 'DONE', ids)
      expect(result).toMatchObject({ once: AT_ONCE, twice: [], never: [] })
      figures.losses.push(lossOfMessages(`0 → ${MAXIMUM} → 0 replicas`, AT_ONCE, seconds, result))
    })

    test('says its version to a client', async () => {
      const { cluster } = given()
      const [pod] = await podsOf(cluster, orders)
      expect(await (await fetch(addressOf(pod ?? {}))).json()).toMatchObject({ version: '1.0.0' })
    })
  })
}
