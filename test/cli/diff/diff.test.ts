import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { applyLocally } from '../../../src/cli/diff/local-apply.ts'
import { eds } from '../../../src/cli/eds.ts'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { groupKindOf } from '../../../src/kubernetes/objects.ts'
import { builtInPlatform, parsePlatform } from '../../../src/platform/platform.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import {
  type Answers,
  type ClusterOptions,
  configOf,
  paths,
  refused,
  startCluster,
  temporaryFolder,
  writeConfig,
} from '../doctor/cluster.ts'
import { recorded } from '../io.ts'
import { liveObjects, MANAGER } from './live-objects.ts'

const kinds: Readonly<Record<string, string>> = {
  '/ServiceAccount': '/api/v1/namespaces/shop/serviceaccounts',
  '/Service': '/api/v1/namespaces/shop/services',
  'apps/Deployment': '/apis/apps/v1/namespaces/shop/deployments',
  'keda.sh/ScaledObject': '/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects',
  'policy/PodDisruptionBudget': '/apis/policy/v1/namespaces/shop/poddisruptionbudgets',
  'serving.knative.dev/Service': '/apis/serving.knative.dev/v1/namespaces/shop/services',
  'kubernetes.crossplane.io/Object': '/apis/kubernetes.crossplane.io/v1alpha2/objects',
}
const pathOf = (object: JsonObject) => `${kinds[groupKindOf(object)]}/${at(object, 'metadata', 'name')}`

const claimPath = (name = 'orders-worker') => paths.claim.replace('orders-worker', name)
const compositePath = (name = 'orders-worker') => `/apis/platform.bizmatters.io/v1alpha1/xeventdrivenservices/${name}-x7k2p`

const versions: Answers = {
  '/apis/policy/v1': { resources: [{ kind: 'PodDisruptionBudget' }] },
  '/apis/keda.sh/v1alpha1': { resources: [{ kind: 'ScaledObject' }] },
  '/apis/serving.knative.dev/v1': { resources: [{ kind: 'Service' }] },
}

interface World {
  readonly claims: readonly JsonObject[]
  readonly objects: readonly JsonObject[]
}

/** What an API server knows of applied claims. */
function answersOf({ claims, objects }: World, flavour: 'claims' | 'namespaced'): Answers {
  const refs = (name: unknown) =>
    objects
      .filter(object => at(object, 'metadata', 'labels', 'crossplane.io/claim-name') === name)
      .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: at(metadata, 'name'), namespace: at(metadata, 'namespace') }))
  const composites = claims.map(one => {
    const name = String(at(one, 'metadata', 'name'))
    const metadata = { ...(one.metadata as JsonObject), uid: 'uid-of-composite' }
    const spec = one.spec as JsonObject
    return flavour === 'claims'
      ? {
          [claimPath(name)]: { ...one, spec: { ...spec, resourceRef: { name: `${name}-x7k2p` } } },
          [compositePath(name)]: {
            apiVersion: one.apiVersion,
            kind: 'XEventDrivenService',
            metadata: { name: `${name}-x7k2p`, uid: 'uid-of-composite' },
            spec: { ...spec, claimRef: { name, namespace: 'shop' }, resourceRefs: refs(name) },
          },
        }
      : { [claimPath(name)]: { ...one, metadata, spec: { ...spec, crossplane: { resourceRefs: refs(name) } } } }
  })
  return {
    ...versions,
    ...Object.fromEntries(objects.map(object => [pathOf(object), object])),
    ...Object.assign({}, ...composites),
    '/apis/platform.bizmatters.io/v1alpha1/eventdrivenservices': { items: claims.map(({ kind: _, apiVersion: _v, ...one }) => one) },
  }
}

const world = (...claims: readonly JsonObject[]): World => ({ claims, objects: claims.flatMap(one => Object.values(liveObjects(one))) })

