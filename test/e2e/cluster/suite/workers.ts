// What keeps workers at work: long messages, drains, rollouts, and the replica count with and without NATS.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, type Json, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { ADOPT } from '../../../../src/reconcile/name-conflicts.ts'
import type { Reference } from '../api.ts'
import {
  becomes,
  type ClaimManifest,
  countsOf,
  createNamespace,
  deleteClaim,
  deploymentOf,
  ready,
  referenceOf,
  replicasOf,
  scaledObjectOf,
  scaledTo,
  worker,
} from '../claim.ts'
import { ownPlatform } from './platform.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'workers'
const patched = ({ cluster }: Setting, claim: ClaimManifest, spec: JsonObject) => cluster.api.patch(referenceOf(claim), { spec })

const hpaOf = ({ metadata: { name, namespace } }: ClaimManifest): Reference => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  namespace,
  name: `${name}-scaler`,
})

/** What the HPA measures and wants. */
async function figuresOf({ cluster }: Setting, claim: ClaimManifest) {
  const { spec, status } = await cluster.api.get(hpaOf(claim))
  return {
    threshold: at(spec, 'metrics', 0, 'external', 'target', 'averageValue'),
    messagesPerReplica: at(status, 'currentMetrics', 0, 'external', 'current', 'averageValue'),
    replicas: at(status, 'currentReplicas'),
    wanted: at(status, 'desiredReplicas'),
    windowSeconds: at(spec, 'behavior', 'scaleDown', 'stabilizationWindowSeconds'),
  }
}

