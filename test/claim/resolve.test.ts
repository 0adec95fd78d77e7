import { describe, expect, test } from 'vitest'
import inputSchema from '../../schemas/input.schema.json' with { type: 'json' }
import type { ResolvedClaim } from '../../src/claim/resolved-claim.ts'
import type { Schema } from '../../src/claim/schema.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { parsePlatform } from '../../src/platform/platform.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { buildDocument } from '../fixtures/build.ts'
import { claim, knativeClaim, put } from '../fixtures/claims.ts'

const input = (fields: JsonObject): JsonObject => ({ apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input', ...fields })

function settle(document: Json, fields: JsonObject = {}): ResolvedClaim {
  const platform = parsePlatform(input(fields))
  if (!platform.ok) throw new Error(JSON.stringify(platform.findings))
  const parsed = parseClaim(document as JsonObject, platform.platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  return parsed.claim
}

describe('claim, else environment, else platform, else built-in', () => {
  const knative = (field: string, ...values: [Json, Json, Json, Json | undefined]) =>
    row(`knative.${field}`, values, knativeClaim({ knative: {} }))
  const eventing = (field: string, ...values: [Json, Json, Json, Json | undefined]) =>
    row(`eventing.broker.${field}`, values, claim({ eventing: { broker: {} } }))
  const mesh = (field: string, ...values: [Json, Json, Json, Json]) => row(`mesh.${field}`, values, claim({ mesh: {} }))
  const observability = (field: string, ...values: [Json, Json, Json, Json | undefined]) =>
    row(`observability.${field}`, values, claim({ observability: {} }))
  const build = (field: string, ...values: [Json, Json, Json, Json]) => row(`build.${field}`, values, buildDocument())
  const row = (field: string, [claim_, environment, platform, builtIn]: readonly (Json | undefined)[], base: Json = claim()) => ({
    field,
    claim: claim_,
    environment,
    platform,
    builtIn,
    base,
  })
  const ref = (name: string) => ({ apiVersion: 'v1', kind: 'Service', name })

  // The values of the claim, the environment and the platform, and the built-in default.
  const rows = [
    row('size', ['micro', 'small', 'large', 'medium']),
    row('nats.url', ['nats://a:1', 'nats://b:1', 'nats://c:1', 'nats://nats.nats.svc:4222']),
    row('nats.account', ['A', 'B', 'C', '$SYS']),
    row('nats.accountID', ['A', 'B', 'C', '$G']),
    row('nats.monitoringEndpoint', ['a:1', 'b:1', 'c:1', 'nats-headless.nats.svc.cluster.local:8222']),
    row('rootFilesystem', ['ReadOnly', 'Writable', 'ReadOnly', 'Writable']),
    row('scaling.minReplicas', [5, 4, 3, 1]),
    row('scaling.maxReplicas', [50, 40, 30, 10]),
    row('scaling.lagThreshold', [50, 40, 30, 5]),
    row('scaling.activationLagThreshold', [50, 40, 30, 0]),
    row('scaling.pollingInterval', [50, 40, 30, undefined]),
    row('scaling.cooldownPeriod', [0, 40, 30, undefined]),
    row('scaling.paused', [false, true, true, false]),
    row('scaling.paused', [true, false, true, false]),
    row('imagePullSecrets', [[{ name: 'a' }], [{ name: 'b' }, { name: 'c' }], [{ name: 'd' }], []]),
    row('imagePullSecrets', [[], [{ name: 'b' }], [{ name: 'd' }], []]),
    row('healthPath', ['/a', '/b', '/c', '/health']),
    row('readyPath', ['/a', '/b', '/c', '/ready']),
    knative('autoscaling.class', 'hpa', 'kpa', 'hpa', 'kpa'),
    knative('autoscaling.metric', 'cpu', 'rps', 'cpu', 'concurrency'),
    knative('autoscaling.target', 0.5, 40, 30, 100),
    knative('autoscaling.minScale', 5, 4, 3, 0),
    knative('autoscaling.maxScale', 0, 40, 30, 10),
    knative('autoscaling.scaleDownDelay', '0s', '40s', '50s', '30s'),
    knative('autoscaling.window', '30s', '40s', '50s', undefined),
    knative('autoscaling.initialScale', 5, 4, 3, undefined),
    knative('autoscaling.activationScale', 5, 4, 3, undefined),
    knative('autoscaling.targetUtilization', 50, 40, 30, undefined),
    knative('autoscaling.panicWindow', 50, 40, 30, undefined),
    knative('autoscaling.panicThreshold', 150, 140, 130, undefined),
    knative('containerConcurrency', 0, 40, 30, 100),
    knative('timeoutSeconds', 50, 40, 30, 300),
    knative('visibility', 'cluster-local', 'external', 'cluster-local', 'external'),
    eventing('class', 'A', 'B', 'C', 'MTChannelBasedBroker'),
    eventing('delivery.retry', 0, 4, 3, undefined),
    eventing('delivery.backoffPolicy', 'linear', 'exponential', 'linear', undefined),
    eventing('delivery.backoffDelay', 'PT1S', 'PT2S', 'PT3S', undefined),
    eventing('delivery.timeout', 'PT1S', 'PT2S', 'PT3S', undefined),
    eventing('delivery.deadLetter', { uri: 'http://a' }, { ref: ref('b') }, { uri: 'http://c' }, undefined),
    eventing('delivery.deadLetter', { ref: ref('a') }, { ref: { ...ref('b'), namespace: 'b' } }, { uri: 'http://c' }, undefined),
    mesh('mtls', 'PERMISSIVE', 'STRICT', 'PERMISSIVE', 'STRICT'),
    mesh('timeout', '50s', '40s', '35s', '30s'),
    mesh('retries.enabled', false, true, false, true),
    mesh('retries.attempts', 5, 4, 2, 3),
    mesh('retries.perTryTimeout', '5s', '4s', '3s', '10s'),
    mesh('retries.retryOn', ['5xx'], ['503'], ['reset'], ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', '503']),
    mesh('circuitBreaker.enabled', false, true, false, true),
    mesh('circuitBreaker.maxConnections', 5, 4, 3, 100),
    mesh('circuitBreaker.maxPending', 5, 4, 3, 100),
    mesh('circuitBreaker.maxRequests', 5, 4, 3, 1000),
    mesh('circuitBreaker.errors', 9, 8, 7, 5),
    mesh('circuitBreaker.interval', '5s', '4s', '3s', '30s'),
    mesh('circuitBreaker.ejection', '5s', '4s', '3s', '30s'),
    mesh('circuitBreaker.maxEjectionPercent', 5, 4, 3, 50),
    mesh('egress', 'REGISTRY_ONLY', 'ALLOW_ANY', 'REGISTRY_ONLY', 'ALLOW_ANY'),
    mesh('tracing.sampling', 0, 40, 30, 1),
    mesh('accessLogs', false, true, false, true),
    observability('metrics.enabled', false, true, false, true),
    observability('metrics.path', '/a', '/b', '/c', '/metrics'),
    observability('alerts.enabled', false, true, false, true),
    observability('alerts.lag', '300s', '400s', '200s', 600),
    observability('slo.objective', 99, 98, 97, undefined),
    observability('dashboard', false, true, false, true),
    build('strategy', 'a', 'b', 'c', 'buildpacks-v3'),
    build('timeout', '5m', '4m', '3m', '30m'),
  ]

  /** A claim keeps pull secrets by name. */
  const said = (field: string, value: Json | undefined) => {
    if (field === 'imagePullSecrets' && Array.isArray(value)) return value.map(secret => at(secret, 'name'))
    // What is turned off is missing.
    if (field.startsWith('observability.') && field.endsWith('.enabled'))
      return value !== true ? undefined : field.includes('metrics') ? { path: '/metrics' } : { lagSeconds: 600 }
    if (field.endsWith('.enabled')) return value === true ? (field.includes('retries') ? 3 : 5) : undefined
    return /^(?:mesh|observability)\./.test(field) && typeof value === 'string' && /^\d+s$/.test(value) ? Number.parseInt(value, 10) : value
  }

  const resolvedPaths: Readonly<Record<string, readonly string[]>> = {
    healthPath: ['probes', 'liveness', 'handler', 'path'],
    readyPath: ['probes', 'readiness', 'handler', 'path'],
    'mesh.retries.enabled': ['mesh', 'retries', 'attempts'],
    'mesh.retries.retryOn': ['mesh', 'retries', 'on'],
    'mesh.circuitBreaker.enabled': ['mesh', 'circuitBreaker', 'errors'],
    'mesh.tracing.sampling': ['mesh', 'sampling'],
    'observability.metrics.enabled': ['observability', 'metrics'],
    'observability.alerts.enabled': ['observability', 'alerts'],
    'observability.alerts.lag': ['observability', 'alerts', 'lagSeconds'],
    'observability.slo.objective': ['observability', 'objective'],
  }

  test.each(rows)('$field: $claim, $environment, $platform, $builtIn', ({ field, claim, environment, platform, builtIn, base }) => {
    const path = field.split('.')
    const inEnvironment = put(base, ['spec', 'environment'], 'staging')
    const mine = put(inEnvironment, ['spec', ...path], claim)
    const defaults = put({}, path, platform)
    const environments = { staging: put({}, path, environment) }
    const place = resolvedPaths[field] ?? path
    const got = (document: Json, fields: JsonObject) =>
      at(
        settle(document, {
          mesh: {},
          observability: { dashboards: 'ConfigMap' },
          build: { registry: 'r' },
          ...fields,
        }) as unknown as JsonObject,
        ...place,
      )
    expect({
      ofClaim: got(mine, { defaults, environments }),
      ofEnvironment: got(inEnvironment, { defaults, environments }),
      otherEnvironment: got(base, { defaults, environments }),
      ofNobody: got(base, {}),
    }).toEqual({
      ofClaim: said(field, claim),
      ofEnvironment: said(field, environment),
      otherEnvironment: said(field, platform),
      ofNobody: said(field, builtIn),
    })
  })

  test('every platform default has a row', () => {
    const leaves = (schema: Schema, path: string): string[] =>
      schema.properties && !path.endsWith('.deadLetter')
        ? Object.entries(schema.properties).flatMap(([name, property]) => leaves(property, path === '' ? name : `${path}.${name}`))
        : [path]
    expect([...new Set(rows.map(({ field }) => field))].sort()).toEqual(leaves(inputSchema.$defs.defaults as Schema, '').sort())
  })
})

describe('the presets', () => {
  test.each([
    { environment: 'development', size: 'small', least: 0, most: 3, target: 50, delay: '15s', timeout: 60 },
    { environment: 'staging', size: 'small', least: 1, most: 5, target: 80, delay: '30s', timeout: 120 },
    { environment: 'production', size: 'medium', least: 2, most: 20, target: 100, delay: '60s', timeout: 300 },
    { environment: undefined, size: 'medium', least: 1, most: 10, target: 100, delay: '30s', timeout: 300 },
  ])(
    '$environment: $size, $least to $most, target $target, delay $delay, timeout $timeout s',
    ({ environment, size, least, most, target, delay, timeout }) => {
      const settled = settle(knativeClaim({ environment }))
      expect(settled.size).toBe(size)
      expect(settled.scaling).toMatchObject({ minReplicas: least, maxReplicas: most })
      expect(settled.knative).toEqual({
        autoscaling: {
          class: 'kpa',
          metric: 'concurrency',
          target,
          // Without an environment Knative scales to zero.
          minScale: environment === undefined ? 0 : least,
          maxScale: most,
          scaleDownDelay: delay,
        },
        containerConcurrency: target,
        timeoutSeconds: timeout,
        visibility: 'external',
      })
    },
  )

  test.each([
    { size: 'micro', requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
    { size: 'small', requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '1000m', memory: '2Gi' } },
    { size: 'medium', requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2000m', memory: '4Gi' } },
    { size: 'large', requests: { cpu: '1000m', memory: '2Gi' }, limits: { cpu: '4000m', memory: '8Gi' } },
  ])('size $size', ({ size, requests, limits }) => {
    expect(settle(claim({ size })).resources).toEqual({ requests, limits })
  })

  test('uses the sizes of the platform', () => {
    const large = { requests: { cpu: '2', memory: '4Gi' }, limits: { cpu: '8', memory: '16Gi' } }
    expect(settle(claim({ size: 'large' }), { sizes: { large } }).resources).toEqual(large)
    expect(settle(claim({ size: 'small' }), { sizes: { large } }).resources.requests.cpu).toBe('250m')
  })
})

describe('a default yields to a value that is set', () => {
  const development = { environments: { development: { scaling: { minReplicas: 8 } } } }
  test.each([
    { says: 'a minimum above the default maximum', scaling: { minReplicas: 30 }, bounds: [30, 30] },
    { says: 'a maximum below the default minimum', scaling: { maxReplicas: 1 }, environment: 'production', bounds: [1, 1] },
    { says: 'a minimum above the maximum of the environment', scaling: { minReplicas: 4 }, environment: 'development', bounds: [4, 4] },
    { says: 'a minimum below the maximum', scaling: { minReplicas: 2 }, environment: 'development', bounds: [2, 3] },
    { says: 'both from the claim', scaling: { minReplicas: 30, maxReplicas: 40 }, environment: 'development', bounds: [30, 40] },
    { says: 'none from the claim', scaling: {}, environment: 'production', bounds: [2, 20] },
    { says: "the platform's minimum above the built-in maximum", input: { defaults: { scaling: { minReplicas: 30 } } }, bounds: [30, 30] },
    {
      says: "the environment's maximum below the platform's minimum",
      environment: 'development',
      input: { defaults: { scaling: { minReplicas: 30 } } },
      bounds: [0, 3],
    },
    {
      says: "the environment's built-in minimum above the claim's maximum",
      environment: 'production',
      scaling: { maxReplicas: 1 },
      input: { defaults: { scaling: { minReplicas: 30 } } },
      bounds: [1, 1],
    },
    {
      says: "the platform's minimum for an environment above its built-in maximum",
      environment: 'development',
      input: development,
      bounds: [8, 8],
    },
    {
      says: "the claim's maximum below the platform's minimum for an environment",
      environment: 'development',
      input: development,
      scaling: { maxReplicas: 5 },
      bounds: [5, 5],
    },
  ])('replicas: $says', ({ scaling = {}, environment, input = {}, bounds }) => {
    const { minReplicas, maxReplicas } = settle(claim({ scaling, environment }), input as JsonObject).scaling
    expect([minReplicas, maxReplicas]).toEqual(bounds)
  })

  test.each([
    { says: 'a minimum above the default maximum', autoscaling: { minScale: 30 }, bounds: [30, 30] },
    { says: 'a maximum below the default minimum', autoscaling: { maxScale: 1 }, environment: 'production', bounds: [1, 1] },
    { says: 'no maximum', autoscaling: { maxScale: 0 }, environment: 'production', bounds: [2, 0] },
    { says: 'a minimum without a maximum', autoscaling: { minScale: 500, maxScale: 0 }, bounds: [500, 0] },
  ])('scale of Knative: $says', ({ autoscaling, environment, bounds }) => {
    const { minScale, maxScale } = settle(knativeClaim({ knative: { autoscaling }, environment })).knative.autoscaling
    expect([minScale, maxScale]).toEqual(bounds)
  })

  test.each([
    { says: 'a class sets its metric', autoscaling: { class: 'hpa' }, is: ['hpa', 'cpu'] },
    { says: 'the default class sets the default metric', autoscaling: { class: 'kpa' }, is: ['kpa', 'concurrency'] },
    { says: 'a metric sets its class', autoscaling: { metric: 'memory', target: 512 }, is: ['hpa', 'memory'] },
    { says: 'a metric of the default class', autoscaling: { metric: 'rps' }, is: ['kpa', 'rps'] },
    { says: 'both, if the claim sets both', autoscaling: { class: 'hpa', metric: 'memory', target: 512 }, is: ['hpa', 'memory'] },
    {
      says: "the claim's class over the platform's metric",
      autoscaling: { class: 'hpa' },
      platform: { metric: 'rps' },
      is: ['hpa', 'cpu'],
    },
    {
      says: "the claim's metric over the platform's class",
      autoscaling: { metric: 'rps' },
      platform: { class: 'hpa' },
      is: ['kpa', 'rps'],
    },
    {
      says: "the claim's class with the platform's metric, if they fit",
      autoscaling: { class: 'hpa' },
      platform: { metric: 'memory', target: 512 },
      is: ['hpa', 'memory'],
    },
    { says: "the platform's pair", autoscaling: {}, platform: { class: 'hpa', metric: 'cpu' }, is: ['hpa', 'cpu'] },
  ])('$says', ({ autoscaling, platform = {}, is }) => {
    const settled = settle(knativeClaim({ knative: { autoscaling } }), { defaults: { knative: { autoscaling: platform } } })
    expect([settled.knative.autoscaling.class, settled.knative.autoscaling.metric]).toEqual(is)
  })

  const memory = { metric: 'memory', target: 500 }
  test.each([
    { says: "the platform's memory target wins over the preset", platform: memory, target: 500 },
    { says: "the claim's target wins", autoscaling: { target: 600 }, platform: memory, target: 600 },
    { says: "the platform's target for the environment wins", platform: memory, staging: { target: 700 }, target: 700 },
    { says: 'another metric does not get the memory target', autoscaling: { metric: 'concurrency' }, platform: memory, target: 80 },
    {
      says: 'another metric without an environment does not get it either',
      autoscaling: { metric: 'rps' },
      platform: memory,
      environment: undefined,
      target: 100,
    },
    {
      says: 'the memory target is dropped if the class of the claim excludes memory',
      autoscaling: { class: 'kpa' },
      platform: memory,
      target: 80,
    },
    {
      says: 'a target without memory is for every metric',
      autoscaling: { metric: 'rps' },
      platform: { target: 7 },
      environment: undefined,
      target: 7,
    },
  ])('target: $says', ({ autoscaling = {}, platform, staging, target, ...rest }) => {
    const environment = 'environment' in rest ? undefined : 'staging'
    const settled = settle(knativeClaim({ knative: { autoscaling }, environment }), {
      defaults: { knative: { autoscaling: platform } },
      ...(staging && { environments: { staging: { knative: { autoscaling: staging } } } }),
    })
    expect(settled.knative.autoscaling.target).toBe(target)
  })

  const consumer = { stream: 'S', consumer: 'C' }
  test.each([
    { says: 'the claim names none', nats: {}, is: ['$SYS', '$G'] },
    { says: 'the claim names $SYS', nats: { account: '$SYS' }, is: ['$SYS', '$G'] },
    { says: 'the claim names $SYS and an ID', nats: { account: '$SYS', accountID: 'ID' }, is: ['$SYS', 'ID'] },
    { says: 'the claim names an ID only', nats: { accountID: 'ID' }, is: ['$SYS', 'ID'] },
    { says: 'the claim names its account', nats: { account: 'ORDERS' }, is: ['ORDERS', undefined] },
    { says: 'the claim names both', nats: { account: 'ORDERS', accountID: 'ID' }, is: ['ORDERS', 'ID'] },
    { says: 'the platform names both', nats: {}, platform: { account: 'P', accountID: 'PID' }, is: ['P', 'PID'] },
    {
      says: "an account without the platform's ID of another",
      nats: { account: 'ORDERS' },
      platform: { account: 'P', accountID: 'PID' },
      is: ['ORDERS', undefined],
    },
    {
      says: "$SYS without the platform's ID of another",
      nats: { account: '$SYS' },
      platform: { account: 'P', accountID: 'PID' },
      is: ['$SYS', '$G'],
    },
    { says: "the platform's account with the claim's ID", nats: { accountID: 'ID' }, platform: { account: 'P' }, is: ['P', 'ID'] },
    { says: "the platform's ID alone", nats: {}, platform: { accountID: 'PID' }, is: ['$SYS', 'PID'] },
  ])('the NATS account if $says', ({ nats, platform = {}, is }) => {
    const { account, accountID } = settle(claim({ nats: { ...consumer, ...nats } }), { defaults: { nats: platform } }).nats ?? {}
    expect([account, accountID]).toEqual(is)
  })

  test('never mixes fields of two dead letter sinks', () => {
    const delivery = (deadLetter: JsonObject) => ({ eventing: { broker: { delivery: { deadLetter } } } })
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'a' }
    const settled = settle(claim(delivery({ ref })), { defaults: delivery({ ref: { ...ref, name: 'b', namespace: 'elsewhere' } }) })
    expect(settled.eventing?.broker?.delivery).toEqual({ deadLetter: { ref } })
  })
})

describe('the messages per replica', () => {
  test.each<{ says: string; spec: JsonObject; lagThreshold: number }>([
    { says: 'are the default', spec: {}, lagThreshold: 5 },
    { says: 'stay the default if the claim only has a concurrency', spec: { processing: { concurrency: 8 } }, lagThreshold: 5 },
    { says: 'are the concurrency with a duration', spec: { processing: { maxDuration: '15m', concurrency: 8 } }, lagThreshold: 8 },
    { says: 'are one with a duration alone', spec: { processing: { maxDuration: '15m' } }, lagThreshold: 1 },
    { says: "are the claim's own", spec: { processing: { maxDuration: '15m' }, scaling: { lagThreshold: 7 } }, lagThreshold: 7 },
    {
      says: 'are what can wait so long',
      spec: { processing: { averageDuration: '2s', targetLatency: '1m' } },
      lagThreshold: 30,
    },
    {
      says: 'are what all messages in work at once can wait so long, rounded down',
      spec: { processing: { averageDuration: '700ms', targetLatency: '1s', concurrency: 3 } },
      lagThreshold: 4,
    },
    { says: 'are at least one', spec: { processing: { averageDuration: '1h', targetLatency: '1s' } }, lagThreshold: 1 },
    {
      says: 'are at most what scaling.lagThreshold may be',
      spec: { processing: { averageDuration: '1ms', targetLatency: '24h', concurrency: 12 } },
      lagThreshold: 1_000_000_000,
    },
  ])('$says', ({ spec, lagThreshold }) => expect(settle(claim(spec)).scaling.lagThreshold).toBe(lagThreshold))

  test("are never the platform's if the claim says how long a message takes", () => {
    expect(
      settle(claim({ processing: { maxDuration: '15m' } }), { defaults: { scaling: { lagThreshold: 50 } } }).scaling.lagThreshold,
    ).toBe(1)
  })
})

test('of a workload of which never two run there is one replica at most, whatever the defaults are', () => {
  const { scaling } = settle(claim({ updates: 'OneAtATime', environment: 'production' }))
  expect(scaling).toMatchObject({ minReplicas: 1, maxReplicas: 1 })
})

test('and the platform’s default still pauses it', () => {
  expect(settle(claim({ updates: 'OneAtATime' }), { defaults: { scaling: { paused: true } } }).scaling.paused).toBe(true)
})

describe('a resolved claim', () => {
  test('the minimal claim', () => {
    expect(settle(claim())).toEqual({
      layers: expect.anything(),
      platform: expect.anything(),
      name: 'orders-worker',
      namespace: 'shop',
      labels: {},
      runtime: 'Deployment',
      image: 'ghcr.io/acme/orders-worker:1.4.2',
      size: 'medium',
      resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2000m', memory: '4Gi' } },
      nats: {
        url: 'nats://nats.nats.svc:4222',
        stream: 'ORDERS',
        consumer: 'orders-workers',
        account: '$SYS',
        accountID: '$G',
        monitoringEndpoint: 'nats-headless.nats.svc.cluster.local:8222',
        useHttps: false,
      },
      scaling: { minReplicas: 1, maxReplicas: 10, lagThreshold: 5, activationLagThreshold: 0, paused: false },
      variables: [],
      bulkSources: [],
      files: [],
      rootFilesystem: 'Writable',
      imagePullSecrets: [],
      port: 8080,
      probes: {
        liveness: { handler: { path: '/health' }, initialDelay: 10, period: 10, timeout: 5, failures: 3 },
        readiness: { handler: { path: '/ready' }, initialDelay: 5, period: 5, timeout: 3, failures: 2 },
      },
      updates: 'Rolling',
      sessionAffinity: 'None',
      knative: expect.anything(),
    })
  })

  test('lists variables of env, then single keys of ConfigMaps, then those of secrets, in order', () => {
    const { variables, bulkSources } = settle(
      claim({
        env: [
          { name: 'B', value: '' },
          { name: 'A', value: '1' },
        ],
        configRefs: [{ name: 'c1', env: [{ key: 'k', name: 'E' }], envFrom: true, optional: true }],
        secretRefs: [
          { name: 's2', env: [{ key: 'k', name: 'D' }], envFrom: true, prefix: 'P_' },
          { name: 's1', env: [{ secretKey: 'k', envName: 'C' }] },
          { name: 's3', envFrom: true },
        ],
        secret2Name: 'old2',
        secret1Name: 'old1',
        secret5Name: 'old5',
      }),
    )
    expect(variables).toEqual([
      { name: 'B', value: '' },
      { name: 'A', value: '1' },
      { name: 'E', from: { kind: 'ConfigMap', name: 'c1', optional: true }, key: 'k' },
      { name: 'D', from: { kind: 'Secret', name: 's2', optional: false }, key: 'k' },
      { name: 'C', from: { kind: 'Secret', name: 's1', optional: false }, key: 'k' },
    ])
    const secret = { kind: 'Secret', optional: false }
    expect(bulkSources).toEqual([
      { kind: 'ConfigMap', name: 'c1', optional: true },
      { ...secret, name: 's2', prefix: 'P_' },
      { ...secret, name: 's3' },
      { ...secret, name: 'old1' },
      { ...secret, name: 'old2' },
      { ...secret, name: 'old5' },
    ])
  })

  test.each([
    { says: 'no port', httpPort: undefined, port: 8080 },
    { says: 'a port', httpPort: 3000, port: 3000 },
    { says: 'the port that is the default', httpPort: 8080, port: 8080 },
  ])('$says: the container listens on $port', ({ httpPort, port }) => {
    const settled = settle(claim({ httpPort }))
    expect([settled.port, settled.httpPort]).toEqual([port, httpPort])
  })

  test('has NATS settings with runtime Knative only if the claim has', () => {
    expect(settle(knativeClaim()).nats).toBeUndefined()
    expect(settle(knativeClaim({ nats: { stream: 'S', consumer: 'C' } })).nats).toMatchObject({
      stream: 'S',
      url: 'nats://nats.nats.svc:4222',
    })
  })

  test.each([
    { says: 'a broker', eventing: { broker: {} }, broker: { name: 'orders-worker', create: true, class: 'MTChannelBasedBroker' } },
    { says: 'a named broker', eventing: { broker: { name: 'b', create: false } }, broker: { name: 'b', create: false } },
    { says: 'triggers', eventing: { triggers: [{ name: 't' }] }, broker: { name: 'orders-worker', create: true } },
    { says: 'no triggers', eventing: { triggers: [] }, broker: undefined },
    {
      says: 'Kafka into the broker',
      eventing: { kafka: { bootstrapServers: ['k:1'], topics: ['t'], sink: 'broker' } },
      broker: { name: 'orders-worker' },
    },
    { says: 'Kafka into the workload', eventing: { kafka: { bootstrapServers: ['k:1'], topics: ['t'] } }, broker: undefined },
    { says: 'nothing', eventing: {}, broker: undefined },
  ])('eventing with $says has the broker $broker', ({ eventing, broker }) => {
    const settled = settle(claim({ eventing: eventing as JsonObject })).eventing?.broker
    if (broker === undefined) expect(settled).toBeUndefined()
    else expect(settled).toMatchObject(broker)
  })

  test('uses <namespace>-<name> as Kafka consumer group by default', () => {
    const kafka = { bootstrapServers: ['k:1'], topics: ['t'] }
    expect(settle(claim({ eventing: { kafka } })).eventing?.kafka?.consumerGroup).toBe('shop-orders-worker')
    expect(settle(claim({ eventing: { kafka: { ...kafka, consumerGroup: 'mine' } } })).eventing?.kafka?.consumerGroup).toBe('mine')
  })
})

test('a maximum does not lower the count of a Deployment without NATS', () => {
  const http = { nats: undefined, httpPort: 80, environment: 'production' }
  expect(settle(claim({ ...http, scaling: { maxReplicas: 1 } })).scaling.minReplicas).toBe(2)
  expect(settle(claim({ ...http, updates: 'OneAtATime' })).scaling.minReplicas).toBe(1)
})

test("a platform's read-only root gives way where Knative can't have a writable /tmp", () => {
  const fields = { defaults: { rootFilesystem: 'ReadOnly' }, features: { knativeEmptyDir: false } }
  expect(settle(knativeClaim(), fields).rootFilesystem).toBe('Writable')
  expect(settle(claim(), fields).rootFilesystem).toBe('ReadOnly')
})