interface Said {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

async function run(args: readonly string[]): Promise<Said> {
  const { io, stdout, stderr } = recorded()
  const exit = await eds(['diff', ...args], io)
  return { exit, stdout: stdout(), stderr: stderr() }
}

function written(name: string, ...documents: readonly JsonObject[]): string {
  const file = join(temporaryFolder(), name)
  writeFileSync(file, documents.map(document => JSON.stringify(document)).join('\n---\n'))
  return file
}

interface Asked {
  readonly world: World
  readonly flavour?: 'claims' | 'namespaced'
  readonly answers?: Answers
  readonly applies?: ClusterOptions['applies']
}

/** Asks a server that applies like Kubernetes, as far as the local merge does. */
async function againstCluster({ world, flavour = 'claims', answers, applies }: Asked, ...args: readonly string[]) {
  const known = { ...answersOf(world, flavour), ...answers }
  const patches: { path: string; body: JsonObject }[] = []
  const cluster = await startCluster({
    answers: known,
    applies: (path, body) => {
      patches.push({ path, body })
      const live = known[path.split('?')[0] ?? '']
      return applies?.(path, body) ?? dryRun(body, isObject(live) && !('refused' in live) ? (live as JsonObject) : undefined)
    },
  })
  return { ...(await run([...args, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))])), patches, asked: cluster.asked }
}

/** The API server counts a dry run as a change, and notes its time. */
function dryRun(wanted: JsonObject, live: JsonObject | undefined): JsonObject {
  const { metadata, ...after } = applyLocally(wanted, live)
  return { ...after, metadata: { ...(metadata as JsonObject), generation: 4, resourceVersion: '42', managedFields: [] } }
}

const againstFile = ({ world: { claims, objects } }: Pick<Asked, 'world'>, ...args: readonly string[]) =>
  run([...args, '--observed', written('observed.yaml', ...claims, ...objects)])

/** The lines without the mark of an estimate, which a file has on every object. */
const linesOf = ({ stdout }: Said) => stdout.replaceAll(' (estimated)', '').trimEnd().split('\n')

interface Case {
  readonly title: string
  /** Live claims; by default the least one. */
  readonly live?: readonly JsonObject[]
  /** Changes the live objects. */
  readonly adjust?: (objects: Record<string, JsonObject>) => readonly JsonObject[]
  /** The claim in the file; without one all live claims are compared. */
  readonly now?: JsonObject
  readonly input?: JsonObject
  readonly exit: number
  /** Lines of the output. */
  readonly prints: readonly string[]
  readonly says: string
}

