import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { groupTroubles, isCurrentPod, type PodTrouble, troubleOfPod } from '../../src/kubernetes/pod-troubles.ts'
import { podStates, statesOf } from '../fixtures/pods.ts'

const told = (trouble: PodTrouble | undefined) => trouble && `${trouble.mayPass ? 'perhaps ' : ''}${trouble.reason}: ${trouble.message}`

/** The one problem of each pod, and the states in which the pod does not tell it yet. */
const expected: readonly { pod: string; problem?: string; silent: readonly string[] }[] = [
  {
    pod: 'command-missing',
    problem:
      'RunContainerError: container main can\'t start, command not found: exec: "/nothing": stat /nothing: no such file or directory',
    silent: ['ContainerCreating'],
  },
  { pod: 'crash', problem: 'CrashLoopBackOff: container main ended with exit code 3', silent: ['ContainerCreating'] },
  {
    pod: 'digest-missing',
    problem: `ImagePullBackOff: image ghcr.io/acme/orders-worker@sha256:${'89ab67cd45ef0123'.repeat(4)}: not found`,
    silent: ['ContainerCreating'],
  },
  { pod: 'image-by-digest', silent: ['ContainerCreating', 'Running'] },
  { pod: 'image-missing', problem: 'ImagePullBackOff: image ghcr.io/acme/nothing:1: not found', silent: [] },
  {
    pod: 'image-name-invalid',
    problem: 'InvalidImageName: image ghcr.io/Acme/Orders:1: invalid reference format: repository name (Acme/Orders) must be lowercase',
    silent: ['ContainerCreating'],
  },
  {
    pod: 'image-runs-as-root',
    problem: 'CreateContainerConfigError: container has runAsNonRoot and image will run as root',
    silent: ['ContainerCreating'],
  },
  { pod: 'init-crash', problem: 'CrashLoopBackOff: init container init ended with exit code 3', silent: ['Init:0/1'] },
  {
    pod: 'not-alive',
    problem: 'CrashLoopBackOff: container main ended with exit code 0, perhaps because its liveness probe failed: GET /health on port 8080',
    silent: ['ContainerCreating', 'Running'],
  },
  {
    pod: 'not-ready',
    problem: 'perhaps Unhealthy: the readiness probe of container main does not succeed: GET /ready on port 9999',
    silent: ['ContainerCreating'],
  },
  {
    pod: 'out-of-memory',
    problem: 'OOMKilled: container main needs more memory than its limit of 2Gi',
    silent: ['ContainerCreating', 'Running'],
  },
  { pod: 'pull-secret', silent: ['ContainerCreating', 'Running'] },
  {
    pod: 'pull-secret-missing',
    problem: 'ImagePullBackOff: image registry.example.com/acme/orders:1: 401 Unauthorized',
    silent: ['ContainerCreating'],
  },
  {
    pod: 'pull-secret-wrong',
    problem: 'ImagePullBackOff: image registry.example.com/acme/orders:1: 401 Unauthorized',
    silent: ['ContainerCreating'],
  },
  {
    pod: 'registry-missing',
    problem: 'ImagePullBackOff: image registry.invalid/acme/orders:1: lookup registry.invalid: no such host',
    silent: ['ErrImagePull'],
  },
  { pod: 'secret-missing', problem: 'CreateContainerConfigError: secret "orders-api" not found', silent: ['CreateContainerConfigError'] },
  { pod: 'too-big', problem: 'Unschedulable: no node fits: Insufficient memory', silent: [] },
  {
    pod: 'user-is-root',
    problem: "CreateContainerConfigError: container's runAsUser breaks non-root policy",
    silent: ['ContainerCreating'],
  },
  {
    pod: 'volume-missing',
    problem:
      'perhaps ContainerCreating: its containers are not created, because a volume or the network is not ready; it mounts Secret orders-certificate',
    silent: [],
  },
]

test('54 states of 19 pods are recorded', () => {
  expect(podStates).toHaveLength(54)
  expect([...new Set(podStates.map(({ name }) => name))].sort()).toEqual(expected.map(({ pod }) => pod).sort())
})

