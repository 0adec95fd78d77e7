// Runs eds wait against a cluster whose answers change while it waits. Time passes only while it waits.
import { describe, expect, test } from 'vitest'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import { type Answers, changed, configOf, paths, pod, readyPod, refused, startCluster, writeConfig } from '../doctor/cluster.ts'
import { ASK, account, ENDPOINT } from '../doctor/healthy.ts'
import { recorded } from '../io.ts'
import { composite, counts, objectOf, objects, POD, rolledOut, running } from '../why/composed.ts'

const IMAGE = 'ghcr.io/acme/orders-worker:1.4.2'
const withImage = (image: string, from: JsonObject = readyPod(POD)): JsonObject => ({
  ...from,
  spec: { containers: [{ name: 'main', image }] },
})
const podsAre = (...items: JsonObject[]): Answers => ({ [paths.pods]: { items } })
const fine: Answers = { ...running, ...podsAre(withImage(IMAGE)) }
const claimWith = (change: (text: string) => string) => changed(paths.claim, text => change(text.replace('127.0.0.1:8222', ENDPOINT)))
const condition = (type: string, reason: string, message = '') =>
  claimWith(text =>
    text.replace(
      new RegExp(`\\{[^{}]*"type":"${type}"\\}`),
      JSON.stringify({ type, reason, message, status: 'False', observedGeneration: 4 }),
    ),
  )

interface Waited {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

interface Course {
  readonly args?: readonly string[]
  /** The changes, each after one more wait. */
  readonly later?: readonly Answers[]
  readonly isTerminal?: boolean
}

async function wait(answers: Answers, { args = [], later = [], isTerminal = false }: Course = {}): Promise<Waited> {
  const cluster = await startCluster({ answers: { ...fine, ...answers } })
  const { io, stdout, stderr } = recorded({ isTerminal, meanwhile: waits => cluster.change(later[waits - 1] ?? {}) })
  const exit = await eds(['wait', 'shop/orders-worker', ...args, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))], io)
  return { exit, stdout: stdout(), stderr: stderr() }
}

/** The answers before, by what they lack; `fine` is the state that they lead to. */
interface Lacking {
  readonly title: string
  readonly answers: Answers
  readonly says: RegExp | string
}

const lacking: readonly Lacking[] = [
  {
    title: 'Crossplane reconciles the claim',
    answers: claimWith(text => text.replace(/"conditions":\[[^\]]*\]/, '"conditions":[]')),
    says: 'Crossplane has not reconciled it yet',
  },
  {
    title: 'the latest generation of the claim is reconciled',
    answers: claimWith(text => text.replace('"generation":4', '"generation":5')),
    says: 'Crossplane has not reconciled its latest spec yet',
  },
  {
    title: 'every condition is true',
    answers: condition('ScalingReady', 'TriggerError', 'no such stream'),
    says: 'ScalingReady is False, TriggerError: no such stream',
  },
  {
    title: 'the latest generation of the composite is reconciled',
    answers: {
      [objects.composite]: composite(
        { conditions: ['Synced', 'Ready'].map(type => ({ type, status: 'True', observedGeneration: 1 })) },
        { generation: 2 },
      ),
    },
    says: 'Composite orders-worker-hzcdp: Crossplane has not reconciled its latest spec yet',
  },
  {
    title: 'every object exists',
    answers: { [objects.scaledObject]: undefined },
    says: 'ScaledObject orders-worker-scaler: does not exist yet',
  },
  {
    title: 'the controller processes the Deployment',
    answers: { [objects.deployment]: objectOf('deployment', { ...rolledOut, observedGeneration: 0 }) },
    says: 'Deployment orders-worker: its controller has not processed the latest spec yet',
  },
  {
    title: 'the rollout is complete, although the claim is ready',
    answers: { [objects.deployment]: objectOf('deployment', { ...rolledOut, replicas: 2, unavailableReplicas: 1 }) },
    says: /^Deployment orders-worker: RollingOut: /,
  },
  {
    title: 'every pod is ready',
    answers: podsAre(withImage(IMAGE), withImage(IMAGE, pod('starting', { phase: 'Pending' }))),
    says: 'Pods: 1 of 2 ready; the others may still be starting',
  },
  {
    title: 'every pod runs the image of the claim',
    answers: podsAre(withImage(IMAGE), withImage('ghcr.io/acme/orders-worker:1.4.1', readyPod('old'))),
    says: `Pods: pod old does not run ${IMAGE} yet`,
  },
  {
    title: 'the pods may be listed',
    answers: { [paths.pods]: refused(503, 'the server is restarting') },
    says: "Pods: can't be listed: the server is restarting",
  },
  {
    title: 'the claim may be read',
    answers: { [paths.claim]: refused(503, 'the server is restarting') },
    says: "can't be read: the server is restarting",
  },
]

