// Messages in, replicas up; messages gone, replicas down: with real NATS, real KEDA and the real HPA, and nothing of ours in between.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../api.ts'
import {
  becomes,
  type ClaimManifest,
  countsOf,
  createNamespace,
  deploymentOf,
  gone,
  KIND,
  ready,
  referenceOf,
  replicasOf,
  scaledTo,
  worker,
} from '../claim.ts'
import { FUNCTION } from '../install.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'scaling'
const STREAM = 'SCALING'
const MAXIMUM = 5
const PER_REPLICA = 5

const busy = worker(NAMESPACE, 'busy', STREAM)
const sleepy = worker(NAMESPACE, 'sleepy', 'SLEEPY', {
  scaling: { minReplicas: 0, maxReplicas: MAXIMUM, lagThreshold: PER_REPLICA, pollingInterval: 1, cooldownPeriod: 1 },
})

const patched = ({ cluster }: Setting, claim: ClaimManifest, spec: JsonObject) => cluster.api.patch(referenceOf(claim), { spec })

/** Takes everything that waits. */
async function drain({ nats }: Setting, stream: string, consumer: string): Promise<void> {
  while ((await nats.lag(stream, consumer)) > 0) await nats.take(stream, consumer, 1_000)
}

export function scalesOnLag(given: () => Setting): void {
  describe('scaling', () => {
    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      for (const { metadata, spec } of [busy, sleepy]) {
        const stream = String(at(spec, 'nats', 'stream'))
        await nats.createStream(stream)
        await nats.createConsumer(stream, metadata.name)
      }
      for (const claim of [busy, sleepy]) await cluster.api.apply(claim)
      for (const claim of [busy, sleepy]) await ready(cluster, claim)
    })
    afterAll(async () => {
      const { cluster } = given()
      for (const claim of [busy, sleepy]) await gone(cluster, claim)
    })

    test('the count follows the lag, up to the maximum', async () => {
      const { cluster, nats } = given()
      expect(await replicasOf(cluster, busy)).toBe(1)
      await nats.fill(STREAM, 2 * PER_REPLICA)
      await scaledTo(cluster, busy, 2)
      await nats.fill(STREAM, 10 * PER_REPLICA)
      await scaledTo(cluster, busy, MAXIMUM)
    })

    test('no warning came of it', async () => {
      const { cluster } = given()
      const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event', namespace: NAMESPACE })
      const warnings = events.filter(({ type, involvedObject }) => type === 'Warning' && at(involvedObject, 'kind') === KIND)
      // KEDA may look at a consumer before JetStream has told the monitoring port of it.
      expect(warnings.filter(({ reason }) => reason !== 'TriggerError').map(({ reason, message }) => `${reason}: ${message}`)).toEqual([])
    })

    test('drained, it goes back to the minimum', async () => {
      const { cluster } = given()
      await drain(given(), STREAM, 'busy')
      await scaledTo(cluster, busy, 1)
      const { status } = await cluster.api.get(referenceOf(busy))
      expect(at(status, 'autoscaler')).toMatchObject({ minReplicas: 1, maxReplicas: MAXIMUM })
    })

    test('from none to many and back to none, and the claim stays ready with none', async () => {
      const { cluster, nats } = given()
      await scaledTo(cluster, sleepy, 0)
      await nats.fill('SLEEPY', 3 * PER_REPLICA)
      await scaledTo(cluster, sleepy, 3)
      await drain(given(), 'SLEEPY', 'sleepy')
      await scaledTo(cluster, sleepy, 0)
      await cluster.until(
        'the claim counts none',
        async () => at(await cluster.api.get(referenceOf(sleepy)), 'status', 'workload', 'replicas') === 0,
      )
      for (const type of ['Ready', 'WorkloadReady', 'ScalingReady']) await becomes(cluster, sleepy, type, 'True')
    })

    test.each<{ says: string; change: (setting: Setting) => Promise<unknown> }>([
      { says: 'another image', change: setting => patched(setting, busy, { image: 'ghcr.io/acme/orders-worker:1.5.0' }) },
      { says: 'another size', change: setting => patched(setting, busy, { size: 'small' }) },
      { says: 'another maximum', change: setting => patched(setting, busy, { scaling: { maxReplicas: MAXIMUM + 1 } }) },
      { says: 'the function started again', change: ({ cluster }) => cluster.processes.restart(FUNCTION) },
      { says: 'Crossplane started again', change: ({ cluster }) => cluster.processes.restart('crossplane') },
    ])('$says leaves the count alone', async ({ change }) => {
      const { cluster, nats } = given()
      const lag = await nats.lag(STREAM, 'busy')
      if (lag < 4 * PER_REPLICA) await nats.fill(STREAM, 4 * PER_REPLICA - lag)
      await scaledTo(cluster, busy, 4)
      const counts = countsOf(cluster, busy)
      await change(given())
      // What shows that the change has come all the way, and that Crossplane and the function still work.
      const mark = String(Date.now())
      await patched(given(), busy, { env: [{ name: 'MARK', value: mark }] })
      await cluster.until('the change has come through', async () =>
        JSON.stringify(await cluster.api.get(deploymentOf(busy))).includes(mark),
      )
      await cluster.until('the rollout', async () => {
        const { metadata, status } = await cluster.api.get(deploymentOf(busy))
        const isSeen = at(status, 'observedGeneration') === at(metadata, 'generation')
        return isSeen && at(status, 'updatedReplicas') === 4 && at(status, 'availableReplicas') === 4 && at(status, 'replicas') === 4
      })
      counts.stop()
      expect(counts.seen).toEqual([4])
    })

    test('paused, it stays as it is whatever the lag; resumed, it follows', async () => {
      const { cluster, nats } = given()
      await patched(given(), busy, { scaling: { paused: true } })
      const said = await becomes(cluster, busy, 'ScalingReady', 'True', 'Paused')
      expect(said.message).toContain('spec.scaling.paused')
      const counts = countsOf(cluster, busy)
      await nats.fill(STREAM, 10 * PER_REPLICA)
      await becomes(cluster, busy, 'Ready', 'True')
      // As long as it takes KEDA to look at the lag several times.
      await new Promise(resolve => setTimeout(resolve, 5_000))
      counts.stop()
      expect(counts.seen).toEqual([4])
      await patched(given(), busy, { scaling: { paused: false } })
      await scaledTo(cluster, busy, MAXIMUM + 1)
      await drain(given(), STREAM, 'busy')
      await scaledTo(cluster, busy, 1)
      await becomes(cluster, busy, 'ScalingReady', 'True', 'Ready')
    })

    test('paused by others it says who, and is not ready until the printed command has resumed it', async () => {
      const { cluster } = given()
      await cluster.kubectl(['-n', NAMESPACE, 'annotate', 'scaledobject', 'busy-scaler', 'autoscaling.keda.sh/paused-replicas=1'])
      const { message } = await becomes(cluster, busy, 'ScalingReady', 'False', 'PausedByAnnotation')
      await cluster.kubectl((/kubectl (.*)$/.exec(message)?.[1] ?? '').split(' '))
      await becomes(cluster, busy, 'ScalingReady', 'True', 'Ready')
    })

    test('an HPA that gets no metrics is said to be, and is well again by itself', async () => {
      const { cluster } = given()
      const metrics: Reference = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: 'v1beta1.external.metrics.k8s.io' }
      const port = at(await cluster.api.get(metrics), 'spec', 'service', 'port') ?? null
      await cluster.api.patch(metrics, { spec: { service: { port: 1 } } })
      const { message } = await becomes(cluster, busy, 'ScalingReady', 'False', 'FailedGetExternalMetric')
      expect(message).toContain('kubectl describe apiservice v1beta1.external.metrics.k8s.io')
      await cluster.api.patch(metrics, { spec: { service: { port } } })
      await becomes(cluster, busy, 'ScalingReady', 'True', 'Ready')
      await ready(cluster, busy)
    })
  })

  describe('what keeps KEDA from scaling stands on the claim, with what to do', () => {
    const right = (name: string) => ({ stream: 'RIGHT', consumer: name })
    const wrong = [
      { name: 'wrong-stream', nats: { stream: 'ELSEWHERE' }, says: "stream 'ELSEWHERE' with consumer 'wrong-stream'" },
      { name: 'wrong-consumer', nats: { consumer: 'nobody' }, says: "with consumer 'nobody' exists" },
      { name: 'wrong-account', nats: { account: 'SUPPORT' }, says: "in account 'SUPPORT'" },
      // The Service for clients has no monitoring port.
      {
        name: 'wrong-endpoint',
        nats: { monitoringEndpoint: 'nats.nats.svc:8222' },
        says: 'that nats.nats.svc:8222 is the monitoring endpoint',
      },
    ].map(({ name, nats, says }) => ({ says, claim: worker(NAMESPACE, name, 'RIGHT', { nats: { ...right(name), ...nats } }), name }))

    beforeAll(async () => {
      const { cluster, nats } = given()
      await nats.createStream('RIGHT')
      for (const { name, claim } of wrong) {
        await nats.createConsumer('RIGHT', name)
        await cluster.api.apply(claim)
      }
    })

    test.each(wrong)('$name', async ({ claim, says }) => {
      const { cluster } = given()
      const said = await becomes(cluster, claim, 'ScalingReady', 'False', 'TriggerError')
      expect(said.message).toContain(says)
      expect(said.message).toContain(`kubectl -n ${NAMESPACE} describe scaledobject ${claim.metadata.name}-scaler`)
      await becomes(cluster, claim, 'WorkloadReady', 'True')
    })

    test('a secret that is not there; once it is, it scales', async () => {
      const { cluster, nats } = given()
      await nats.createConsumer('RIGHT', 'secretive')
      const claim = worker(NAMESPACE, 'secretive', 'RIGHT', { secretRefs: [{ name: 'later', envFrom: true }] })
      await cluster.api.apply(claim)
      const said = await becomes(cluster, claim, 'ScalingReady', 'False', 'ScaledObjectCheckFailed')
      expect(said.message).toContain(`Create the secret in namespace ${NAMESPACE}`)
      await cluster.api.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'later', namespace: NAMESPACE },
        stringData: { KEY: 'x' },
      })
      await becomes(cluster, claim, 'ScalingReady', 'True', 'Ready')
      await gone(cluster, claim)
    })

    test.each(wrong)('$name, mended', async ({ claim, name }) => {
      const { cluster } = given()
      await cluster.api.apply({ ...claim, spec: { ...claim.spec, nats: right(name) } })
      await becomes(cluster, claim, 'ScalingReady', 'True', 'Ready')
      await ready(cluster, claim)
      await gone(cluster, claim)
    })
  })
}