/** Whether a state is that of any starting pod. */
const isSilent = (silent: readonly string[], kubectl: string, pod: JsonObject) => {
  const text = JSON.stringify(pod)
  return silent.includes(kubectl) && (/"(?:ContainerCreating|PodInitializing)"/.test(text) || !text.includes('"exitCode"'))
}

describe.each(expected)('$pod', ({ pod: name, problem, silent }) => {
  test.each(statesOf(name))('tells its one problem as $kubectl', ({ kubectl, pod }) => {
    const trouble = troubleOfPod(pod)
    if (problem === undefined || isSilent(silent, kubectl, pod)) expect(trouble?.mayPass ?? true).toBe(true)
    else expect(told(trouble)).toBe(problem)
  })

  test('tells the same time in every state', () => {
    expect(new Set(statesOf(name).flatMap(({ pod }) => troubleOfPod(pod)?.since ?? [])).size).toBeLessThanOrEqual(1)
  })
})

const IMAGE = 'ghcr.io/acme/orders-worker:1.4.2'
const container = (state: JsonObject, more: JsonObject = {}): JsonObject => ({ name: 'main', image: IMAGE, ready: false, state, ...more })
const podOf = (status: JsonObject, spec: JsonObject = {}): JsonObject => ({ metadata: { name: 'orders-worker-1' }, spec, status })
const UID = '3f0c1a52-9d4e-4b7a-8c61-2f5d0e9b7a13'
const waiting = (reason: string, message: string): JsonObject => podOf({ containerStatuses: [container({ waiting: { reason, message } })] })
const pulling = (message: string) => waiting('ErrImagePull', message)
const ended = (terminated: JsonObject, spec: JsonObject = {}) =>
  podOf({ containerStatuses: [container({ terminated })] }, { containers: [{ name: 'main', ...spec }] })
const unschedulable = (message: string, reason = 'Unschedulable') =>
  podOf({ conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] })
const creating = (volumes: readonly JsonObject[]) =>
  podOf(
    {
      conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }],
      containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })],
    },
    { volumes },
  )
const NETWORK = 'perhaps ContainerCreating: its containers are not created, because a volume or the network is not ready'
const unready = (spec: JsonObject, more: JsonObject = {}, changed = '2026-11-27T06:00:00Z') =>
  podOf(
    {
      conditions: [{ type: 'ContainersReady', status: 'False', lastTransitionTime: changed }],
      containerStatuses: [container({ running: { startedAt: '2026-11-27T06:00:05Z' } }, more)],
    },
    { containers: [{ name: 'main', ...spec }] },
  )
const readiness = { readinessProbe: { httpGet: { path: '/ready', port: 'http' } }, ports: [{ name: 'http', containerPort: 8080 }] }

