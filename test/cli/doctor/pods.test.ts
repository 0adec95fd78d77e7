// The check of a claim's pods.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import { type Answers, examine, paths, pod, readyPod, refused, startCluster, temporaryFolder } from './cluster.ts'

const runDoctor = async (answers: Answers) => (await examine(await startCluster({ answers }), 'shop/orders-worker')).checks
const PODS = 'Pods of shop/orders-worker'
const notReady = [{ type: 'Ready', status: 'False' }]
const waiting = (reason: string, message?: string, lastState: JsonObject = {}) => ({
  phase: 'Pending',
  conditions: notReady,
  containerStatuses: [{ name: 'main', state: { waiting: { reason, ...(message !== undefined && { message }) } }, lastState }],
})
const running = { phase: 'Running', conditions: notReady, containerStatuses: [{ name: 'main', state: { running: {} }, lastState: {} }] }
const event = (name: string, reason: string, message: string, lastTimestamp: string): JsonObject => ({
  involvedObject: { kind: 'Pod', name },
  type: 'Warning',
  reason,
  message,
  lastTimestamp,
})
const replicaSet = (name: string, wanted: number, status: JsonObject): JsonObject => ({
  metadata: { name, namespace: 'shop' },
  spec: { replicas: wanted },
  status,
})
const failedCreation = (name: string, message: string, lastTimestamp: string): JsonObject => ({
  ...event(name, 'FailedCreate', `Error creating: ${message}`, lastTimestamp),
  involvedObject: { kind: 'ReplicaSet', name },
})
const quota = (pod: string) =>
  `pods "orders-worker-7d9f-${pod}" is forbidden: exceeded quota: no-pods, requested: pods=1, used: pods=0, limited: pods=0`
const describePod = (name: string) => `kubectl -n shop describe pod ${name}`
const logs = (container: string) => `kubectl -n shop logs orders-worker-2 -c ${container} --tail=50`

