// The platform's own sizes, environments and priorities.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { sentence } from '../../src/claim/findings.ts'
import { schema } from '../../src/cli/schema.ts'
import { validate } from '../../src/cli/validate.ts'
import { readSource } from '../../src/cli/yaml/source.ts'
import { at, type JsonObject } from '../../src/kubernetes/json.ts'
import { parsePlatform } from '../../src/platform/platform.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { recorded } from '../cli/io.ts'
import { root } from '../fixtures/claim-files.ts'
import { claim } from '../fixtures/claims.ts'

const input = {
  apiVersion: 'fn.platform.bizmatters.io/v1alpha1',
  kind: 'Input',
  sizes: { tiny: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '64Mi' } } },
  environments: { qa: { size: 'tiny', scaling: { maxReplicas: 2 } } },
  priorities: { urgent: 'shop-critical' },
}
const say = (findings: readonly Parameters<typeof sentence>[0][]) => findings.map(finding => `${sentence(finding)} [${finding.code}]`)

function parseWith(fields: JsonObject, spec: JsonObject) {
  const platform = parsePlatform(fields)
  if (!platform.ok) throw new Error(say(platform.findings).join())
  return parseClaim(claim(spec), platform.platform)
}

describe('a claim', () => {
  test('can name them', () => {
    const parsed = parseWith(input, { environment: 'qa', priority: 'urgent' })
    if (!parsed.ok) throw new Error(say(parsed.findings).join())
    const { size, resources, scaling, priorityClass } = parsed.claim
    expect({ size, resources, most: scaling.maxReplicas, priorityClass }).toEqual({
      size: 'tiny',
      resources: input.sizes.tiny,
      most: 2,
      priorityClass: 'shop-critical',
    })
  })

  test('can still name the built-in sizes and environments', () => {
    expect(parseWith(input, { size: 'micro', environment: 'staging' }).ok).toBe(true)
  })

  test.each([
    {
      spec: { size: 'tin' },
      finding: "spec.size: must be one of [micro, small, medium, large, tiny], got 'tin', did you mean 'tiny'? [NOT_ALLOWED]",
    },
    {
      spec: { environment: 'prod' },
      finding:
        "spec.environment: must be one of [development, staging, production, qa], got 'prod', did you mean 'production'? [NOT_ALLOWED]",
    },
    { spec: { priority: 'high' }, finding: "spec.priority: must be one of [urgent], got 'high' [NOT_ALLOWED]" },
  ])('cannot name another: $spec', ({ spec, finding }) => {
    const parsed = parseWith(input, spec)
    expect(parsed.ok ? [] : say(parsed.findings)).toEqual([finding])
  })

  test('cannot name them on another platform', () => {
    const parsed = parseWith({ ...input, sizes: {}, environments: {}, priorities: {} }, { size: 'tiny' })
    expect(parsed.ok).toBe(false)
  })
})

test.each([
  { place: 'defaults', fields: { defaults: { size: 'huge' } } },
  { place: 'environments.qa', fields: { environments: { qa: { size: 'huge' } } } },
])('an input whose $place.size does not exist is invalid', ({ place, fields }) => {
  const parsed = parsePlatform({ apiVersion: input.apiVersion, kind: 'Input', ...fields })
  expect(parsed.ok ? [] : say(parsed.findings)).toEqual([
    `${place}.size: must be one of [micro, small, medium, large], got 'huge' [NOT_ALLOWED]`,
  ])
})

test.each([
  { map: 'sizes', name: 'Tiny', value: input.sizes.tiny },
  { map: 'environments', name: 'q a', value: {} },
  { map: 'priorities', name: '', value: 'shop-critical' },
  { map: 'natsServers', name: '__proto__', value: { url: 'nats://a:1', monitoringEndpoint: 'a:2' } },
  { map: 'sizes', name: 'x'.repeat(64), value: input.sizes.tiny },
])("an input with a name that no claim can say is invalid: '$name' of $map", ({ map, name, value }) => {
  const fields = JSON.parse(JSON.stringify({ [map]: {} }).replace('{}', `{${JSON.stringify(name)}: ${JSON.stringify(value)}}`))
  const parsed = parsePlatform({ apiVersion: input.apiVersion, kind: 'Input', ...fields })
  expect(parsed.ok ? [] : parsed.findings).toEqual([
    {
      code: 'BAD_FORMAT',
      path: [map, name],
      problem: "must be a name of at most 63 lower-case letters, digits and '-'",
      found: name,
    },
  ])
})

