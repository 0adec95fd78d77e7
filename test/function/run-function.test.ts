import {
  Capability,
  type Ready,
  type Resource,
  RunFunctionRequest,
  RunFunctionResponse,
  Severity,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runFunction } from '../../src/function/run-function.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { parsePlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, claims, compositeOf, deepFreeze, put, RUNS, reversed } from '../fixtures/claims.ts'

const READY_TRUE = 1 satisfies Ready
const READY_FALSE = 2 satisfies Ready

const wrapped = (resource: Json): Resource => ({ resource: resource as JsonObject, connectionDetails: {}, ready: 0 })

interface Asked {
  readonly composite?: Json | undefined
  readonly observed?: Readonly<Record<string, Json>>
  readonly desired?: { composite?: Json; resources?: Readonly<Record<string, Json>> }
  readonly input?: JsonObject
  readonly context?: JsonObject
  readonly tag?: string
}

const resources = (of: Readonly<Record<string, Json>> = {}) =>
  Object.fromEntries(Object.entries(of).map(([key, resource]) => [key, wrapped(resource)]))

const request = ({ composite, observed, desired, input, context, tag = 'a-tag' }: Asked): RunFunctionRequest => ({
  // The client reports its capabilities and has none.
  meta: { tag, capabilities: [Capability.CAPABILITY_CAPABILITIES] },
  observed: { composite: composite === undefined ? undefined : wrapped(composite), resources: resources(observed) },
  desired: desired && {
    composite: desired.composite === undefined ? undefined : wrapped(desired.composite),
    resources: resources(desired.resources),
  },
  input,
  context,
  extraResources: {},
  credentials: {},
  requiredResources: {},
  requiredSchemas: {},
})

/** The request as the server decodes it. */
const received = (asked: Asked) => RunFunctionRequest.decode(RunFunctionRequest.encode(request(asked)).finish())

const run = (asked: Asked) => runFunction(deepFreeze(received(asked)))
/** Builds a request that the SDK's decoder would reject. */
const runAsIs = (asked: Asked) => runFunction(deepFreeze(request(asked)))
const bytes = (response: RunFunctionResponse) => Buffer.from(RunFunctionResponse.encode(response).finish())
const fatals = ({ results }: RunFunctionResponse) => results.filter(({ severity }) => severity === Severity.SEVERITY_FATAL)
const keys = ({ desired }: RunFunctionResponse) => Object.keys(desired?.resources ?? {})
const namespaceOf = (response: RunFunctionResponse) => at(response.desired?.resources.deployment?.resource, 'metadata', 'namespace')
const nameOf = (response: RunFunctionResponse) => at(response.desired?.resources.deployment?.resource, 'metadata', 'name')

const composite = compositeOf(claim())
const living = ['serviceaccount', 'deployment', 'service', 'scaledobject', 'poddisruptionbudget']

