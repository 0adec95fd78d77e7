import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { formatPath, type Path, sentence } from '../../src/claim/findings.ts'
import { child, type Schema } from '../../src/claim/schema.ts'
import { normalizer } from '../../src/claim/structure.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { buildDocument, fullBuild, git, withBuild } from '../fixtures/build.ts'
import { claim, put } from '../fixtures/claims.ts'
import { fullMesh, withMesh } from '../fixtures/mesh.ts'
import { fullObservability, withObservability } from '../fixtures/observability.ts'

interface Definition {
  readonly spec: {
    readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: { readonly properties: { readonly spec: Schema } } } }]
  }
}
const definition = parse(readFileSync(new URL('../../apis/definition.yaml', import.meta.url), 'utf8'), { merge: true }) as Definition
/** The hand-written schema: the published one must be as strict. */
const written = definition.spec.versions[0].schema.openAPIV3Schema.properties.spec

const ref = { apiVersion: 'v1', kind: 'Service', name: 'dead-letters', namespace: 'shop' }
const delivery = { retry: 5, backoffPolicy: 'exponential', backoffDelay: 'PT2S', timeout: 'PT30S', deadLetter: { ref } }

/** Offers what a claim can only name if the platform has it. */
const platform: Platform = {
  ...withBuild({}, withObservability({}, withMesh())),
  features: { ...builtInPlatform.features, identity: 'GCP' },
  natsServers: { main: { url: 'nats://n:4222', monitoringEndpoint: 'n:8222' } },
  priorities: { low: 'low', medium: 'medium', high: 'high' },
}

/** One entry of every list and one value of every field that runtime Deployment allows, but for those that exclude one of these. */
const full = claim({
  size: 'small',
  environment: 'production',
  runtime: 'Deployment',
  nats: {
    url: 'nats://nats.nats.svc:4222',
    stream: 'ORDERS',
    consumer: 'orders-workers',
    account: 'ORDERS',
    accountID: 'AB',
    monitoringEndpoint: 'nats-headless.nats.svc:8222',
    credentials: { secret: 'orders-nats', key: 'orders.creds' },
    tls: { secret: 'nats-ca' },
  },
  command: ['node'],
  args: ['--lane'],
  processing: { maxDuration: '15m', concurrency: 2 },
  scaling: {
    minReplicas: 1,
    maxReplicas: 10,
    lagThreshold: 5,
    activationLagThreshold: 0,
    pollingInterval: 30,
    cooldownPeriod: 300,
    paused: false,
  },
  env: [{ name: 'LOG_LEVEL', value: 'info' }],
  secretRefs: [
    { name: 'orders-db', env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }], envFrom: true, prefix: 'DB_', optional: true },
  ],
  configRefs: [{ name: 'orders-config', env: [{ key: 'log-level', name: 'LEVEL' }], envFrom: true, prefix: 'ORDERS_', optional: true }],
  files: [{ mountPath: '/etc/tls', secret: 'orders-tls', key: 'tls.crt' }],
  rootFilesystem: 'ReadOnly',
  identity: 'orders@acme.iam.gserviceaccount.com',
  priority: 'high',
  updates: 'Rolling',
  secret1Name: 'one',
  secret2Name: 'two',
  secret3Name: 'three',
  secret4Name: 'four',
  secret5Name: 'five',
  imagePullSecrets: [{ name: 'registry' }],
  initContainer: { command: ['node'], args: ['--to'] },
  httpPort: 3000,
  healthPath: '/health',
  readyPath: '/ready',
  sessionAffinity: 'None',
  eventing: {
    broker: { name: 'orders', create: true, class: 'Kafka', delivery },
    triggers: [
      {
        name: 'created',
        filter: { type: 'order.created' },
        filters: [
          { exact: { type: 'a' } },
          { prefix: { type: 'a' } },
          { suffix: { type: 'a' } },
          { cesql: 'TRUE' },
          { all: [{ exact: { type: 'a' } }] },
          { any: [{ exact: { type: 'a' } }] },
          { not: { exact: { type: 'a' } } },
        ],
        path: '/events',
        delivery: { ...delivery, deadLetter: { uri: 'https://dead-letters.example.com/orders' } },
      },
    ],
    kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'], consumerGroup: 'orders', sink: 'workload', delivery },
  },
})

/** One value of every field for runtime Knative. */
const deploymentOnly: readonly string[] = ['initContainer', 'processing', 'priority', 'updates']
const serving = claim({
  ...Object.fromEntries(Object.entries(full.spec).filter(([field]) => !deploymentOnly.includes(field))),
  runtime: 'Knative',
  knative: {
    autoscaling: {
      class: 'kpa',
      metric: 'concurrency',
      target: 100,
      minScale: 0,
      maxScale: 1000,
      scaleDownDelay: '30s',
      window: '60s',
      initialScale: 1,
      activationScale: 2,
      targetUtilization: 70,
      panicWindow: 10,
      panicThreshold: 200,
    },
    containerConcurrency: 100,
    timeoutSeconds: 300,
    visibility: 'external',
    traffic: [
      { revisionName: 'orders-00002', percent: 90, tag: 'stable' },
      { latestRevision: true, percent: 10, tag: 'canary' },
    ],
  },
})

const probing = (handler: JsonObject) => {
  const probe = { ...handler, period: '30s', failures: 3 }
  return claim({ probes: { liveness: probe, readiness: probe, startup: { ...handler, within: '5m' } } })
}
/** The fields that exclude one of the full claim or each other. */
const others: readonly JsonObject[] = [
  claim({
    nats: { stream: 'ORDERS', consumer: 'orders-workers', server: 'main' },
    processing: { averageDuration: '2s', targetLatency: '1m' },
    secretRefs: [{ name: 'orders-db', env: [{ key: 'password', name: 'DB_PASSWORD' }] }],
    files: [{ mountPath: '/etc/orders', configMap: 'rules' }],
  }),
  claim({ files: [{ mountPath: '/work', scratch: '2Gi', memory: true }] }),
  ...[{ path: '/health' }, { exec: ['/app/alive'] }, { tcp: 6379 }].map(probing),
  claim({ probes: { liveness: { none: true }, readiness: { none: true } } }),
  claim({ mesh: fullMesh }),
  claim({
    mesh: {
      retries: { enabled: false },
      circuitBreaker: { enabled: false },
      callers: [{ serviceAccount: 'batch' }],
      external: [{ host: 'a.example.com', circuitBreaker: { enabled: false } }],
    },
  }),
  claim({ observability: fullObservability }),
  claim({ observability: { metrics: { enabled: false }, alerts: { enabled: false } } }),
  buildDocument(fullBuild),
  buildDocument({ git, language: 'nodejs', params: [{ name: 'a', value: 'b' }] }),
]

const steps = (path: string): Path =>
  path.split('.').flatMap(step => step.split('[').map(part => (part.endsWith(']') ? Number.parseInt(part, 10) : part)))
/** The first claim that has the field, or else its parent. */
const baseOf = (path: string): Json =>
  [full, serving, ...others].find(base => at(base, ...steps(path)) !== undefined) ??
  (path.includes('.') ? baseOf(path.slice(0, path.lastIndexOf('.'))) : full)

const judge = (document: Json) => validateClaim(document, platform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)
const judgeWith = (path: string, value: Json | undefined) => judge(put(baseOf(path), steps(path), value))

