import { Capability, Ready, RunFunctionRequest, Severity } from '@crossplane-org/function-sdk-typescript'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seconds } from '../../src/claim/duration.ts'
import { sentence } from '../../src/claim/findings.ts'
import { findingsOf } from '../../src/cli/report/file-report.ts'
import { createFileValidator } from '../../src/cli/validate/file-validator.ts'
import { runFunction } from '../../src/function/run-function.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { type Platform, parsePlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim, validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, claims, compositeOf, knativeClaim, RUNS } from '../fixtures/claims.ts'
import { inputs, namedFields } from '../fixtures/platforms.ts'

const input = (fields: JsonObject): JsonObject => ({ apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', ...fields })
const say = (findings: readonly Parameters<typeof sentence>[0][]) => findings.map(finding => `${sentence(finding)} [${finding.code}]`)

function platformOf(given: JsonObject): Platform {
  const parsed = parsePlatform(given)
  if (!parsed.ok) throw new Error(say(parsed.findings).join())
  return parsed.platform
}

const platform = (policy: JsonObject, more: JsonObject = {}) => platformOf(input({ policy, ...more }))

const judge = (policy: JsonObject, document: Json) => say(validateClaim(document, platform(policy)).findings)
/** Of a Crossplane that can't be asked for names. */
const meta = { capabilities: [Capability.CAPABILITY_CAPABILITIES] }
const digest = `sha256:${'0'.repeat(64)}`
const from = (image: string) => claim({ image })
const latency = { averageDuration: '1s', targetLatency: '5s' }

describe('a claim', () => {
  test.each<{ says: string; policy: JsonObject; keeps: Json[]; breaks: [Json, ...string[]][] }>([
    {
      says: 'asks for at most so many replicas',
      policy: { maxReplicas: 5 },
      keeps: [claim(), claim({ scaling: { minReplicas: 5, maxReplicas: 5 } }), knativeClaim({ knative: { autoscaling: { maxScale: 5 } } })],
      breaks: [
        [
          claim({ scaling: { minReplicas: 6, maxReplicas: 7 } }),
          'spec.scaling.minReplicas: must be at most 5 on this platform, got 6 [POLICY]',
          'spec.scaling.maxReplicas: must be at most 5 on this platform, got 7 [POLICY]',
        ],
        [
          knativeClaim({ knative: { autoscaling: { minScale: 6, maxScale: 0, initialScale: 7, activationScale: 8 } } }),
          'spec.knative.autoscaling.minScale: must be at most 5 on this platform, got 6 [POLICY]',
          'spec.knative.autoscaling.maxScale: must be from 1 to 5 on this platform, got 0 [POLICY]',
          'spec.knative.autoscaling.initialScale: must be at most 5 on this platform, got 7 [POLICY]',
          'spec.knative.autoscaling.activationScale: must be at most 5 on this platform, got 8 [POLICY]',
        ],
      ],
    },
    {
      says: 'has messages of at most an hour by default',
      policy: {},
      keeps: [claim({ processing: { maxDuration: '1h' } }), claim({ processing: { maxDuration: '60m' } }), claim({ processing: latency })],
      breaks: [
        [
          claim({ processing: { maxDuration: '61m' } }),
          "spec.processing.maxDuration: must be at most 1h on this platform, got '61m' [POLICY]",
        ],
      ],
    },
    {
      says: 'has messages as long as the platform allows',
      policy: { maxGracePeriod: '6h' },
      keeps: [claim({ processing: { maxDuration: '6h' } })],
      breaks: [
        [
          claim({ processing: { maxDuration: '6h1s' } }),
          "spec.processing.maxDuration: must be at most 6h on this platform, got '6h1s' [POLICY]",
        ],
      ],
    },
    {
      says: 'has an image of these registries',
      policy: { registries: ['ghcr.io/acme', 'docker.io/library', 'localhost:5000'] },
      keeps: [
        'ghcr.io/acme/worker:1',
        `ghcr.io/acme/a/b@${digest}`,
        'nginx:1',
        'docker.io/nginx:1',
        'docker.io/library/nginx:1',
        'index.docker.io/library/nginx:1',
        'localhost:5000/worker:1',
      ].map(from),
      breaks: [
        'ghcr.io/acme2/worker:1',
        'ghcr.io/other:1',
        'acme/worker:1',
        'localhost/worker:1',
        'ghcr.io.evil.example/acme/worker:1',
      ].map(image => [
        from(image),
        `spec.image: must come from one of [ghcr.io/acme, docker.io/library, localhost:5000] on this platform, got '${image}' [POLICY]`,
      ]),
    },
    {
      says: 'has an image of a user of Docker Hub',
      policy: { registries: ['docker.io/acme'] },
      keeps: ['acme/worker:1', 'docker.io/acme/worker'].map(from),
      breaks: ['acme:1', 'docker.io/acme', 'acme2/worker'].map(image => [
        from(image),
        `spec.image: must come from one of [docker.io/acme] on this platform, got '${image}' [POLICY]`,
      ]),
    },
    {
      says: 'has an image with a digest',
      policy: { digest: 'Required' },
      keeps: [from(`worker@${digest}`), from(`worker:1@${digest}`)],
      breaks: [[from('worker:1'), "spec.image: must have a digest on this platform, got 'worker:1' [POLICY]"]],
    },
    {
      says: 'does not set these fields',
      policy: { forbid: ['nats.url', 'eventing', 'sessionAffinity', 'scaling.paused'] },
      keeps: [claim(), claim({ sessionAffinity: 'None', scaling: { maxReplicas: 3 } }), claim({ eventing: null })],
      breaks: [
        [claim({ nats: { stream: 'S', consumer: 'C', url: 'nats://a:1' } }), 'spec.nats.url: must not be set on this platform [POLICY]'],
        [
          claim({ eventing: {}, sessionAffinity: 'ClientIP', httpPort: 80, scaling: { paused: false } }),
          'spec.eventing: must not be set on this platform [POLICY]',
          'spec.sessionAffinity: must not be set on this platform [POLICY]',
          'spec.scaling.paused: must not be set on this platform [POLICY]',
        ],
      ],
    },
    {
      says: 'sets these fields',
      policy: { require: ['environment', 'scaling.maxReplicas', 'knative.timeoutSeconds'] },
      keeps: [claim({ environment: 'staging', scaling: { maxReplicas: 3 } })],
      breaks: [
        [
          claim({ scaling: {} }),
          'spec.environment: must be set on this platform [POLICY]',
          'spec.scaling.maxReplicas: must be set on this platform [POLICY]',
        ],
      ],
    },
    {
      says: 'has a required field that the API server fills in',
      policy: { require: ['runtime', 'sessionAffinity'] },
      keeps: [claim(), claim({ runtime: 'Deployment' }), knativeClaim()],
      breaks: [],
    },
  ])('$says', ({ policy, keeps, breaks }) => {
    for (const document of keeps) expect([document, judge(policy, document)]).toEqual([document, []])
    for (const [document, ...findings] of breaks) expect([document, judge(policy, document)]).toEqual([document, findings])
  })
})

test('an input that requires a field and forbids a part of it is invalid', () => {
  const parsed = parsePlatform(input({ policy: { require: ['nats.url'], forbid: ['nats'] } }))
  expect(parsed.ok ? [] : say(parsed.findings)).toEqual([
    "policy.forbid[0]: must not be required: every claim needs nats.url, got 'nats' [CONFLICT]",
  ])
})

test('a default above the limit is lowered', () => {
  const resolve = (document: JsonObject, more?: JsonObject) => {
    const parsed = parseClaim(document, platform({ maxReplicas: 3 }, more))
    if (!parsed.ok) throw new Error(say(parsed.findings).join())
    return parsed.claim
  }
  expect(resolve(claim()).scaling).toMatchObject({ minReplicas: 1, maxReplicas: 3 })
  expect(resolve(claim(), { defaults: { scaling: { minReplicas: 7, maxReplicas: 9 } } }).scaling).toMatchObject({
    minReplicas: 3,
    maxReplicas: 3,
  })
  expect(resolve(claim({ scaling: { minReplicas: 2 } })).scaling).toMatchObject({ minReplicas: 2, maxReplicas: 3 })
  const autoscaling = { minScale: 4, maxScale: 0, activationScale: 6, initialScale: 5 }
  expect(resolve(knativeClaim(), { defaults: { knative: { autoscaling } } }).knative.autoscaling).toMatchObject({
    minScale: 3,
    maxScale: 3,
    activationScale: 3,
    initialScale: 3,
  })
})

test.each([
  {
    field: 'nats.ulr',
    finding: "policy.forbid[0]: must be a field of a claim below spec, got 'nats.ulr', did you mean 'nats.url'? [NOT_ALLOWED]",
  },
  {
    field: 'spec.nats.url',
    finding: "policy.forbid[0]: must be a field of a claim below spec, got 'spec.nats.url', did you mean 'nats.url'? [NOT_ALLOWED]",
  },
  {
    field: 'compositionRef',
    finding: "policy.forbid[0]: must be a field of a claim below spec, got 'compositionRef' [NOT_ALLOWED]",
  },
  { field: 'zzz', finding: "policy.forbid[0]: must be a field of a claim below spec, got 'zzz' [NOT_ALLOWED]" },
  { field: 'image.tag', finding: "policy.forbid[0]: must be a field of a claim below spec, got 'image.tag' [NOT_ALLOWED]" },
  { field: 'constructor', finding: "policy.forbid[0]: must be a field of a claim below spec, got 'constructor' [NOT_ALLOWED]" },
])('an input that forbids $field is invalid', ({ field, finding }) => {
  const parsed = parsePlatform(input({ policy: { forbid: [field] } }))
  expect(parsed.ok ? [] : say(parsed.findings)).toEqual([finding])
})

describe('labels of the claim', () => {
  const labels = {
    'example.com/team': 'shop',
    'example.com/cost-center': '42',
    tier: 'gold',
    'app.kubernetes.io/name': 'other',
    'crossplane.io/composite': 'x',
    'networking.knative.dev/visibility': 'cluster-local',
    'serving.knative.dev/service': 'other',
    'azure.workload.identity/use': 'true',
  }
  const rendered = (propagateLabels: string[], spec: JsonObject = {}) => {
    const ours = platform({ propagateLabels })
    const parsed = parseClaim(claim({ httpPort: 8080, ...spec }, { labels }), ours)
    if (!parsed.ok) throw new Error(say(parsed.findings).join())
    return compose(parsed.claim, ours, {}).resources.map(({ manifest }) => manifest)
  }

  test.each([
    { says: 'named ones', propagateLabels: ['tier', 'absent'], gets: ['tier'] },
    { says: 'those that begin alike', propagateLabels: ['example.com/*'], gets: ['example.com/cost-center', 'example.com/team'] },
    {
      says: "all but ours, Crossplane's and Knative's",
      propagateLabels: ['*'],
      gets: ['example.com/cost-center', 'example.com/team', 'tier'],
    },
    {
      says: 'none of ours even if it is named',
      propagateLabels: ['app.kubernetes.io/name', 'networking.knative.dev/visibility', 'crossplane.io/composite'],
      gets: [],
    },
  ])('go to every object and pod: $says', ({ propagateLabels, gets }) => {
    for (const runtime of ['Deployment', 'Knative'])
      for (const manifest of rendered(propagateLabels, { runtime })) {
        const places = [manifest.metadata, at(manifest, 'spec', 'template', 'metadata')].filter(place => place !== undefined)
        for (const place of places) {
          const own = at(place, 'labels') as JsonObject
          expect(
            Object.keys(own)
              .filter(name => Object.hasOwn(labels, name) && own[name] === labels[name as keyof typeof labels])
              .sort(),
          ).toEqual(gets)
        }
      }
  })

  test('never select anything', () => {
    const [, deployment, service] = rendered(['tier'])
    expect(at(deployment, 'spec', 'selector', 'matchLabels')).toEqual({ 'app.kubernetes.io/name': 'orders-worker' })
    expect(at(service, 'spec', 'selector')).toEqual({ 'app.kubernetes.io/name': 'orders-worker' })
  })

  test('reach the next call after they change', () => {
    const team = (value: string) => {
      const composite = compositeOf(claim())
      const labelled = {
        ...composite,
        metadata: {
          ...(composite.metadata as JsonObject),
          labels: { ...(at(composite, 'metadata', 'labels') as JsonObject), team: value },
        },
      }
      const response = runFunction(
        RunFunctionRequest.fromPartial({
          meta,
          observed: { composite: { resource: labelled } },
          input: input({ policy: { propagateLabels: ['team'] } }),
        }),
      )
      return response.desired?.resources
    }
    for (const value of ['one', 'two', 'one'])
      for (const resource of Object.values(team(value) ?? {})) expect(at(resource.resource, 'metadata', 'labels', 'team')).toBe(value)
  })
})

test('a limit that is lowered leaves a running claim as it is, and says so', () => {
  const composite = { ...compositeOf(claim({ scaling: { maxReplicas: 9 } })), status: { conditions: [{ type: 'Ready', status: 'True' }] } }
  const call = (policy: JsonObject, resources: Record<string, { resource: JsonObject }> = {}) =>
    runFunction(
      RunFunctionRequest.fromPartial({ meta, observed: { composite: { resource: composite }, resources }, input: input({ policy }) }),
    )
  const manager = 'apiextensions.crossplane.io/composed/x'
  const fields = (value: unknown): JsonObject =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, below]) => [`f:${name}`, fields(below)]))
      : {}
  const running = Object.fromEntries(
    Object.entries(call({ maxReplicas: 9 }).desired?.resources ?? {}).map(([key, { resource }]) => {
      const { apiVersion, kind, ...owned } = resource as JsonObject
      const managedFields = [{ manager, operation: 'Apply', fieldsV1: fields(owned) }]
      return [key, { resource: { ...resource, metadata: { ...(owned.metadata as JsonObject), managedFields } } as JsonObject }]
    }),
  )
  expect(Object.keys(running)).toContain('scaledobject')
  const after = call({ maxReplicas: 5 }, running)
  const applied = Object.entries(running).map(([key, { resource }]) => {
    const { managedFields: _, ...metadata } = resource.metadata as JsonObject
    return [key, { ...resource, metadata }]
  })
  expect(Object.entries(after.desired?.resources ?? {}).map(([key, { resource }]) => [key, resource])).toEqual(applied)
  expect(at(after.desired?.resources.scaledobject?.resource, 'spec', 'maxReplicaCount')).toBe(9)
  expect(after.desired?.composite?.ready).toBe(Ready.READY_FALSE)
  expect(after.conditions).toMatchObject([
    { reason: 'InvalidClaim', message: expect.stringContaining('must be at most 5 on this platform, got 9 [POLICY]') },
  ])
})

