// Replicas follow the messages, with the real NATS, KEDA and HPA.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../api.ts'
import {
  becomes,
  type ClaimManifest,
  countsOf,
  createNamespace,
  deleteClaim,
  deploymentOf,
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

/** Consumes all waiting messages. */
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
      for (const claim of [busy, sleepy]) await deleteClaim(cluster, claim)
    })

    test('the replicas follow the lag, up to the maximum', async () => {
      const { cluster, nats } = given()
      expect(await replicasOf(cluster, busy)).toBe(1)
      await nats.fill(STREAM, 2 * PER_REPLICA)
      await scaledTo(cluster, busy, 2)
      await nats.fill(STREAM, 10 * PER_REPLICA)
      await scaledTo(cluster, busy, MAXIMUM)
    })

    test('scaling causes no warning', async () => {
      const { cluster } = given()
      const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event', namespace: NAMESPACE })
      const warnings = events.filter(({ type, involvedObject }) => type === 'Warning' && at(involvedObject, 'kind') === KIND)
      // KEDA may poll a consumer before the monitoring port reports it.
      expect(warnings.filter(({ reason }) => reason !== 'TriggerError').map(({ reason, message }) => `${reason}: ${message}`)).toEqual([])
    })

    test('an empty stream scales to the minimum', async () => {
      const { cluster } = given()
      await drain(given(), STREAM, 'busy')
      await scaledTo(cluster, busy, 1)
      const { status } = await cluster.api.get(referenceOf(busy))
      expect(at(status, 'autoscaler')).toMatchObject({ minReplicas: 1, maxReplicas: MAXIMUM })
    })

    test('scales from zero to many and back, and the claim is ready with zero replicas', async () => {
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
      { says: 'a restart of the function', change: ({ cluster }) => cluster.processes.restart(FUNCTION) },
      { says: 'a restart of Crossplane', change: ({ cluster }) => cluster.processes.restart('crossplane') },
    ])('$says keeps the replica count', async ({ change }) => {
      const { cluster, nats } = given()
      const lag = await nats.lag(STREAM, 'busy')
      if (lag < 4 * PER_REPLICA) await nats.fill(STREAM, 4 * PER_REPLICA - lag)
      await scaledTo(cluster, busy, 4)
      const counts = countsOf(cluster, busy)
      await change(given())
      // Proves that the change was rolled out and that Crossplane and the function still work.
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

    test('a paused claim ignores the lag, and a resumed one follows it', async () => {
      const { cluster, nats } = given()
      await patched(given(), busy, { scaling: { paused: true } })
      const condition = await becomes(cluster, busy, 'ScalingReady', 'True', 'Paused')
      expect(condition.message).toContain('spec.scaling.paused')
      const counts = countsOf(cluster, busy)
      await nats.fill(STREAM, 10 * PER_REPLICA)
      await becomes(cluster, busy, 'Ready', 'True')
      // Several polling intervals of KEDA.
      await new Promise(resolve => setTimeout(resolve, 5_000))
      counts.stop()
      expect(counts.seen).toEqual([4])
      await patched(given(), busy, { scaling: { paused: false } })
      await scaledTo(cluster, busy, MAXIMUM + 1)
      await drain(given(), STREAM, 'busy')
      await scaledTo(cluster, busy, 1)
      await becomes(cluster, busy, 'ScalingReady', 'True', 'Ready')
    })

    test('reports who paused it, and is not ready until the printed command resumes it', async () => {
      const { cluster } = given()
      await cluster.kubectl(['-n', NAMESPACE, 'annotate', 'scaledobject', 'busy-scaler', 'autoscaling.keda.sh/paused-replicas=1'])
      const { message } = await becomes(cluster, busy, 'ScalingReady', 'False', 'PausedByAnnotation')
      await cluster.kubectl((/kubectl (.*)$/.exec(message)?.[1] ?? '').split(' '))
      await becomes(cluster, busy, 'ScalingReady', 'True', 'Ready')
    })

    test('reports an HPA without metrics, and recovers by itself', async () => {
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

  describe('a problem of KEDA is reported on the claim with its fix', () => {
    const right = (name: string) => ({ stream: 'RIGHT', consumer: name })
    const wrong = [
      { name: 'wrong-stream', nats: { stream: 'ELSEWHERE' }, says: "stream 'ELSEWHERE' with consumer 'wrong-stream'" },
      { name: 'wrong-consumer', nats: { consumer: 'nobody' }, says: "with consumer 'nobody' exists" },
      { name: 'wrong-account', nats: { account: 'SUPPORT' }, says: "in account 'SUPPORT'" },
      // The client Service has no monitoring port.
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
      const condition = await becomes(cluster, claim, 'ScalingReady', 'False', 'TriggerError')
      expect(condition.message).toContain(says)
      expect(condition.message).toContain(`kubectl -n ${NAMESPACE} describe scaledobject ${claim.metadata.name}-scaler`)
      await becomes(cluster, claim, 'WorkloadReady', 'True')
    })

    test('reports a missing secret, and scales when it exists', async () => {
      const { cluster, nats } = given()
      await nats.createConsumer('RIGHT', 'secretive')
      const claim = worker(NAMESPACE, 'secretive', 'RIGHT', { secretRefs: [{ name: 'later', envFrom: true }] })
      await cluster.api.apply(claim)
      const condition = await becomes(cluster, claim, 'ScalingReady', 'False', 'ScaledObjectCheckFailed')
      expect(condition.message).toContain(`Create the secret in namespace ${NAMESPACE}`)
      await cluster.api.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'later', namespace: NAMESPACE },
        stringData: { KEY: 'x' },
      })
      await becomes(cluster, claim, 'ScalingReady', 'True', 'Ready')
      await deleteClaim(cluster, claim)
    })

    test.each(wrong)('$name recovers when it is corrected', async ({ claim, name }) => {
      const { cluster } = given()
      await cluster.api.apply({ ...claim, spec: { ...claim.spec, nats: right(name) } })
      await becomes(cluster, claim, 'ScalingReady', 'True', 'Ready')
      await ready(cluster, claim)
      await deleteClaim(cluster, claim)
    })
  })
}
