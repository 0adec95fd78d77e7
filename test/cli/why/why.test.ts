import { describe, expect, test } from 'vitest'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import {
  type Answers,
  type Cluster,
  type ClusterOptions,
  changed,
  configOf,
  paths,
  pod,
  readyPod,
  refused,
  startCluster,
  writeConfig,
} from '../doctor/cluster.ts'
import { ASK, account, config, ENDPOINT, JSZ } from '../doctor/healthy.ts'
import { type Recording, recorded } from '../io.ts'
import { composite, conditions, counts, objectOf, objects, POD, rolledOut, running } from './composed.ts'

const start = (answers: Answers = {}, options: ClusterOptions = {}) => startCluster({ ...options, answers: { ...running, ...answers } })

async function why(cluster: Cluster, args: readonly string[] = ['shop/orders-worker'], recording: Recording = {}) {
  const { io, stdout, stderr } = recorded(recording)
  const exit = await eds(['why', ...args, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))], io)
  return { exit, stdout: stdout(), stderr: stderr() }
}

const claimWith = (change: (text: string) => string) => changed(paths.claim, text => change(text.replace('127.0.0.1:8222', ENDPOINT)))
const not = (type: string, reason: string, message: string) => (text: string) =>
  text.replace(
    new RegExp(`\\{[^{}]*"type":"${type}"\\}`),
    JSON.stringify({ message, observedGeneration: 4, reason, status: 'False', type }),
  )

const crashing: Answers = {
  ...claimWith(
    not('WorkloadReady', 'Unavailable', 'Deployment orders-worker has no ready pod. See: eds why shop/orders-worker, or kubectl describe'),
  ),
  [objects.composite]: composite(conditions(['Synced'], ['Ready', 'False', 'Creating', 'Unready resources: deployment'])),
  [objects.deployment]: objectOf('deployment', {
    ...rolledOut,
    readyReplicas: 0,
    availableReplicas: 0,
    ...conditions(['Available', 'False']),
  }),
  [paths.pods]: {
    items: [
      pod(POD, {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          {
            name: 'main',
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } },
            lastState: { terminated: { exitCode: 1, reason: 'Error' } },
          },
        ],
      }),
    ],
  },
}
const LOG = objects.log('container=main&tailLines=10&previous=true')
const DISCOVERY: JsonObject = {
  resources: [
    { name: 'policies/status', kind: 'Policy' },
    { name: 'policies', kind: 'Policy' },
  ],
}
const composing = (reference: JsonObject): Answers => ({
  [objects.composite]: { ...composite(), spec: { resourceRefs: [reference] } },
})
const waiting = (reason: string, message: string): Answers => ({
  [paths.pods]: {
    items: [
      pod(POD, {
        phase: 'Pending',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [{ name: 'main', image: 'ghcr.io/acme/orders-worker:nope', state: { waiting: { reason, message } } }],
      }),
    ],
  },
})

/** The consumer as one of several servers reports it. */
const replica = (pending: number): JsonObject => ({
  account_details: [
    account('$G', {
      name: 'ORDERS',
      consumer_detail: [{ name: 'orders-workers', num_pending: pending, cluster: { leader: 'nats-1' }, config }],
    }),
  ],
})
const server = (name: string, pending: number): Answers => ({
  [ASK.replace('services/nats-headless', `pods/${name}`)]: replica(pending),
  [`${JSZ.replace('services/nats-headless', `pods/${name}`)}/varz`]: { server_name: name },
})

interface Case {
  readonly title: string
  readonly answers?: Answers
  readonly options?: ClusterOptions
  readonly exit: 0 | 1
  readonly says: RegExp | string
  readonly fix?: RegExp | string
  /** A line below the verdict. */
  readonly row?: RegExp
}