describe('eds wait --for ready waits until', () => {
  test.each(lacking)('$title', async ({ answers, says }) => {
    const { exit, stdout, stderr } = await wait(answers, { later: [{}, fine] })
    const progress = stderr.split('\n').map(line => line.replace(/^0s {2}/, ''))
    expect(progress).toEqual([typeof says === 'string' ? says : expect.stringMatching(says), ''])
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: `✓ shop/orders-worker  ready after 4s: Deployment of ${IMAGE}; 1 of 1 pods ready, 0 restarts\n`,
    })
  })
})

describe('eds wait --for ready', () => {
  test('ends at once if the claim is ready', async () => {
    expect(await wait({})).toMatchObject({ exit: 0, stdout: expect.stringContaining('ready after 0s'), stderr: '' })
  })

  test('is content without pods if the claim is scaled to zero', async () => {
    const { exit, stdout } = await wait({
      ...podsAre(),
      [objects.deployment]: { ...objectOf('deployment', rolledOut), spec: { replicas: 0 } },
    })
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: `✓ shop/orders-worker  ready after 0s: Deployment of ${IMAGE}; no pods\n` })
  })

  test('ignores pods that are terminating', async () => {
    const old = withImage('ghcr.io/acme/orders-worker:1.4.1', {
      ...readyPod('old'),
      metadata: { name: 'old', namespace: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' },
    })
    expect((await wait(podsAre(withImage(IMAGE), old))).exit).toBe(0)
  })

  test('needs no right to read the composite and the objects', async () => {
    const hidden = refused(403, 'forbidden')
    expect((await wait({ [objects.composite]: hidden, [objects.scaledObject]: hidden })).exit).toBe(0)
  })

  test('does not compare the images of Knative, whose old revisions may serve', async () => {
    const { metadata, spec } = knativeClaim()
    const selected = 'serving.knative.dev%2Fservice%20in%20(orders-worker%2Corders-worker-switch)'
    const ready = (...types: string[]) => ({ conditions: types.map(type => ({ type, status: 'True', observedGeneration: 1 })) })
    const service = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'orders-worker' }
    const others = ['v1 ServiceAccount', 'policy/v1 PodDisruptionBudget'].map(type => {
      const [apiVersion = '', kind = ''] = type.split(' ')
      return { apiVersion, kind, name: 'orders-worker' }
    })
    const found = await wait({
      [paths.claim]: {
        ...knativeClaim(),
        metadata: { ...metadata, generation: 1 },
        spec: { ...spec, crossplane: { resourceRefs: [service, ...others] } },
        status: ready('WorkloadReady', 'Synced', 'Ready'),
      },
      '/apis/serving.knative.dev/v1/namespaces/shop/services/orders-worker': {
        ...service,
        metadata: { name: 'orders-worker', namespace: 'shop', generation: 1 },
        status: { observedGeneration: 1, ...ready('Ready') },
      },
      [`/api/v1/namespaces/shop/pods?labelSelector=${selected}`]: { items: [withImage('ghcr.io/acme/orders-worker:1.4.1')] },
    })
    expect(found).toMatchObject({ exit: 0 })
  })

  test('gives up after the timeout, and names the first cause with its command', async () => {
    const status = {
      phase: 'Pending',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [{ name: 'main', image: IMAGE, state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } }],
    }
    const { exit, stdout, stderr } = await wait({
      ...condition('WorkloadReady', 'Unavailable', 'Deployment orders-worker has no ready pod.'),
      ...podsAre(withImage(IMAGE, pod(POD, status))),
    })
    expect(stderr).toBe('0s  WorkloadReady is False, Unavailable: Deployment orders-worker has no ready pod.\n')
    expect(stdout).toMatchInlineSnapshot(`
      "✗ shop/orders-worker  not ready after 5m: WorkloadReady is False, Unavailable: Deployment orders-worker has no ready pod.
      ✗ first cause         Pods: 1 of 1 failing: pod orders-worker-6d4cf56db6-x7k2p: ImagePullBackOff: image ghcr.io/acme/orders-worker:1.4.2: not found
                            → kubectl -n shop describe pod orders-worker-6d4cf56db6-x7k2p
      "
    `)
    expect(exit).toBe(1)
  })

  test.each([
    { title: 'missing', answers: { [paths.claim]: undefined }, says: 'does not exist', fix: 'kubectl get eventdrivenservices -A' },
    {
      title: 'invalid',
      answers: claimWith(text => text.replace('"sessionAffinity":"None"', '"size":"huge"')),
      says: /^spec\.size: must be one of/,
      fix: 'kubectl -n shop edit eventdrivenservice orders-worker',
    },
    {
      title: 'refused by the function of another version',
      answers: condition('WorkloadReady', 'InvalidClaim', 'spec.size: unknown'),
      says: 'WorkloadReady is False, InvalidClaim: spec.size: unknown',
      fix: 'kubectl -n shop describe eventdrivenservice orders-worker',
    },
    {
      title: 'paused',
      answers: condition('Synced', 'ReconcilePaused'),
      says: /^Crossplane changes nothing while the claim has the annotation/,
      fix: 'kubectl -n shop annotate eventdrivenservice orders-worker crossplane.io/paused-',
    },
    {
      title: 'being deleted',
      answers: claimWith(text => text.replace('"generation":4', '"deletionTimestamp":"2026-01-01T00:00:00Z","generation":4')),
      says: /^is being deleted since/,
      fix: 'kubectl -n shop describe eventdrivenservice orders-worker',
    },
  ])('ends at once if the claim is $title', async ({ answers, says, fix }) => {
    const { exit, stdout, stderr } = await wait(answers)
    const [, message, command] = /^✗ shop\/orders-worker {2}will not be ready: (.*)\n +→ (.*)\n$/.exec(stdout) ?? []
    expect({ exit, message, command, stderr }).toEqual({
      exit: 1,
      message: typeof says === 'string' ? says : expect.stringMatching(says),
      command: fix,
      stderr: '',
    })
  })

  test('keeps waiting if an outdated condition calls the claim invalid', async () => {
    const outdated = claimWith(text =>
      text
        .replace('"generation":4', '"generation":5')
        .replace(/\{[^{}]*"type":"WorkloadReady"\}/, JSON.stringify({ type: 'WorkloadReady', reason: 'InvalidClaim', status: 'False' })),
    )
    expect((await wait(outdated, { later: [fine] })).exit).toBe(0)
  })
})