test.each<{ title: string; pod: JsonObject; expected: string | undefined }>([
  {
    title: 'a refused token without its query',
    pod: pulling(
      `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme&service=ghcr.io: 403 Forbidden`,
    ),
    expected: `ImagePullBackOff: image ${IMAGE}: 403 Forbidden`,
  },
  {
    title: 'a registry without a network, without addresses',
    pod: pulling(
      `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": failed to do request: Head "https://ghcr.io/v2/acme/orders-worker/manifests/1.4.2": dial tcp: lookup ghcr.io on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable`,
    ),
    expected: `ImagePullBackOff: image ${IMAGE}: lookup ghcr.io: dial udp: connect: network is unreachable`,
  },
  {
    title: 'a broken connection without its ports',
    pod: pulling(`failed to pull and unpack image "${IMAGE}": read tcp 192.0.2.9:43210->[2001:db8::1]:443: read: connection reset by peer`),
    expected: `ImagePullBackOff: image ${IMAGE}: read tcp: read: connection reset by peer`,
  },
  {
    title: 'a rate limit without the time to wait',
    pod: pulling(
      `rpc error: code = Unknown desc = failed to pull and unpack image "${IMAGE}": toomanyrequests: retry-after: 612.9µs, allowed: 44000/minute`,
    ),
    expected: `ImagePullBackOff: image ${IMAGE}: toomanyrequests: retry later, allowed: 44000/minute`,
  },
  {
    title: 'the words of another runtime',
    pod: pulling(`reading manifest 1.4.2 in ghcr.io/acme/orders-worker: manifest unknown`),
    expected: `ImagePullBackOff: image ${IMAGE}: reading manifest 1.4.2 in ghcr.io/acme/orders-worker: manifest unknown`,
  },
  {
    title: 'a pull without a cause',
    pod: waiting('ImagePullBackOff', `Back-off pulling image "${IMAGE}"`),
    expected: `ImagePullBackOff: image ${IMAGE} can't be pulled`,
  },
  {
    title: 'a missing key',
    pod: waiting('CreateContainerConfigError', "couldn't find key token in Secret shop/orders-api"),
    expected: "CreateContainerConfigError: couldn't find key token in Secret shop/orders-api",
  },
  {
    title: 'a container that is not created, without its ids',
    pod: waiting('CreateContainerError', `name "main_orders_shop_${UID}_0" is reserved for "${'8f'.repeat(32)}"`),
    expected: 'CreateContainerError: name "main_orders_shop_…_0" is reserved for "…"',
  },
  {
    title: 'a command that is not in the path',
    pod: waiting(
      'RunContainerError',
      'runc create failed: unable to start container process: exec: "orders": executable file not found in $PATH: unknown',
    ),
    expected: 'RunContainerError: container main can\'t start, command not found: exec: "orders": executable file not found in $PATH',
  },
  {
    title: 'a command that may not be run',
    pod: ended({
      exitCode: 128,
      reason: 'StartError',
      message: 'unable to start container process: exec: "/app": permission denied: unknown',
    }),
    expected: 'RunContainerError: container main can\'t start: exec: "/app": permission denied',
  },
  {
    title: 'a crash without the termination message, which a program may have written a secret into',
    pod: ended({ exitCode: 1, reason: 'Error', message: 'password: correct-horse-battery-staple' }),
    expected: 'CrashLoopBackOff: container main ended with exit code 1',
  },
  {
    title: 'a crash loop without a last state',
    pod: waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container=main'),
    expected: 'CrashLoopBackOff: container main ends again and again',
  },
  {
    title: 'the probe that may have stopped a container',
    pod: ended({ exitCode: 143, reason: 'Error' }, { livenessProbe: { tcpSocket: { port: 9000 } } }),
    expected:
      'CrashLoopBackOff: container main ended with exit code 143, perhaps because its liveness probe failed: a connection to port 9000',
  },
  {
    title: 'no probe for an exit code of the program',
    pod: ended({ exitCode: 1, reason: 'Error' }, { livenessProbe: { tcpSocket: { port: 9000 } } }),
    expected: 'CrashLoopBackOff: container main ended with exit code 1',
  },
  {
    title: 'a container without a limit that runs out of memory',
    pod: ended({ exitCode: 137, reason: 'OOMKilled' }),
    expected: 'OOMKilled: container main needs more memory than the node has',
  },
  {
    title: "the scheduler's reasons sorted and without the numbers of nodes",
    pod: unschedulable(
      "0/12 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 3 node(s) didn't match Pod's node affinity/selector, 8 Insufficient cpu. preemption: 0/12 nodes are available: 12 No preemption victims found for incoming pod.",
    ),
    expected:
      "Unschedulable: no node fits: Insufficient cpu, node(s) didn't match Pod's node affinity/selector, node(s) had untolerated taint {node.kubernetes.io/unreachable: }",
  },
  {
    title: 'other words of the scheduler as they are',
    pod: unschedulable('Scheduling is blocked due to non-empty scheduling gates', 'SchedulingGated'),
    expected: 'SchedulingGated: Scheduling is blocked due to non-empty scheduling gates',
  },
  { title: 'a pod that waits for its network', pod: creating([]), expected: NETWORK },
  {
    title: 'the sources that a pod mounts, without optional ones and those of Kubernetes',
    pod: creating([
      { name: 'a', configMap: { name: 'orders' } },
      { name: 'b', secret: { secretName: 'later', optional: true } },
      { name: 'c', projected: { sources: [{ secret: { name: 'nats' } }, { configMap: { name: 'kube-root-ca.crt' } }] } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'e', emptyDir: {} },
    ]),
    expected: `${NETWORK}; it mounts ConfigMap orders, Secret nats, PersistentVolumeClaim data`,
  },
  {
    title: 'a pod that was ready and no longer is',
    pod: unready(readiness, { started: true }, '2026-11-27T06:10:00Z'),
    expected: 'Unhealthy: the readiness probe of container main does not succeed: GET /ready on port 8080',
  },
  {
    title: 'a startup probe before the readiness probe',
    pod: unready({ ...readiness, startupProbe: { exec: { command: ['started', '--token=x'] } } }, { started: false }),
    expected: 'perhaps Unhealthy: the startup probe of container main does not succeed: its command',
  },
  { title: 'nothing of a container without a probe that just started', pod: unready({}), expected: undefined },
  {
    title: 'nothing of a container that is ready again beside one that starts',
    pod: podOf({
      containerStatuses: [
        container({ running: {} }, { ready: true, lastState: { terminated: { exitCode: 1, reason: 'Error' } } }),
        container({ waiting: { reason: 'ContainerCreating' } }, { name: 'sidecar' }),
      ],
    }),
    expected: undefined,
  },
  { title: 'nothing of a pod without a status', pod: podOf({}), expected: undefined },
  {
    title: 'nothing of a ready pod that crashed before',
    pod: podOf({
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [container({ running: {} }, { lastState: { terminated: { exitCode: 1 } } })],
    }),
    expected: undefined,
  },
])('tells $title', ({ pod, expected }) => expect(told(troubleOfPod(pod))).toBe(expected))

