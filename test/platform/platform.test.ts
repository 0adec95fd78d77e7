import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sentence } from '../../src/claim/findings.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, parsePlatform } from '../../src/platform/platform.ts'

const apiVersion = 'fn.platform.bizmatters.io/v1alpha1'
const input = (fields: JsonObject) => ({ apiVersion, kind: 'Input', ...fields })
const findings = (value: Json | undefined) => {
  const parsed = parsePlatform(value)
  return parsed.ok ? [] : parsed.findings.map(finding => `${sentence(finding)} [${finding.code}]`)
}

test.each([
  { says: 'no input', value: undefined },
  { says: 'an empty input', value: {} },
  { says: 'an input without settings', value: input({}) },
  { says: 'an input of empty settings', value: input({ defaults: {}, environments: { staging: {} }, sizes: {}, features: {} }) },
  { says: 'nulls', value: input({ defaults: null, sizes: null, composeAs: null }) },
])('$says is the built-in platform', ({ value }) => {
  expect(parsePlatform(value)).toMatchObject({ ok: true, platform: builtInPlatform })
})

test('all settings together', () => {
  const large = { requests: { cpu: '2', memory: '4Gi' }, limits: { cpu: '8', memory: '16Gi' } }
  const parsed = parsePlatform(
    input({
      composeAs: 'ProviderKubernetes',
      providerConfig: 'in-cluster',
      features: { knativeInitContainers: true },
      defaults: { size: 'small', nats: { url: 'nats://n:1' } },
      environments: { production: { size: 'large' } },
      sizes: { large },
    }),
  )
  expect(parsed).toMatchObject({
    ok: true,
    platform: {
      composeAs: 'ProviderKubernetes',
      providerConfig: 'in-cluster',
      features: { knativeInitContainers: true },
      defaults: { size: 'small', nats: { url: 'nats://n:1' } },
      sizes: { ...builtInPlatform.sizes, large },
    },
  })
})

test('the example for platforms is valid', () => {
  const example = parse(readFileSync(new URL('../../examples/platform-input.yaml', import.meta.url), 'utf8')) as Json
  expect(findings(example)).toEqual([])
})

describe('reports', () => {
  const quantities = (cpu: Json) => ({ requests: { cpu, memory: '1Gi' }, limits: { cpu: '1T', memory: '1Gi' } })
  test.each([
    { says: 'input that is not an object', value: 'text', finds: ["must be an object, got 'text' [WRONG_TYPE]"] },
    { says: 'a list', value: [], finds: ['must be an object, got an empty list [WRONG_TYPE]'] },
    {
      says: 'no type',
      value: { defaults: {} },
      finds: ['apiVersion: required field missing [REQUIRED]', 'kind: required field missing [REQUIRED]'],
    },
    {
      says: 'another type',
      value: { apiVersion: 'v1', kind: 'Resources' },
      finds: [`apiVersion: must be ${apiVersion}, got 'v1' [NOT_ALLOWED]`, "kind: must be Input, got 'Resources' [NOT_ALLOWED]"],
    },
    {
      says: 'an unknown field',
      value: input({ default: {} }),
      finds: ["default: unknown field, did you mean 'defaults'? [UNKNOWN_FIELD]"],
    },
    { says: 'a field like a method', value: input({ constructor: {} }), finds: ['constructor: unknown field [UNKNOWN_FIELD]'] },
    {
      says: 'a field one level too high',
      value: input({ size: 'small' }),
      finds: ["size: unknown field, did you mean 'sizes'? [UNKNOWN_FIELD]"],
    },
    {
      says: 'a field that only a claim can set',
      value: input({ defaults: { image: 'a/b' } }),
      finds: ['defaults.image: unknown field [UNKNOWN_FIELD]'],
    },
    {
      says: 'a stream, which only a claim can set',
      value: input({ defaults: { nats: { stream: 'S' } } }),
      finds: ['defaults.nats.stream: unknown field [UNKNOWN_FIELD]'],
    },
    {
      says: 'a wrong default',
      value: input({ defaults: { size: 'Huge', scaling: { minReplicas: -1 } } }),
      finds: [
        "defaults.size: must be a valid size such as 'small', got 'Huge' [BAD_FORMAT]",
        'defaults.scaling.minReplicas: must be from 0 to 1000, got -1 [OUT_OF_RANGE]',
      ],
    },
    {
      says: 'a wrong preset',
      value: input({ environments: { staging: { healthPath: 'health' } } }),
      finds: ["environments.staging.healthPath: must be a valid absolute path such as '/health', got 'health' [BAD_FORMAT]"],
    },
    {
      says: 'a size that requests more than it may use',
      value: input({ sizes: { medium: { requests: { cpu: '8', memory: '8Gi' }, limits: { cpu: '4000m', memory: '8Gi' } } } }),
      finds: ["sizes.medium.requests.cpu: must be at most sizes.medium.limits.cpu, got '8' [CONFLICT]"],
    },
    {
      says: 'bounds out of order',
      value: input({ defaults: { scaling: { minReplicas: 3, maxReplicas: 2 } } }),
      finds: ['defaults.scaling.maxReplicas: must be at least minReplicas, got 2 [CONFLICT]'],
    },
    {
      says: 'a metric of another class',
      value: input({ environments: { staging: { knative: { autoscaling: { class: 'kpa', metric: 'cpu' } } } } }),
      finds: [
        "environments.staging.knative.autoscaling.metric: must be concurrency or rps with class kpa, cpu or memory with class hpa, got 'cpu' [CONFLICT]",
      ],
    },
    {
      says: 'an unknown composeAs',
      value: input({ composeAs: 'Helm' }),
      finds: ["composeAs: must be one of [Native, ProviderKubernetes], got 'Helm' [NOT_ALLOWED]"],
    },
    {
      says: 'a ProviderConfig without a name',
      value: input({ providerConfig: '' }),
      finds: ['providerConfig: must have from 1 to 253 characters, got 0 [OUT_OF_RANGE]'],
    },
    {
      says: 'a feature that is text',
      value: input({ features: { knativeInitContainers: 'yes' } }),
      finds: ["features.knativeInitContainers: must be true or false, got 'yes' [WRONG_TYPE]"],
    },
    {
      says: 'an incomplete size',
      value: input({ sizes: { large: { requests: { cpu: '1' } } } }),
      finds: ['sizes.large.limits: required field missing [REQUIRED]', 'sizes.large.requests.memory: required field missing [REQUIRED]'],
    },
    ...['1 GB', '-1', '1.', '1mi', '', '100%'].map(cpu => ({
      says: `a quantity '${cpu}'`,
      value: input({ sizes: { large: quantities(cpu) } }),
      finds: [`sizes.large.requests.cpu: must be a valid Kubernetes quantity such as '500m', got '${cpu}' [BAD_FORMAT]`],
    })),
    {
      says: 'a quantity without quotes',
      value: input({ sizes: { large: quantities(2) } }),
      finds: ['sizes.large.requests.cpu: must be a string, got 2 [WRONG_TYPE]'],
    },
  ])('$says', ({ value, finds }) => {
    expect(findings(value)).toEqual(finds)
  })

  test.each(['2', '500m', '1.5', '0.1'])("accepts the quantity '%s'", cpu => {
    expect(findings(input({ sizes: { large: quantities(cpu) } }))).toEqual([])
  })
})