const cases: readonly Case[] = [
  {
    title: 'gives the figures of a claim that is well',
    exit: 0,
    says: 'ready: Deployment of ghcr.io/acme/orders-worker:1.4.2; 1 of 1 pods ready, 0 restarts; lag 12: 9 waiting, 3 in work (1 redelivered)',
  },
  {
    title: 'gives the figures of a claim that is scaled to zero',
    answers: {
      [paths.pods]: { items: [] },
      [objects.deployment]: { ...objectOf('deployment', rolledOut), spec: { replicas: 0 } },
      ...counts({ num_pending: 0, num_ack_pending: 0 }),
    },
    exit: 0,
    says: 'ready: Deployment of ghcr.io/acme/orders-worker:1.4.2; no pods; lag 0: 0 waiting, 0 in work',
  },
  {
    title: 'names what keeps the pods from being created',
    answers: {
      ...crashing,
      [paths.pods]: { items: [] },
      [paths.replicaSets]: { items: [{ metadata: { name: 'orders-worker-7d9f', namespace: 'shop' }, spec: { replicas: 1 }, status: {} }] },
      [paths.failedCreations]: {
        items: [
          {
            involvedObject: { kind: 'ReplicaSet', name: 'orders-worker-7d9f' },
            message: 'Error creating: pods "orders-worker-7d9f-abcde" is forbidden: exceeded quota: no-pods, requested: pods=1',
          },
        ],
      },
    },
    exit: 1,
    says: "Pods: ReplicaSet orders-worker-7d9f can't create pods: forbidden: exceeded quota: no-pods, requested: pods=1",
    fix: 'kubectl -n shop describe replicaset orders-worker-7d9f',
    row: /^✗ Pods +ReplicaSet orders-worker-7d9f can't create pods: /,
  },
  {
    title: 'is not worried by advice about the consumer',
    answers: {
      [ASK]: {
        account_details: [
          account('$G', { name: 'ORDERS', consumer_detail: [{ name: 'orders-workers', num_pending: 1, config: { max_deliver: -1 } }] }),
        ],
      },
    },
    exit: 0,
    says: /lag 1: 1 waiting, 0 in work$/,
  },
  {
    title: 'counts the messages as the leader of the consumer does',
    answers: {
      [`${JSZ}/jsz`]: { meta_cluster: { cluster_size: 3 } },
      '/api/v1/namespaces/nats/endpoints/nats-headless': {
        subsets: [{ addresses: ['nats-0', 'nats-1'].map(name => ({ targetRef: { name } })) }],
      },
      [ASK]: replica(700),
      ...server('nats-0', 800),
      ...server('nats-1', 5),
    },
    exit: 0,
    says: /lag 5: 5 waiting, 0 in work$/,
  },
  {
    title: 'names a missing claim',
    answers: { [paths.claim]: undefined },
    exit: 1,
    says: 'does not exist',
    fix: 'kubectl get eventdrivenservices -A',
  },
  {
    title: 'names a missing API before the claims that cannot exist without it',
    answers: { [paths.claim]: { refused: 404, message: '404 page not found', isText: true }, [paths.definition]: undefined },
    exit: 1,
    says: 'Configuration: is not installed',
    fix: /^crossplane xpkg install configuration/,
    row: /^✗ Claim +can't exist: the cluster has no API for eventdrivenservices$/,
  },
  {
    title: 'names the mistakes of a refused claim before all their consequences',
    answers: { ...crashing, ...claimWith(text => text.replace('"sessionAffinity":"None"', '"size":"huge"')) },
    exit: 1,
    says: /^spec\.size: must be one of .*got 'huge' \[NOT_ALLOWED\]$/,
    fix: 'kubectl -n shop edit eventdrivenservice orders-worker',
  },
  {
    title: 'names the pause of a claim before all its consequences',
    answers: { ...crashing, ...claimWith(not('Synced', 'ReconcilePaused', '')) },
    exit: 1,
    says: /^Crossplane changes nothing while the claim has the annotation crossplane\.io\/paused/,
    fix: 'kubectl -n shop annotate eventdrivenservice orders-worker crossplane.io/paused-',
  },
  {
    title: 'names the pause of the composite',
    answers: { ...crashing, [objects.composite]: composite(conditions(['Synced', 'False', 'ReconcilePaused'])) },
    exit: 1,
    says: /^Composite orders-worker-hzcdp: Crossplane changes nothing while the composite has the annotation/,
    fix: 'kubectl annotate xeventdrivenservices orders-worker-hzcdp crossplane.io/paused-',
  },
  {
    title: 'reports that the claim is being deleted',
    answers: claimWith(text => text.replace('"generation":4', '"deletionTimestamp":"2026-01-01T00:00:00Z","generation":4')),
    exit: 1,
    says: /^is being deleted since 2026-01-01T00:00:00Z; it disappears once its resources are deleted/,
  },
  {
    title: 'reports that the composite is being deleted',
    answers: { [objects.composite]: composite(undefined, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x'] }) },
    exit: 1,
    says: /^Composite orders-worker-hzcdp: is being deleted since .*finalizers: x/,
    fix: 'kubectl describe xeventdrivenservices orders-worker-hzcdp',
  },
  {
    title: 'reports that the composite is missing',
    answers: { ...crashing, [objects.composite]: undefined },
    exit: 1,
    says: /^Composite orders-worker-hzcdp: does not exist, although the claim names it/,
  },
  {
    title: 'reports that Crossplane has not created the composite',
    answers: claimWith(text => text.replace(/"resourceRef":\{[^}]*\},/, '').replace(/"conditions":\[[^\]]*\]/, '"conditions":[]')),
    exit: 1,
    says: 'Crossplane has not reconciled it yet',
    row: /^– Composite +Crossplane has not created it yet$/,
  },
  {
    title: 'names a Crossplane that does not run before its consequences',
    answers: {
      ...claimWith(text => text.replace(/"conditions":\[[^\]]*\]/, '"conditions":[]')),
      ...changed(paths.crossplane, text => text.replace('"replicas":1,"selector"', '"replicas":0,"selector"')),
    },
    exit: 1,
    says: /^Crossplane: Deployment crossplane-system\/crossplane has 1 of 0 replicas ready$/,
    fix: 'kubectl -n crossplane-system scale deployment crossplane --replicas=1',
  },
  {
    title: 'names a missing role, with the command that grants it',
    answers: claimWith(not('ScalingReady', 'KindForbidden', 'Crossplane may not manage ScaledObjects')),
    options: { denies: ({ what }) => what.endsWith('scaledobjects.keda.sh') },
    exit: 1,
    says: /^Access to scaledobjects\.keda\.sh: service account crossplane-system\/crossplane may not get/,
    fix: 'kubectl apply -f package/runtime/rbac/deployment.yaml',
  },
  {
    title: 'names a missing kind, with the command that installs it',
    answers: { ...claimWith(not('ScalingReady', 'KindUnknown', 'no CRDs')), [paths.crd('scaledobjects.keda.sh')]: undefined },
    exit: 1,
    says: 'KEDA: missing CRDs: scaledobjects.keda.sh',
    fix: /^helm upgrade --install keda/,
  },
  {
    title: 'names what Crossplane cannot apply, with the newest events of the composite',
    answers: {
      [objects.composite]: composite(conditions(['Synced', 'False', 'ReconcileError', 'cannot apply the Deployment'], ['Ready', 'False'])),
      [objects.compositeEvents]: {
        items: ['1', '4', '3', '2', '4'].map(text => ({
          reason: 'ComposeResources',
          message: `number ${text}`,
          lastTimestamp: `2026-01-01T00:00:0${text}Z`,
        })),
      },
    },
    exit: 1,
    says: 'Composite orders-worker-hzcdp: Synced is False, ReconcileError: cannot apply the Deployment',
    row: /│ event ComposeResources: number 4\n +│ event ComposeResources: number 3\n +│ event ComposeResources: number 2\n✓/m,
  },
  {
    title: 'names a missing stream before the pods that crash without it',
    answers: { ...crashing, [ASK]: { account_details: [account('$G')] } },
    exit: 1,
    says: /^Stream: account '\$G' has no stream 'ORDERS'/,
    fix: 'nats stream add -- ORDERS',
    row: /^✗ Pods +1 of 1 failing/m,
  },
  {
    title: 'names a missing secret before the pods that wait for it',
    answers: {
      ...claimWith(text => text.replace('"runtime"', '"secretRefs":[{"name":"orders-db","envFrom":true}],"runtime"')),
      ...waiting('CreateContainerConfigError', 'secret "orders-db" not found'),
    },
    exit: 1,
    says: /^Secret orders-db: namespace shop has no Secret 'orders-db'/,
    fix: /^kubectl -n shop create secret generic orders-db/,
    row: /^✗ Pods .*secret "orders-db" not found/m,
  },
  {
    title: 'names an image that cannot be pulled while old pods serve',
    answers: waiting('ImagePullBackOff', 'Back-off pulling image "ghcr.io/acme/orders-worker:nope"'),
    exit: 1,
    says: /^Pods: 1 of 1 failing: pod \S+: ImagePullBackOff: /,
    fix: `kubectl -n shop describe pod ${POD}`,
  },
  {
    title: 'names an object that is not ready',
    answers: {
      ...claimWith(not('ScalingReady', 'TriggerError', 'KEDA')),
      [objects.scaledObject]: objectOf('scaledobject', conditions(['Ready', 'False', 'TriggerError', 'dial tcp: i/o timeout'])),
    },
    exit: 1,
    says: /^ScaledObject orders-worker-scaler: TriggerError: KEDA can't use ScaledObject orders-worker-scaler: dial tcp/,
    fix: 'kubectl -n shop describe scaledobject.keda.sh orders-worker-scaler',
  },
  {
    title: 'tells a rollout from a problem',
    answers: { [objects.deployment]: objectOf('deployment', { ...rolledOut, replicas: 2, unavailableReplicas: 1 }) },
    exit: 0,
    says: /^Deployment orders-worker: RollingOut: /,
  },
  {
    title: 'tells an object that does not exist yet from a problem',
    answers: { [objects.scaledObject]: undefined },
    exit: 0,
    says: 'ScaledObject orders-worker-scaler: does not exist yet',
  },
  {
    title: 'reads the objects by name if the composite may not be read',
    answers: { [objects.composite]: refused(403, 'xeventdrivenservices is forbidden') },
    exit: 0,
    says: "Composite orders-worker-hzcdp: can't be read: xeventdrivenservices is forbidden",
    row: /^✓ Deployment orders-worker +Deployment orders-worker is available\.$/m,
  },
  {
    title: 'shows which object may not be read',
    answers: { [objects.deployment]: refused(403, 'deployments is forbidden') },
    exit: 0,
    says: "Deployment orders-worker: can't be read: deployments is forbidden",
  },
  {
    title: 'finds objects of other functions by discovery',
    answers: {
      ...composing({ apiVersion: 'acme.example/v1', kind: 'Policy', name: 'orders' }),
      '/apis/acme.example/v1': DISCOVERY,
      '/apis/acme.example/v1/policies/orders': { kind: 'Policy', status: conditions(['Ready', 'False', 'Broken', 'no quota']) },
    },
    exit: 1,
    says: 'Policy orders: Ready is False, Broken: no quota',
    fix: 'kubectl describe policy.acme.example orders',
  },
  {
    title: 'follows Crossplane 1 through the Objects of provider-kubernetes',
    answers: {
      ...changed(paths.compositions, text => text.replace('"kind":"Input"', '"kind":"Input","composeAs":"ProviderKubernetes"')),
      [paths.providers]: {
        items: [
          {
            metadata: { name: 'provider-kubernetes' },
            spec: { package: 'provider-kubernetes:v1' },
            status: { currentRevision: 'one', ...conditions(['Installed'], ['Healthy']) },
          },
        ],
      },
      '/apis/kubernetes.crossplane.io/v1alpha1/providerconfigs/default': { spec: { credentials: { source: 'Secret' } } },
      ...composing({ apiVersion: 'kubernetes.crossplane.io/v1alpha2', kind: 'Object', name: 'orders-worker-hzcdp-1' }),
      '/apis/kubernetes.crossplane.io/v1alpha2/objects/orders-worker-hzcdp-1': {
        status: conditions(['Synced', 'False', 'ReconcileError', 'forbidden'], ['Ready', 'False', 'Creating']),
      },
    },
    exit: 1,
    says: 'Object orders-worker-hzcdp-1: Synced is False, ReconcileError: forbidden; Ready is False, Creating: ',
    row: /^✓ Deployment orders-worker /m,
  },
  {
    title: 'follows a namespaced claim, which is its own composite',
    answers: claimWith(text =>
      text
        .replace(
          /"resourceRef":\{[^}]*\}/,
          '"crossplane":{"resourceRefs":[{"apiVersion":"apps/v1","kind":"Deployment","name":"orders-worker"}]}',
        )
        .replace(
          '"reason":"Available","status":"True","type":"WorkloadReady"',
          '"reason":"Unavailable","status":"False","type":"WorkloadReady"',
        ),
    ),
    exit: 1,
    says: /^WorkloadReady is False, Unavailable/,
    row: /^✓ Deployment orders-worker /m,
  },
]

