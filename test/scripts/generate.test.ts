import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
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
  const parts: readonly JsonObject[] = [{}, { nats: undefined }, { knative: {} }, { nats: undefined, knative: {} }]
  const combinations = runtimes.flatMap(runtime => ports.flatMap(httpPort => parts.map(part => ({ runtime, httpPort, ...part }))))
  test.each(combinations)('says of runtime $runtime, port $httpPort, nats $nats, knative $knative what the rules say', spec => {
    const document = claim(spec)
    expect(refusals(document).length === 0).toBe(accepted(document))
  })

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
      e: { type: 'object' },
    },
  }
  const implies = (condition: object, then: object) => ({ if: condition, then })
  const translated = (rule: string) => {
    const { $comment: _, ...said } = ruleSchema({ rule, message: 'why' }, owner) ?? {}
    return said
  }

  test.each<{ rule: string; is: object }>([
    { rule: 'has(self.b)', is: { required: ['b'] } },
    { rule: '!has(self.b)', is: { not: { required: ['b'] } } },
    { rule: "self.b == 'y'", is: { properties: { b: { const: 'y' } }, required: ['b'] } },
    // The API server fills a in, so that a claim without it is one with x.
    { rule: "self.a == 'x'", is: { properties: { a: { const: 'x' } } } },
    { rule: "self.a == 'y'", is: { properties: { a: { const: 'y' } }, required: ['a'] } },
    { rule: "self.a != 'x'", is: { not: { properties: { a: { const: 'x' } } } } },
    { rule: "self.b in ['y', 'z']", is: { properties: { b: { enum: ['y', 'z'] } }, required: ['b'] } },
    { rule: 'self.b.size() <= 5', is: { properties: { b: { maxLength: 5 } }, required: ['b'] } },
    { rule: 'self.c.size() > 0', is: { properties: { c: { minItems: 1 } }, required: ['c'] } },
    { rule: "self.b.matches('^y')", is: { properties: { b: { pattern: '^y' } }, required: ['b'] } },
    { rule: "self.b.endsWith('y')", is: { properties: { b: { pattern: 'y$' } }, required: ['b'] } },
    { rule: 'has(self.e.f)', is: { properties: { e: { required: ['f'] } }, required: ['e'] } },
    { rule: 'self.e.f <= 5', is: { properties: { e: { properties: { f: { maximum: 5 } }, required: ['f'] } }, required: ['e'] } },
    { rule: 'self.c.size() == 0', is: { properties: { c: { maxItems: 0 } }, required: ['c'] } },
    { rule: '(has(self.b) ? 1 : 0) + (has(self.c) ? 1 : 0) == 1', is: { oneOf: [{ required: ['b'] }, { required: ['c'] }] } },
    // Nulls are removed before the validation.
    { rule: 'has(self.e) && self.e != null', is: { required: ['e'] } },
    { rule: 'has(self.a) || has(self.b)', is: { anyOf: [{ required: ['a'] }, { required: ['b'] }] } },
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
    { rule: 'self.d', is: { properties: { d: { const: true } }, required: ['d'] } },
    { rule: 'has(self.a) != has(self.b)', is: { oneOf: [{ required: ['a'] }, { required: ['b'] }] } },
    { rule: "self.b.endsWith('.y')", is: { properties: { b: { pattern: '\\.y$' } }, required: ['b'] } },
    { rule: 'has(self.a) && has(self.b)', is: { allOf: [{ required: ['a'] }, { required: ['b'] }] } },
  ])('$rule', ({ rule, is }) => {
    expect(translated(rule)).toEqual(is)
    expect(ruleSchema({ rule, message: 'why' }, owner)).toMatchObject({ $comment: 'why' })
  })

  test.each([
    'self.c.all(x, x > 0)',
    'self.b != self.a',
    'self.b == self.a',
    'self.b || has(self.a)',
    'self.b.size() <= self.a.size()',
    'self.b.matches(self.a)',
    'self.b.endsWith(self.a)',
    'self.c.map(x, x.y).sum() == 100',
    "self.b == 'y' ? true : false",
    "has(self.a) || self.c.exists(x, x == 'y')",
    "duration(self.b) <= duration('1h')",
    'self.c.size() > 3',
    'self.c.size() == 3',
    '(has(self.b) ? 1 : 0) + (has(self.c) ? 2 : 0) == 1',
    'other.b == 1',
  ])('%s is left out, as it can’t be said', rule => {
    expect(ruleSchema({ rule, message: 'why' }, owner)).toBeUndefined()
  })
})
