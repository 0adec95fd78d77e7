// Claims for tests: one to build on, any valid one, and every way to break one.
// Written by hand from docs and schema, so that it does not lean on the code that it tests.
import fc from 'fast-check'
import type { Code } from '../src/findings.ts'
import { isObject, type Json, type JsonObject } from '../src/json.ts'

export interface ClaimDocument extends JsonObject {
  readonly metadata: JsonObject
  readonly spec: JsonObject
}

/** How often a law is tried. */
export const RUNS = Number(process.env.FC_RUNS ?? 300)

export const API_VERSION = 'platform.bizmatters.io/v1alpha1'

const said = (fields: JsonObject): JsonObject => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** The least valid claim, with these fields of its spec instead or besides; undefined takes one away. */
export const claim = (spec: JsonObject = {}, metadata: JsonObject = {}): ClaimDocument => ({
  apiVersion: API_VERSION,
  kind: 'EventDrivenService',
  metadata: said({ name: 'orders-worker', namespace: 'shop', ...metadata }),
  spec: said({ image: 'ghcr.io/acme/orders-worker:1.4.2', nats: { stream: 'ORDERS', consumer: 'orders-workers' }, ...spec }),
})

/** The same with runtime Knative, which needs no NATS. */
export const knativeClaim = (spec: JsonObject = {}): ClaimDocument => claim({ runtime: 'Knative', nats: undefined, ...spec })

/** The composite that Crossplane makes for a claim. */
export function compositeOf({ metadata, spec }: ClaimDocument): JsonObject {
  const { name, namespace } = metadata
  const claimRef = { apiVersion: API_VERSION, kind: 'EventDrivenService', name: name ?? '', namespace: namespace ?? '' }
  return {
    apiVersion: API_VERSION,
    kind: 'XEventDrivenService',
    metadata: {
      name: `${name}-x7k2p`,
      labels: { 'crossplane.io/claim-name': name ?? '', 'crossplane.io/claim-namespace': namespace ?? '' },
    },
    spec: { ...spec, compositionRef: { name: 'eventdrivenservice' }, compositionUpdatePolicy: 'Automatic', claimRef, resourceRefs: [] },
  }
}

/** A copy with another value at a path; undefined takes the field away. */
export function put(value: Json | undefined, [step, ...rest]: readonly (string | number)[], to: Json | undefined): Json {
  if (step === undefined) return to ?? null
  if (Array.isArray(value)) return value.map((item: Json, index) => (index === Number(step) ? put(item, rest, to) : item))
  const object = isObject(value) ? value : {}
  const { [step]: before, ...others } = object
  return rest.length === 0 && to === undefined ? others : { ...object, [step]: put(before, rest, to) }
}

const LOWER = [...'abcdefghijklmnopqrstuvwxyz']
const DIGITS = [...'0123456789']
const ALNUM = [...LOWER, ...DIGITS]
const UPPER = LOWER.map(letter => letter.toUpperCase())

const text = (characters: readonly string[], minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength })

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

/** A record of which each field may be missing. */
const sparse = (fields: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<JsonObject> => fc.record(fields, { requiredKeys: [] })

/** DNS-1123. */
const label = (maxLength: number): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...ALNUM), text([...ALNUM, '-'], 0, maxLength - 1)).map(([first, rest]) => `${first}${rest.replace(/-+$/, '')}`)

/** DNS-1035: begins with a letter. */
const serviceLabel = (maxLength: number) =>
  fc.tuple(fc.constantFrom(...LOWER), text([...ALNUM, '-'], 0, maxLength - 1)).map(([first, rest]) => `${first}${rest.replace(/-+$/, '')}`)

const subdomain = fc.array(label(20), { minLength: 1, maxLength: 3 }).map(labels => labels.join('.'))
const host = fc.oneof(subdomain, fc.constantFrom('[::1]', '10.0.0.7', 'NATS_1.internal'))
const port = fc.integer({ min: 1, max: 65535 })
const hostPort = fc.tuple(host, port).map(([h, p]) => `${h}:${p}`)
const visible = text(
  Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)),
  1,
  20,
)
const httpPath = fc.oneof(
  fc.constant('/'),
  visible.map(rest => `/${rest}`),
)