describe('eds why', () => {
  test.each(cases)('$title', async ({ answers, options, exit, says, fix, row }) => {
    const found = await why(await start(answers, options))
    const [, message = '', command = ''] = /^[✗✓–] shop\/orders-worker {2}(.*)\n(?: +→ (.*)\n)?/.exec(found.stdout) ?? []
    if (typeof says === 'string') expect(message).toBe(says)
    else expect(message).toMatch(says)
    if (fix instanceof RegExp) expect(command).toMatch(fix)
    else if (fix !== undefined) expect(command).toBe(fix)
    if (row !== undefined) expect(found.stdout.split('\n').slice(2).join('\n')).toMatch(new RegExp(row.source, 'm'))
    expect(found).toMatchObject({ exit, stderr: '' })
  })

  test('fits the way from a claim to its log on a screen', async () => {
    const { stdout } = await why(
      await start({ ...crashing, [LOG]: `first\nconnecting to ${'x'.repeat(300)}\n\u001b[31mno such stream\n\n` }),
    )
    expect(stdout).toMatchInlineSnapshot(`
      "✗ shop/orders-worker  Pods: 1 of 1 failing: pod orders-worker-6d4cf56db6-x7k2p: CrashLoopBackOff: container main ended with exit code 1 (4 restarts)
                            → kubectl -n shop logs orders-worker-6d4cf56db6-x7k2p -c main --tail=50 --previous

      ✗ Claim                              WorkloadReady is False, Unavailable: Deployment orders-worker has no ready pod. See: kubectl describe
                                           → kubectl -n shop describe eventdrivenservice orders-worker
      – Composite orders-worker-hzcdp      Synced, not Ready: Unready resources: deployment
                                           → kubectl describe xeventdrivenservices orders-worker-hzcdp
      ✓ ServiceAccount orders-worker       exists
      – Deployment orders-worker           Unavailable: Deployment orders-worker has no ready pod. See: kubectl -n shop describe pods -l app.kubernetes.io/name=orders-worker
      ✓ Service orders-worker              exists
      ✓ ScaledObject orders-worker-scaler  ScaledObject orders-worker-scaler scales Deployment orders-worker.
      ✓ PodDisruptionBudget orders-worker  exists
      ✗ Pods                               1 of 1 failing: pod orders-worker-6d4cf56db6-x7k2p: CrashLoopBackOff: container main ended with exit code 1 (4 restarts)
                                           │ log of container main of pod orders-worker-6d4cf56db6-x7k2p before its restart:
                                           │ first
                                           │ connecting to xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                                           │ \\u001b[31mno such stream
      ✓ Stream                             account '$G' has stream 'ORDERS' with consumer 'orders-workers'
      ✓ Consumer                           lag 12: 9 waiting, 3 in work (1 redelivered)
      "
    `)
  })

  test('sends only reads and access reviews', async () => {
    const cluster = await start(crashing)
    await why(cluster)
    expect(cluster.asked.filter(path => path === '/apis/authorization.k8s.io/v1/subjectaccessreviews')).toHaveLength(cluster.reviews.length)
  })

  test('is one line if the claim is well', async () => {
    const { stdout } = await why(await start())
    expect(stdout.split('\n')).toHaveLength(2)
  })
})