describe('eds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eds-names-'))
  const file = join(folder, 'input.yaml')
  beforeAll(() => {
    writeFileSync(file, stringify(input))
    writeFileSync(join(folder, 'claim.yaml'), stringify(claim({ size: 'tiny' })))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const printed = async (...args: string[]) => {
    const { io, stdout } = recorded()
    expect(await schema.execute(args, io)).toBe(0)
    return stdout()
  }
  const shipped = (name: string) => readFileSync(`${root}${name}`, 'utf8')

  test.each([
    { args: [], name: 'apis/definition.yaml' },
    { args: ['-o', 'xrd', '--namespaced'], name: 'apis/namespaced/definition.yaml' },
    { args: ['-o', 'json-schema'], name: 'schemas/eventdrivenservice.schema.json' },
  ])('schema $args prints $name as it is', async ({ args, name }) => expect(await printed(...args)).toBe(shipped(name)))

  const enums = {
    size: ['micro', 'small', 'medium', 'large', 'tiny'],
    environment: ['development', 'staging', 'production', 'qa'],
    priority: ['urgent'],
  }

  test.each([
    {
      args: ['-o', 'xrd'],
      name: 'apis/definition.yaml',
      path: ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties'],
    },
    {
      args: ['-o', 'xrd', '--namespaced'],
      name: 'apis/namespaced/definition.yaml',
      path: ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties'],
    },
    { args: ['-o', 'json-schema'], name: 'schemas/eventdrivenservice.schema.json', path: ['properties', 'spec', 'properties'] },
  ])('schema --input $args has the names of the platform, and nothing else changes', async ({ args, name, path }) => {
    const now = parse(await printed('--input', file, ...args), { merge: true }) as JsonObject
    const fields = at(now, ...path) as Record<keyof typeof enums, JsonObject>
    for (const [field, values] of Object.entries(enums)) expect(fields[field as keyof typeof enums].enum).toEqual(values)
    const before = parse(shipped(name), { merge: true }) as JsonObject
    const fieldsBefore = at(before, ...path) as Record<keyof typeof enums, JsonObject>
    for (const field of Object.keys(enums) as (keyof typeof enums)[]) {
      Object.assign(fields[field], { enum: [], example: '', examples: [] })
      Object.assign(fieldsBefore[field], { enum: [], example: '', examples: [] })
    }
    expect(now).toEqual(before)
  })

  test('schema quotes names that Kubernetes would read as something else', async () => {
    const words = ['0x1f', '12', '1e3', 'false', 'no', 'null', 'on', 'y']
    const more = join(folder, 'words.yaml')
    writeFileSync(more, JSON.stringify({ ...input, sizes: Object.fromEntries(['tiny', ...words].map(word => [word, input.sizes.tiny])) }))
    const [document] = readSource('definition.yaml', await printed('--input', more)).documents
    const path = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties', 'size', 'enum']
    const sizes = at(document?.value, ...path) as string[]
    expect([...sizes].sort()).toEqual([...words, 'large', 'medium', 'micro', 'small', 'tiny'].sort())
  })

  test('validate --input accepts them, also with the schema of another version', async () => {
    const published = JSON.parse(shipped('schemas/eventdrivenservice.schema.json'))
    published.properties.spec.properties.later = { type: 'string' }
    const other = join(folder, 'other.json')
    writeFileSync(other, JSON.stringify(published))
    const run = (...args: string[]) => validate.execute([join(folder, 'claim.yaml'), ...args], recorded().io)
    expect([await run(), await run('--input', file)]).toEqual([1, 0])
    expect([await run('--schema', other), await run('--schema', other, '--input', file)]).toEqual([1, 0])
  })

  test('validate --input gives no field to a version that lacks it', async () => {
    const published = JSON.parse(shipped('schemas/eventdrivenservice.schema.json'))
    delete published.properties.spec.properties.priority
    const earlier = join(folder, 'without-priority.json')
    writeFileSync(earlier, JSON.stringify(published))
    const urgent = join(folder, 'urgent.yaml')
    writeFileSync(urgent, stringify(claim({ priority: 'urgent' })))
    const run = (...args: string[]) => validate.execute([urgent, '--input', file, ...args], recorded().io)
    expect([await run(), await run('--schema', earlier)]).toEqual([0, 1])
  })
})

test('an entry can leave out the CPU limit of a built-in size', () => {
  const small = { requests: { cpu: '4', memory: '1Gi' }, limits: { memory: '2Gi' } }
  const parsed = parseWith({ apiVersion: input.apiVersion, kind: 'Input', sizes: { small } }, { size: 'small' })
  expect(parsed.ok && parsed.claim.resources).toEqual(small)
})
