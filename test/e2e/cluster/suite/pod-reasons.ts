// A claim that is not ready says why its pods fail, if the platform lets Crossplane read pods.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { examineWith } from '../../../cli/doctor/cluster.ts'
import { becomes, conditionOf, createNamespace, deleteClaim, deploymentOf, ready, referenceOf, worker } from '../claim.ts'
import { FUNCTION, runDocumented } from '../install.ts'
import { ownPlatform } from './platform.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'reasons'
const STREAM = 'REASONS'
const ROLE = 'event-driven-service:pods'
// Crossplane waits two minutes for pods that it may not read, and twice if the composite changed meanwhile.
const DISCOVERY_MS = 540_000

const platform = ownPlatform('pods')
const failing = worker(NAMESPACE, 'failing', STREAM, { ...platform.choice, scaling: { minReplicas: 1, maxReplicas: 1 } })
const IMAGE = 'ghcr.io/acme/orders-worker'

/** The two states between which a kubelet alternates. KWOK's pods run nothing, so the test writes them. */
const CAUSE = `failed to pull and unpack image "${IMAGE}:1.4.2": failed to resolve reference "${IMAGE}:1.4.2": ${IMAGE}:1.4.2: not found`
const states = [
  { reason: 'ErrImagePull', message: `rpc error: code = NotFound desc = ${CAUSE}` },
  {
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "${IMAGE}:1.4.2": ErrImagePull: rpc error: code = NotFound desc = ${CAUSE}`,
  },
]

/** Runs before Crossplane has read pods: later it would not notice that it may not. */
export function saysWhyPodsFail(given: () => Setting): void {
  describe('a claim whose pods fail', () => {
    const setUnschedulable = (unschedulable: boolean) =>
      given().cluster.api.patch({ apiVersion: 'v1', kind: 'Node', name: 'kwok-node-a' }, { spec: { unschedulable } })
    const change = (image: string) => given().cluster.api.patch(referenceOf(failing), { spec: { image } })
    const status = async () => at(await given().cluster.api.get(referenceOf(failing)), 'status')
    const isWritten = async (image: string) => JSON.stringify(await given().cluster.api.get(deploymentOf(failing))).includes(image)
    /** Crossplane repeats an event if its cache has not yet seen the condition that it has just written. */
    const events = async () => {
      const all = await given().cluster.api.list({ apiVersion: 'v1', kind: 'Event', namespace: NAMESPACE })
      return all
        .filter(({ type, involvedObject }) => type === 'Warning' && at(involvedObject, 'kind') === 'EventDrivenService')
        .map(({ reason, count }) => `${String(reason)} ${String(count ?? 1)}`)
    }
    const setWaiting = async (waiting: JsonObject) => {
      const { api, kubectl } = given().cluster
      const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE })
      for (const { metadata } of pods) {
        const conditions = ['Ready', 'ContainersReady'].map(type => ({ type, status: 'False', lastTransitionTime: '2026-11-27T06:05:52Z' }))
        const container = { name: 'main', image: `${IMAGE}:1.4.2`, imageID: '', ready: false, restartCount: 0, state: { waiting } }
        const patch = JSON.stringify({ status: { conditions, containerStatuses: [container] } })
        await kubectl(['-n', NAMESPACE, 'patch', 'pod', String(at(metadata, 'name')), '--subresource=status', '--type=merge', '-p', patch])
      }
    }

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'failing')
      await platform.create(given(), { features: { podReasons: true } })
      await cluster.kubectl(['delete', 'clusterrole', ROLE])
      await cluster.until('Crossplane may not read pods', async () => {
        const account = '--as=system:serviceaccount:crossplane-system:crossplane'
        const answer = await cluster.kubectl(['auth', 'can-i', 'list', 'pods', '-A', account]).catch(String)
        return !answer.startsWith('yes')
      })
      await cluster.api.apply(failing)
      await ready(cluster, failing)
    })
    afterAll(async () => {
      await setUnschedulable(false)
      await deleteClaim(given().cluster, failing)
      await platform.remove(given())
    })

    test('without the role says what its Deployment tells, and changes are applied', { timeout: DISCOVERY_MS }, async () => {
      const { cluster } = given()
      const from = Date.now()
      await setUnschedulable(true)
      await change(`${IMAGE}:nope`)
      await becomes(cluster, failing, 'WorkloadReady', 'False', 'RollingOut')
      expect(await isWritten(':nope')).toBe(true)
      // Only then does the function ask for pods. The next reconcile clears the condition at once, but an event stays.
      await cluster.until(
        'Crossplane reports that it may not read pods',
        async () => {
          const all = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
          return all.some(({ message }) => String(message).includes('fetching resources for pods:deployment'))
        },
        { timeoutMs: DISCOVERY_MS },
      )
      cluster.say(`Crossplane reports after ${Math.round((Date.now() - from) / 1000)} s that it may not read pods`)
      await change(`${IMAGE}:again`)
      await cluster.until('the next change is applied', () => isWritten(':again'), { timeoutMs: DISCOVERY_MS })
      const { message } = await becomes(cluster, failing, 'WorkloadReady', 'False', 'RollingOut')
      expect(message).toMatch(/^Deployment failing is rolling out: .* See: eds why reasons\/failing, or kubectl /)
    })

    test('doctor says that the role is missing, and its command grants it', async () => {
      const { cluster } = given()
      const row = async () => (await examineWith(cluster.kubeconfig, `${NAMESPACE}/failing`)).checks['Access to pods']
      const found = await row()
      expect(found).toMatchObject({ state: 'wrong', message: 'service account crossplane-system/crossplane may not get, list, watch' })
      await runDocumented(cluster, String(found?.fix))
      await cluster.until('Crossplane may read pods', async () => (await row())?.state === 'well')
      // Otherwise the function asks again within ten minutes.
      await cluster.processes.restart(FUNCTION)
    })

    test('names the cause, with its event and the pod in its status, and the status names the running image', async () => {
      const { cluster } = given()
      const from = Date.now()
      const { message } = await becomes(cluster, failing, 'WorkloadReady', 'False', 'Unschedulable')
      cluster.say(`the claim says why after ${Math.round((Date.now() - from) / 1000)} s: ${message}`)
      expect(message).toMatch(/^1 pod: Unschedulable: no node fits: node\(s\) were unschedulable\. Deployment failing is rolling out: /)
      const { pods, workload } = (await status()) as JsonObject
      expect(pods).toEqual([
        {
          name: expect.stringMatching(/^failing-/),
          reason: 'Unschedulable',
          message: 'no node fits: node(s) were unschedulable',
          since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        },
      ])
      expect(at(workload, 'image')).toBe(`${IMAGE}:1.4.2`)
      await becomes(cluster, failing, 'Ready', 'False')
      expect(await events()).toContainEqual(expect.stringMatching(/^Unschedulable [12]$/))
    })

    test('is ready again without the pod in its status', async () => {
      const { cluster } = given()
      await change(`${IMAGE}:1.4.2`)
      await setUnschedulable(false)
      await ready(cluster, failing)
      await cluster.until('the status names no pod', async () => at(await status(), 'pods') === undefined)
    })

    test('says the same while the kubelet alternates between two states', { timeout: 240_000 }, async () => {
      const { cluster } = given()
      const messages = new Set<string>()
      for (const waiting of [...states, ...states]) {
        await setWaiting(waiting)
        const { message } = await becomes(cluster, failing, 'WorkloadReady', 'False', 'ImagePullBackOff')
        messages.add(message)
        // The annotation makes Crossplane reconcile the claim.
        await cluster.api.patch(referenceOf(failing), { metadata: { annotations: { 'example.com/look': waiting.reason } } })
        await new Promise(resolve => setTimeout(resolve, 3_000))
        messages.add((await conditionOf(cluster, failing, 'WorkloadReady'))?.message ?? '')
      }
      expect([...messages]).toEqual([
        expect.stringMatching(new RegExp(`^1 pod: ImagePullBackOff: image ${IMAGE}:1.4.2: not found\\. Deployment`)),
      ])
      expect(await events()).toContainEqual(expect.stringMatching(/^ImagePullBackOff [12]$/))
      expect(items(at(await status(), 'pods'))).toHaveLength(1)
      await cluster.kubectl(['-n', NAMESPACE, 'delete', 'pods', '--all'])
      await ready(cluster, failing)
    })
  })
}