const digest = text([...'0123456789abcdef'], 64, 64).map(hex => `@sha256:${hex}`)
const component = fc
  .tuple(fc.constantFrom(...ALNUM), fc.array(fc.tuple(fc.constantFrom('', '.', '_', '__', '-', '--'), text(ALNUM, 1, 8)), { maxLength: 2 }))
  .map(([first, parts]) => `${first}0${parts.map(([separator, word]) => `${separator}${word}`).join('')}`)
const image = fc
  .tuple(
    fc.constantFrom('', 'localhost/', 'localhost:5000/', 'ghcr.io/', 'registry.example.com:443/', 'Registry:5000/'),
    fc.array(component, { minLength: 1, maxLength: 3 }),
    fc.oneof(
      fc.constant(''),
      fc.constant(':latest'),
      text([...ALNUM, ...UPPER, '_'], 1, 1).chain(c => text([...ALNUM, ...UPPER, '_', '.', '-'], 0, 20).map(t => `:${c}${t}`)),
    ),
    fc.oneof(fc.constant(''), digest),
  )
  .map(([registry, [first = '', ...path], tag, hash]) => {
    // A dot in what stands first makes it a host.
    const start = registry === '' ? first.replaceAll('.', '-') : first
    return `${registry}${[start, ...path].join('/')}${tag}${hash}`
  })

const address = fc
  .tuple(fc.constantFrom('nats', 'tls', 'ws', 'wss'), hostPort, fc.constantFrom('', '/', '/path?x=1'))
  .map(([scheme, where, path]) => `${scheme}://${where}${path}`)
const url = fc.array(address, { minLength: 1, maxLength: 3 }).map(urls => urls.join(','))
const jetstreamName = text([...UPPER, ...ALNUM, '_', '-', '$', ':', 'é', '世', '🙂'], 1, 40)

const nats = fc.record(
  {
    stream: jetstreamName,
    consumer: jetstreamName,
    url,
    account: fc.oneof(fc.constant('$SYS'), visible),
    accountID: visible,
    monitoringEndpoint: hostPort,
  },
  { requiredKeys: ['stream', 'consumer'] },
)

const integer = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))

/** Two bounds in order, of which either may be missing. */
const bounds = (least: string, most: string, lowest: number): fc.Arbitrary<JsonObject> =>
  fc.tuple(maybe(integer(0, 1000)), maybe(integer(lowest, 1000))).map(([a, b]) =>
    said({
      [least]: a === undefined || b === undefined || b === 0 ? a : Math.min(a, b),
      [most]: a === undefined || b === undefined || b === 0 ? b : Math.max(a, b),
    }),
  )

const scaling = fc
  .tuple(
    bounds('minReplicas', 'maxReplicas', 1),
    sparse({
      lagThreshold: integer(1, 1_000_000_000),
      activationLagThreshold: integer(0, 1_000_000_000),
      pollingInterval: integer(1, 86_400),
      cooldownPeriod: integer(0, 86_400),
      paused: fc.boolean(),
    }),
  )
  .map(([range, rest]) => ({ ...range, ...rest }))

const RESERVED = ['NATS_URL', 'NATS_STREAM_NAME', 'NATS_CONSUMER_GROUP', 'PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION']
const variableName = fc.oneof(
  fc.constantFrom('OTEL_SERVICE_NAME', 'LOG_LEVEL', 'constructor', '__proto__', 'toString', '.-_'),
  fc
    .tuple(fc.constantFrom(...UPPER, '_', '-', '.'), text([...UPPER, ...ALNUM, '_', '-', '.'], 0, 12))
    .map(([first, rest]) => first + rest)
    .filter(name => !RESERVED.includes(name)),
)
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.constantFrom('', 'yes', '0777', '$(NATS_URL)', 'a\nb'),
)