const input = (fields: JsonObject) => ({ apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', ...fields })
const named = (name: string, spec: JsonObject = {}) => claim(spec, { name })
const withField = (object: JsonObject | undefined, field: string, value: JsonObject): JsonObject => ({ ...object, [field]: value })
const without = (object: JsonObject | undefined, ...fields: readonly string[]): JsonObject => ({
  ...object,
  metadata: Object.fromEntries(Object.entries((object?.metadata ?? {}) as JsonObject).filter(([name]) => !fields.includes(name))),
})

const cases: readonly Case[] = [
  {
    title: 'nothing for an unchanged claim: no count of the HPA, no default, no other spelling of a quantity',
    now: claim({ size: 'large' }),
    live: [claim({ size: 'large' })],
    exit: 0,
    prints: [''],
    says: 'nothing changes',
  },
  {
    title: 'a changed image, which restarts pods',
    now: claim({ image: 'ghcr.io/acme/orders-worker:1.5.0' }),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ Deployment orders-worker changes, and its pods restart',
      '    @@ spec.template.metadata.labels @@',
      '    - app.kubernetes.io/version: 1.4.2',
      '    + app.kubernetes.io/version: 1.5.0',
      '    @@ spec.template.spec.containers[0] @@',
      '    - image: ghcr.io/acme/orders-worker:1.4.2',
      '    + image: ghcr.io/acme/orders-worker:1.5.0',
      '    @@ spec.template.spec.containers[0].env.OTEL_SERVICE_VERSION @@',
      '    - value: 1.4.2',
      '    + value: 1.5.0',
      '    @@ spec.template.spec.containers[0].env.OTEL_RESOURCE_ATTRIBUTES @@',
      '    - value: service.namespace=shop,service.version=1.4.2',
      '    + value: service.namespace=shop,service.version=1.5.0',
    ],
    says: '1 object changes, 1 Deployment restarts its pods',
  },
  {
    title: 'a removed variable as the entry of its list',
    live: [claim({ env: [{ name: 'LOG_LEVEL', value: 'debug' }] })],
    now: claim(),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ Deployment orders-worker changes, and its pods restart',
      '    @@ spec.template.spec.containers[0].env @@',
      '    - - name: LOG_LEVEL',
      '    -   value: debug',
    ],
    says: '1 object changes, 1 Deployment restarts its pods',
  },
  {
    title: 'the order of variables, which restarts pods, too',
    live: [claim({ env: ['A', 'B'].map(name => ({ name, value: '1' })) })],
    now: claim({ env: ['B', 'A'].map(name => ({ name, value: '1' })) }),
    exit: 1,
    prints: [
      '  ~ Deployment orders-worker changes, and its pods restart',
      '    @@ spec.template.spec.containers[0].env @@',
      expect.stringMatching(/^ {4}- # in this order: .*A, B/),
      expect.stringMatching(/^ {4}\+ # in this order: .*B, A/),
    ],
    says: '1 object changes, 1 Deployment restarts its pods',
  },
  {
    title: 'a change outside the pod template, which restarts nothing',
    adjust: ({ deployment, ...others }) => [
      ...Object.values(others),
      withField(deployment, 'spec', { ...(deployment?.spec as JsonObject), revisionHistoryLimit: 10 }),
    ],
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ Deployment orders-worker changes, and no pod restarts',
      '    @@ spec @@',
      '    - revisionHistoryLimit: 10',
      '    + revisionHistoryLimit: 3',
    ],
    says: '1 object changes',
  },
  {
    title: 'no restart of a Deployment without pods',
    adjust: ({ deployment, ...others }) => [
      ...Object.values(others),
      withField(deployment, 'spec', { ...(deployment?.spec as JsonObject), replicas: 0 }),
    ],
    now: claim({ image: 'ghcr.io/acme/orders-worker:1.5.0' }),
    exit: 1,
    prints: ['shop/orders-worker', '  ~ Deployment orders-worker changes, and no pod restarts'],
    says: '1 object changes',
  },
  {
    title: 'a new revision of a Knative Service',
    live: [knativeClaim()],
    now: knativeClaim({ image: 'ghcr.io/acme/orders-worker:1.5.0' }),
    exit: 1,
    prints: ['shop/orders-worker', '  ~ Knative Service orders-worker changes, and Knative makes a new revision'],
    says: '1 object changes, 1 Knative revision is made',
  },
  {
    title: 'a changed default of the platform, for the claims that it reaches',
    live: [named('orders'), named('invoices', { size: 'micro' }), named('mails')],
    input: input({ defaults: { scaling: { maxReplicas: 20 }, size: 'medium' } }),
    exit: 1,
    prints: [
      'shop/orders',
      '  ~ ScaledObject orders-scaler changes',
      '    @@ spec @@',
      '    - maxReplicaCount: 10',
      '    + maxReplicaCount: 20',
      '',
      'shop/invoices',
      '  ~ ScaledObject invoices-scaler changes',
      '    @@ spec @@',
      '    - maxReplicaCount: 10',
      '    + maxReplicaCount: 20',
      '',
      'shop/mails',
      '  ~ ScaledObject mails-scaler changes',
      '    @@ spec @@',
      '    - maxReplicaCount: 10',
      '    + maxReplicaCount: 20',
    ],
    says: '3 of 3 claims change: 3 objects change',
  },
  {
    title: 'an object that a new version adds',
    live: [claim(), named('invoices')],
    adjust: ({ poddisruptionbudget: _, ...others }) => Object.values(others),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  + PodDisruptionBudget orders-worker is created',
      '    + apiVersion: policy/v1',
      '    + kind: PodDisruptionBudget',
      '    + metadata:',
    ],
    says: '2 of 2 claims change: 2 objects are created',
  },
  {
    title: 'an object that is deleted',
    now: claim({ scaling: { maxReplicas: 1 } }),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ ScaledObject orders-worker-scaler changes',
      '    @@ spec @@',
      '    - maxReplicaCount: 10',
      '    + maxReplicaCount: 1',
      '  - PodDisruptionBudget orders-worker is deleted',
    ],
    says: '1 object changes, 1 object is deleted',
  },
  {
    title: 'no deletion of an object that another function of the pipeline composes',
    adjust: objects => [
      ...Object.values(objects),
      {
        ...without(objects.service),
        apiVersion: 'v1',
        kind: 'Secret',
        data: { password: 'aHVudGVyMg==' },
        metadata: {
          ...(objects.service?.metadata as JsonObject),
          annotations: { 'crossplane.io/composition-resource-name': 'their-secret' },
        },
      },
    ],
    exit: 0,
    prints: [''],
    says: 'nothing changes',
  },
  {
    title: 'the findings of a refused claim',
    now: claim({ size: 'xlarge' }),
    exit: 2,
    prints: [
      'shop/orders-worker is refused, so its objects stay as they are',
      "  ! spec.size: must be one of [micro, small, medium, large], got 'xlarge' [NOT_ALLOWED]",
    ],
    says: '1 claim is refused',
  },
  {
    title: 'every object of a new claim',
    live: [],
    now: claim(),
    exit: 1,
    prints: ['shop/orders-worker', '  + ServiceAccount orders-worker is created'],
    says: '5 objects are created',
  },
  {
    title: 'what an adopted object becomes',
    adjust: ({ deployment, ...others }) => [
      ...Object.values(others),
      {
        ...without(deployment, 'ownerReferences', 'managedFields', 'annotations', 'labels'),
        spec: JSON.parse(JSON.stringify(deployment?.spec).replaceAll('1.4.2', '1.3.9')),
      },
    ],
    now: claim({}, { annotations: { 'platform.bizmatters.io/adopt': 'true' } }),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ Deployment orders-worker changes, and its pods restart',
      '    @@ metadata @@',
      '    + labels:',
      '    +   app.kubernetes.io/name: orders-worker',
    ],
    says: '1 object changes, 1 Deployment restarts its pods',
  },
  {
    title: 'why an existing object of the same name is not adopted',
    live: [],
    adjust: () => [without(liveObjects(claim()).deployment, 'ownerReferences', 'managedFields', 'annotations', 'labels')],
    now: claim(),
    exit: 0,
    prints: ['shop/orders-worker', expect.stringMatching(/^ {2}! WorkloadReady NameTaken: Deployment shop\/orders-worker already exists/)],
    says: 'nothing changes',
  },
  {
    title: 'that a paused claim changes nothing yet',
    now: claim({ scaling: { maxReplicas: 20 } }, { annotations: { 'crossplane.io/paused': 'true' } }),
    exit: 1,
    prints: [
      '    + maxReplicaCount: 20',
      '  ! The claim has the annotation crossplane.io/paused, so Crossplane changes nothing until it is removed.',
    ],
    says: '1 object changes',
  },
  {
    title: 'the first step of a switch of the runtime',
    now: knativeClaim(),
    exit: 1,
    prints: [
      'shop/orders-worker',
      '  ~ PodDisruptionBudget orders-worker changes',
      '    - app.kubernetes.io/name: orders-worker',
      '    + serving.knative.dev/service: orders-worker',
      '  + Knative Service orders-worker-switch is created',
      expect.stringMatching(/^ {2}! WorkloadReady Switching: /),
    ],
    says: '1 object is created, 1 object changes',
  },
]