/** The observed resources when everything runs. */
const running: Readonly<Record<string, JsonObject>> = {
  serviceaccount: { kind: 'ServiceAccount', metadata: { name: 'orders-worker' } },
  deployment: {
    kind: 'Deployment',
    spec: { replicas: 3 },
    status: { readyReplicas: 3, conditions: [{ type: 'Available', status: 'True' }] },
  },
  service: { kind: 'Service', metadata: { name: 'orders-worker' } },
  scaledobject: { kind: 'ScaledObject', status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  poddisruptionbudget: { kind: 'PodDisruptionBudget', metadata: { name: 'orders-worker' } },
}

describe('a valid claim', () => {
  const { spec } = claim()
  const apiVersion = composite.apiVersion ?? ''

  test.each([
    { title: 'the composite of a claim', composite, name: 'orders-worker', namespace: 'shop' },
    {
      title: 'a composite that names its claim only in labels',
      composite: put(put(composite, ['spec', 'claimRef'], undefined), ['metadata', 'namespace'], undefined),
      name: 'orders-worker',
      namespace: 'shop',
    },
    {
      title: 'a namespaced composite',
      composite: {
        apiVersion,
        kind: 'EventDrivenService',
        metadata: { name: 'billing', namespace: 'money', labels: { 'crossplane.io/composite': 'billing' } },
        spec: { ...spec, crossplane: { compositionRef: { name: 'eventdrivenservice' }, resourceRefs: [] } },
      },
      name: 'billing',
      namespace: 'money',
    },
  ])('$title is composed under its name, in its namespace', ({ composite, name, namespace }) => {
    const response = run({ composite })
    expect(fatals(response)).toEqual([])
    expect([nameOf(response), namespaceOf(response), keys(response)]).toEqual([name, namespace, living])
  })

  test('refuses a composite without claim and namespace', () => {
    const response = run({ composite: { apiVersion, kind: 'XEventDrivenService', metadata: { name: 'billing' }, spec } })
    expect(fatals(response).map(({ message }) => message)).toEqual([
      'metadata.namespace: required: a composite must have a claim (spec.claimRef) or its own namespace, in which its resources are created [NO_NAMESPACE]',
    ])
  })

  test.each([
    { title: 'nothing observed', observed: {}, ready: living.map(() => READY_FALSE), seconds: 60 },
    { title: 'all running', observed: running, ready: living.map(() => READY_TRUE), seconds: 600 },
    {
      title: 'the Deployment down',
      observed: { ...running, deployment: { kind: 'Deployment', spec: { replicas: 1 } } },
      ready: living.map(key => (key === 'deployment' ? READY_FALSE : READY_TRUE)),
      seconds: 60,
    },
    {
      title: 'scaled to zero',
      observed: { ...running, deployment: { kind: 'Deployment', spec: { replicas: 0 } } },
      ready: living.map(() => READY_TRUE),
      seconds: 600,
    },
  ])('$title: reports the readiness of each resource and polls after $seconds s', ({ observed, ready, seconds }) => {
    const { desired, meta } = run({ composite, observed })
    expect(Object.values(desired?.resources ?? {}).map(resource => resource.ready)).toEqual(ready)
    expect(meta).toEqual({ tag: 'a-tag', ttl: { seconds, nanos: 0 } })
  })

  test('returns only the status, API version and kind of the composite', () => {
    expect(run({ composite, observed: running }).desired?.composite).toEqual({
      connectionDetails: {},
      ready: 0,
      resource: {
        apiVersion: 'platform.bizmatters.io/v1alpha1',
        kind: 'XEventDrivenService',
        status: {
          workload: {
            kind: 'Deployment',
            name: 'orders-worker',
            size: 'medium',
            replicas: 3,
            readyReplicas: 3,
          },
          autoscaler: { kind: 'ScaledObject', name: 'orders-worker-scaler', minReplicas: 1, maxReplicas: 10, paused: false },
        },
      },
    })
  })

  test('targets conditions at the composite and the claim', () => {
    expect(run({ composite, observed: running }).conditions).toEqual([
      {
        type: 'WorkloadReady',
        status: Status.STATUS_CONDITION_TRUE,
        reason: 'Available',
        message: 'Deployment orders-worker is available.',
        target: Target.TARGET_COMPOSITE_AND_CLAIM,
      },
      {
        type: 'ScalingReady',
        status: Status.STATUS_CONDITION_TRUE,
        reason: 'Ready',
        message: 'ScaledObject orders-worker-scaler scales Deployment orders-worker.',
        target: Target.TARGET_COMPOSITE_AND_CLAIM,
      },
      {
        type: 'AvailabilityReady',
        status: Status.STATUS_CONDITION_TRUE,
        reason: 'Created',
        message: 'PodDisruptionBudget orders-worker exists.',
        target: Target.TARGET_COMPOSITE_AND_CLAIM,
      },
    ])
  })

  describe('events', () => {
    const told = (...conditions: [string, string, string][]) =>
      put(
        composite,
        ['status', 'conditions'],
        [...conditions, ['AvailabilityReady', 'True', 'Created']].map(([type, status, reason]) => ({ type, status, reason, message: '' })),
      )
    const down = { ...running, deployment: { kind: 'Deployment', spec: { replicas: 1 } } }
    test.each([
      { title: 'no event for a new claim', composite, observed: {}, events: [] },
      {
        title: 'normal events if everything is ready at once',
        composite,
        observed: running,
        events: ['NORMAL Available', 'NORMAL Ready', 'NORMAL Created'],
      },
      {
        title: 'no event while nothing changes',
        composite: told(['WorkloadReady', 'True', 'Available'], ['ScalingReady', 'True', 'Ready']),
        observed: running,
        events: [],
      },
      {
        title: 'a warning when it goes down',
        composite: told(['WorkloadReady', 'True', 'Available'], ['ScalingReady', 'True', 'Ready']),
        observed: down,
        events: ['WARNING Unavailable'],
      },
      {
        title: 'no second warning',
        composite: told(['WorkloadReady', 'False', 'Unavailable'], ['ScalingReady', 'True', 'Ready']),
        observed: down,
        events: [],
      },
      {
        title: 'no event while a new Deployment still has too few pods',
        composite: told(['WorkloadReady', 'False', 'Creating'], ['ScalingReady', 'True', 'Ready']),
        observed: down,
        events: [],
      },
      {
        title: 'a warning when the reason changes',
        composite: told(['WorkloadReady', 'False', 'Unavailable'], ['ScalingReady', 'True', 'Ready']),
        observed: {
          ...running,
          deployment: {
            kind: 'Deployment',
            spec: { replicas: 1 },
            status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }] },
          },
        },
        events: ['WARNING FailedCreate'],
      },
      {
        title: 'no event when it scales to zero',
        composite: told(['WorkloadReady', 'True', 'Available'], ['ScalingReady', 'True', 'Ready']),
        observed: { ...running, deployment: { kind: 'Deployment', spec: { replicas: 0 } } },
        events: [],
      },
    ])('$title', ({ composite, observed, events }) => {
      const severity = { [Severity.SEVERITY_NORMAL]: 'NORMAL', [Severity.SEVERITY_WARNING]: 'WARNING' } as Record<number, string>
      expect(run({ composite, observed }).results.map(result => `${severity[result.severity]} ${result.reason}`)).toEqual(events)
    })
  })
})