/** env and secretRefs, as no variable may be named twice between them. */
const variables: fc.Arbitrary<JsonObject> = fc
  .record({
    names: fc.uniqueArray(variableName, { maxLength: 8 }),
    places: fc.array(fc.nat({ max: 4 }), { minLength: 8, maxLength: 8 }),
    values: fc.array(value, { minLength: 8, maxLength: 8 }),
    secrets: fc.array(
      fc.record({
        name: subdomain,
        envFrom: maybe(fc.boolean()),
        prefix: maybe(fc.constantFrom('DB_', '_', 'a.b-')),
        key: fc.constantFrom('password', 'tls.crt', '_A-1'),
      }),
      { maxLength: 4 },
    ),
    mentionNone: fc.boolean(),
  })
  .map(({ names, places, values, secrets, mentionNone }) => {
    const at = (place: number) => names.filter((_, index) => places[index] === place)
    const env = names.flatMap((name, index) =>
      places[index] !== undefined && places[index] < secrets.length ? [] : [{ name, value: values[index] ?? '' }],
    )
    const secretRefs = secrets.map(({ name, envFrom, prefix, key }, place) => {
      const own = at(place).map(envName => ({ secretKey: key, envName }))
      const bulk = own.length === 0 || envFrom
      return said({ name, env: own.length > 0 ? own : undefined, envFrom: bulk || envFrom, prefix: bulk ? prefix : undefined })
    })
    return mentionNone && env.length + secretRefs.length === 0 ? {} : { env, secretRefs }
  })

const seconds = (least: number) =>
  fc.oneof(
    fc.integer({ min: least, max: 3600 }).map(s => `${s}s`),
    fc.integer({ min: 1, max: 59 }).map(m => `${m}m30s`),
    fc.constantFrom('1h', '0h1m0s', '60m', '0h59m60s'),
  )

const classAndMetric = fc.constantFrom<JsonObject>(
  {},
  { class: 'kpa' },
  { class: 'hpa' },
  { metric: 'memory' },
  { metric: 'cpu' },
  { metric: 'rps' },
  { class: 'kpa', metric: 'concurrency' },
  { class: 'kpa', metric: 'rps' },
  { class: 'hpa', metric: 'cpu' },
  { class: 'hpa', metric: 'memory' },
)
const tenths = (min: number, max: number) => fc.integer({ min: min * 10, max: max * 10 }).map(n => n / 10)
const autoscaling = fc
  .tuple(
    classAndMetric,
    bounds('minScale', 'maxScale', 0),
    sparse({
      target: fc.oneof(tenths(1, 1000), fc.constantFrom(0.01, 1_000_000_000)),
      scaleDownDelay: seconds(0),
      window: seconds(6),
      // 0 only where the cluster allows it.
      initialScale: integer(1, 1000),
      activationScale: integer(2, 1000),
      targetUtilization: tenths(1, 100),
      panicWindow: tenths(1, 100),
      panicThreshold: tenths(110, 1000),
    }),
  )
  .map(([kind, range, { activationScale, ...rest }]): JsonObject => {
    const least = Math.max(2, Number(range.minScale ?? 0))
    const most = Number(range.maxScale || 1000)
    const wakes = activationScale !== undefined && least <= most
    return {
      ...rest,
      ...kind,
      ...range,
      ...(wakes && { activationScale: Math.min(Math.max(Number(activationScale), least), most) }),
      // Without a target in Mi the metric is not accepted.
      ...(kind.metric === 'memory' && { target: rest.target ?? 512 }),
    }
  })

/** Shares that add up to 100, with tags that fit before a claim's name. */
const traffic = (name: string): fc.Arbitrary<Json> =>
  fc
    .record({
      cuts: fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 3 }),
      revisions: fc.array(maybe(serviceLabel(30)), { minLength: 4, maxLength: 4 }),
      tags: fc.uniqueArray(serviceLabel(Math.min(40, 62 - name.length)), { minLength: 4, maxLength: 4, size: 'max' }),
      tagged: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      denied: fc.boolean(),
    })
    .map(({ cuts, revisions, tags, tagged, denied }) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), 100]
      return edges.slice(1).map((edge, index) => {
        const revisionName = revisions[index]
        return said({
          revisionName,
          latestRevision: revisionName === undefined ? true : denied ? false : undefined,
          percent: edge - (edges[index] ?? 0),
          tag: tagged[index] ? tags[index] : undefined,
        })
      })
    })

const knative = (name: string) =>
  sparse({
    autoscaling,
    containerConcurrency: integer(0, 1000),
    timeoutSeconds: integer(1, 600),
    visibility: fc.constantFrom('external', 'cluster-local'),
    traffic: traffic(name),
  })