test.each<{ title: string; pod: JsonObject; expected: boolean }>([
  { title: 'runs', pod: { status: { phase: 'Running' } }, expected: true },
  { title: 'has ended', pod: { status: { phase: 'Failed', reason: 'Evicted' } }, expected: false },
  {
    title: 'is being deleted',
    pod: { metadata: { deletionTimestamp: '2026-11-27T06:00:00Z' }, status: { phase: 'Running' } },
    expected: false,
  },
])('a pod that $title counts: $expected', ({ pod, expected }) => expect(isCurrentPod(pod)).toBe(expected))

describe('problems of several pods', () => {
  const states = fc.shuffledSubarray([...podStates]).map(chosen => chosen.map(({ pod }) => pod))
  const troublesOf = (pods: readonly JsonObject[]) => pods.flatMap(pod => troubleOfPod(pod) ?? [])

  test('are grouped the same in any order', () => {
    fc.assert(
      fc.property(states, pods => {
        expect(groupTroubles(troublesOf(pods))).toEqual(groupTroubles(troublesOf([...pods].reverse())))
      }),
    )
  })

  test('name each pod once for each problem that it tells', () => {
    fc.assert(
      fc.property(states, pods => {
        const troubles = troublesOf(pods)
        expect(groupTroubles(troubles).flatMap(({ pods }) => pods)).toHaveLength(troubles.length)
      }),
    )
  })

  test('begin with a certain one, in an order that does not depend on the number of pods', () => {
    const trouble = (pod: string, reason: string, mayPass = false): PodTrouble => ({ pod, reason, message: '', mayPass })
    const [perhaps, crash, image] = [trouble('a', 'Unhealthy', true), trouble('b', 'CrashLoopBackOff'), trouble('c', 'ImagePullBackOff')]
    const reasons = groupTroubles([perhaps, crash, { ...crash, pod: 'd' }, image]).map(({ reason }) => reason)
    expect(reasons).toEqual(['ImagePullBackOff', 'CrashLoopBackOff', 'Unhealthy'])
  })
})