describe('eds wait --for drained', () => {
  const drained = counts({ num_pending: 0, num_ack_pending: 0 })

  test('waits for pending, then for unacknowledged messages', async () => {
    const { exit, stdout, stderr } = await wait(counts({ num_pending: 7, num_ack_pending: 2 }), {
      args: ['--for', 'drained'],
      later: [counts({ num_pending: 0, num_ack_pending: 1, num_redelivered: 1 }), drained],
    })
    expect(stderr).toBe('0s  lag 9: 7 waiting, 2 in work\n2s  lag 1: 0 waiting, 1 in work (1 redelivered)\n')
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '✓ shop/orders-worker  drained after 4s: lag 0: 0 waiting, 0 in work\n' })
  })

  test('waits for a missing stream', async () => {
    const { exit, stderr } = await wait({ [ASK]: { account_details: [account('$G')] } }, { args: ['--for', 'drained'], later: [drained] })
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: expect.stringMatching(/^0s {2}Stream: account '\$G' has no stream 'ORDERS'/) })
  })

  test('drains a paused claim', async () => {
    expect((await wait({ ...drained, ...condition('Synced', 'ReconcilePaused') }, { args: ['--for', 'drained'] })).exit).toBe(0)
  })

  test('ends at once without a consumer', async () => {
    const { exit, stdout } = await wait({ [paths.claim]: claim({ nats: undefined, httpPort: 8080 }) }, { args: ['--for', 'drained'] })
    expect({ exit, stdout }).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('will not be drained: the claim has no NATS consumer\n'),
    })
  })
})