const isoDuration = fc.constantFrom('PT2S', 'PT0.5S', 'PT1M', 'PT1H30M15S', 'P3D', 'PT99999S', 'PT999H')
const eventPath = fc.constantFrom('/', '/events', '/events/orders?x=1', '/%C3%A4')
const delivery = sparse({
  retry: integer(0, 1000),
  backoffPolicy: fc.constantFrom('linear', 'exponential'),
  backoffDelay: isoDuration,
  timeout: isoDuration,
  deadLetter: fc.oneof(
    fc.constantFrom('https://dead.example.com', 'http://10.0.0.1:8080/orders?x=1').map(uri => ({ uri })),
    fc
      .record(
        {
          apiVersion: fc.constantFrom('v1', 'messaging.knative.dev/v1'),
          kind: fc.constantFrom('Service', 'Channel'),
          name: subdomain,
          namespace: label(63),
        },
        { requiredKeys: ['apiVersion', 'kind', 'name'] },
      )
      .map(ref => ({ ref })),
  ),
})

const attributes = fc.dictionary(fc.constantFrom('type', 'source', 'subject', 'constructor', 'x1'), fc.string({ maxLength: 20 }), {
  minKeys: 1,
  maxKeys: 4,
})
const filter = fc.oneof(
  attributes.map((exact): JsonObject => ({ exact })),
  attributes.map((prefix): JsonObject => ({ prefix })),
  attributes.map((suffix): JsonObject => ({ suffix })),
  fc.constant<JsonObject>({ cesql: "source LIKE '%shop%'" }),
)
const anyFilter = fc.oneof(
  filter,
  fc.array(filter, { minLength: 1, maxLength: 3 }).map((all): JsonObject => ({ all })),
  fc.array(filter, { minLength: 1, maxLength: 3 }).map((any): JsonObject => ({ any })),
  filter.map((not): JsonObject => ({ not })),
)

const eventing = (name: string) =>
  sparse({
    broker: sparse({ name: label(63), create: fc.boolean(), class: fc.constantFrom('Kafka', 'MTChannelBasedBroker', 'a.b-c_1'), delivery }),
    triggers: fc.uniqueArray(
      fc.record(
        {
          name: label(Math.min(63, 62 - name.length)),
          filter: attributes,
          filters: fc.array(anyFilter, { maxLength: 3 }),
          path: eventPath,
          delivery,
        },
        { requiredKeys: ['name'] },
      ),
      { selector: trigger => trigger.name, maxLength: 4 },
    ),
    kafka: fc.record(
      {
        bootstrapServers: fc.array(hostPort, { minLength: 1, maxLength: 3 }),
        topics: fc.array(text([...ALNUM, ...UPPER, '.', '_', '-'], 1, 20), { minLength: 1, maxLength: 3 }),
        consumerGroup: visible,
        sink: fc.constantFrom('workload', 'broker'),
        delivery,
      },
      { requiredKeys: ['bootstrapServers', 'topics'] },
    ),
  })

const KNATIVE_PORTS = [8008, 8012, 8013, 8022, 9090, 9091]

const specOf = (name: string): fc.Arbitrary<JsonObject> =>
  fc
    .record({
      runtime: fc.constantFrom(undefined, 'Deployment', 'Knative'),
      nats,
      withNats: fc.boolean(),
      knative: maybe(knative(name)),
      initContainer: maybe(
        fc.record(
          { command: fc.array(value, { minLength: 1, maxLength: 3 }), args: fc.array(value, { maxLength: 3 }) },
          { requiredKeys: ['command'] },
        ),
      ),
      httpPort: maybe(port.filter(p => !KNATIVE_PORTS.includes(p))),
      variables,
      rest: fc.tuple(
        fc.record({ image }),
        sparse({
          size: fc.constantFrom('micro', 'small', 'medium', 'large'),
          environment: fc.constantFrom('development', 'staging', 'production'),
          scaling,
          secret1Name: subdomain,
          secret2Name: subdomain,
          secret5Name: subdomain,
          imagePullSecrets: fc.uniqueArray(subdomain, { maxLength: 3 }).map(names => names.map(secret => ({ name: secret }))),
          healthPath: httpPath,
          readyPath: httpPath,
          sessionAffinity: fc.constantFrom('None', 'ClientIP'),
          eventing: eventing(name),
        }),
      ),
    })
    .map(({ runtime, nats: consumer, withNats, knative: serving, initContainer, httpPort, variables: named, rest }) => {
      const isKnative = runtime === 'Knative'
      return said({
        ...rest[0],
        ...rest[1],
        ...named,
        runtime,
        nats: withNats || !isKnative ? consumer : undefined,
        knative: isKnative ? serving : undefined,
        // Knative takes init containers only behind a flag of the cluster.
        initContainer: isKnative ? undefined : initContainer,
        httpPort,
      })
    })