const worldOf = ({ live = [claim()], adjust }: Case): World => ({
  claims: live,
  objects:
    adjust === undefined
      ? live.flatMap(one => Object.values(liveObjects(one)))
      : live.length === 0
        ? adjust({})
        : live.flatMap(one => adjust(liveObjects(one))),
})

const argsOf = ({ now, input }: Case): string[] => [
  ...(now === undefined ? ['--all'] : [written('claim.yaml', now)]),
  ...(input === undefined ? [] : ['--input', written('input.yaml', input)]),
]

describe.each([
  { place: 'a cluster', ask: (one: Case) => againstCluster({ world: worldOf(one) }, ...argsOf(one)) },
  {
    place: 'a cluster with namespaced composites',
    ask: (one: Case) => againstCluster({ world: worldOf(one), flavour: 'namespaced' }, ...argsOf(one)),
  },
  { place: 'a file', ask: (one: Case) => againstFile({ world: worldOf(one) }, ...argsOf(one)) },
])('against $place prints', ({ ask }) => {
  test.each(cases)('$title', async one => {
    const { title, prints, says, exit } = one
    const said = await ask(one)
    const lines = linesOf(said)
    // In this order, with others in between.
    let found = -1
    const seen = prints.map(line => {
      found = lines.findIndex((one, index) => index > found && matches(one, line))
      return found === -1 ? undefined : lines[found]
    })
    expect(seen.includes(undefined) ? lines : prints, title).toEqual(prints)
    expect(said.stderr.trimEnd().split('\n').at(-1)).toEqual(says)
    expect(said.exit).toBe(exit)
  })
})