describe('the log of a failing container', () => {
  const log = async (answers: Answers, ...args: string[]) => {
    const cluster = await start({ ...crashing, ...answers })
    const { stdout } = await why(cluster, ['shop/orders-worker', ...args])
    const quotes = stdout.split('\n').flatMap(line => /^ +│ (.*)/.exec(line)?.[1] ?? [])
    return { quotes, asked: cluster.asked.some(path => path.includes('/log?')) }
  }

  test('has at most ten lines, without the empty ones', async () => {
    const { quotes } = await log({ [LOG]: Array.from({ length: 12 }, (_, index) => `line ${index}\n`).join('\n') })
    expect(quotes).toEqual([
      `log of container main of pod ${POD} before its restart:`,
      ...Array.from({ length: 10 }, (_, index) => `line ${index + 2}`),
    ])
  })

  test.each([
    { title: 'is quoted as empty', answers: { [LOG]: '\n' }, says: /^log of .*: empty$/ },
    {
      title: 'is quoted as unreadable',
      answers: { [LOG]: refused(403, 'pods/log is forbidden') },
      says: /: can't be read: pods\/log is forbidden$/,
    },
  ])('$title', async ({ answers, says }) => {
    expect((await log(answers)).quotes).toEqual([expect.stringMatching(says)])
  })

  test('is not read with --no-logs', async () => {
    expect(await log({ [LOG]: 'secret\n' }, '--no-logs')).toEqual({ quotes: [], asked: false })
  })

  test('is not read if no container has run', async () => {
    const { asked } = await log(waiting('ImagePullBackOff', 'not found'))
    expect(asked).toBe(false)
  })

  test('is the current one if a probe fails', async () => {
    const status = {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:01:00Z' },
        { type: 'ContainersReady', status: 'False', lastTransitionTime: '2026-01-01T00:01:00Z' },
      ],
      containerStatuses: [{ name: 'main', ready: false, started: true, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
    }
    const spec = { containers: [{ name: 'main', readinessProbe: { httpGet: { path: '/ready', port: 8080 } } }] }
    const { quotes } = await log({
      [paths.pods]: { items: [{ ...pod(POD, status), spec }] },
      [objects.log('container=main&tailLines=10')]: 'listening\n',
    })
    expect(quotes).toEqual([`log of container main of pod ${POD}:`, 'listening'])
  })
})

describe('eds why -o json', () => {
  const text = expect.any(String)
  const count = expect.any(Number)

  test('keeps its field names', async () => {
    const { exit, stdout } = await why(await start({ ...crashing, [LOG]: 'no such stream\n' }), ['shop/orders-worker', '-o', 'json'])
    const output = JSON.parse(stdout)
    expect({ exit, output }).toEqual({
      exit: 1,
      output: {
        claim: { namespace: 'shop', name: 'orders-worker' },
        state: 'wrong',
        says: text,
        mend: text,
        pods: { total: 1, ready: 0, restarts: 4 },
        queue: { lag: count, waiting: count, inFlight: count, redelivered: count },
        checks: expect.any(Array),
      },
    })
    expect(output.checks).toContainEqual({
      name: 'Pods of shop/orders-worker',
      state: 'wrong',
      says: text,
      mend: text,
      quotes: [text, 'no such stream'],
    })
    expect(output.checks).toContainEqual({ name: 'Composite orders-worker-hzcdp', state: 'unknown', says: text, mend: text })
  })

  test('leaves out figures that nobody knows', async () => {
    const { stdout } = await why(await start({ [paths.claim]: undefined }), ['shop/orders-worker', '-o', 'json'])
    expect(JSON.parse(stdout)).toEqual({ claim: expect.any(Object), state: text, says: text, mend: text, checks: expect.any(Array) })
  })
})

describe('eds why --watch', () => {
  const END = new Error('Ctrl-C')
  /** Changes the cluster after the second wait, and ends after the third. */
  async function watch(args: readonly string[], isTerminal = false): Promise<string> {
    const cluster = await start()
    const { io, stdout } = recorded({
      isTerminal,
      meanwhile: waits => {
        if (waits === 2) cluster.change(waiting('ImagePullBackOff', 'not found'))
        if (waits === 3) throw END
      },
    })
    const all = ['why', 'shop/orders-worker', '--watch', ...args, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))]
    await expect(eds(all, io)).rejects.toBe(END)
    return stdout()
  }

  test('prints a line for each change', async () => {
    expect((await watch([])).split('\n')).toEqual([
      expect.stringMatching(/^00:00:00 ✓ shop\/orders-worker {2}ready: /),
      expect.stringMatching(/^00:00:10 ✗ shop\/orders-worker {2}Pods: 1 of 1 failing: .*ImagePullBackOff/),
      '',
    ])
  })

  test('redraws a terminal after each change', async () => {
    const screens = (await watch([], true)).split('\u001B[2J\u001B[H')
    expect(screens).toHaveLength(3)
    expect(screens[2]).toMatch(/Pods: 1 of 1 failing[\s\S]*✓.* Stream/)
  })

  test('prints JSON on a line for each change', async () => {
    const lines = (await watch(['-o', 'json'], true)).trim().split('\n')
    expect(lines.map(line => JSON.parse(line).state)).toEqual(['well', 'wrong'])
  })
})

