import { Capability, Ready, RunFunctionRequest, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runFunction } from '../../src/function/run-function.ts'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { ADOPT } from '../../src/reconcile/name-conflicts.ts'
import { claims, claim as example, knativeClaim, RUNS } from '../fixtures/claims.ts'

const UID = '7f1c'
const NAME = String(at(example(), 'metadata', 'name'))
const KEYS = ['serviceaccount', 'deployment', 'service', 'scaledobject', 'poddisruptionbudget']

interface Asked {
  readonly found?: Record<string, JsonObject | undefined>
  readonly observed?: Record<string, JsonObject>
  readonly adopt?: boolean
  /** Whether the cluster knows each kind that was asked for, by the name of the question. */
  readonly knows?: Record<string, boolean>
  readonly capabilities?: Capability[]
  readonly input?: JsonObject
}

const NAMES_ONLY = [Capability.CAPABILITY_CAPABILITIES, Capability.CAPABILITY_REQUIRED_RESOURCES]
const ALL = [...NAMES_ONLY, Capability.CAPABILITY_REQUIRED_SCHEMAS]

function ask({ found, observed = {}, adopt, knows = {}, capabilities = NAMES_ONLY, input }: Asked, claim = example()) {
  const { metadata, ...rest } = claim as { metadata: JsonObject }
  const composite = { ...rest, metadata: { ...metadata, uid: UID, ...(adopt && { annotations: { [ADOPT]: 'true' } }) } }
  return runFunction(
    RunFunctionRequest.fromPartial({
      meta: { tag: 't', capabilities },
      input,
      observed: {
        composite: { resource: composite },
        resources: Object.fromEntries(Object.entries(observed).map(([key, resource]) => [key, { resource }])),
      },
      requiredResources: Object.fromEntries(
        Object.entries(found ?? {}).map(([key, resource]) => [key, { items: resource === undefined ? [] : [{ resource }] }]),
      ),
      requiredSchemas: Object.fromEntries(
        Object.entries(knows).map(([name, known]) => [name, known ? { openapiV3: { type: 'object' } } : {}]),
      ),
    }),
  )
}

const desired = ({ desired }: RunFunctionResponse) => Object.keys(desired?.resources ?? {})
const workload = ({ conditions }: RunFunctionResponse) => conditions.find(({ type }) => type === 'WorkloadReady')
const withReason = ({ conditions }: RunFunctionResponse, reason: string) =>
  conditions.flatMap(condition => (condition.reason === reason ? [condition.type] : []))
const conditionsByKey = {
  '^scaledobject$': 'ScalingReady',
  '^(broker$|trigger-|kafkasource$)': 'EventingReady',
  '^poddisruptionbudget$': 'AvailabilityReady',
}
const conditionFor = (key: string) =>
  Object.entries(conditionsByKey).find(([pattern]) => new RegExp(pattern).test(key))?.[1] ?? 'WorkloadReady'
const asked = ({ requirements }: RunFunctionResponse) => Object.keys(requirements?.resources ?? {})
const free = Object.fromEntries(KEYS.map(key => [key, undefined]))

/** A Deployment that someone else created. */
const theirs = ({
  metadata = {},
  selector = { 'app.kubernetes.io/name': NAME },
}: {
  metadata?: JsonObject
  selector?: JsonObject
} = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: NAME, namespace: 'default', ...metadata },
  spec: { replicas: 5, selector: { matchLabels: selector } },
})
const controller = (uid: string) => ({ ownerReferences: [{ controller: true, kind: 'XEventDrivenService', name: 'other-x1', uid }] })