/** Any valid claim: every field of the API, both runtimes, names up to the limit. */
export const claims = (): fc.Arbitrary<ClaimDocument> =>
  fc
    .tuple(fc.oneof(serviceLabel(56), fc.constant('a'.repeat(56))), label(63))
    .chain(([name, namespace]) => specOf(name).map(spec => claim({ nats: undefined, ...spec }, { name, namespace })))

/** Any valid claim that runs as a Deployment. */
export const deploymentClaims = (): fc.Arbitrary<ClaimDocument> => claims().filter(({ spec }) => spec.runtime !== 'Knative')

export interface Mutation {
  readonly says: string
  readonly code: Code
  /** Where the finding has to be. */
  readonly path: string
  /** What to put where, into a claim that was valid. */
  readonly puts: Readonly<Record<string, Json | undefined>>
}

/** Breaks one thing, whatever else the claim says. */
export const mutations: readonly Mutation[] = [
  { says: 'another API version', code: 'NOT_ALLOWED', path: 'apiVersion', puts: { apiVersion: 'platform.bizmatters.io/v2' } },
  { says: 'another kind', code: 'NOT_ALLOWED', path: 'kind', puts: { kind: 'Deployment' } },
  { says: 'a name that is too long', code: 'NAME', path: 'metadata.name', puts: { 'metadata.name': 'a'.repeat(57) } },
  { says: 'a name in capitals', code: 'NAME', path: 'metadata.name', puts: { 'metadata.name': 'Orders' } },
  { says: 'no image', code: 'REQUIRED', path: 'spec.image', puts: { 'spec.image': undefined } },
  { says: 'an image of spaces', code: 'BAD_FORMAT', path: 'spec.image', puts: { 'spec.image': 'my image' } },
  { says: 'an image that is a number', code: 'WRONG_TYPE', path: 'spec.image', puts: { 'spec.image': 7 } },
  { says: 'an unknown size', code: 'NOT_ALLOWED', path: 'spec.size', puts: { 'spec.size': 'xlarge' } },
  { says: 'an unknown environment', code: 'NOT_ALLOWED', path: 'spec.environment', puts: { 'spec.environment': 'test' } },
  { says: 'an unknown runtime', code: 'NOT_ALLOWED', path: 'spec.runtime', puts: { 'spec.runtime': 'Lambda' } },
  { says: 'an unknown field', code: 'UNKNOWN_FIELD', path: 'spec.replicas', puts: { 'spec.replicas': 3 } },
  { says: 'an unknown field further down', code: 'UNKNOWN_FIELD', path: 'spec.scaling.min', puts: { 'spec.scaling.min': 3 } },
  { says: 'a field named like a method', code: 'UNKNOWN_FIELD', path: 'spec.constructor', puts: { 'spec.constructor': 'x' } },
  {
    says: 'a Deployment that nothing feeds',
    code: 'REQUIRED',
    path: 'spec.nats',
    puts: { 'spec.runtime': 'Deployment', 'spec.nats': undefined },
  },
  { says: 'a consumer without a stream', code: 'REQUIRED', path: 'spec.nats.stream', puts: { 'spec.nats': { consumer: 'c' } } },
  { says: 'a stream with a dot', code: 'BAD_FORMAT', path: 'spec.nats.stream', puts: { 'spec.nats': { stream: 'a.b', consumer: 'c' } } },
  {
    says: 'bounds out of order',
    code: 'CONFLICT',
    path: 'spec.scaling.maxReplicas',
    puts: { 'spec.scaling': { minReplicas: 3, maxReplicas: 2 } },
  },
  {
    says: 'a count beyond the limit',
    code: 'OUT_OF_RANGE',
    path: 'spec.scaling.maxReplicas',
    puts: { 'spec.scaling': { maxReplicas: 1001 } },
  },
  { says: 'half a replica', code: 'WRONG_TYPE', path: 'spec.scaling.minReplicas', puts: { 'spec.scaling': { minReplicas: 0.5 } } },
  {
    says: 'Knative settings for a Deployment',
    code: 'CONFLICT',
    path: 'spec.knative',
    puts: { 'spec.runtime': 'Deployment', 'spec.knative': {} },
  },
  { says: "a port that is Knative's", code: 'CONFLICT', path: 'spec.httpPort', puts: { 'spec.runtime': 'Knative', 'spec.httpPort': 9090 } },
  { says: 'a port beyond TCP', code: 'OUT_OF_RANGE', path: 'spec.httpPort', puts: { 'spec.httpPort': 65_536 } },
  { says: "the platform's variable", code: 'RESERVED', path: 'spec.env[0].name', puts: { 'spec.env': [{ name: 'PORT', value: '1' }] } },
  {
    says: 'a variable twice',
    code: 'DUPLICATE',
    path: 'spec.secretRefs[0].env[0].envName',
    puts: { 'spec.env': [{ name: 'A', value: '' }], 'spec.secretRefs': [{ name: 's', env: [{ secretKey: 'k', envName: 'A' }] }] },
  },
  { says: 'a secret of which nothing is used', code: 'REQUIRED', path: 'spec.secretRefs[0]', puts: { 'spec.secretRefs': [{ name: 's' }] } },
  {
    says: 'more variables than allowed',
    code: 'OUT_OF_RANGE',
    path: 'spec.env',
    puts: { 'spec.env': Array.from({ length: 1001 }, (_, i) => ({ name: `A${i}`, value: '' })) },
  },
  { says: 'a path that does not start at the root', code: 'BAD_FORMAT', path: 'spec.healthPath', puts: { 'spec.healthPath': 'health' } },
  {
    says: 'an init container that runs nothing',
    code: 'OUT_OF_RANGE',
    path: 'spec.initContainer.command',
    puts: { 'spec.initContainer': { command: [] } },
  },
  {
    says: 'an init container where the cluster has none',
    code: 'UNSUPPORTED',
    path: 'spec.initContainer',
    puts: {
      'spec.runtime': 'Knative',
      'spec.httpPort': undefined,
      'spec.env': [],
      'spec.secretRefs': [],
      'spec.initContainer': { command: ['x'] },
    },
  },
  {
    says: 'shares of 99 percent',
    code: 'CONFLICT',
    path: 'spec.knative.traffic',
    puts: { 'spec.runtime': 'Knative', 'spec.knative': { traffic: [{ latestRevision: true, percent: 99 }] } },
  },
  {
    says: 'a metric of another class',
    code: 'CONFLICT',
    path: 'spec.knative.autoscaling.metric',
    puts: { 'spec.runtime': 'Knative', 'spec.knative': { autoscaling: { class: 'kpa', metric: 'cpu' } } },
  },
  {
    says: 'a delay of more than an hour',
    code: 'OUT_OF_RANGE',
    path: 'spec.knative.autoscaling.scaleDownDelay',
    puts: { 'spec.runtime': 'Knative', 'spec.knative': { autoscaling: { scaleDownDelay: '61m' } } },
  },
  {
    says: 'a trigger twice',
    code: 'DUPLICATE',
    path: 'spec.eventing.triggers[1].name',
    puts: { 'spec.eventing': { triggers: [{ name: 'a' }, { name: 'a' }] } },
  },
  {
    says: 'two dead letter sinks in one',
    code: 'CONFLICT',
    path: 'spec.eventing.broker.delivery.deadLetter',
    puts: {
      'spec.eventing': { broker: { delivery: { deadLetter: { uri: 'http://a', ref: { apiVersion: 'v1', kind: 'Service', name: 'a' } } } } },
    },
  },
  {
    says: 'Kafka without topics',
    code: 'REQUIRED',
    path: 'spec.eventing.kafka.topics',
    puts: { 'spec.eventing': { kafka: { bootstrapServers: ['k:9092'] } } },
  },
]

export const mutate = (valid: ClaimDocument, { puts }: Mutation): ClaimDocument =>
  Object.entries(puts).reduce<Json>((broken, [path, value]) => put(broken, path.split('.'), value), valid) as ClaimDocument

/** Freezes all of it, so that whoever writes into it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const below of Object.values(value)) deepFreeze(below)
  }
  return value
}

/** The same with the keys of every object the other way round. */
export function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, below]) => [key, reversed(below)]),
  ) as T
}