describe('other functions of the pipeline', () => {
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs' }, data: { a: 'b' } }

  test('keep their resources, context and composite status', () => {
    const response = run({
      composite,
      context: { 'apiextensions.crossplane.io/environment': { region: 'eu' } },
      desired: {
        composite: { apiVersion: composite.apiVersion ?? '', kind: 'XEventDrivenService', status: { theirs: 1, url: 'http://theirs' } },
        resources: { theirs },
      },
    })
    expect(keys(response)).toEqual(['theirs', ...living])
    expect(response.desired?.resources.theirs?.resource).toEqual(theirs)
    expect(response.context).toEqual({ 'apiextensions.crossplane.io/environment': { region: 'eu' } })
    expect(at(response.desired?.composite?.resource, 'status')).toMatchObject({
      theirs: 1,
      url: 'http://theirs',
      workload: { name: 'orders-worker' },
    })
  })

  test('lose a resource under our key as a whole: no field of theirs remains', () => {
    const response = run({
      composite,
      desired: { resources: { deployment: { ...theirs, spec: { template: { spec: { hostNetwork: true } } } } } },
    })
    expect(response.desired?.resources.deployment?.resource).toEqual(run({ composite }).desired?.resources.deployment?.resource)
  })

  test('keep everything when the claim is refused', () => {
    const desired = { composite: { status: { theirs: 1 } }, resources: { theirs, deployment: theirs } }
    const asked = { composite: put(composite, ['spec', 'size'], 'xlarge'), desired, context: { a: 1 } }
    const response = run(asked)
    expect(response.desired).toEqual(received(asked).desired)
    expect(response.context).toEqual({ a: 1 })
  })
})

