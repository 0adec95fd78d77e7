import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type CelInput, celEnv, parse, plan } from '@bufbuild/cel'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import schema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { closed } from '../../scripts/generate/claim-schema.ts'
import { readDefinition } from '../../scripts/generate/definition.ts'
import { ruleSchema } from '../../scripts/generate/rule-schema.ts'
import type { Schema } from '../../src/claim/schema.ts'
import { compileValidator } from '../../src/claim/validate.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { ownFields } from '../../src/reconcile/conditions.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { claim, claims, knativeClaim, mutate, mutations, RUNS } from '../fixtures/claims.ts'

test('what is generated is what apis/definition.yaml says', () => {
  const run = () =>
    execFileSync(process.execPath, ['--import', 'tsx', 'scripts/generate/main.ts', '--check'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
      stdio: 'pipe',
    })
  expect(run()).toMatch(/generated files are up to date/)
})

const definition = readDefinition().spec.versions[0].schema.openAPIV3Schema

test('the function gives back every field of the status that the API has', () => {
  expect(Object.keys(definition.properties?.status?.properties ?? {})).toEqual([...ownFields])
})

test('an optional object that may be empty is nullable, as server-side apply leaves a null where it was emptied', () => {
  const wrong: string[] = []
  const visit = (schema: Schema & { readonly nullable?: boolean }, path: string, isRequired: boolean): void => {
    const mayBeEmpty = schema.type === 'object' && !isRequired && compileValidator(closed(schema, undefined))({}).findings.length === 0
    if (schema.type === 'object' && (schema.nullable === true) !== mayBeEmpty) wrong.push(path)
    for (const [name, property] of Object.entries(schema.properties ?? {}))
      visit(property, `${path}.${name}`, schema.required?.includes(name) ?? false)
    // An item of a list without keys is replaced as a whole.
    if (schema.items !== undefined && schema['x-kubernetes-list-type'] === 'map') visit(schema.items, `${path}[]`, true)
  }
  visit(definition.properties?.spec ?? {}, 'spec', true)
  expect(wrong).toEqual([])
})

// Strict mode refuses the words of Kubernetes; whoever uses the published schema with ajv switches it off.
const ajv = new Ajv2020({ strict: false, allErrors: true })
const validate = ajv.compile(schema)
const refusals = (document: Json) =>
  validate(document) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
const accepted = (document: Json) => validateClaim(document, builtInPlatform).findings.length === 0