const matches = (line: string, wanted: string) =>
  typeof wanted === 'string' ? line === wanted : (wanted as { asymmetricMatch: (value: unknown) => boolean }).asymmetricMatch(line)

const changed = claim({ scaling: { maxReplicas: 20 } })
const FORBIDDEN = 'scaledobjects.keda.sh "orders-worker-scaler" is forbidden: User "jo" cannot patch resource "scaledobjects"'

describe('the requests to the API server', () => {
  test('apply as Crossplane does: its field manager, name, labels, owner, and the version that was read', async () => {
    const { patches } = await againstCluster({ world: world(claim()) }, written('claim.yaml', changed))
    const { path, body } = patches.find(({ body }) => body.kind === 'ScaledObject') ?? { path: '', body: {} }
    expect(path).toBe(
      `/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/orders-worker-scaler?dryRun=All&force=true&fieldManager=${encodeURIComponent(MANAGER)}`,
    )
    expect(body.metadata).toMatchObject({
      name: 'orders-worker-scaler',
      resourceVersion: '41',
      labels: { 'app.kubernetes.io/name': 'orders-worker', 'crossplane.io/composite': 'orders-worker-x7k2p' },
      annotations: { 'crossplane.io/composition-resource-name': 'scaledobject' },
      ownerReferences: [{ uid: 'uid-of-composite' }],
    })
    expect(body.spec).not.toHaveProperty('replicas')
    expect(patches.every(({ path }) => path.includes('dryRun=All'))).toBe(true)
  })

  test('are repeated with the newest version if the object changes in between', async () => {
    let conflicts = 2
    const { exit, stdout, asked } = await againstCluster(
      {
        world: world(claim()),
        applies: (_, { kind }) => (kind === 'ScaledObject' && conflicts-- > 0 ? refused(409, 'the object has been modified') : undefined),
      },
      written('claim.yaml', changed),
    )
    expect(stdout).toContain('+ maxReplicaCount: 20')
    expect([exit, conflicts]).toEqual([1, -1])
    expect(asked.filter(path => path.endsWith('/scaledobjects/orders-worker-scaler'))).toHaveLength(3)
  })

  test.each<{ title: string; answer: ReturnType<typeof refused>; exit: number; line: string; note?: string }>([
    {
      title: 'fall back to an estimate without the right to patch',
      answer: refused(403, FORBIDDEN),
      exit: 1,
      line: '  ~ ScaledObject orders-worker-scaler changes (estimated)',
      note: `estimated without defaults: ${FORBIDDEN}`,
    },
    {
      title: 'fall back to an estimate if a webhook allows no dry run',
      answer: refused(400, 'admission webhook "vscaledobject.kb.io" does not support dry run'),
      exit: 1,
      line: '  ~ ScaledObject orders-worker-scaler changes (estimated)',
      note: 'estimated without defaults: admission webhook "vscaledobject.kb.io" does not support dry run',
    },
    {
      title: 'show why the API server refuses an object',
      answer: refused(422, 'spec.maxReplicaCount: Invalid value: 20'),
      exit: 2,
      line: '    the API server refuses it: spec.maxReplicaCount: Invalid value: 20',
    },
  ])('$title', async ({ answer, exit, line, note }) => {
    const said = await againstCluster(
      { world: world(claim()), applies: (_, { kind }) => (kind === 'ScaledObject' ? answer : undefined) },
      written('claim.yaml', changed),
    )
    expect(said.stdout.split('\n')).toContain(line)
    expect(said.stdout.split('\n')).toContain('    + maxReplicaCount: 20')
    if (note !== undefined) expect(said.stderr.split('\n')).toContain(note)
    expect(said.exit).toBe(exit)
  })

  test('ask whether the cluster has a kind, and say what is held back without it', async () => {
    const said = await againstCluster({ world: world(), answers: { '/apis/keda.sh/v1alpha1': undefined } }, written('claim.yaml', claim()))
    expect(said.stdout).toContain('  + Deployment orders-worker is created\n')
    expect(said.stdout).not.toContain('+ ScaledObject')
    expect(said.stdout).toContain('  ! ScalingReady KindUnknown: ')
  })

  test('read no Secret, not even one that another function composes', async () => {
    const { claims, objects } = world(claim())
    const secret = { ...objects[0], apiVersion: 'v1', kind: 'Secret' }
    const { asked, exit } = await againstCluster({ world: { claims, objects: [...objects, secret] } }, '--all')
    expect(asked.filter(path => /secret/i.test(path))).toEqual([])
    expect(exit).toBe(0)
  })

  test('read the input from the Composition', async () => {
    const composition = {
      metadata: { name: 'eventdrivenservice' },
      spec: {
        compositeTypeRef: { apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'XEventDrivenService' },
        pipeline: [
          { functionRef: { name: 'function-event-driven-service' }, input: input({ defaults: { scaling: { maxReplicas: 20 } } }) },
        ],
      },
    }
    const said = await againstCluster(
      { world: world(claim()), answers: { [paths.compositions]: { items: [composition] } } },
      'shop/orders-worker',
    )
    expect(said.stdout).toContain('    + maxReplicaCount: 20\n')
    expect(said.exit).toBe(1)
  })
})