describe('a new claim', () => {
  test('requests the names that it will use, and creates nothing before the answer', () => {
    const response = ask({})
    expect(desired(response)).toEqual([])
    expect(response.requirements?.resources.deployment).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment' })
    expect(asked(response)).toEqual(KEYS)
    expect(response.desired?.composite?.ready).toBe(Ready.READY_FALSE)
  })

  test('repeats the request after the answer, so that Crossplane takes it as final, and creates everything', () => {
    const response = ask({ found: free })
    expect(asked(response)).toEqual(KEYS)
    expect(desired(response)).toEqual(KEYS)
    expect(response.desired?.composite?.ready).toBe(Ready.READY_UNSPECIFIED)
  })

  test.each([
    { says: '2.0 and 2.1, which do not report capabilities', capabilities: [] },
    { says: '2.2 and later', capabilities: ALL },
  ])('requests the names from Crossplane $says', ({ capabilities }) => {
    const response = ask({ capabilities })
    expect(asked(response)).toEqual(expect.arrayContaining(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget']))
    expect(desired(response)).toEqual([])
    expect(desired(ask({ capabilities, found: { ...free, deployment: theirs() } }))).toEqual([])
  })

  test('without an answer is on Crossplane 1, which does not support the request, and says what to do', () => {
    expect(workload(ask({ capabilities: [] }))).toMatchObject({
      reason: 'Creating',
      message: expect.stringMatching(/older than 2\.0.*composeAs: ProviderKubernetes/),
    })
  })

  test.each([
    {
      says: 'requests nothing from a Crossplane without required resources',
      asked: { capabilities: [Capability.CAPABILITY_CAPABILITIES] },
    },
    {
      says: 'requests nothing if the platform uses provider-kubernetes',
      asked: { input: { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', composeAs: 'ProviderKubernetes' } },
    },
    {
      says: 'requests nothing from Crossplane 1, which reports no capabilities',
      asked: {
        capabilities: [],
        input: { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', composeAs: 'ProviderKubernetes' },
      },
    },
  ])('$says', ({ asked: how }) => {
    const response = ask(how)
    expect(asked(response)).toEqual([])
    expect(desired(response)).toEqual(KEYS)
  })
})

describe('a name that is taken', () => {
  test.each([
    { says: 'by an object without an owner', metadata: {}, told: /already exists\. Nothing was changed/ },
    { says: 'by a chart', metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, told: /managed by Helm/ },
    {
      says: 'by hand',
      metadata: {
        managedFields: [
          { manager: 'kube-controller-manager' },
          { manager: 'argocd', subresource: 'status' },
          { manager: 'kubectl-client-side-apply' },
        ],
      },
      told: /managed by kubectl-client-side-apply/,
    },
    { says: 'by another claim', metadata: controller('other'), told: /controlled by XEventDrivenService other-x1/ },
  ])('$says: creates nothing, and the claim names both solutions', ({ metadata, told }) => {
    const response = ask({ found: { ...free, deployment: theirs({ metadata }) } })
    expect(desired(response)).toEqual([])
    expect(workload(response)).toMatchObject({ reason: 'NameTaken', message: expect.stringMatching(told) })
    expect(workload(response)?.message).toMatch(/Rename the claim/)
    expect(workload(response)?.message).toContain(ADOPT)
    expect(response.results.map(({ reason }) => reason)).toEqual(['NameTaken'])
    expect(response.desired?.composite?.ready).toBe(Ready.READY_FALSE)
  })

  test('composes observed objects as before', () => {
    const observed = { serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: 'default' } } }
    const { serviceaccount: _, ...others } = free
    const response = ask({ observed, found: { ...others, deployment: theirs() } })
    expect(desired(response)).toEqual(['serviceaccount'])
    expect(asked(response)).toEqual(['deployment', 'service', 'scaledobject', 'poddisruptionbudget'])
  })

  test('an object of this claim is not foreign', () => {
    const response = ask({ found: { ...free, deployment: theirs({ metadata: controller(UID) }) } })
    expect(desired(response)).toEqual(KEYS)
  })
})

describe('an object that will be deleted', () => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z' }
  const former = (name: string, more: JsonObject = {}) => ({
    ownerReferences: [{ controller: true, kind: 'EventDrivenService', name, uid: 'former' }],
    ...more,
  })
  const ofClaim = { labels: { 'crossplane.io/claim-name': NAME, 'crossplane.io/claim-namespace': 'shop' } }

  test.each([
    { says: 'of a former claim of this name, and being deleted', metadata: former(NAME, leaving) },
    { says: 'of a former claim of this name', metadata: former(NAME) },
    { says: 'of the composite of a former claim of this name', metadata: former(`${NAME}-abcde`, ofClaim) },
    { says: 'of others, and being deleted', metadata: leaving },
    { says: 'of this claim, and being deleted', metadata: { ...controller(UID), ...leaving } },
  ])('$says is waited for and needs no action', ({ metadata }) => {
    for (const adopt of [false, true]) {
      const response = ask({ adopt, found: { ...free, deployment: theirs({ metadata }) } })
      expect(desired(response)).toEqual([])
      expect(workload(response)).toMatchObject({ reason: 'Waiting', message: expect.stringMatching(/once it is gone/) })
      expect(response.results).toEqual([])
      expect(response.meta?.ttl?.seconds).toBe(5)
    }
  })

  test.each([
    { says: 'of another claim', metadata: former('another') },
    { says: 'of the composite of another claim', metadata: former('another-x1', { labels: { 'crossplane.io/claim-name': 'another' } }) },
    {
      says: 'of a claim of this name in another namespace',
      metadata: former(`${NAME}-abcde`, { labels: { ...ofClaim.labels, 'crossplane.io/claim-namespace': 'other' } }),
    },
    { says: 'of another kind of this name', metadata: { ownerReferences: [{ controller: true, kind: 'Worker', name: NAME, uid: 'x' }] } },
  ])('$says is not waited for', ({ metadata }) => {
    expect(workload(ask({ found: { ...free, deployment: theirs({ metadata }) } }))?.reason).toBe('NameTaken')
  })

  test('is reported after a name conflict, which needs action', () => {
    const found = { ...free, serviceaccount: { ...theirs({ metadata: leaving }), kind: 'ServiceAccount' }, deployment: theirs() }
    expect(workload(ask({ found }))?.reason).toBe('NameTaken')
  })
})

describe('adoption', () => {
  test('adopts an existing Deployment and keeps its replica count', () => {
    const response = ask({ adopt: true, found: { ...free, deployment: theirs() } })
    expect(desired(response)).toEqual(KEYS)
    expect(response.desired?.resources.deployment?.resource?.spec).not.toHaveProperty('replicas')
  })

  test('sets the replica count of a new Deployment', () => {
    const response = ask({ adopt: true, found: free })
    expect(response.desired?.resources.deployment?.resource?.spec).toHaveProperty('replicas', 1)
  })

  test.each([
    {
      says: 'that another controller owns',
      deployment: theirs({ metadata: controller('other') }),
      told: /Another controller owns it, so the claim can't adopt it/,
    },
    { says: 'with another selector', deployment: theirs({ selector: { app: 'worker' } }), told: /selector differs and is immutable/ },
    {
      says: 'with a container of another name, which would run beside ours',
      deployment: { ...theirs(), spec: { ...theirs().spec, template: { spec: { containers: [{ name: 'main' }, { name: 'sidecar' }] } } } },
      told: /has a container 'sidecar', which would remain/,
    },
    {
      says: 'with an init container of another name',
      deployment: { ...theirs(), spec: { ...theirs().spec, template: { spec: { initContainers: [{ name: 'wait' }] } } } },
      told: /has an init container 'wait', which would remain/,
    },
  ])('rejects a Deployment $says before anything changes', ({ deployment, told }) => {
    const response = ask({ adopt: true, found: { ...free, deployment } })
    expect(desired(response)).toEqual([])
    expect(workload(response)).toMatchObject({ reason: 'NameTaken', message: expect.stringMatching(told) })
  })
})

describe('adoption of a Trigger that listens to another Broker', () => {
  const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'], sink: 'broker' }
  const worker = example({ eventing: { triggers: [{ name: 'paid' }], kafka } })
  const foreign = (metadata: JsonObject = {}): JsonObject => ({
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { name: `${NAME}-paid`, namespace: 'default', ...metadata },
    spec: { broker: 'legacy' },
  })
  const names = { ...free, broker: undefined, kafkasource: undefined }
  const source = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource', metadata: { name: NAME, namespace: 'default' }, spec: {} }
  const sinkOf = (response: RunFunctionResponse) =>
    at(response.desired?.resources.kafkasource?.resource as JsonObject, 'spec', 'sink', 'ref', 'name')

  test('lets the KafkaSource feed that Broker from the first call on', () => {
    const response = ask({ adopt: true, found: { ...names, 'trigger-paid': foreign() } }, worker)
    expect(at(response.desired?.resources['trigger-paid']?.resource as JsonObject, 'spec', 'broker')).toBe('legacy')
    expect(sinkOf(response)).toBe('legacy')
  })

  test.each([
    { says: 'the claim may not adopt it', adopt: false, trigger: foreign() },
    { says: 'another controller owns it', adopt: true, trigger: foreign(controller('other')) },
    { says: 'it is being deleted', adopt: true, trigger: foreign({ deletionTimestamp: '2026-01-01T00:00:00Z' }) },
  ])("keeps the KafkaSource at the claim's own Broker if $says", ({ adopt, trigger }) => {
    const response = ask({ adopt, found: { ...names, 'trigger-paid': trigger }, observed: { kafkasource: source } }, worker)
    expect(sinkOf(response)).toBe(NAME)
  })
})

test.each([
  { says: 'whose other port has no name', ports: [{ port: 80 }], made: [] },
  { says: 'whose other port has a name', ports: [{ name: 'metrics', port: 9090 }], made: KEYS },
  { says: 'whose only port is ours', ports: [{ port: 8080 }], made: KEYS },
])('adoption of a Service $says', ({ ports, made }) => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace: 'default' }, spec: { ports } }
  expect(desired(ask({ adopt: true, found: { ...free, service } }))).toEqual(made)
})