describe('the published schema', () => {
  test('law: never refuses what the rules accept', () => {
    fc.assert(
      fc.property(claims(), valid => {
        expect(refusals(valid)).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  test('law: not even of claims of which something was changed', () => {
    fc.assert(
      fc.property(claims(), fc.constantFrom(...mutations), (valid, mutation) => {
        const broken = mutate(valid, mutation)
        if (accepted(broken)) expect(refusals(broken)).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  const runtimes = [undefined, 'Deployment', 'Knative'] as const
  const ports = [undefined, 8080, 9090] as const
  const parts: readonly JsonObject[] = [
    {},
    { nats: undefined },
    { knative: {} },
    { nats: undefined, knative: {} },
    { nats: undefined, eventing: {} },
  ]
  const combinations = runtimes.flatMap(runtime => ports.flatMap(httpPort => parts.map(part => ({ runtime, httpPort, ...part }))))
  test.each(combinations)(
    'says of runtime $runtime, port $httpPort, nats $nats, eventing $eventing, knative $knative what the rules say',
    spec => {
      const document = claim(spec)
      expect(refusals(document).length === 0).toBe(accepted(document))
    },
  )

  const consumer = { stream: 'ORDERS', consumer: 'orders-workers' }
  const noReadiness = { readiness: { none: true } }
  test.each<{ says: string; document: Json }>([
    { says: 'a name that is too long', document: claim({}, { name: 'a'.repeat(57) }) },
    { says: 'a name with a dot', document: claim({}, { name: 'a.b' }) },
    { says: 'a name that ends with a hyphen', document: claim({}, { name: 'a-' }) },
    { says: 'a Deployment that nothing feeds', document: claim({ nats: undefined }) },
    { says: 'Knative settings for a Deployment', document: claim({ knative: {} }) },
    { says: "Knative's own port", document: knativeClaim({ httpPort: 8012 }) },
    { says: "the platform's variable", document: claim({ env: [{ name: 'PORT', value: '1' }] }) },
    { says: 'a secret of which nothing is used', document: claim({ secretRefs: [{ name: 's' }] }) },
    { says: 'a secret of which an empty list is used', document: claim({ secretRefs: [{ name: 's', env: [] }] }) },
    {
      says: 'a prefix without envFrom',
      document: claim({ secretRefs: [{ name: 's', env: [{ secretKey: 'k', envName: 'A' }], prefix: 'P_' }] }),
    },
    { says: 'two spellings of one key', document: claim({ secretRefs: [{ name: 's', env: [{ key: 'k', secretKey: 'k', name: 'A' }] }] }) },
    { says: 'a variable without a key', document: claim({ secretRefs: [{ name: 's', env: [{ name: 'A' }] }] }) },
    { says: 'files of nothing', document: claim({ files: [{ mountPath: '/work' }] }) },
    { says: 'files of two sources', document: claim({ files: [{ mountPath: '/work', secret: 's', configMap: 'c' }] }) },
    { says: 'a key of scratch space', document: claim({ files: [{ mountPath: '/work', scratch: '1Gi', key: 'k' }] }) },
    { says: 'a secret in memory', document: claim({ files: [{ mountPath: '/work', secret: 's', memory: true }] }) },
    { says: 'files in a system directory', document: claim({ files: [{ mountPath: '/proc', secret: 's' }] }) },
    { says: 'a probe that does nothing', document: claim({ probes: { liveness: {} } }) },
    { says: 'a probe that neither works nor is switched off', document: claim({ probes: { liveness: { none: false } } }) },
    { says: 'a probe of two kinds', document: claim({ probes: { liveness: { path: '/', none: true } } }) },
    { says: 'a startup probe of two kinds', document: claim({ probes: { startup: { path: '/', tcp: 1, within: '1m' } } }) },
    { says: 'two paths of one probe', document: claim({ healthPath: '/', probes: { liveness: { path: '/' } } }) },
    { says: 'two paths of the other probe', document: claim({ readyPath: '/', probes: { readiness: { path: '/' } } }) },
    { says: 'triggers without a readiness probe', document: claim({ probes: noReadiness, eventing: { triggers: [{ name: 't' }] } }) },
    { says: 'Knative without a readiness probe', document: knativeClaim({ probes: noReadiness }) },
    { says: 'long messages for Knative', document: knativeClaim({ processing: { maxDuration: '1h' } }) },
    { says: 'a priority for Knative', document: knativeClaim({ priority: 'high' }) },
    { says: 'updates for Knative', document: knativeClaim({ updates: 'Rolling' }) },
    { says: 'two replicas of one at a time', document: claim({ updates: 'OneAtATime', scaling: { maxReplicas: 2 } }) },
    { says: 'at least two replicas of one at a time', document: claim({ updates: 'OneAtATime', scaling: { minReplicas: 2 } }) },
    { says: 'a latency without a duration', document: claim({ processing: { targetLatency: '1m' } }) },
    { says: 'a duration without a latency', document: claim({ processing: { averageDuration: '1m' } }) },
    {
      says: 'a latency beside a threshold',
      document: claim({ processing: { averageDuration: '1s', targetLatency: '1m' }, scaling: { lagThreshold: 5 } }),
    },
    { says: 'a server beside a URL', document: claim({ nats: { ...consumer, server: 'main', url: 'nats://n:4222' } }) },
    { says: 'a server beside an endpoint', document: claim({ nats: { ...consumer, server: 'main', monitoringEndpoint: 'n:8222' } }) },
  ])('refuses without CEL $says', ({ document }) => {
    expect(accepted(document)).toBe(false)
    expect(refusals(document)).not.toEqual([])
  })
})

describe('a rule in JSON Schema', () => {
  const owner: Schema = {
    type: 'object',
    properties: {
      a: { type: 'string', default: 'x' },
      b: { type: 'string' },
      c: { type: 'array' },
      d: { type: 'boolean' },
      n: { type: 'integer' },
      o: {
        type: 'object',
        properties: { p: { type: 'string' }, c: { type: 'array' }, q: { type: 'object', properties: { r: { type: 'boolean' } } } },
      },
    },
  }
  const implies = (condition: object, then: object) => ({ if: condition, then })
  const translated = (rule: string) => {
    const { $comment: _, ...said } = ruleSchema({ rule, message: 'why' }, owner) ?? {}
    return said
  }

  const q = (inner: object) => ({ properties: { o: { properties: { q: inner }, required: ['q'] } }, required: ['o'] })
  const table: readonly { rule: string; is: object }[] = [
    { rule: 'has(self.b)', is: { required: ['b'] } },
    { rule: '!has(self.b)', is: { not: { required: ['b'] } } },
    { rule: 'has(self.o.q.r)', is: q({ required: ['r'] }) },
    { rule: "self.b == 'y'", is: { properties: { b: { const: 'y' } }, required: ['b'] } },
    // The API server fills a in, so that a claim without it is one with x.
    { rule: "self.a == 'x'", is: { properties: { a: { const: 'x' } } } },
    { rule: "self.a == 'y'", is: { properties: { a: { const: 'y' } }, required: ['a'] } },
    { rule: "self.a != 'x'", is: { not: { properties: { a: { const: 'x' } } } } },
    { rule: "self.o.p == 'y'", is: { properties: { o: { properties: { p: { const: 'y' } }, required: ['p'] } }, required: ['o'] } },
    { rule: "self.b in ['y', 'z']", is: { properties: { b: { enum: ['y', 'z'] } }, required: ['b'] } },
    { rule: 'self.b.size() <= 5', is: { properties: { b: { maxLength: 5 } }, required: ['b'] } },
    { rule: 'self.c.size() <= 1', is: { properties: { c: { maxItems: 1 } }, required: ['c'] } },
    { rule: 'self.c.size() > 0', is: { properties: { c: { minItems: 1 } }, required: ['c'] } },
    { rule: 'self.b.size() > 0', is: { properties: { b: { minLength: 1 } }, required: ['b'] } },
    { rule: 'self.c.size() == 0', is: { not: { properties: { c: { minItems: 1 } }, required: ['c'] } } },
    { rule: 'self.n <= 1', is: { properties: { n: { maximum: 1 } }, required: ['n'] } },
    { rule: "self.b.matches('^y')", is: { properties: { b: { pattern: '^y' } }, required: ['b'] } },
    { rule: "self.b.endsWith('y')", is: { properties: { b: { pattern: 'y$' } }, required: ['b'] } },
    { rule: "self.b.endsWith('.y')", is: { properties: { b: { pattern: '\\.y$' } }, required: ['b'] } },
    { rule: 'has(self.b) || has(self.c) || has(self.d)', is: { anyOf: ['b', 'c', 'd'].map(name => ({ required: [name] })) } },
    // An editor says of `then` what is missing, and of `not` nothing that helps.
    { rule: "self.b != 'y' || has(self.c)", is: implies({ properties: { b: { const: 'y' } }, required: ['b'] }, { required: ['c'] }) },
    { rule: 'has(self.c) || !has(self.b)', is: implies({ required: ['b'] }, { required: ['c'] }) },
    { rule: '!has(self.b) || !has(self.c)', is: implies({ required: ['b'] }, { properties: { c: false } }) },
    {
      rule: "!has(self.b) || !has(self.c) || !(self.b in ['y'])",
      is: implies({ allOf: [{ required: ['b'] }, { required: ['c'] }] }, { properties: { b: { not: { enum: ['y'] } } } }),
    },
    {
      rule: "!has(self.b) || self.a != 'x'",
      is: implies({ required: ['b'] }, { properties: { a: { not: { const: 'x' } } }, required: ['a'] }),
    },
    {
      rule: '!has(self.b) || !has(self.o) || !has(self.o.p)',
      is: implies({ allOf: [{ required: ['b'] }, { required: ['o'] }] }, { properties: { o: { properties: { p: false } } } }),
    },
    {
      rule: '!has(self.b) || self.b == null || !has(self.d) || !self.d',
      is: implies({ allOf: [{ required: ['b'] }, { required: ['d'] }] }, { properties: { d: { const: false } } }),
    },
    {
      rule: 'self.c.size() == 0 || !self.d',
      is: implies({ properties: { c: { minItems: 1 } }, required: ['c'] }, { properties: { d: { const: false } } }),
    },
    {
      rule: '!has(self.b) || (!has(self.n) || self.n <= 1) && has(self.c)',
      is: implies(
        { required: ['b'] },
        { allOf: [implies({ required: ['n'] }, { properties: { n: { maximum: 1 } }, required: ['n'] }), { required: ['c'] }] },
      ),
    },
    { rule: 'self.d', is: { properties: { d: { const: true } }, required: ['d'] } },
    { rule: 'self.o.q.r', is: q({ properties: { r: { const: true } }, required: ['r'] }) },
    { rule: 'has(self.b) != has(self.c)', is: { oneOf: [{ required: ['b'] }, { required: ['c'] }] } },
    { rule: 'has(self.b) && has(self.c)', is: { allOf: [{ required: ['b'] }, { required: ['c'] }] } },
    { rule: 'has(self.o) && self.o != null', is: { required: ['o'] } },
    {
      rule: '(has(self.b) ? 1 : 0) + (has(self.c) ? 1 : 0) + (has(self.d) && self.d ? 1 : 0) == 1',
      is: {
        oneOf: [
          { required: ['b'] },
          { required: ['c'] },
          { allOf: [{ required: ['d'] }, { properties: { d: { const: true } }, required: ['d'] }] },
        ],
      },
    },
  ]

  test.each(table)('$rule', ({ rule, is }) => {
    expect(translated(rule)).toEqual(is)
    expect(ruleSchema({ rule, message: 'why' }, owner)).toMatchObject({ $comment: 'why' })
  })

  const words = fc.constantFrom('', 'x', 'y', 'z', '.y', 'yyyyyy')
  const lists = fc.array(fc.constant('x'), { maxLength: 2 })
  const some = (fields: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<JsonObject> => fc.record(fields, { requiredKeys: [] })
  const values = some({
    a: words,
    b: words,
    c: lists,
    d: fc.boolean(),
    n: fc.integer({ min: 0, max: 2 }),
    o: some({ p: words, c: lists, q: some({ r: fc.boolean() }) }),
  })
  test.each(table)('law: says of any value what CEL says: $rule', ({ rule }) => {
    const evaluate = plan(celEnv(), parse(rule))
    const validate = ajv.compile(translated(rule))
    fc.assert(
      fc.property(values, value => {
        const verdict = evaluate({ self: { a: 'x', ...value } as CelInput })
        // Otherwise the rule reads a field that is missing.
        if (typeof verdict === 'boolean') expect(validate(value)).toBe(verdict)
      }),
      { numRuns: RUNS },
    )
  })

  test.each([
    'self.c.all(x, x > 0)',
    'self.b != self.a',
    'self.b == self.a',
    'self.b || has(self.c)',
    'self.b.size() <= self.a.size()',
    'self.b.matches(self.a)',
    'self.b.endsWith(self.a)',
    'self.c.map(x, x.y).sum() == 100',
    "self.b == 'y' ? true : false",
    "has(self.b) || self.c.exists(x, x == 'y')",
    "duration(self.b) <= duration('1h')",
    'self.c.size() > 3',
    'has(other.b)',
    'other.b == 1',
    // The API server adds a, so it is always there.
    'has(self.a)',
    'self.b <= 1',
    'self.c.size() == 3',
    '(has(self.b) ? 1 : 0) + (has(self.c) ? 1 : 0) == 2',
    '(has(self.b) ? 2 : 0) + (has(self.c) ? 1 : 0) == 1',
    'self.n + self.n == 1',
  ])('%s is left out, as it can’t be said', rule => {
    expect(ruleSchema({ rule, message: 'why' }, owner)).toBeUndefined()
  })
})