describe('eds why refuses', () => {
  test.each([
    { title: 'no claim', args: [], says: 'eds why: name a claim: NAMESPACE/NAME, or NAME with -n NAMESPACE\n' },
    { title: 'two claims', args: ['a', 'b'], says: "eds why: takes one claim, got 'a' and 'b'\n" },
    { title: 'a file', args: ['claim.yaml'], says: "eds why: takes a claim of the cluster, got the file 'claim.yaml'\n" },
    { title: 'an unknown flag', args: ['a', '--wach'], says: 'eds why: unknown flag --wach, did you mean --watch?\nSee: eds why --help\n' },
  ])('$title', async ({ args, says }) => {
    expect(await why(await start(), args)).toEqual({ exit: 2, stdout: '', stderr: says })
  })

  test.each([
    { title: 'a missing kubeconfig', kubeconfig: '/nowhere/config', says: /^eds why: \/nowhere\/config: kubeconfig not found\n$/ },
    {
      title: 'a cluster that cannot be reached',
      kubeconfig: undefined,
      says: /^eds why: the cluster of context 'test' \(https:\/\/127\.0\.0\.1:1\) cannot be reached: /,
    },
  ])('$title', async ({ kubeconfig, says }) => {
    const { io, stderr } = recorded()
    const config = kubeconfig ?? writeConfig(configOf({ server: 'https://127.0.0.1:1' }))
    expect(await eds(['why', 'a', '--kubeconfig', config], io)).toBe(2)
    expect(stderr()).toMatch(says)
  })

  test('credentials that the cluster rejects', async () => {
    const found = await why(await start({}, { admits: () => false }))
    expect(found).toMatchObject({ exit: 2, stderr: expect.stringMatching(/rejects the credentials in the kubeconfig/) })
  })
})

test('a claim of -n NAMESPACE is found by its name', async () => {
  const { exit, stdout } = await why(await start({ [paths.pods]: { items: [readyPod(POD)] } }), ['orders-worker', '-n', 'shop'])
  expect({ exit, line: stdout.slice(0, 22) }).toEqual({ exit: 0, line: '✓ shop/orders-worker  ' })
})