export function keepsWorkers(given: () => Setting): void {
  describe('workers', () => {
    beforeAll(() => createNamespace(given().cluster, NAMESPACE))

    describe('ten replicas with one long message each', () => {
      const BUSY = 10
      const bounds = { minReplicas: 1, maxReplicas: BUSY, pollingInterval: 1, cooldownPeriod: 1 }
      const encoder = worker(NAMESPACE, 'encoder', 'ENCODE', { scaling: { ...bounds, lagThreshold: 5 } })

      beforeAll(async () => {
        const { cluster, nats } = given()
        await nats.createStream('ENCODE')
        await nats.createConsumer('ENCODE', 'encoder')
        await cluster.api.apply(encoder)
        await ready(cluster, encoder)
        await nats.fill('ENCODE', 5 * BUSY)
        await scaledTo(cluster, encoder, BUSY)
        expect(await nats.take('ENCODE', 'encoder', 4 * BUSY)).toBe(4 * BUSY)
        await nats.hold('ENCODE', 'encoder', BUSY)
        expect(await nats.lag('ENCODE', 'encoder')).toBe(BUSY)
      })
      afterAll(() => deleteClaim(given().cluster, encoder))

      test('lose eight of them if a replica counts as busy only with five messages', async () => {
        const { cluster } = given()
        await scaledTo(cluster, encoder, 2)
        const figures = await cluster.until('the HPA has settled', async () => {
          const now = await figuresOf(given(), encoder)
          return now.replicas === 2 && now.messagesPerReplica === '5' ? now : undefined
        })
        console.log(`without processing: ${JSON.stringify(figures)}`)
        expect(figures).toMatchObject({ threshold: '5', wanted: 2 })
      })

      test('keep all of them if the claim says how long a message may take', async () => {
        const { cluster } = given()
        await cluster.api.patch(referenceOf(encoder), { spec: { processing: { maxDuration: '15m' }, scaling: { lagThreshold: null } } })
        await scaledTo(cluster, encoder, BUSY)
        const counts = countsOf(cluster, encoder)
        const figures = await cluster.until('the HPA has settled', async () => {
          const now = await figuresOf(given(), encoder)
          return now.replicas === BUSY && now.messagesPerReplica === '1' ? now : undefined
        })
        // Twice as long as the HPA took before.
        await delay(15_000)
        counts.stop()
        console.log(`with processing:    ${JSON.stringify(figures)}`)
        // The metric itself asks for ten: the window alone would only delay the loss.
        expect(figures).toMatchObject({ threshold: '1', wanted: BUSY, windowSeconds: 900 })
        expect(counts.seen).toEqual([BUSY])
        const { spec } = await cluster.api.get(deploymentOf(encoder))
        expect(at(spec, 'template', 'spec', 'terminationGracePeriodSeconds')).toBe(930)
      })
    })

    describe('the drain of a node', () => {
      const NODES = ['kwok-node-a', 'workers-node-b'] as const
      const ZONE = 'topology.kubernetes.io/zone'
      const drained = worker(NAMESPACE, 'drained', 'DRAINED', { scaling: { minReplicas: 8, maxReplicas: 9, pollingInterval: 1 } })
      const podsOn = async (node: string) => {
        const pods = await given().cluster.api.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE })
        const isOurs = (pod: JsonObject) => at(pod, 'metadata', 'labels', 'app.kubernetes.io/name') === 'drained'
        return pods.filter(
          pod => isOurs(pod) && at(pod, 'spec', 'nodeName') === node && at(pod, 'metadata', 'deletionTimestamp') === undefined,
        )
      }
      const drain = (node: string) =>
        given().cluster.kubectl([
          'drain',
          node,
          '--pod-selector=app.kubernetes.io/name=drained',
          '--delete-emptydir-data',
          '--timeout=100s',
        ])

      beforeAll(async () => {
        const { cluster, nats } = given()
        const { metadata, spec } = await cluster.api.get({ apiVersion: 'v1', kind: 'Node', name: NODES[0] })
        const labels = { ...(at(metadata, 'labels') as JsonObject), 'kubernetes.io/hostname': NODES[1], [ZONE]: 'b' }
        // The scheduler ignores the spread on nodes without a zone.
        await cluster.kubectl(['label', 'node', NODES[0], `${ZONE}=a`])
        const annotations = { 'kwok.x-k8s.io/node': 'fake' }
        await cluster.api.apply({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: NODES[1], labels, annotations },
          spec: { taints: at(spec, 'taints') ?? [] },
        })
        await nats.createStream('DRAINED')
        await nats.createConsumer('DRAINED', 'drained')
        await cluster.api.apply(drained)
        await ready(cluster, drained)
      })
      afterAll(async () => {
        const { cluster } = given()
        for (const node of NODES) await cluster.kubectl(['uncordon', node])
        await cluster.kubectl(['label', 'node', NODES[0], `${ZONE}-`])
        await deleteClaim(cluster, drained)
        await cluster.kubectl(['delete', 'node', NODES[1]])
      })

      test('the pods are spread over both nodes', async () => {
        await given().cluster.until('both nodes have pods', async () => {
          const counts = await Promise.all(NODES.map(podsOn))
          return counts.every(({ length }) => length > 0)
        })
      })

      test('leaves at most a quarter of the pods unavailable at once', async () => {
        const { cluster } = given()
        await cluster.until(
          'eight pods are available',
          async () => at((await cluster.api.get(deploymentOf(drained))).status ?? {}, 'availableReplicas') === 8,
        )
        const counts = countsOf(cluster, drained)
        await drain(NODES[0])
        await cluster.until(
          'eight pods are available',
          async () => at((await cluster.api.get(deploymentOf(drained))).status ?? {}, 'availableReplicas') === 8,
        )
        counts.stop()
        expect(await podsOn(NODES[0])).toEqual([])
        console.log(`available during the drain of eight pods: ${counts.available.join(', ')}`)
        expect(Math.min(...counts.available)).toBeGreaterThanOrEqual(6)
      })

      test.each([{ replicas: 1 }, { replicas: 0 }])('is not held up by a service with $replicas replicas', async ({ replicas }) => {
        const { cluster } = given()
        await patched(given(), drained, { scaling: { minReplicas: replicas, cooldownPeriod: 1 } })
        await scaledTo(cluster, drained, replicas)
        await cluster.kubectl(['uncordon', NODES[0]])
        await cluster.until('the pods are settled', async () => {
          const { status } = await cluster.api.get(deploymentOf(drained))
          return (at(status, 'availableReplicas') ?? 0) === replicas && (at(status, 'replicas') ?? 0) === replicas
        })
        await drain(NODES[1])
        expect(await podsOn(NODES[1])).toEqual([])
        await cluster.kubectl(['uncordon', NODES[1]])
        const budget = await cluster.api.get({
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          namespace: NAMESPACE,
          name: 'drained',
        })
        expect(at(budget, 'spec', 'maxUnavailable')).toBe('25%')
      })
    })

    describe('the replica count', () => {
      const plain = { nats: undefined, httpPort: 8080, scaling: { minReplicas: 3, maxReplicas: 5, pollingInterval: 1, cooldownPeriod: 1 } }
      const claim = worker(NAMESPACE, 'pull-later', 'LATER', plain)
      const annotation = async () =>
        at((await given().cluster.api.get(deploymentOf(claim))).metadata ?? {}, 'annotations', 'platform.bizmatters.io/replicas')

      beforeAll(async () => {
        const { cluster, nats } = given()
        await nats.createStream('LATER')
        await nats.createConsumer('LATER', 'pull-later')
        await cluster.api.apply(JSON.parse(JSON.stringify(claim)) as ClaimManifest)
        await ready(cluster, claim)
      })
      afterAll(() => deleteClaim(given().cluster, claim))

      test('is that of the claim without NATS', async () => {
        const { cluster } = given()
        expect([await replicasOf(cluster, claim), await annotation()]).toEqual([3, '3'])
        expect(await cluster.api.find(scaledObjectOf(claim))).toBeUndefined()
        await patched(given(), claim, { scaling: { minReplicas: 4 } })
        await scaledTo(cluster, claim, 4)
      })

      test('does not drop when NATS is added, and then follows the lag', async () => {
        const { cluster, nats } = given()
        const counts = countsOf(cluster, claim)
        await patched(given(), claim, { nats: { stream: 'LATER', consumer: 'pull-later' } })
        await becomes(cluster, claim, 'ScalingReady', 'True', 'Ready')
        await ready(cluster, claim)
        await nats.fill('LATER', 25)
        await scaledTo(cluster, claim, 5)
        await cluster.until('the count is no longer ours', async () => (await annotation()) === undefined)
        counts.stop()
        expect(counts.seen.filter(count => count < 4)).toEqual([])
        await nats.take('LATER', 'pull-later', 25)
        await scaledTo(cluster, claim, 4)
      })

      test('is that of the claim again when NATS is taken away', async () => {
        const { cluster } = given()
        await patched(given(), claim, { nats: null, scaling: { minReplicas: 2 } })
        await cluster.until('the ScaledObject is gone', async () => (await cluster.api.find(scaledObjectOf(claim))) === undefined)
        await scaledTo(cluster, claim, 2)
        await cluster.until('the count is ours', async () => (await annotation()) === '2')
        await ready(cluster, claim)
      })
    })

    describe('one at a time', () => {
      const claim = worker(NAMESPACE, 'alone', 'ALONE')
      const withoutAvailability = ownPlatform('without-availability')
      const strategyOf = async (): Promise<Json | undefined> =>
        at((await given().cluster.api.get(deploymentOf(claim))).spec ?? {}, 'strategy')
      const synced = async () => {
        const { cluster } = given()
        const live = await cluster.api.get(referenceOf(claim))
        return observedCondition(live, 'Synced')
      }

      beforeAll(async () => {
        const { nats } = given()
        await nats.createStream('ALONE')
        await nats.createConsumer('ALONE', 'alone')
        await withoutAvailability.create(given(), { availability: 'None' })
      })
      afterEach(() => deleteClaim(given().cluster, claim))
      afterAll(() => withoutAvailability.remove(given()))

      test.each([
        { says: 'with availability', platform: {}, surge: '25%', unavailable: 0 },
        // Kubernetes fills in the fields of its own rolling update.
        { says: 'without availability', platform: withoutAvailability.choice, surge: '25%', unavailable: '25%' },
      ])('a running claim can change to it and back $says', async ({ platform, surge, unavailable }) => {
        const { cluster } = given()
        const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } }
        await cluster.api.apply({ ...claim, spec: { ...claim.spec, ...platform } })
        await ready(cluster, claim)
        expect(await strategyOf()).toEqual(rolling)
        await patched(given(), claim, { updates: 'OneAtATime', scaling: { maxReplicas: null } })
        await cluster.until('the strategy is Recreate', async () => JSON.stringify(await strategyOf()) === '{"type":"Recreate"}')
        expect(at(await cluster.api.get(deploymentOf(claim)), 'spec', 'paused')).toBeUndefined()
        await ready(cluster, claim)
        await patched(given(), claim, { updates: null })
        await cluster.until('it rolls again', async () => at(await strategyOf(), 'type') === 'RollingUpdate')
        expect(await strategyOf()).toEqual(rolling)
        await ready(cluster, claim)
        expect(await synced()).toMatchObject({ status: 'True' })
      })

      test.each<{ says: string; strategy: JsonObject }>([
        { says: "with Kubernetes' defaults", strategy: {} },
        { says: 'as claims do', strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } } },
      ])('a claim can adopt a Deployment that rolls $says, and two versions never run', async ({ strategy }) => {
        const { cluster } = given()
        const labels = { 'app.kubernetes.io/name': 'alone' }
        const main = { name: 'main', image: 'ghcr.io/acme/alone:1' }
        const template = { metadata: { labels }, spec: { containers: [main] } }
        await cluster.api.create({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'alone', namespace: NAMESPACE },
          spec: { replicas: 1, strategy, selector: { matchLabels: labels }, template },
        })
        await cluster.until(
          'its pod runs',
          async () => at((await cluster.api.get(deploymentOf(claim))).status ?? {}, 'availableReplicas') === 1,
        )
        const pods = podsOf(cluster, 'alone')
        const scaling = { ...(claim.spec.scaling as JsonObject), maxReplicas: 1 }
        await cluster.api.apply({
          ...claim,
          metadata: { ...claim.metadata, annotations: { [ADOPT]: 'true' } },
          spec: { ...claim.spec, updates: 'OneAtATime', scaling },
        })
        await cluster.until('the new pod', () => pods.images().has(claim.spec.image))
        await ready(cluster, claim)
        pods.stop()
        expect(await strategyOf()).toEqual({ type: 'Recreate' })
        expect(pods.images()).toEqual(new Set(['ghcr.io/acme/alone:1', claim.spec.image]))
        expect(pods.most()).toBe(1)
      })
    })
  })
}

/** Watches the pods of a workload: their images, and how many existed at once. */
function podsOf({ api }: Setting['cluster'], name: string) {
  const now = new Set<Json | undefined>()
  const images = new Set<Json | undefined>()
  let most = 0
  const { stop } = api.watch({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE }, ({ type, object }) => {
    if (at(object, 'metadata', 'labels', 'app.kubernetes.io/name') !== name) return
    const uid = at(object, 'metadata', 'uid')
    if (type === 'DELETED') now.delete(uid)
    else now.add(uid)
    images.add(at(object, 'spec', 'containers', '0', 'image'))
    most = Math.max(most, now.size)
  })
  return { stop, images: () => images, most: () => most }
}