test.each([
  { says: 'the full Deployment claim', document: full },
  { says: 'the full Knative claim', document: serving },
  { says: 'the minimal claim', document: claim() },
  ...others.map((document, index) => ({ says: `claim ${index + 1} of those with other fields`, document })),
])('$says is valid', ({ document }) => expect(judge(document)).toEqual([]))

interface Row {
  readonly field: string
  readonly takes: readonly Json[]
  /** What is said of it, behind the path and before what was found; then what to refuse so. */
  readonly refuses: Readonly<Record<string, readonly Json[]>>
}

const x = (length: number) => 'x'.repeat(length)
const many = <T>(length: number, item: (index: number) => T): T[] => Array.from({ length }, (_, index) => item(index))
const whole = (field: string, least: number, most: number): Row => ({
  field,
  takes: [least, most],
  refuses: {
    [`must be from ${least} to ${most} [OUT_OF_RANGE]`]: [least - 1, most + 1],
    'must be a whole number [WRONG_TYPE]': [least + 0.5, `${least}`],
  },
})
const decimal = (field: string, least: number, most: number): Row => ({
  field,
  takes: [least, least + 0.5, most],
  refuses: {
    [`must be from ${least} to ${most} [OUT_OF_RANGE]`]: [least - 0.001, most + 0.001],
    'must be a number [WRONG_TYPE]': [`${least}`],
  },
})
const oneOf = (field: string, ...values: string[]): Row => ({
  field,
  takes: values,
  refuses: {
    [`must be one of [${values.join(', ')}] [NOT_ALLOWED]`]: ['other', '', values[0]?.toUpperCase() ?? ''].filter(
      value => !values.includes(value),
    ),
  },
})
const truth = (field: string, ...takes: boolean[]): Row => ({
  field,
  takes,
  refuses: { 'must be true or false [WRONG_TYPE]': ['true', 'yes', 0] },
})
const length = (field: string, least: number, most: number): Row => ({
  field,
  takes: [x(least), x(most)],
  refuses: { [`must have from ${least} to ${most} characters [OUT_OF_RANGE]`]: [x(least - 1), x(most + 1)] },
})
const objectName = (field: string, title: string, example?: string): Row => ({
  field,
  takes: ['a', '0', 'orders-db', 'orders--db', 'orders.db-1.x', x(253)],
  refuses: {
    [`must be a valid name of a ${title}${example === undefined ? '' : ` such as '${example}'`} [BAD_FORMAT]`]: [
      'Orders',
      'a_b',
      '-a',
      'a-',
      'a.',
      '.a',
      'a..b',
      'a b',
      'a/b',
      'ä',
    ],
    'must have from 1 to 253 characters [OUT_OF_RANGE]': ['', x(254)],
  },
})
const key = (field: string, title: string, example: string): Row => ({
  field,
  takes: ['password', 'tls.crt', '_-.', '0', x(253)],
  refuses: {
    [`must be a valid ${title} such as '${example}' [BAD_FORMAT]`]: ['a b', 'a/b', 'ä', 'a\n'],
    'must have from 1 to 253 characters [OUT_OF_RANGE]': ['', x(254)],
  },
})
const argumentOf = (field: string): Row => ({
  field,
  takes: ['', 'a b', x(4096)],
  refuses: { 'must have at most 4096 characters [OUT_OF_RANGE]': [x(4097)], 'must be a string [WRONG_TYPE]': [1] },
})
const prefix = (field: string, example: string): Row => ({
  field,
  takes: ['DB_', '_', 'a.b-', x(253)],
  refuses: {
    [`must be a valid prefix of environment variable names such as '${example}' [BAD_FORMAT]`]: ['1_', 'DB ', 'DB='],
    'must have from 1 to 253 characters [OUT_OF_RANGE]': ['', x(254)],
  },
})
const argument = (field: string): Row => ({
  field,
  takes: ['', 'a b', x(131_072)],
  refuses: { 'must have at most 131072 characters [OUT_OF_RANGE]': [x(131_073)], 'must be a string [WRONG_TYPE]': [1] },
})
const variableName = (field: string): Row => ({
  field,
  takes: ['A', '_', 'a.b-c', '-A', '.', x(253)],
  refuses: {
    "must be a valid environment variable name such as 'LOG_LEVEL' [BAD_FORMAT]": ['1A', 'A B', 'A=B', 'Ä', 'A\n'],
    'must have from 1 to 253 characters [OUT_OF_RANGE]': ['', x(254)],
  },
})
const path = (field: string, example: string): Row => ({
  field,
  takes: ['/', '/a/b?c=d&e', `/${x(1023)}`],
  refuses: {
    [`must be a valid absolute path such as '${example}' [BAD_FORMAT]`]: ['', 'health', '/a b', '/ä', 'http://a/b'],
    'must have at most 1024 characters [OUT_OF_RANGE]': [`/${x(1024)}`],
  },
})
const hostPort = (field: string, example = ''): Row => ({
  field,
  takes: ['a:1', 'nats-headless.nats.svc.cluster.local:8222', '10.0.0.7:8222', '[::1]:8222', `${x(506)}:65535`],
  refuses: {
    [`must be a valid host and port${example} [BAD_FORMAT]`]: [
      'a',
      'http://a:1',
      ':1',
      'a:',
      'a:b',
      'a:123456',
      'a b:1',
      'a:1/x',
      '::1:8222',
    ],
    'must have at most 512 characters [OUT_OF_RANGE]': [`${x(508)}:65535`],
  },
})
const duration = (field: string): Row => ({
  field,
  takes: ['PT2S', 'PT0.5S', 'PT1M', 'PT1H30M', 'P3D', 'PT999H99999M', 'PT1H30M15S'],
  refuses: {
    'must be a valid ISO 8601 duration [BAD_FORMAT]': [
      '2s ',
      'PT2',
      'pt2s',
      'P1Y',
      'P1DT1H',
      'PT-1S',
      'PT1S1M',
      'PT123456S',
      'PT1000H',
      'P1000D',
      'PT0.25S',
    ],
    'must have from 3 to 32 characters [OUT_OF_RANGE]': ['PT', '', x(33)],
  },
})
const wholeSeconds = (field: string, example: string): Row => ({
  field,
  takes: ['30s', '1m', '1h', '0h1m30s', '3600s'],
  refuses: {
    [`must be a valid duration in whole seconds such as '${example}' [BAD_FORMAT]`]: [
      '30',
      '1.5s',
      '30 s',
      '1m1h',
      '-30s',
      '500ms',
      'PT30S',
      '123456s',
    ],
    'must have from 2 to 12 characters [OUT_OF_RANGE]': ['', 's', '0000h0000m000s'],
  },
})
const milliseconds = (field: string, example: string): Row => ({
  field,
  takes: ['1ms', '500ms', '999999ms', '30s', '1m', '24h', '1h0m30s1ms'],
  refuses: {
    [`must be a valid duration such as '${example}' [BAD_FORMAT]`]: ['30', '1.5s', '30 s', '1ms1s', '-30s', '10us', 'PT30S', '1234567ms'],
    'must have from 2 to 16 characters [OUT_OF_RANGE]': ['', 's', '0001h0001m00001s1'],
  },
})
const dnsLabel = (field: string, example: string, most: number, title = 'DNS label'): Row => ({
  field,
  takes: ['a', '0', 'order-created', 'a--b', x(most)],
  refuses: {
    [`must be a valid ${title} such as '${example}' [BAD_FORMAT]`]: ['A', 'a_b', 'a.b', '-a', 'a-', 'a b'],
    'must have from 1 to 63 characters [OUT_OF_RANGE]': ['', x(64)],
  },
})
const printable = (field: string, title: string, example: string): Row => ({
  field,
  takes: ['$SYS', 'a', '!~', x(255)],
  refuses: {
    [`must be a valid ${title}${example} [BAD_FORMAT]`]: ['a b', 'ä', 'a\n', 'a\u0000'],
    'must have from 1 to 255 characters [OUT_OF_RANGE]': ['', x(256)],
  },
})
const deliveries = (field: string, withExample: boolean): Row[] => [
  whole(`${field}.retry`, 0, 1000),
  oneOf(`${field}.backoffPolicy`, 'linear', 'exponential'),
  { ...duration(`${field}.backoffDelay`), refuses: withExamples(duration(field).refuses, 'PT2S') },
  { ...duration(`${field}.timeout`), refuses: withExamples(duration(field).refuses, 'PT30S') },
  ...(withExample
    ? [
        length(`${field}.deadLetter.ref.apiVersion`, 1, 253),
        length(`${field}.deadLetter.ref.kind`, 1, 63),
        length(`${field}.deadLetter.ref.name`, 1, 253),
        length(`${field}.deadLetter.ref.namespace`, 1, 63),
      ]
    : []),
]
const withExamples = (refuses: Row['refuses'], example: string): Row['refuses'] =>
  Object.fromEntries(
    Object.entries(refuses).map(([said, values]) => [said.replace('duration [', `duration such as '${example}' [`), values]),
  )