test.each([
  { says: 'whose revision has a name of its own', template: { metadata: { name: `${NAME}-one` } }, made: [] },
  { says: 'that leaves the name to Knative', template: {}, made: ['serviceaccount', 'knative-service', 'poddisruptionbudget'] },
])('adoption of a Knative Service $says', ({ template, made }) => {
  const service = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: NAME, namespace: 'default' },
    spec: { template },
  }
  const found = { serviceaccount: undefined, 'knative-service': service, poddisruptionbudget: undefined }
  const response = ask({ adopt: true, found }, knativeClaim())
  expect(desired(response)).toEqual(made)
  if (made.length === 0)
    expect(workload(response)).toMatchObject({ reason: 'NameTaken', message: expect.stringMatching(/Remove the name first: kubectl/) })
})

describe('a kind whose CRD may be missing', () => {
  const OWN = 'EventDrivenService.platform.bizmatters.io/v1alpha1'
  const SCALED_OBJECT = 'ScaledObject.keda.sh/v1alpha1'
  const { scaledobject: _, ...core } = free
  const scaling = ({ conditions }: RunFunctionResponse) => conditions.find(({ type }) => type === 'ScalingReady')

  test('is requested before its objects, because Crossplane fails a call that requests an object of an unknown kind', () => {
    const response = ask({ capabilities: ALL })
    expect(response.requirements?.schemas).toEqual({
      [OWN]: { apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'EventDrivenService' },
      [SCALED_OBJECT]: { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
    })
    expect(asked(response)).toEqual(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget'])
    expect(desired(ask({ capabilities: ALL, found: core }))).toEqual([])
  })

  test('exists: requests its names, repeats the request, and then creates everything', () => {
    const knows = { [OWN]: true, [SCALED_OBJECT]: true }
    const second = ask({ capabilities: ALL, knows, found: core })
    expect(desired(second)).toEqual([])
    expect(asked(second)).toEqual(KEYS)
    const third = ask({ capabilities: ALL, knows, found: free })
    expect(third.requirements).toEqual(second.requirements)
    expect(desired(third)).toEqual(KEYS)
    expect(third.desired?.composite?.ready).toBe(Ready.READY_UNSPECIFIED)
  })

  test('is missing: creates everything else, and the claim names the missing CRD', () => {
    const response = ask({ capabilities: ALL, knows: { [OWN]: true, [SCALED_OBJECT]: false }, found: core })
    expect(desired(response)).toEqual(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget'])
    expect(asked(response)).toEqual(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget'])
    expect(scaling(response)).toMatchObject({
      reason: 'KindUnknown',
      message: expect.stringMatching(/Ask the platform team to install KEDA/),
    })
    expect(workload(response)?.reason).toBe('Creating')
    expect(response.desired?.composite?.ready).toBe(Ready.READY_FALSE)
  })

  test('does not block changes of existing objects', () => {
    const observed = Object.fromEntries(
      ['serviceaccount', 'deployment', 'service'].map(key => [
        key,
        { apiVersion: 'v1', kind: 'X', metadata: { name: NAME, namespace: 'default' } } as JsonObject,
      ]),
    )
    expect(desired(ask({ observed, capabilities: ALL, knows: { [OWN]: true, [SCALED_OBJECT]: false } }))).toEqual(Object.keys(observed))
    expect(desired(ask({ observed, capabilities: ALL }))).toEqual(Object.keys(observed))
  })

  test('is requested once for any number of objects', () => {
    const eventing = { triggers: [{ name: 'a' }, { name: 'b' }], kafka: { bootstrapServers: ['k:9092'], topics: ['t'] } }
    const { requirements } = ask({ capabilities: ALL }, example({ eventing }))
    expect(Object.keys(requirements?.schemas ?? {}).sort()).toEqual([
      'Broker.eventing.knative.dev/v1',
      OWN,
      'KafkaSource.sources.knative.dev/v1',
      SCALED_OBJECT,
      'Trigger.eventing.knative.dev/v1',
    ])
  })

  test('counts as installed if the client does not even know the kind of the composite, such as crossplane render', () => {
    const response = ask({ capabilities: ALL, knows: { [OWN]: false, [SCALED_OBJECT]: false }, found: free })
    expect(desired(response)).toEqual(KEYS)
  })

  test('is not requested if Crossplane does not support it', () => {
    expect(ask({}).requirements?.schemas).toEqual({})
    expect(asked(ask({}))).toEqual(KEYS)
  })

  test('is reported during a change to its runtime, and the serving workload is kept', () => {
    const observed = {
      deployment: { ...theirs({ metadata: controller(UID) }), status: { conditions: [{ type: 'Available', status: 'True' }] } },
      service: { apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace: 'default' } },
      serviceaccount: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace: 'default' } },
    }
    const knows = { [OWN]: true, 'Service.serving.knative.dev/v1': false }
    const response = ask({ observed, capabilities: ALL, knows }, example({ runtime: 'Knative' }))
    expect(desired(response).sort()).toEqual(Object.keys(observed).sort())
    expect(workload(response)).toMatchObject({ reason: 'KindUnknown', message: expect.stringMatching(/install Knative Serving/) })
  })
})

test('law: composes the same with all names available as without the request', () => {
  fc.assert(
    fc.property(claims(), claim => {
      const without = ask({ capabilities: [Capability.CAPABILITY_CAPABILITIES] }, claim)
      const found = Object.fromEntries(desired(without).map(key => [key, undefined]))
      expect(ask({ found }, claim).desired).toEqual(without.desired)
    }),
    { numRuns: RUNS },
  )
})

test('law: never changes a foreign object without the annotation, and creates nothing else of its capability', () => {
  fc.assert(
    fc.property(claims(), fc.nat(), (claim, pick) => {
      const first = ask({}, claim)
      const keys = asked(first)
      const key = keys[pick % keys.length] ?? ''
      const { apiVersion, kind } = first.requirements?.resources[key] ?? {}
      const found = {
        ...Object.fromEntries(keys.map(name => [name, undefined])),
        [key]: { apiVersion, kind, metadata: { name: 'x' } } as JsonObject,
      }
      const response = ask({ found }, claim)
      const blocked = withReason(response, 'NameTaken')
      const allowed = blocked.includes('WorkloadReady') ? [] : keys.filter(other => !blocked.includes(conditionFor(other)))
      expect(desired(response).sort()).toEqual(allowed.sort())
      expect(allowed).not.toContain(key)
    }),
    { numRuns: RUNS },
  )
})