describe('inside Objects of provider-kubernetes', () => {
  const wrapped = input({ composeAs: 'ProviderKubernetes' })
  const parsed = parsePlatform(wrapped)
  const platform = parsed.ok ? parsed.platform : builtInPlatform
  const given = { claims: [claim()], objects: Object.values(liveObjects(claim(), platform)) }

  test.each([
    { place: 'a cluster', ask: (...args: string[]) => againstCluster({ world: given }, ...args) },
    { place: 'a file', ask: (...args: string[]) => againstFile({ world: given }, ...args) },
  ])('prints the objects that they carry, against $place', async ({ ask }) => {
    const options = ['--input', written('input.yaml', wrapped)]
    const same = await ask(written('claim.yaml', claim()), ...options)
    expect([same.exit, same.stdout]).toEqual([0, ''])
    const said = await ask(written('claim.yaml', claim({ image: 'ghcr.io/acme/orders-worker:1.5.0', httpPort: 80 })), ...options)
    expect(said.exit).toBe(1)
    expect(linesOf(said)).toEqual(
      expect.arrayContaining([
        '  ~ Deployment orders-worker changes, and its pods restart',
        '    @@ spec.template.spec.containers[0] @@',
        '    + image: ghcr.io/acme/orders-worker:1.5.0',
        '  + Service orders-worker-http is created',
      ]),
    )
  })
})

describe('the output', () => {
  test('as JSON has each object with its changes', async () => {
    const { stdout, exit } = await againstCluster({ world: world(claim()) }, written('claim.yaml', changed), '-o', 'json')
    expect(exit).toBe(1)
    const { claims } = JSON.parse(stdout)
    expect(claims).toHaveLength(1)
    expect(claims[0]).toMatchObject({ namespace: 'shop', name: 'orders-worker' })
    expect(claims[0].objects.map(({ kind, action }: { kind: string; action: string }) => `${kind} ${action}`)).toEqual([
      'ServiceAccount none',
      'Deployment none',
      'Service none',
      'ScaledObject change',
      'PodDisruptionBudget none',
    ])
    expect(claims[0].objects[3]).toEqual({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      name: 'orders-worker-scaler',
      action: 'change',
      restartsPods: false,
      makesRevision: false,
      changes: [{ path: 'spec.maxReplicaCount', from: 10, to: 20 }],
    })
  })

  test('as JSON has the findings of a refused claim', async () => {
    const { stdout, exit } = await againstFile({ world: world(claim()) }, written('claim.yaml', claim({ size: 'xlarge' })), '-o', 'json')
    expect(exit).toBe(2)
    expect(JSON.parse(stdout).claims[0].findings).toEqual([
      {
        code: 'NOT_ALLOWED',
        path: 'spec.size',
        message: "spec.size: must be one of [micro, small, medium, large], got 'xlarge'",
      },
    ])
  })

  test.each([
    { isTerminal: true, line: '    \u001B[32m+ maxReplicaCount: 20\u001B[39m' },
    { isTerminal: false, line: '    + maxReplicaCount: 20' },
  ])('has colors on a terminal only: $isTerminal', async ({ isTerminal, line }) => {
    const { io, stdout } = recorded({ isTerminal })
    const { claims, objects } = world(claim())
    await eds(['diff', written('claim.yaml', changed), '--observed', written('observed.yaml', ...claims, ...objects)], io)
    expect(stdout().split('\n')).toContain(line)
  })
})