/** A platform with names of its own compiles its schema, so several claims share one. */
const CLAIMS_OF_A_PLATFORM = 10
const several = <Value>(one: fc.Arbitrary<Value>) =>
  fc.array(one, { minLength: CLAIMS_OF_A_PLATFORM, maxLength: CLAIMS_OF_A_PLATFORM, size: 'max' })
const numRuns = Math.ceil(RUNS / CLAIMS_OF_A_PLATFORM)

test('law: a claim that the policy accepts composes nothing beyond the limits', () => {
  fc.assert(
    fc.property(inputs(), several(claims()), (given, documents) => {
      const ours = platformOf(given)
      const { maxReplicas = Number.POSITIVE_INFINITY, maxGracePeriod } = ours.policy
      for (const document of documents) {
        const parsed = parseClaim(document, ours)
        if (!parsed.ok) continue
        const { scaling, knative, processing } = parsed.claim
        const { minScale, maxScale, initialScale = 0, activationScale = 0 } = knative.autoscaling
        const most = maxScale === 0 ? Number.POSITIVE_INFINITY : maxScale
        for (const count of [scaling.minReplicas, scaling.maxReplicas, minScale, most, initialScale, activationScale])
          expect(count).toBeLessThanOrEqual(maxReplicas)
        expect(scaling.minReplicas).toBeLessThanOrEqual(scaling.maxReplicas)
        expect(minScale).toBeLessThanOrEqual(most)
        expect(processing?.maxSeconds ?? 0).toBeLessThanOrEqual(seconds(maxGracePeriod))
      }
    }),
    { numRuns },
  )
})