describe("a claim's pods", () => {
  const second = (status: JsonObject, events: JsonObject[] = []): Answers => ({
    [paths.pods]: { items: [readyPod('orders-worker-1'), pod('orders-worker-2', status)] },
    [paths.podEvents]: { items: events },
  })
  const trouble = (text: string, fix = describePod('orders-worker-2')) => ({
    state: 'wrong',
    message: `1 of 2 failing: pod orders-worker-2: ${text}`,
    fix,
  })
  // A program may write a secret into its termination message.
  const ended = { terminated: { exitCode: 3, reason: 'Error', message: 'password: correct-horse-battery-staple' } }

  test.each<{ title: string; answers: Answers; expected: JsonObject }>([
    {
      title: 'are well if all are ready',
      answers: { [paths.pods]: { items: [readyPod('a'), readyPod('b')] } },
      expected: { state: 'well', message: '2 of 2 ready' },
    },
    {
      title: 'are not needed while the claim is scaled to zero',
      answers: { [paths.pods]: { items: [] } },
      expected: { state: 'unneeded', message: 'the claim has no pods at the moment' },
    },
    {
      title: 'are reported with the latest reason why they cannot be created',
      answers: {
        [paths.pods]: { items: [] },
        [paths.replicaSets]: { items: [replicaSet('orders-worker-6c8b', 0, {}), replicaSet('orders-worker-7d9f', 1, {})] },
        [paths.failedCreations]: {
          items: [
            failedCreation(
              'orders-worker-7d9f',
              'pods "orders-worker-7d9f-" is forbidden: serviceaccount "x" not found',
              '2026-01-01T00:00:00Z',
            ),
            failedCreation('orders-worker-7d9f', quota('abcde'), '2026-01-01T00:00:05Z'),
            {
              ...failedCreation('orders-worker-7d9f', '', '2026-01-01T00:00:06Z'),
              message: `(combined from similar events): Error creating: ${quota('fghij')}`,
            },
            failedCreation('orders-worker-6c8b', 'of an old version', '2026-01-01T00:00:09Z'),
          ],
        },
      },
      expected: {
        state: 'wrong',
        message:
          "ReplicaSet orders-worker-7d9f can't create pods: forbidden: exceeded quota: no-pods, requested: pods=1, used: pods=0, limited: pods=0",
        fix: 'kubectl -n shop describe replicaset orders-worker-7d9f',
      },
    },
    {
      title: 'are reported with the words of the ReplicaSet once its events are over',
      answers: {
        [paths.pods]: { items: [] },
        [paths.replicaSets]: {
          items: [
            replicaSet('orders-worker-7d9f', 1, {
              replicas: 0,
              conditions: [
                {
                  type: 'ReplicaFailure',
                  status: 'True',
                  reason: 'FailedCreate',
                  message: 'pods "orders-worker-7d9f-abcde" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
                },
              ],
            }),
          ],
        },
        [paths.failedCreations]: refused(403, 'events is forbidden'),
      },
      expected: {
        state: 'wrong',
        message:
          'ReplicaSet orders-worker-7d9f can\'t create pods: forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
        fix: 'kubectl -n shop describe replicaset orders-worker-7d9f',
      },
    },
    {
      title: 'are not needed if nothing keeps their ReplicaSet from creating them',
      answers: {
        [paths.pods]: { items: [] },
        [paths.replicaSets]: { items: [replicaSet('orders-worker-7d9f', 1, { replicas: 0 })] },
        [paths.failedCreations]: { items: [] },
      },
      expected: { state: 'unneeded', message: 'the claim has no pods at the moment' },
    },
    {
      title: 'are unknown if they may not be listed',
      answers: { [paths.pods]: refused(403, 'pods is forbidden') },
      expected: { state: 'unknown', message: "can't be listed: pods is forbidden" },
    },
    {
      title: 'are unknown while they start',
      answers: second(waiting('ContainerCreating')),
      expected: { state: 'unknown', message: '1 of 2 ready; the others may still be starting' },
    },
    {
      title: 'are unknown while they start without a failed probe',
      answers: second(running, [event('orders-worker-1', 'Unhealthy', 'of another pod', '2026-01-01T00:00:00Z')]),
      expected: { state: 'unknown', message: '1 of 2 ready; the others may still be starting' },
    },
    {
      title: 'are reported without their image',
      answers: second(waiting('ImagePullBackOff', 'Back-off pulling image "ghcr.io/acme/x:1"')),
      expected: trouble("ImagePullBackOff: image ghcr.io/acme/x:1 can't be pulled"),
    },
    {
      title: 'are reported without a secret',
      answers: second(waiting('CreateContainerConfigError', 'secret "orders-db" not found')),
      expected: trouble('CreateContainerConfigError: secret "orders-db" not found'),
    },
    {
      title: 'are reported in a crash loop',
      answers: second(waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container', ended)),
      expected: trouble('CrashLoopBackOff: container main ended with exit code 3', `${logs('main')} --previous`),
    },
    {
      title: 'are reported right after a crash',
      answers: second({
        phase: 'Running',
        conditions: notReady,
        containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 1, reason: 'Error' } } }],
      }),
      expected: trouble('CrashLoopBackOff: container main ended with exit code 1', logs('main')),
    },
    {
      title: 'are reported if an init container fails',
      answers: second({
        phase: 'Pending',
        conditions: notReady,
        initContainerStatuses: [{ name: 'init', state: { terminated: { exitCode: 127, reason: 'Error' } } }],
        containerStatuses: [{ name: 'main', state: { waiting: { reason: 'PodInitializing' } } }],
      }),
      expected: trouble('CrashLoopBackOff: init container init ended with exit code 127', logs('init')),
    },
    {
      title: 'are reported without a node',
      answers: second({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }],
      }),
      expected: trouble('Unschedulable: 0/3 nodes are available'),
    },
    {
      title: 'are reported with the latest failed probe',
      answers: second(running, [
        event('orders-worker-2', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503', '2026-01-01T00:00:09Z'),
        event('orders-worker-2', 'Unhealthy', 'Readiness probe failed: connection refused', '2026-01-01T00:00:05Z'),
        event('orders-worker-2', 'FailedMount', 'over since it runs', '2026-01-01T00:00:10Z'),
      ]),
      expected: trouble('Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503'),
    },
    {
      title: 'are reported as not ready if their events may not be listed',
      answers: { ...second(running), [paths.podEvents]: refused(403, 'events is forbidden') },
      expected: trouble("NotReady: its events, which name the cause, can't be read: events is forbidden"),
    },
    {
      title: 'are reported without a sandbox',
      answers: second(waiting('ContainerCreating'), [
        event('orders-worker-2', 'FailedCreatePodSandBox', 'no IP address is left', '2026-01-01T00:00:00Z'),
      ]),
      expected: trouble('FailedCreatePodSandBox: no IP address is left'),
    },
    {
      title: 'are ignored while they terminate',
      answers: {
        [paths.pods]: {
          items: [
            readyPod('orders-worker-1'),
            { ...pod('leaving', waiting('CrashLoopBackOff')), metadata: { name: 'leaving', deletionTimestamp: '2026-01-01T00:00:00Z' } },
            pod('evicted', { phase: 'Failed', reason: 'Evicted' }),
          ],
        },
      },
      expected: { state: 'well', message: '1 of 1 ready' },
    },
    {
      title: 'are grouped by their problem',
      answers: {
        [paths.pods]: {
          items: [
            ...['a', 'b', 'c'].map(name => pod(name, waiting('ErrImagePull', 'Failed to pull image "ghcr.io/acme/x:1": not found'))),
            pod('d', waiting('InvalidImageName', 'couldn\'t parse image name "X:1": bad')),
          ],
        },
      },
      expected: {
        state: 'wrong',
        message:
          '4 of 4 failing: pod d: InvalidImageName: image X:1: bad; pod a: ImagePullBackOff: image ghcr.io/acme/x:1: not found (and 2 more with ImagePullBackOff)',
        fix: describePod('a'),
      },
    },
  ])('$title', async ({ answers, expected }) => {
    const { [PODS]: row } = await runDoctor({ [paths.claim]: claim(), ...answers })
    expect(row).toEqual(expected)
  })

  test('are found for Knative and its stand-in', async () => {
    const labels = 'serving.knative.dev%2Fservice%20in%20(orders-worker%2Corders-worker-switch)'
    const { [PODS]: row } = await runDoctor({
      [paths.claim]: knativeClaim(),
      [`/api/v1/namespaces/shop/pods?labelSelector=${labels}`]: {
        items: [pod('orders-worker-00001-deployment-1', waiting('ImagePullBackOff', 'Failed to pull image "ghcr.io/acme/x:1": not found'))],
      },
    })
    expect(row).toMatchObject({
      state: 'wrong',
      message: '1 of 1 failing: pod orders-worker-00001-deployment-1: ImagePullBackOff: image ghcr.io/acme/x:1: not found',
    })
  })

  test('are not checked before the claim is applied', async () => {
    const file = join(temporaryFolder(), 'claim.yaml')
    writeFileSync(file, JSON.stringify(claim()))
    const { checks } = await examine(await startCluster(), file)
    expect(checks).not.toHaveProperty([PODS])
  })
})