describe('a file of live objects', () => {
  const bare = world(claim({ env: [{ name: 'OLD', value: '1' }] }))
  const objects = bare.objects.map(object => without(object, 'managedFields'))

  test('without managed fields shows what is new or different', async () => {
    const said = await againstFile({ world: { ...bare, objects } }, written('claim.yaml', changed))
    expect(said.stdout).toContain('+ maxReplicaCount: 20')
    expect(said.stdout).not.toContain('OLD')
  })

  test('hides the defaults in lists that server-side apply replaces', async () => {
    const { claims, objects } = world(knativeClaim())
    const filled = objects.map(object =>
      object.kind === 'Service' && at(object, 'spec', 'template') !== undefined
        ? (JSON.parse(
            JSON.stringify(object).replace('"imagePullPolicy"', '"terminationMessagePolicy":"File","imagePullPolicy"'),
          ) as JsonObject)
        : object,
    )
    expect(JSON.stringify(filled)).toContain('terminationMessagePolicy')
    const said = await againstFile({ world: { claims, objects: filled } }, 'shop/orders-worker')
    expect([said.exit, said.stdout]).toEqual([0, ''])
  })
})

describe('ends with 2', () => {
  test.each<{ title: string; args: () => readonly string[]; says: RegExp; answers?: Answers }>([
    { title: 'without a claim', args: () => [], says: /name a claim or a file, or use --all/ },
    { title: 'for a name beside --all', args: () => ['--all', 'shop/x'], says: /--all takes no names and no files/ },
    { title: 'for a claim that does not exist', args: () => ['shop/nobody'], says: /claim shop\/nobody does not exist/ },
    {
      title: 'for a file without a claim',
      args: () => [written('other.yaml', { apiVersion: 'v1', kind: 'ConfigMap' })],
      says: /the given files contain no EventDrivenService/,
    },
    { title: 'for a file that is no YAML', args: () => [brokenFile()], says: /YAML_SYNTAX/ },
    {
      title: 'for an invalid input',
      args: () => ['--all', '--input', written('input.yaml', input({ defaults: { size: 'tiny' } }))],
      says: /defaults\.size/,
    },
    {
      title: 'without the right to read an object',
      args: () => ['shop/orders-worker'],
      answers: { '/apis/apps/v1/namespaces/shop/deployments/orders-worker': refused(403, 'jo cannot get deployments') },
      says: /deployments\/orders-worker can't be read: jo cannot get deployments/,
    },
    {
      title: 'without the right to list claims',
      args: () => ['--all'],
      answers: { '/apis/platform.bizmatters.io/v1alpha1/eventdrivenservices': refused(403, 'jo cannot list claims') },
      says: /eventdrivenservices can't be read: jo cannot list claims/,
    },
  ])('$title', async ({ args, says, answers }) => {
    const said = await againstCluster({ world: world(claim()), ...(answers && { answers }) }, ...args())
    expect(said.stderr).toMatch(says)
    expect([said.exit, said.stdout]).toEqual([2, ''])
  })
})

function brokenFile(): string {
  const file = join(temporaryFolder(), 'broken.yaml')
  writeFileSync(file, 'kind: "\n')
  return file
}