/** Most policies refuse most claims. */
const lenient = inputs().map(({ policy: _, ...rest }) => rest)

test('law: the function and eds validate --input give one verdict', () => {
  const verdicts = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(fc.oneof(inputs(), lenient), several(fc.tuple(claims(), namedFields())), (given, drafts) => {
      const validateFile = createFileValidator({ platform: platformOf(given) })
      for (const [valid, named] of drafts) {
        const document = { ...valid, spec: { ...valid.spec, ...named } }
        const reports = [...validateFile({ file: 'claim.json', text: JSON.stringify(document) })]
        const said = reports.flatMap(findingsOf).map(({ message, code }) => `${message} [${code}]`)
        const observed = { composite: { resource: compositeOf(document) } }
        const { results } = runFunction(RunFunctionRequest.fromPartial({ meta, observed, input: given }))
        const fatal = results.filter(({ severity }) => severity === Severity.SEVERITY_FATAL).map(({ message }) => message)
        // The terminal sorts findings by their place in the file.
        expect(fatal.map(message => [message.length, ...said.filter(one => message.includes(one))])).toEqual(
          said.length === 0 ? [] : [[said.join('; ').length, ...said]],
        )
        verdicts[said.length === 0 ? 'accepted' : 'refused']++
      }
    }),
    { numRuns },
  )
  expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(0)
})