const attributes = (field: string): Row => ({
  field,
  takes: [{ type: 'a' }, Object.fromEntries(many(20, i => [`a${i}`, '']))],
  refuses: { 'must have from 1 to 20 fields [OUT_OF_RANGE]': [{}, Object.fromEntries(many(21, i => [`a${i}`, '']))] },
})
const filters = (field: string): Row => ({
  field,
  takes: [[{}], many(20, () => ({ exact: { a: 'b' } }))],
  refuses: { 'must have from 1 to 20 items [OUT_OF_RANGE]': [[], many(21, () => ({}))] },
})
const list = (field: string, least: number | undefined, most: number, item: (index: number) => Json): Row => ({
  field,
  takes: [many(least ?? 0, item), many(most, item)],
  refuses: {
    [`must have ${least === undefined ? `at most ${most}` : `from ${least} to ${most}`} items [OUT_OF_RANGE]`]: [
      ...(least === undefined ? [] : [many(least - 1, item)]),
      many(most + 1, item),
    ],
    'must be a list [WRONG_TYPE]': [{}, 'a'],
  },
})

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

const shortSeconds = (field: string, example: string, takes: readonly string[]): Row => ({
  ...wholeSeconds(field, example),
  takes,
})
const text = (field: string, title: string, least: number, most: number, takes: readonly string[], refuses: readonly string[]): Row => ({
  field,
  takes,
  refuses: {
    [`must be a valid ${title} [BAD_FORMAT]`]: refuses,
    [`must have from ${least} to ${most} characters [OUT_OF_RANGE]`]: [x(least - 1), x(most + 1)],
  },
})
const breaker = (field: string): Row[] => [
  truth(`${field}.enabled`, false, true),
  ...['maxConnections', 'maxPending', 'maxRequests', 'errors'].map(name => whole(`${field}.${name}`, 1, 1_000_000_000)),
  shortSeconds(`${field}.interval`, '30s', ['1s', '1h']),
  shortSeconds(`${field}.ejection`, '30s', ['1s', '1h']),
  whole(`${field}.maxEjectionPercent`, 1, 100),
]
const methods = (field: string): Row[] => [
  list(field, 1, 9, () => 'GET'),
  oneOf(`${field}[0]`, 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'),
]
const policyPath = (field: string): Row =>
  text(field, 'path with an optional * at the end', 1, 1024, ['/', '/v1/*', `/${x(1023)}`], ['v1', '/*/a', '/a b', '/ä', '*'])
const hostOf = (field: string, title: string, takes: readonly string[], refuses: readonly string[]): Row =>
  text(field, title, 3, 240, takes, refuses)
const conditions =
  '5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream cancelled deadline-exceeded internal resource-exhausted unavailable 409 429 500 502 503 504'
const header = (field: string, example = ''): Row =>
  text(field, `header name${example}`, 1, 256, ['x-beta', 'X_1', x(256)], ['a b', 'a:', 'ä'])

const meshRows: readonly Row[] = [
  oneOf('spec.mesh.mtls', 'STRICT', 'PERMISSIVE'),
  list('spec.mesh.hosts', undefined, 20, index => `h${index}.example.com`),
  hostOf(
    'spec.mesh.hosts[0]',
    'host name',
    ['a.b', 'orders-1.example.com'],
    ['orders', 'Orders.example.com', '*.example.com', 'a..b', '-a.b'],
  ),
  objectName('spec.mesh.tlsSecret', 'secret', 'orders-tls'),
  shortSeconds('spec.mesh.timeout', '30s', ['10s', '5m', '300s']),
  truth('spec.mesh.retries.enabled', false, true),
  whole('spec.mesh.retries.attempts', 1, 10),
  shortSeconds('spec.mesh.retries.perTryTimeout', '10s', ['1s', '30s']),
  list('spec.mesh.retries.retryOn', 1, 20, () => '5xx'),
  oneOf('spec.mesh.retries.retryOn[0]', ...conditions.split(' ')),
  list('spec.mesh.cors.origins', 1, 50, () => 'https://a'),
  text(
    'spec.mesh.cors.origins[0]',
    'origin',
    1,
    253,
    ['https://a.example.com', 'http://localhost:3000'],
    ['a.example.com', 'https://a/b', '**'],
  ),
  ...methods('spec.mesh.cors.methods'),
  list('spec.mesh.cors.headers', undefined, 64, () => 'a'),
  header('spec.mesh.cors.headers[0]'),
  truth('spec.mesh.cors.credentials', true, false),
  shortSeconds('spec.mesh.cors.maxAge', '24h', ['1s', '24h']),
  {
    field: 'spec.mesh.canary.image',
    takes: ['nginx', `worker@${digest}`],
    refuses: {
      "must be a valid container image such as 'ghcr.io/acme/orders:1.5.0' [BAD_FORMAT]": ['Nginx', 'my image'],
      'must have from 2 to 512 characters [OUT_OF_RANGE]': ['a', x(513)],
    },
  },
  whole('spec.mesh.canary.weight', 0, 100),
  list('spec.mesh.canary.match', 1, 10, () => ({ header: 'a', value: 'b' })),
  header('spec.mesh.canary.match[0].header', " such as 'x-beta'"),
  text('spec.mesh.canary.match[0].value', "value such as 'true'", 1, 1024, ['true', 'a b', x(1024)], [' a', 'a ', 'ä']),
  whole('spec.mesh.canary.replicas', 1, 1000),
  ...breaker('spec.mesh.circuitBreaker'),
  list('spec.mesh.callers', undefined, 50, () => ({ name: 'web' })),
  dnsLabel('spec.mesh.callers[0].name', 'web', 63),
  { ...objectName('spec.mesh.callers[0].serviceAccount', 'service account', 'batch') },
  dnsLabel('spec.mesh.callers[0].namespace', 'shop', 63),
  ...methods('spec.mesh.callers[0].methods'),
  list('spec.mesh.callers[0].paths', 1, 50, () => '/'),
  policyPath('spec.mesh.callers[0].paths[0]'),
  text('spec.mesh.jwt.issuer', "issuer such as 'https://id.example.com'", 1, 2048, ['a@b', 'https://id'], ['a b', 'ä']),
  text(
    'spec.mesh.jwt.jwksUri',
    "https URL such as 'https://id.example.com/.well-known/jwks.json'",
    9,
    2048,
    ['https://a', 'https://a:443/b?c'],
    ['http://id.example.com', 'https:///a-b', 'https://a/ b'],
  ),
  list('spec.mesh.jwt.audiences', undefined, 20, () => 'a'),
  length('spec.mesh.jwt.audiences[0]', 1, 1024),
  truth('spec.mesh.jwt.required', true, false),
  list('spec.mesh.jwt.publicPaths', undefined, 50, () => '/'),
  policyPath('spec.mesh.jwt.publicPaths[0]'),
  list('spec.mesh.external', undefined, 50, index => ({ host: `h${index}.example.com` })),
  hostOf(
    'spec.mesh.external[0].host',
    "host name, with an optional * as its first label such as 'api.payments.example.com'",
    ['a.b', '*.example.com'],
    ['payments', 'a.*.example.com', 'A.b', '*a.b'],
  ),
  whole('spec.mesh.external[0].port', 1, 65_535),
  oneOf('spec.mesh.external[0].tls', 'passthrough', 'originate', 'none'),
  ...breaker('spec.mesh.external[0].circuitBreaker'),
  oneOf('spec.mesh.egress', 'REGISTRY_ONLY', 'ALLOW_ANY'),
  decimal('spec.mesh.tracing.sampling', 0, 100),
  truth('spec.mesh.accessLogs', true, false),
  whole('spec.mesh.rateLimit.requests', 1, 1_000_000),
  shortSeconds('spec.mesh.rateLimit.per', '1s', ['1s', '1h']),
]

const observabilityRows: readonly Row[] = [
  truth('spec.observability.metrics.enabled', false, true),
  path('spec.observability.metrics.path', '/metrics'),
  whole('spec.observability.metrics.port', 1, 65_535),
  truth('spec.observability.alerts.enabled', false, true),
  shortSeconds('spec.observability.alerts.lag', '5m', ['2m', '90m', '24h']),
  {
    ...decimal('spec.observability.slo.objective', 95, 99.99),
    takes: [95, 99.5, 99.99],
    refuses: {
      'must be from 95 to 99.99 [OUT_OF_RANGE]': [94.9, 99.991, 100],
      'must be a number [WRONG_TYPE]': ['99'],
    },
  },
  oneOf('spec.observability.tracing', 'nodejs', 'java', 'python', 'dotnet'),
  truth('spec.observability.dashboard', true, false),
]

const buildRows: readonly Row[] = [
  {
    ...text(
      'spec.build.git.url',
      "URL of a Git repository such as 'https://github.com/acme/orders-worker'",
      5,
      1024,
      ['https://h/p', 'https://h:8443/a/b.git', 'ssh://git@h:22/a/b'],
      ['https://user:password@h/p', 'https://h', 'git://h/p', 'file:///a/b', '/srv/git/a', 'https://h/a b', 'https://h/p?x=1', 'ssh://h/p'],
    ),
  },
  text(
    'spec.build.git.revision',
    "Git revision such as 'v1.4.2'",
    1,
    200,
    ['main', 'feature/orders', 'release-1.4', x(200)],
    ['-v1', 'v1 2', 'v1~2', 'v1^', 'a:b', 'ä1'],
  ),
  truth('spec.build.git.follow', true),
  text('spec.build.git.contextDir', "directory such as 'services/orders'", 1, 512, ['a', 'a/b.c/d_e', x(512)], ['/a', 'a/', 'a//b', 'a b']),
  objectName('spec.build.git.cloneSecret', 'secret', 'orders-git'),
  objectName('spec.build.strategy', 'ClusterBuildStrategy', 'buildpacks-v3'),
  oneOf('spec.build.language', 'nodejs', 'go', 'python'),
  list('spec.build.params', undefined, 50, index => ({ name: `p${index}`, value: '' })),
  text(
    'spec.build.params[0].name',
    "name of a parameter such as 'dockerfile'",
    1,
    253,
    ['a', '_a', 'build-args', 'a.b'],
    ['1a', '-a', 'a b'],
  ),
  argumentOf('spec.build.params[0].value'),
  list('spec.build.params[0].values', undefined, 100, () => 'a'),
  argumentOf('spec.build.params[0].values[0]'),
  text(
    'spec.build.output.image',
    "container image without tag and digest such as 'ghcr.io/acme/orders-worker'",
    2,
    400,
    ['nginx', 'acme/orders', 'localhost:5000/worker', 'ghcr.io/acme/orders'],
    ['ghcr.io/acme/orders:1', `a/b@${digest}`, 'A/b', 'https://a/b'],
  ),
  objectName('spec.build.output.pushSecret', 'secret', 'orders-registry'),
  {
    field: 'spec.build.output.platforms',
    takes: [['amd64', 'arm64', 'ppc64le', 's390x'].map(arch => ({ os: 'linux', arch }))],
    refuses: { 'must have at least 1 item [OUT_OF_RANGE]': [[]], 'must be a list [WRONG_TYPE]': [{}, 'a'] },
  },
  { ...oneOf('spec.build.output.platforms[0].os', 'linux') },
  oneOf('spec.build.output.platforms[0].arch', 'amd64', 'arm64', 'ppc64le', 's390x'),
  shortSeconds('spec.build.timeout', '15m', ['1m', '90m', '24h']),
  text('spec.build.attempt', "attempt such as '2'", 1, 63, ['1', 'again', 'a.b-c_d', x(63)], ['-a', 'a-', 'a b', 'ä']),
]

const trigger = 'spec.eventing.triggers[0]'
const scaler = 'spec.knative.autoscaling'

const rows: readonly Row[] = [
  {
    field: 'spec.image',
    takes: [
      'nginx',
      'a/b',
      'acme/orders-worker',
      'ghcr.io/acme/orders-worker:1.4.2',
      'ghcr.io/acme/orders-worker:latest',
      'localhost/worker',
      'localhost:5000/worker',
      'registry:5000/a/b/c:v1',
      'Registry.Example.com/worker',
      '10.0.0.7:5000/worker:V_1.0-x',
      `ghcr.io/acme/worker@${digest}`,
      `ghcr.io/acme/worker:1.4.2@${digest}`,
      `worker:${x(128)}`,
      'a__b/c.d/e-f--g',
    ],
    refuses: {
      "must be a valid container image such as 'ghcr.io/acme/orders-worker:1.4.2' [BAD_FORMAT]": [
        'Nginx',
        'my image',
        'ghcr.io/Acme/worker',
        'https://ghcr.io/acme/worker',
        'worker:',
        'worker:-1',
        `worker:${x(129)}`,
        'worker@sha256:123',
        'worker@',
        '/worker',
        'worker/',
        'a//b',
        'a___b/c',
        'ghcr.io:port/worker',
        'ghcr.io/acme/worker:1.4.2 ',
        'wörker',
        'a/b\n',
      ],
      'must have from 2 to 512 characters [OUT_OF_RANGE]': ['', 'a', `a/${x(511)}`],
    },
  },
  oneOf('spec.size', 'micro', 'small', 'medium', 'large'),
  oneOf('spec.environment', 'development', 'staging', 'production'),
  { ...oneOf('spec.runtime', 'Deployment', 'Knative'), takes: ['Deployment'] },
  {
    field: 'spec.nats.url',
    takes: [
      'nats://nats.nats.svc:4222',
      'tls://n:1',
      'ws://n:80/path?x=1',
      'wss://n:443/',
      'nats://[::1]:4222',
      'nats://a:1,nats://b:2,tls://c:3',
    ],
    refuses: {
      "must be a valid NATS URL such as 'nats://nats.nats.svc:4222' [BAD_FORMAT]": [
        '',
        'nats.nats.svc:4222',
        'nats://nats.nats.svc',
        'http://n:4222',
        'nats://user:password@n:4222',
        'nats://n:4222 ',
        'nats://a:1, nats://b:2',
        'nats://a:1,b:2',
        'nats://a:1,',
        'nats://n:port',
        'nats://n:4222?x',
      ],
      'must have at most 2048 characters [OUT_OF_RANGE]': [`nats://${x(2040)}:4222`],
    },
  },
  ...['stream', 'consumer'].map(
    (name): Row => ({
      field: `spec.nats.${name}`,
      takes: ['A', 'ORDERS-2_x', '$x:y', 'ä世🙂', '🙂'.repeat(255)],
      refuses: {
        [`must be a valid JetStream ${name} name such as '${name === 'stream' ? 'ORDERS' : 'orders-workers'}' [BAD_FORMAT]`]: [
          'a b',
          'a.b',
          'a*',
          '>',
          'a/b',
          'a\\b',
          'a\tb',
          'a\n',
          '\u0000',
          '\u007f',
        ],
        'must have from 1 to 255 characters [OUT_OF_RANGE]': ['', x(256)],
      },
    }),
  ),
  printable('spec.nats.account', 'NATS account name', " such as 'ORDERS'"),
  printable('spec.nats.accountID', 'NATS account ID', ''),
  hostPort('spec.nats.monitoringEndpoint', " such as 'nats-headless.nats.svc.cluster.local:8222'"),
  { ...dnsLabel('spec.nats.server', 'main', 63, 'NATS server'), takes: ['main'] },
  objectName('spec.nats.credentials.secret', 'secret', 'orders-nats'),
  key('spec.nats.credentials.key', 'key', 'user.creds'),
  objectName('spec.nats.tls.secret', 'secret', 'nats-ca'),
  list('spec.command', 1, 100, () => 'a'),
  list('spec.args', undefined, 1000, () => ''),
  ...['command', 'args'].map(name => argument(`spec.${name}[0]`)),
  wholeSeconds('spec.processing.maxDuration', '15m'),
  whole('spec.processing.concurrency', 1, 10_000),
  milliseconds('spec.processing.averageDuration', '2s'),
  milliseconds('spec.processing.targetLatency', '1m'),
  { ...whole('spec.scaling.minReplicas', 0, 1000), takes: [0, 10] },
  { ...whole('spec.scaling.maxReplicas', 1, 1000), takes: [1, 1000] },
  whole('spec.scaling.lagThreshold', 1, 1_000_000_000),
  whole('spec.scaling.activationLagThreshold', 0, 1_000_000_000),
  whole('spec.scaling.pollingInterval', 1, 86_400),
  whole('spec.scaling.cooldownPeriod', 0, 86_400),
  truth('spec.scaling.paused', true, false),
  list('spec.env', undefined, 1000, index => ({ name: `A${index}`, value: '' })),
  variableName('spec.env[0].name'),
  {
    field: 'spec.env[0].value',
    takes: ['', ' ', 'a\nb', 'yes', '世🙂', x(131_072)],
    refuses: { 'must be a string [WRONG_TYPE]': [1, true, []], 'must have at most 131072 characters [OUT_OF_RANGE]': [x(131_073)] },
  },
  list('spec.secretRefs', undefined, 200, index => ({ name: `s${index}`, envFrom: true })),
  objectName('spec.secretRefs[0].name', 'secret', 'orders-db'),
  list('spec.secretRefs[0].env', undefined, 100, index => ({ secretKey: 'k', envName: `A${index}` })),
  ...['key', 'secretKey'].map(name => key(`spec.secretRefs[0].env[0].${name}`, 'key of the secret', 'password')),
  variableName('spec.secretRefs[0].env[0].name'),
  variableName('spec.secretRefs[0].env[0].envName'),
  truth('spec.secretRefs[0].envFrom', true),
  prefix('spec.secretRefs[0].prefix', 'DB_'),
  truth('spec.secretRefs[0].optional', true, false),
  list('spec.configRefs', undefined, 200, index => ({ name: `c${index}`, envFrom: true })),
  objectName('spec.configRefs[0].name', 'ConfigMap', 'orders-config'),
  list('spec.configRefs[0].env', undefined, 100, index => ({ key: 'k', name: `A${index}` })),
  key('spec.configRefs[0].env[0].key', 'key of the ConfigMap', 'log-level'),
  variableName('spec.configRefs[0].env[0].name'),
  truth('spec.configRefs[0].envFrom', true),
  prefix('spec.configRefs[0].prefix', 'ORDERS_'),
  truth('spec.configRefs[0].optional', true, false),
  list('spec.files', undefined, 50, index => ({ mountPath: `/a${index}`, secret: 's' })),
  {
    field: 'spec.files[0].mountPath',
    takes: ['/a', '/data', '/home/app/.config', '/etc/orders.d/a_1@2+3=4,5~6-', `/${x(254)}`],
    refuses: {
      "must be a valid absolute path without . and .. such as '/etc/orders' [BAD_FORMAT]": [
        'work',
        './data',
        '/data/',
        '//data',
        '/a//b',
        '/.',
        '/..',
        '/a/../b',
        '/a/./b',
        '/a b',
        '/a:b',
        '/ä',
        '/a\n',
      ],
      'must have from 2 to 255 characters [OUT_OF_RANGE]': ['', '/', `/${x(255)}`],
    },
  },
  objectName('spec.files[0].secret', 'secret', 'orders-tls'),
  objectName('spec.files[0].configMap', 'ConfigMap', 'rules'),
  key('spec.files[0].key', 'key', 'rules.yaml'),
  {
    field: 'spec.files[0].scratch',
    takes: ['1', '64Mi', '1.5Gi', '2G', '100k', '0.5Ti', '1'.repeat(32)],
    refuses: {
      "must be a valid Kubernetes quantity such as '2Gi' [BAD_FORMAT]": ['-1', '1gb', '1 Gi', 'Gi', '.5Gi', '1.', '1e3', '100m', '1Gib'],
      'must have from 1 to 32 characters [OUT_OF_RANGE]': ['', '1'.repeat(33)],
    },
  },
  truth('spec.files[0].memory', true, false),
  oneOf('spec.rootFilesystem', 'ReadOnly', 'Writable'),
  ...[1, 2, 3, 4, 5].map(n => objectName(`spec.secret${n}Name`, 'secret')),
  list('spec.imagePullSecrets', undefined, 20, index => ({ name: `s${index}` })),
  objectName('spec.imagePullSecrets[0].name', 'secret', 'registry-credentials'),
  list('spec.initContainer.command', 1, 100, () => 'a'),
  list('spec.initContainer.args', undefined, 1000, () => ''),
  ...['command', 'args'].map(name => argument(`spec.initContainer.${name}[0]`)),
  whole('spec.httpPort', 1, 65_535),
  path('spec.healthPath', '/health'),
  path('spec.readyPath', '/ready'),
  ...['liveness', 'readiness', 'startup'].flatMap(name => [
    path(`spec.probes.${name}.path`, '/health'),
    list(`spec.probes.${name}.exec`, 1, 100, () => 'a'),
    argument(`spec.probes.${name}.exec[0]`),
    whole(`spec.probes.${name}.tcp`, 1, 65_535),
  ]),
  ...['liveness', 'readiness'].flatMap(name => [
    truth(`spec.probes.${name}.none`, true),
    wholeSeconds(`spec.probes.${name}.period`, '30s'),
    whole(`spec.probes.${name}.failures`, 1, 1000),
  ]),
  wholeSeconds('spec.probes.startup.within', '5m'),
  {
    field: 'spec.identity',
    takes: ['orders@acme.iam.gserviceaccount.com'],
    refuses: { 'must have from 1 to 512 characters [OUT_OF_RANGE]': ['', x(513)] },
  },
  oneOf('spec.priority', 'low', 'medium', 'high'),
  // The full claim asks for ten replicas.
  { ...oneOf('spec.updates', 'Rolling', 'OneAtATime'), takes: ['Rolling'] },
  oneOf('spec.sessionAffinity', 'None', 'ClientIP'),
  oneOf(`${scaler}.class`, 'kpa', 'hpa'),
  // The class of the full claim is kpa.
  { ...oneOf(`${scaler}.metric`, 'concurrency', 'rps', 'cpu', 'memory'), takes: ['concurrency', 'rps'] },
  decimal(`${scaler}.target`, 0.01, 1_000_000_000),
  whole(`${scaler}.minScale`, 0, 1000),
  whole(`${scaler}.maxScale`, 0, 1000),
  wholeSeconds(`${scaler}.scaleDownDelay`, '30s'),
  wholeSeconds(`${scaler}.window`, '60s'),
  // 0 only if the platform says that the cluster allows it.
  { ...whole(`${scaler}.initialScale`, 0, 1000), takes: [1, 1000] },
  whole(`${scaler}.activationScale`, 2, 1000),
  decimal(`${scaler}.targetUtilization`, 1, 100),
  decimal(`${scaler}.panicWindow`, 1, 100),
  decimal(`${scaler}.panicThreshold`, 110, 1000),
  whole('spec.knative.containerConcurrency', 0, 1000),
  whole('spec.knative.timeoutSeconds', 1, 600),
  oneOf('spec.knative.visibility', 'external', 'cluster-local'),
  {
    field: 'spec.knative.traffic',
    takes: [[{ latestRevision: true, percent: 100 }], many(20, () => ({ latestRevision: true, percent: 5 }))],
    refuses: {
      'must have from 1 to 20 items [OUT_OF_RANGE]': [[], many(21, index => ({ latestRevision: true, percent: index === 20 ? 0 : 5 }))],
    },
  },
  {
    field: 'spec.knative.traffic[0].revisionName',
    takes: ['a', 'orders-00002', x(63)],
    refuses: {
      "must be a valid revision name such as 'orders-00002' [BAD_FORMAT]": ['0a', 'A', 'a.b', 'a-'],
      'must have from 1 to 63 characters [OUT_OF_RANGE]': ['', x(64)],
    },
  },
  whole('spec.knative.traffic[0].percent', 0, 100),
  {
    field: 'spec.knative.traffic[0].tag',
    takes: ['a', 'blue-1', x(40)],
    refuses: {
      "must be a valid DNS label such as 'canary' [BAD_FORMAT]": ['0a', 'A', 'a.b', 'a-', 'a_b'],
      'must have from 1 to 40 characters [OUT_OF_RANGE]': ['', x(41)],
    },
  },
  dnsLabel('spec.eventing.broker.name', 'orders', 63),
  truth('spec.eventing.broker.create', true, false),
  {
    field: 'spec.eventing.broker.class',
    takes: ['Kafka', 'MTChannelBasedBroker', 'a.b-c_d', x(63)],
    refuses: {
      "must be a valid broker class such as 'MTChannelBasedBroker' [BAD_FORMAT]": ['a b', '-a', 'a-', 'a..b'],
      'must have from 1 to 63 characters [OUT_OF_RANGE]': ['', x(64)],
    },
  },
  ...deliveries('spec.eventing.broker.delivery', true),
  ...deliveries(`${trigger}.delivery`, false),
  {
    field: `${trigger}.delivery.deadLetter.uri`,
    takes: ['http://a', 'https://dead-letters.example.com:8443/orders?x=1'],
    refuses: {
      "must be a valid http or https URL such as 'https://dead-letters.example.com/orders' [BAD_FORMAT]": [
        '',
        'a',
        'ftp://a',
        'http://',
        'http://a:port',
        'http://a/%',
        'http://a/%zz',
        'http://a:port',
      ],
      'must have at most 2048 characters [OUT_OF_RANGE]': [`http://a/${x(2048)}`],
    },
  },
  ...deliveries('spec.eventing.kafka.delivery', true),
  list('spec.eventing.triggers', undefined, 100, index => ({ name: `t${index}` })),
  dnsLabel(`${trigger}.name`, 'order-created', 48),
  {
    field: `${trigger}.filter`,
    takes: [{}, { type: '' }, Object.fromEntries(many(20, i => [`a${i}`, '']))],
    refuses: { 'must have at most 20 fields [OUT_OF_RANGE]': [Object.fromEntries(many(21, i => [`a${i}`, '']))] },
  },
  {
    field: `${trigger}.filter.type`,
    takes: ['', x(1024)],
    refuses: { 'must have at most 1024 characters [OUT_OF_RANGE]': [x(1025)], 'must be a string [WRONG_TYPE]': [1] },
  },
  list(`${trigger}.filters`, undefined, 20, () => ({ cesql: 'TRUE' })),
  {
    field: `${trigger}.filters[0]`,
    takes: [{ exact: { type: 'a' } }, { cesql: 'TRUE' }],
    refuses: { 'must have exactly 1 field [OUT_OF_RANGE]': [{}, { exact: { type: 'a' }, cesql: 'TRUE' }] },
  },
  ...['exact', 'prefix', 'suffix'].flatMap((name, index): Row[] => [
    attributes(`${trigger}.filters[${index}].${name}`),
    {
      field: `${trigger}.filters[${index}].${name}.type`,
      takes: ['', x(1024)],
      refuses: { 'must have at most 1024 characters [OUT_OF_RANGE]': [x(1025)] },
    },
  ]),
  length(`${trigger}.filters[3].cesql`, 1, 4096),
  filters(`${trigger}.filters[4].all`),
  filters(`${trigger}.filters[5].any`),
  {
    field: `${trigger}.filters[6].not`,
    takes: [{ anything: [1, { goes: true }] }],
    refuses: { 'must have at least 1 field [OUT_OF_RANGE]': [{}] },
  },
  {
    field: `${trigger}.path`,
    takes: ['/', '/events/orders', '/a?b=c&d', '/%C3%A4', `/${x(1023)}`],
    refuses: {
      "must be a valid absolute path such as '/events/orders' [BAD_FORMAT]": [
        '',
        'events',
        '//host/events',
        '/a b',
        '/ä',
        '/%',
        '/%zz',
        'http://a/b',
      ],
      'must have at most 1024 characters [OUT_OF_RANGE]': [`/${x(1024)}`],
    },
  },
  list('spec.eventing.kafka.bootstrapServers', 1, 20, () => 'a:1'),
  hostPort('spec.eventing.kafka.bootstrapServers[0]'),
  list('spec.eventing.kafka.topics', 1, 50, () => 'a'),
  {
    field: 'spec.eventing.kafka.topics[0]',
    takes: ['orders', 'a.b_c-D', x(249)],
    refuses: {
      'must be a valid topic name [BAD_FORMAT]': ['a b', 'a/b', 'ä', '*'],
      'must have from 1 to 249 characters [OUT_OF_RANGE]': ['', x(250)],
    },
  },
  printable('spec.eventing.kafka.consumerGroup', 'consumer group', " such as 'orders'"),
  oneOf('spec.eventing.kafka.sink', 'workload', 'broker'),
  ...meshRows,
  ...observabilityRows,
  ...buildRows,
]

/** The problem and the code of every finding at this path, without the value found. */
const saidAt = (path: string, value: Json) =>
  validateClaim(put(baseOf(path), steps(path), value), platform)
    .findings.filter(finding => formatPath(finding.path) === path)
    .map(({ problem, code }) => `${problem} [${code}]`)

describe.each(rows)('$field', ({ field, takes, refuses }) => {
  test('accepts valid values', () => {
    for (const value of takes) expect([value, saidAt(field, value)]).toEqual([value, []])
  })
  test.each(Object.entries(refuses).map(([says, values]) => ({ says, values })))('$says', ({ says, values }) => {
    for (const value of values) expect([value, saidAt(field, value)]).toEqual([value, [says]])
  })
})

test.each([
  { says: 'quotes text', path: 'spec.size', value: 'xlarge', tail: "got 'xlarge'" },
  { says: 'cuts long text', path: 'spec.size', value: x(1000), tail: `got '${x(60)}…'` },
  { says: 'shows a number', path: 'spec.httpPort', value: 70_000, tail: 'got 70000' },
  { says: 'shows a list as a list', path: 'spec.size', value: ['small'], tail: 'got a list' },
  { says: 'shows an empty list', path: 'spec.size', value: [], tail: 'got an empty list' },
  { says: 'shows an object as an object', path: 'spec.size', value: { a: 1 }, tail: 'got an object' },
  { says: 'shows an empty object', path: 'spec.size', value: {}, tail: 'got an empty object' },
  { says: 'shows a boolean', path: 'spec.size', value: false, tail: 'got false' },
  { says: 'shows the length of a text with a wrong length', path: 'spec.nats.stream', value: '', tail: 'got 0' },
  { says: 'shows the number of items of a wrong list', path: 'spec.initContainer.command', value: [], tail: 'got 0' },
])('what was found: $says', ({ path, value, tail }) => {
  expect(judgeWith(path, value)).toEqual([expect.stringContaining(`, ${tail} [`)])
})

test.each([
  { says: 'a typing mistake', value: 'smal', meant: ", did you mean 'small'?" },
  { says: 'capitals', value: 'Large', meant: ", did you mean 'large'?" },
  { says: 'another word', value: 'xlarge', meant: '' },
])('a value that is not allowed: $says', ({ value, meant }) => {
  expect(judgeWith('spec.size', value)).toEqual([
    `spec.size: must be one of [micro, small, medium, large], got '${value}'${meant} [NOT_ALLOWED]`,
  ])
})

test.each([
  { says: 'a typing mistake', path: 'spec.iamge', finds: "spec.iamge: unknown field, did you mean 'image'? [UNKNOWN_FIELD]" },
  {
    says: 'a singular',
    path: 'spec.imagePullSecret',
    finds: "spec.imagePullSecret: unknown field, did you mean 'imagePullSecrets'? [UNKNOWN_FIELD]",
  },
  {
    says: 'one level too high',
    path: 'spec.stream',
    finds: "spec.stream: unknown field, did you mean 'spec.nats.stream'? [UNKNOWN_FIELD]",
  },
  {
    says: 'one level too high, in a list',
    path: 'spec.eventing.triggers[0].delivery.uri',
    finds:
      "spec.eventing.triggers[0].delivery.uri: unknown field, did you mean 'spec.eventing.triggers[0].delivery.deadLetter.uri'? [UNKNOWN_FIELD]",
  },
  { says: 'above spec', path: 'image', finds: "image: unknown field, did you mean 'spec.image'? [UNKNOWN_FIELD]" },
  {
    says: 'one level too low',
    path: 'spec.nats.image',
    finds: "spec.nats.image: unknown field, did you mean 'spec.image'? [UNKNOWN_FIELD]",
  },
  { says: 'nothing similar', path: 'spec.zzzzzz', finds: 'spec.zzzzzz: unknown field [UNKNOWN_FIELD]' },
  { says: 'a key that is not a word', path: 'spec.a b', finds: 'spec["a b"]: unknown field [UNKNOWN_FIELD]' },
  { says: 'a key like a method', path: 'spec.nats.hasOwnProperty', finds: 'spec.nats.hasOwnProperty: unknown field [UNKNOWN_FIELD]' },
])('an unknown field: $says', ({ path, finds }) => {
  expect(judgeWith(path, 1)).toEqual([finds])
})

test("accepts Crossplane's own fields", () => {
  expect(
    judge(claim({ compositionRef: { name: 'a' }, compositionUpdatePolicy: 'Manual', writeConnectionSecretToRef: { name: 'x' } })),
  ).toEqual([])
})

test('reports one finding for each path', () => {
  const document = claim({ image: '', size: 7, nats: { stream: '', url: 'x' }, httpPort: 0, nope: 1 })
  expect(judge(document).map(line => line.replace(/:.*\[/, ' ['))).toEqual([
    'spec.nope [UNKNOWN_FIELD]',
    'spec.image [OUT_OF_RANGE]',
    'spec.size [WRONG_TYPE]',
    'spec.nats.consumer [REQUIRED]',
    'spec.nats.url [BAD_FORMAT]',
    'spec.nats.stream [OUT_OF_RANGE]',
    'spec.httpPort [OUT_OF_RANGE]',
  ])
})

/** Every schema below spec with the path at which the full claim has a value for it. */
function* walk(schema: Schema, here: string): Generator<{ path: string; schema: Schema }> {
  yield { path: here, schema }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const filters = at(baseOf(here), ...steps(here))
    if (Array.isArray(filters)) continue
    yield* walk(property, `${here}.${name}`)
  }
  if (schema.items) {
    const item = `${here}[0]`
    // Each filter has one dialect only: the full claim has one of each.
    if (here.endsWith('.filters')) {
      yield { path: item, schema: schema.items }
      for (const [index, [name, property]] of Object.entries(schema.items.properties ?? {}).entries())
        yield* walk(property, `${here}[${index}].${name}`)
    } else yield* walk(schema.items, item)
  }
  if (typeof schema.additionalProperties === 'object') yield* walk(schema.additionalProperties, `${here}.type`)
}
const schemas = [...walk(written, 'spec')]

describe('the XRD and this table agree', () => {
  const constraints = [
    ['pattern', 'BAD_FORMAT'],
    ['enum', 'NOT_ALLOWED'],
    ['minimum', 'OUT_OF_RANGE'],
    ['maximum', 'OUT_OF_RANGE'],
    ['minLength', 'OUT_OF_RANGE'],
    ['maxLength', 'OUT_OF_RANGE'],
    ['minItems', 'OUT_OF_RANGE'],
    ['maxItems', 'OUT_OF_RANGE'],
    ['minProperties', 'OUT_OF_RANGE'],
    ['maxProperties', 'OUT_OF_RANGE'],
  ] as const satisfies readonly (readonly [keyof Schema, string])[]

  test('every limit of the XRD has a row that breaks it', () => {
    const missing = schemas.flatMap(({ path, schema }) => {
      const said = rows.filter(({ field }) => field === path).flatMap(({ refuses }) => Object.keys(refuses))
      return constraints
        .filter(([word, code]) => schema[word] !== undefined && !said.some(line => line.endsWith(`[${code}]`)))
        .map(([word]) => `${path} ${word}`)
    })
    // The same definition under another path (a YAML alias), where the full claim has the other of two fields.
    expect(missing.filter(line => !line.includes('.deadLetter.'))).toEqual([])
  })

  const types = {
    object: 'an object',
    array: 'a list',
    string: 'a string',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
  } as const
  const typed = schemas.filter(({ path }) => at(baseOf(path), ...steps(path)) !== undefined)

  test('the full claims have every field except the other dead letter sink', () => {
    const left = schemas.filter(schema => !typed.includes(schema)).map(({ path }) => path)
    expect(left.filter(path => !path.includes('.deadLetter.') && path !== 'spec.knative.traffic[0].latestRevision')).toEqual([])
  })

  test.each(typed)('$path accepts only its own type', ({ path, schema }) => {
    const wrongs: Json[] = ['text', 1.5, true, [], { a: 1 }]
    const own = { object: 4, array: 3, string: 0, integer: -1, number: 1, boolean: 2 }[schema.type ?? 'object']
    const allowed = types[schema.type ?? 'object']
    for (const wrong of wrongs.filter((_, index) => index !== own))
      expect([wrong, saidAt(path, wrong)]).toEqual([wrong, [`must be ${allowed} [WRONG_TYPE]`]])
  })

  test.each(typed.filter(({ schema }) => schema.properties))('$path rejects an unknown field', ({ path }) => {
    expect(judgeWith(`${path}.qqqqqqqq`, 1)).toContain(`${path}.qqqqqqqq: unknown field [UNKNOWN_FIELD]`)
  })

  test.each(typed.flatMap(({ path, schema }) => (schema.required ?? []).map(name => ({ path: `${path}.${name}` }))))(
    '$path is required',
    ({ path }) => {
      expect(judgeWith(path, undefined)).toContain(`${path}: required field missing [REQUIRED]`)
      expect(judgeWith(path, null)).toContain(`${path}: required field missing [REQUIRED]`)
    },
  )

  test.each(schemas.filter(({ path, schema }) => schema.default !== undefined && at(baseOf(path), ...steps(path)) !== undefined))(
    '$path gets its default if it is missing or null',
    ({ path, schema }) => {
      for (const absent of [undefined, null]) {
        const { value } = validateClaim(put(baseOf(path), steps(path), absent), platform)
        expect(at(value, ...steps(path))).toBe(schema.default)
      }
    },
  )
})

describe('normalize', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      a: { type: 'string', default: 'A' },
      b: { type: 'object', properties: { c: { type: 'string', default: 'C' } } },
      p: { type: 'string', default: 'P', 'x-platform-default': true },
    },
  }
  test.each([
    { says: 'adds a default', value: {}, becomes: '{"a":"A"}' },
    { says: 'treats null as missing', value: { a: null, x: null }, becomes: '{"a":"A"}' },
    { says: 'keeps a value that is set', value: { a: 'x' }, becomes: '{"a":"x"}' },
    { says: 'adds a default inside an existing object', value: { b: {} }, becomes: '{"a":"A","b":{"c":"C"}}' },
    { says: 'keeps a null in a list, which validation rejects', value: { x: [null] }, becomes: '{"a":"A","x":[null]}' },
    { says: 'keeps a value that is not an object', value: 'text', becomes: '"text"' },
    {
      says: 'orders fields as in the schema, then alphabetically',
      value: { z: 1, b: {}, y: 2, a: 'x' },
      becomes: '{"a":"x","b":{"c":"C"},"y":2,"z":1}',
    },
    { says: 'keeps __proto__ as a field', value: JSON.parse('{"__proto__":{"a":1}}') as Json, becomes: '{"a":"A","__proto__":{"a":1}}' },
  ])('$says', ({ value, becomes }) => {
    expect(JSON.stringify(normalizer(schema)(value))).toBe(becomes)
  })

  test('uses the schema of each item and each additional field', () => {
    const item: Schema = { type: 'object', properties: { a: { type: 'string', default: 'A' } } }
    expect(normalizer({ type: 'array', items: item })([{}, { a: 'x' }])).toEqual([{ a: 'A' }, { a: 'x' }])
    expect(normalizer({ type: 'object', additionalProperties: item })({ x: {} })).toEqual({ x: { a: 'A' } })
    expect(child({ type: 'object' }, 'toString')).toBeUndefined()
  })
})

describe('suggests an allowed value for one that is', () => {
  test.each([
    { says: 'in another case', spec: { size: 'Small' }, meant: 'small' },
    { says: 'misspelt', spec: { size: 'meduim' }, meant: 'medium' },
    { says: 'abbreviated', spec: { environment: 'prod' }, meant: 'production' },
    { says: 'abbreviated in another case', spec: { runtime: 'kn' }, meant: 'Knative' },
    { says: 'another word that ends like it', spec: { size: 'xlarge' }, meant: undefined },
    { says: 'another word', spec: { size: 'huge' }, meant: undefined },
    { says: 'a single letter', spec: { size: 'l' }, meant: undefined },
    { says: 'nothing', spec: { size: '' }, meant: undefined },
  ])('$says', ({ spec, meant }) => {
    const [told] = judge(claim(spec))
    expect(/, did you mean '(.*)'\? \[NOT_ALLOWED\]$/.exec(told ?? '')?.[1]).toBe(meant)
    expect(told).toContain(`got '${Object.values(spec)[0]}'`)
  })
})

test('never suggests a deprecated field', () => {
  expect(judge(claim({ secret6Name: 'db' }))).toEqual(['spec.secret6Name: unknown field [UNKNOWN_FIELD]'])
})