describe('an invalid claim', () => {
  const broken = put(put(composite, ['spec', 'size'], 'xlarge'), ['spec', 'nats'], { stream: 'a b', consumer: 'c' })
  const message =
    "spec.size: must be one of [micro, small, medium, large], got 'xlarge' [NOT_ALLOWED]; " +
    "spec.nats.stream: must be a valid JetStream stream name such as 'ORDERS', got 'a b' [BAD_FORMAT]"
  const aimed = { target: Target.TARGET_COMPOSITE_AND_CLAIM }

  test('gets one condition and one warning for the claim, then one fatal result, with every finding', () => {
    const { results, conditions, meta } = run({ composite: broken })
    expect(conditions).toEqual([
      { type: 'WorkloadReady', status: Status.STATUS_CONDITION_FALSE, reason: 'InvalidClaim', message, ...aimed },
    ])
    expect(results).toEqual([
      { severity: Severity.SEVERITY_WARNING, reason: 'InvalidClaim', message, ...aimed },
      { severity: Severity.SEVERITY_FATAL, message },
    ])
    expect(meta).toEqual({ tag: 'a-tag', ttl: { seconds: 60, nanos: 0 } })
  })

  describe('while its objects run', () => {
    const owned = (object: JsonObject, fieldsV1: JsonObject): JsonObject => ({
      ...object,
      apiVersion: 'v1',
      metadata: {
        ...(object.metadata as JsonObject),
        name: 'orders-worker',
        namespace: 'shop',
        managedFields: [{ manager: 'apiextensions.crossplane.io/composed/1', operation: 'Apply', fieldsV1 }],
      },
    })
    const observed = {
      deployment: owned({ kind: 'Deployment', spec: { replicas: 3, paused: false } }, { 'f:spec': { 'f:paused': {} } }),
      service: owned({ kind: 'Service' }, { 'f:metadata': {} }),
    }
    const workload = { name: 'orders-worker', replicas: 3 }
    const wasReady = { conditions: [{ type: 'Ready', status: 'True' }], workload, other: 1 }

    test('keeps them as last applied, keeps the status, and reports the composite as not ready', () => {
      const { results, conditions, desired } = run({ composite: put(broken, ['status'], wasReady), observed })
      const metadata = { name: 'orders-worker', namespace: 'shop' }
      expect(results).toEqual([{ severity: Severity.SEVERITY_WARNING, reason: 'InvalidClaim', message, ...aimed }])
      expect(conditions.map(({ type, reason }) => [type, reason])).toEqual([['WorkloadReady', 'InvalidClaim']])
      expect(Object.fromEntries(Object.entries(desired?.resources ?? {}).map(([key, { resource }]) => [key, resource]))).toEqual({
        deployment: { apiVersion: 'v1', kind: 'Deployment', metadata, spec: { paused: false } },
        service: { apiVersion: 'v1', kind: 'Service', metadata },
      })
      expect(desired?.composite?.ready).toBe(READY_FALSE)
      expect(desired?.composite?.resource?.status).toEqual({ workload })
    })

    test('does not request an object that is being deleted', () => {
      const leaving = put(observed.service, ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z') as JsonObject
      expect(keys(run({ composite: broken, observed: { ...observed, service: leaving } }))).toEqual(['deployment'])
    })

    test('answers with a fatal result if an object has no managedFields, because omitting it would delete it', () => {
      const response = run({ composite: broken, observed: { ...observed, service: { kind: 'Service' } } })
      expect(fatals(response)).toHaveLength(1)
      expect(keys(response)).toEqual([])
    })

    test('reports a ready composite as not ready once every object is deleted', () => {
      const response = run({ composite: put(broken, ['status'], wasReady) })
      expect(fatals(response)).toEqual([])
      expect(response.desired?.composite?.ready).toBe(READY_FALSE)
    })
  })

  test('gets one warning only', () => {
    const again = put(
      broken,
      ['status', 'conditions'],
      [{ type: 'WorkloadReady', status: 'False', reason: 'InvalidClaim', message: 'earlier' }],
    )
    const { results, conditions } = run({ composite: again })
    expect(results).toEqual([{ severity: Severity.SEVERITY_FATAL, message }])
    expect(conditions).toHaveLength(1)
  })

  const many = (length: number, item: (index: number) => Json) => Array.from({ length }, (_, index) => item(index))
  const variable = (index: number) => ({ name: `V${index}`, value: `${index}` })
  const secret = (index: number) => ({ name: `s${index}`, envFrom: true })
  const trigger = (index: number) => ({ name: `t${index}`, filter: { type: `t${index}` } })

  test.each([
    { title: '1,000 variables', spec: { env: many(1000, variable) }, count: ['env', 1007] },
    { title: '200 secrets', spec: { secretRefs: many(200, secret) }, count: ['envFrom', 200] },
    {
      title: '100 keys of each of 10 secrets',
      spec: { secretRefs: many(10, s => ({ name: `s${s}`, env: many(100, k => ({ secretKey: 'k', envName: `E${s}_${k}` })) })) },
      count: ['env', 1007],
    },
  ])('$title are rendered', ({ spec, count: [field, length] }) => {
    const response = run({ composite: compositeOf(claim(spec)) })
    expect(fatals(response)).toEqual([])
    expect(at(response.desired?.resources.deployment?.resource, 'spec', 'template', 'spec', 'containers', 0, field ?? '')).toHaveLength(
      Number(length),
    )
  })

  test('100 triggers are composed', () => {
    expect(fatals(run({ composite: compositeOf(claim({ eventing: { triggers: many(100, trigger) } })) }))).toEqual([])
  })

  test.each([
    {
      title: '1,001 variables',
      spec: { env: many(1001, variable) },
      finds: 'spec.env: must have at most 1000 items, got 1001 [OUT_OF_RANGE]',
    },
    {
      title: '201 secrets',
      spec: { secretRefs: many(201, secret) },
      finds: 'spec.secretRefs: must have at most 200 items, got 201 [OUT_OF_RANGE]',
    },
    {
      title: '101 triggers',
      spec: { eventing: { triggers: many(101, trigger) } },
      finds: 'spec.eventing.triggers: must have at most 100 items, got 101 [OUT_OF_RANGE]',
    },
    {
      title: '101 keys of a secret',
      spec: { secretRefs: [{ name: 's', env: many(101, k => ({ secretKey: 'k', envName: `E${k}` })) }] },
      finds: 'spec.secretRefs[0].env: must have at most 100 items, got 101 [OUT_OF_RANGE]',
    },
  ])('$title are refused with the limit', ({ spec, finds }) => {
    expect(fatals(run({ composite: compositeOf(claim(spec)) })).map(({ message }) => message)).toEqual([finds])
  })

  test('fifty thousand findings fit into one message of a size that Kubernetes accepts', () => {
    const { conditions } = run({ composite: compositeOf(claim({ env: many(50_000, () => 7) })) })
    expect(conditions[0]?.message?.length).toBeLessThan(32_768)
    expect(conditions[0]?.message).toMatch(/; and \d+ more$/)
  })

  test('a finding longer than the longest message is still reported', () => {
    const [fatal] = fatals(run({ composite: compositeOf(claim(Object.fromEntries([['x'.repeat(100_000), 1]]))) }))
    expect(fatal?.message.length).toBeLessThan(32_768)
    expect(fatal?.message).toMatch(/unknown field/)
  })
})

describe('anything at all', () => {
  const deep = (depth: number): Json => (depth === 0 ? 'end' : { deeper: deep(depth - 1) })
  const wrongs: readonly Json[] = ['text', 7, true, [], ['a'], {}, { a: 1 }, [[{}]], '', -1, 1e300]

  test('no composite', () => {
    const response = run({})
    expect(fatals(response).map(({ message }) => message)).toEqual(['the request has no observed composite resource'])
    expect(response.conditions).toHaveLength(1)
  })

  test('no observed state', () => {
    expect(fatals(runFunction(RunFunctionRequest.decode(new Uint8Array())))).toHaveLength(1)
  })

  test.each([
    {
      title: 'an empty composite',
      composite: {},
      finds: /^metadata\.namespace: required: .*apiVersion: required.*spec: required.*metadata\.name: required field missing \[REQUIRED\]$/,
    },
    {
      title: 'an empty spec',
      composite: put(composite, ['spec'], {}),
      finds: /spec\.image: required, unless build makes the image \[REQUIRED\]; .*spec\.nats: required with runtime Deployment/,
    },
    {
      title: 'a spec that is text',
      composite: put(composite, ['spec'], 'image'),
      finds: /spec: must be an object, got 'image' \[WRONG_TYPE\]/,
    },
    {
      title: 'a spec that is a list',
      composite: put(composite, ['spec'], [1]),
      finds: /spec: must be an object, got a list \[WRONG_TYPE\]/,
    },
    { title: 'no spec', composite: put(composite, ['spec'], undefined), finds: /spec: required field missing \[REQUIRED\]/ },
    {
      title: 'another API version',
      composite: put(composite, ['apiVersion'], 'v1'),
      finds: /apiVersion: must be platform\.bizmatters\.io\/v1alpha1, got 'v1' \[NOT_ALLOWED\]/,
    },
    {
      title: '__proto__ as a field',
      composite: put(composite, ['spec'], JSON.parse('{"image":"a/b","__proto__":{"size":"large"}}')),
      finds: /spec\.__proto__: unknown field \[UNKNOWN_FIELD\]/,
    },
    {
      title: 'constructor as a field',
      composite: put(composite, ['spec', 'constructor'], 'x'),
      finds: /spec\.constructor: unknown field \[UNKNOWN_FIELD\]/,
    },
    {
      title: 'toString further down',
      composite: put(composite, ['spec', 'scaling'], { toString: 1 }),
      finds: /spec\.scaling\.toString: unknown field \[UNKNOWN_FIELD\]/,
    },
    {
      title: 'a hundred levels',
      composite: put(composite, ['spec', 'deep'], deep(100)),
      finds: /spec\.deep: unknown field \[UNKNOWN_FIELD\]/,
    },
  ])('$title is refused', ({ composite, finds }) => {
    const response = runAsIs({ composite })
    expect(fatals(response).map(({ message }) => message)).toEqual([expect.stringMatching(finds)])
    expect(bytes(response).length).toBeGreaterThan(0)
  })

  test('refuses a hundred levels in a free-form object and names the limit', () => {
    const nested = (depth: number): Json => (depth === 0 ? { exact: { type: 'a' } } : { not: nested(depth - 1) })
    const response = runAsIs({ composite: compositeOf(claim({ eventing: { triggers: [{ name: 't', filters: [nested(100)] }] } })) })
    expect(fatals(response)[0]?.message).toContain('must not be nested deeper than 10 filters')
  })

  const places: (string | number)[][] = [
    ['metadata'],
    ['metadata', 'labels'],
    ['metadata', 'namespace'],
    ['spec', 'claimRef'],
    ['spec', 'claimRef', 'name'],
    ['status'],
    ['status', 'conditions'],
    ...['image', 'size', 'runtime', 'nats', 'scaling', 'env', 'secretRefs', 'initContainer', 'httpPort', 'knative', 'eventing'].map(f => [
      'spec',
      f,
    ]),
  ]
  test.each(places.map(path => ({ path })))('whatever stands at $path, there is an answer', ({ path }) => {
    for (const wrong of wrongs) expect(bytes(run({ composite: put(composite, path, wrong), observed: running })).length).toBeGreaterThan(0)
  })

  test.each(living.map(key => ({ key })))('whatever is observed as $key, there is an answer', ({ key }) => {
    const around = (wrong: Json): Json[] => [
      wrong,
      { status: wrong },
      { status: { conditions: wrong } },
      { status: { conditions: [wrong] } },
      { spec: wrong },
    ]
    for (const wrong of wrongs.flatMap(around)) {
      const response = run({ composite, observed: { ...running, [key]: wrong } })
      expect(fatals(response)).toEqual([])
      expect(bytes(response).length).toBeGreaterThan(0)
    }
  })

  test('ignores a prototype that a composite brings', () => {
    const poisoned = JSON.parse(
      '{"__proto__":{"runtime":"Knative","nats":null},"constructor":{"prototype":{"polluted":true}}}',
    ) as JsonObject
    for (const ask of [run, runAsIs]) {
      const response = ask({ composite: { ...composite, spec: poisoned }, observed: { __proto__: poisoned, deployment: poisoned } })
      expect(fatals(response)).toHaveLength(1)
      expect(at({} as Json, 'polluted') ?? ({} as JsonObject).polluted).toBeUndefined()
    }
  })

  test('law: answers any JSON as composite and observed, and changes no prototype', () => {
    const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
    const object = fc.dictionary(fc.constantFrom('spec', 'status', 'metadata', '__proto__', 'constructor'), json)
    const key = fc.constantFrom('deployment', 'scaledobject', '__proto__', 'constructor', 'x')
    fc.assert(
      fc.property(
        json,
        object,
        fc.dictionary(key, object),
        fc.constantFrom('spec', 'metadata', 'status', ''),
        (value, whole, observed, place) => {
          const asked = { composite: place === '' ? whole : put(composite, [place], value), observed }
          for (const ask of [run, runAsIs]) expect(bytes(ask(asked)).length).toBeGreaterThan(0)
          expect(Object.keys(Object.prototype)).toEqual([])
        },
      ),
      { numRuns: RUNS },
    )
  })
})

describe('the input of the function', () => {
  const apiVersion = 'fn.platform.bizmatters.io/v1alpha1'
  test.each([
    { title: 'none', input: undefined },
    { title: 'an empty one', input: {} },
    { title: 'an input without fields', input: { apiVersion, kind: 'Input' } },
  ])('$title gives the built-in platform', ({ input }) => {
    expect(run({ composite, ...(input && { input }) })).toEqual(run({ composite }))
  })

  test('applies its defaults to the resources', () => {
    const input = { apiVersion, kind: 'Input', defaults: { nats: { url: 'nats://other:4222' } } }
    const response = run({ composite, input })
    expect(at(response.desired?.resources.deployment?.resource, 'spec', 'template', 'spec', 'containers', 0, 'env', 0)).toEqual({
      name: 'NATS_URL',
      value: 'nats://other:4222',
    })
  })

  test.each([
    {
      title: 'an unknown field',
      input: { apiVersion, kind: 'Input', default: {} },
      finds: "default: unknown field, did you mean 'defaults'? [UNKNOWN_FIELD]",
    },
    {
      title: 'a wrong value',
      input: { apiVersion, kind: 'Input', defaults: { size: 'huge' } },
      finds: "defaults.size: must be one of [micro, small, medium, large], got 'huge' [NOT_ALLOWED]",
    },
    { title: 'another kind', input: { apiVersion, kind: 'Resources' }, finds: "kind: must be Input, got 'Resources' [NOT_ALLOWED]" },
  ])('$title is fatal and blames the input, not the claim', ({ input, finds }) => {
    const message = `the input of the function in the Composition is invalid: ${finds}`
    const response = run({ composite, input, desired: { resources: { theirs: { kind: 'ConfigMap' } } } })
    expect(fatals(response).map(result => result.message)).toEqual([message])
    expect(response.conditions.map(({ reason }) => reason)).toEqual(['InvalidInput'])
    expect(keys(response)).toEqual(['theirs'])
  })
})

describe('laws', () => {
  test('answers the same request with the same bytes, whatever the order of its keys', () => {
    const input = { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', defaults: { scaling: { lagThreshold: 7 } } }
    fc.assert(
      fc.property(claims(), valid => {
        const asked = { composite: compositeOf(valid), observed: running, input }
        expect(bytes(run(reversed(asked))).equals(bytes(run(asked)))).toBe(true)
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    )
  })

  test('refuses the same request with the same bytes', () => {
    const asked = { composite: put(put(composite, ['spec', 'b'], 1), ['spec', 'a'], 2) }
    expect(bytes(run(reversed(asked)))).toEqual(bytes(run(asked)))
  })

  test('answers independently of earlier requests', () => {
    const inputs = [{}, { defaults: { size: 'large' } }, { defaults: { size: 'huge' } }, { composeAs: 'ProviderKubernetes' }]
    const asked = fc.record({
      composite: claims().chain(valid =>
        fc.constantFrom<Json>(valid, put(valid, ['spec', 'imagine'], 1), put(valid, ['spec', 'size'], null)),
      ),
      input: fc.constantFrom<JsonObject>(...inputs),
    })
    const answer = ({ composite, input }: { composite: JsonObject; input: JsonObject }) => {
      const platform = parsePlatform(input)
      if (!platform.ok) return []
      const parsed = parseClaim(composite, platform.platform)
      return parsed.ok ? compose(parsed.claim, platform.platform, {}).resources.map(({ key, desired }) => [key, desired]) : []
    }
    fc.assert(
      fc.property(asked, ({ composite, input }) => {
        for (const again of [composite, reversed(composite)])
          expect(
            Object.entries(run({ composite: again, input }).desired?.resources ?? {}).map(([key, { resource }]) => [key, resource]),
          ).toEqual(answer({ composite: composite as JsonObject, input }))
      }),
      { numRuns: Math.ceil(RUNS / 3) },
    )
  })

  test('composes the same resources for a claim and a namespaced composite with the same spec', () => {
    fc.assert(
      fc.property(claims(), valid => {
        const ofClaim = run({ composite: compositeOf(valid) })
        const ofNamespaced = run({ composite: valid })
        expect(ofNamespaced.desired?.resources).toEqual(ofClaim.desired?.resources)
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    )
  })
})