describe('eds wait --for scaled-to-zero', () => {
  const args = ['--for', 'scaled-to-zero']
  const elastic = claimWith(text => text.replace('"pollingInterval":2', '"pollingInterval":2,"minReplicas":0'))

  test('waits until the last pod is gone, also one that is terminating', async () => {
    const terminating = { ...readyPod(POD), metadata: { name: POD, namespace: 'shop', deletionTimestamp: '2026-01-01T00:00:00Z' } }
    const { exit, stdout, stderr } = await wait(
      { ...elastic, ...podsAre(terminating, readyPod('b')) },
      { args, later: [podsAre(terminating), podsAre(pod('evicted', { phase: 'Failed' }))] },
    )
    expect(stderr).toBe('0s  2 pods are left\n2s  1 pod is left\n')
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '✓ shop/orders-worker  scaled to zero after 4s: no pods\n' })
  })

  test('does not take a new claim without pods for one that is scaled to zero', async () => {
    const fresh = claimWith(text =>
      text.replace(/"conditions":\[[^\]]*\]/, '"conditions":[]').replace('"pollingInterval":2', '"minReplicas":0'),
    )
    const { exit, stdout } = await wait({ ...fresh, ...podsAre() }, { args: [...args, '--timeout', '3s'] })
    expect({ exit, stdout }).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('not scaled to zero after 3s: Crossplane has not reconciled it yet'),
    })
  })

  test.each([
    { title: 'the minimum is one', change: (text: string) => text, says: 'spec.scaling.minReplicas is 1' },
    {
      title: 'autoscaling is paused',
      change: (text: string) => text.replace('"pollingInterval":2', '"minReplicas":0,"paused":true'),
      says: 'autoscaling is paused by spec.scaling.paused',
    },
  ])('ends at once if $title', async ({ change, says }) => {
    const { exit, stdout } = await wait(
      claimWith(text => `${change(text)} `),
      { args },
    )
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: `✗ shop/orders-worker  will not be scaled to zero: ${says}\n` })
  })
})

test('progress is one line on a terminal, which disappears', async () => {
  const { stderr } = await wait(counts({ num_pending: 7 }), {
    args: ['--for', 'drained'],
    later: [{}, counts({ num_pending: 0 })],
    isTerminal: true,
  })
  const ERASE = '\r\u001B[K'
  expect(stderr).toBe(`${ERASE}0s  lag 7: 7 waiting, 0 in work${ERASE}2s  lag 7: 7 waiting, 0 in work${ERASE}`)
})

describe('eds wait refuses', () => {
  test.each([
    {
      title: 'another state',
      args: ['--for', 'redy'],
      says: /--for must be one of \[ready, drained, scaled-to-zero\], got 'redy'; did you mean ready\?/,
    },
    {
      title: 'a timeout without a unit',
      args: ['--timeout', '30'],
      says: /^eds wait: --timeout must be a duration such as 90s, 5m or 1h30m, got '30'\n$/,
    },
    { title: 'a second claim', args: ['shop/other'], says: /^eds wait: takes one claim, got 'shop\/orders-worker' and 'shop\/other'\n$/ },
  ])('$title', async ({ args, says }) => {
    expect(await wait({}, { args })).toEqual({ exit: 2, stdout: '', stderr: expect.stringMatching(says) })
  })

  test.each([
    { title: 'a missing kubeconfig', kubeconfig: '/nowhere/config', says: 'eds wait: /nowhere/config: kubeconfig not found\n' },
    {
      title: 'a context that does not exist',
      kubeconfig: undefined,
      says: "eds wait: context 'production' does not exist; available contexts: test\n",
    },
  ])('$title', async ({ kubeconfig, says }) => {
    const { io, stderr } = recorded()
    const config = kubeconfig ?? writeConfig(configOf({ server: 'https://127.0.0.1:1' }))
    const context = kubeconfig === undefined ? ['--context', 'production'] : []
    expect(await eds(['wait', 'a', '--kubeconfig', config, ...context], io)).toBe(2)
    expect(stderr()).toBe(says)
  })
})
