import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { formatPath } from '../../src/claim/findings.ts'
import { importKnative } from '../../src/convert/import-knative.ts'
import { at, isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claims, deepFreeze, knativeClaim, put, RUNS } from '../fixtures/claims.ts'
import { platforms, platformWith } from '../fixtures/platforms.ts'

function render(document: JsonObject, platform: Platform = builtInPlatform): JsonObject[] {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  return compose(parsed.claim, platform, {})
    .resources.map(({ manifest }): JsonObject => manifest)
    .filter(({ apiVersion }) => String(apiVersion).includes('.knative.dev/'))
}

function bring(manifests: readonly JsonObject[], platform: Platform = builtInPlatform) {
  const imported = importKnative(deepFreeze(manifests), platform)
  if (!imported.ok) throw new Error(JSON.stringify(imported.findings))
  return imported
}

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const told = readdirSync(examples)
  .filter(name => /^knative-.*-claim\.yaml$/.test(name))
  .map(name => ({ name, document: parse(readFileSync(`${examples}/${name}`, 'utf8')) as JsonObject }))

describe('rendered manifests', () => {
  test.each(told)('become the claim that rendered them: $name', ({ document }) => {
    expect(bring(render(document))).toEqual({ ok: true, claim: document, unsaid: [] })
  })

  test('law: become a claim that renders them, with nothing left out, and that comes back unchanged', () => {
    fc.assert(
      fc.property(
        claims().filter(({ spec }) => spec.runtime === 'Knative'),
        document => {
          const manifests = render(document)
          const { claim, unsaid } = bring(manifests)
          expect(unsaid).toEqual([])
          expect(render(claim)).toEqual(manifests)
          expect(bring(render(claim)).claim).toEqual(claim)
        },
      ),
      { numRuns: RUNS },
    )
  })
})

/** The annotations that Knative assumes for the KPA. */
const ASSUMED = {
  'autoscaling.knative.dev/initial-scale': '1',
  'autoscaling.knative.dev/window': '60s',
  'autoscaling.knative.dev/target-utilization-percentage': '70',
  'autoscaling.knative.dev/panic-window-percentage': '10',
  'autoscaling.knative.dev/panic-threshold-percentage': '200',
}

function withAssumed(manifest: JsonObject): JsonObject {
  const path = ['spec', 'template', 'metadata', 'annotations']
  const annotations = at(manifest, ...path)
  if (!isObject(annotations)) return manifest
  const assumed = annotations['autoscaling.knative.dev/class'] === 'kpa.autoscaling.knative.dev' ? ASSUMED : {}
  return put(manifest, path, { 'autoscaling.knative.dev/initial-scale': '1', ...assumed, ...annotations }) as JsonObject
}

describe("a platform's own defaults", () => {
  test("law: the claim renders the given manifests, whatever the platform's defaults are", () => {
    fc.assert(
      fc.property(
        claims().filter(({ spec }) => spec.runtime === 'Knative'),
        platforms(),
        (document, platform) => {
          const manifests = render(document)
          const isHpa = manifests.some(({ spec }) => JSON.stringify(at(spec, 'template') ?? '').includes('hpa.autoscaling'))
          // The window of the HPA can't be unset.
          fc.pre(!isHpa || platform.defaults.knative?.autoscaling?.window === undefined)
          const { claim, unsaid } = bring(manifests, platform)
          expect(unsaid).toEqual([])
          expect(render(claim, platform).map(withAssumed)).toEqual(manifests.map(withAssumed))
        },
      ),
      { numRuns: RUNS },
    )
  })

  const plain: JsonObject = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { template: { spec: { containers: [{ image: 'ghcr.io/acme/web:1' }] } } },
  }
  const autoscalingOf = (claim: JsonObject) => at(claim, 'spec', 'knative', 'autoscaling')

  test.each<{ says: string; defaults: JsonObject; is: JsonObject }>([
    { says: 'visibility', defaults: { knative: { visibility: 'cluster-local' } }, is: { visibility: 'external' } },
    { says: 'timeout', defaults: { knative: { timeoutSeconds: 60 } }, is: { timeoutSeconds: 300 } },
    { says: 'concurrency', defaults: { knative: { containerConcurrency: 7 } }, is: { containerConcurrency: 0 } },
    { says: 'minimum scale', defaults: { knative: { autoscaling: { minScale: 2 } } }, is: { autoscaling: { minScale: 0 } } },
    { says: 'target', defaults: { knative: { autoscaling: { target: 40 } } }, is: { autoscaling: { target: 100 } } },
    { says: 'window', defaults: { knative: { autoscaling: { window: '20s' } } }, is: { autoscaling: { window: '60s' } } },
    {
      says: 'autoscaler',
      defaults: { knative: { autoscaling: { class: 'hpa', metric: 'cpu' } } },
      is: { autoscaling: { class: 'kpa', metric: 'concurrency' } },
    },
    { says: 'metric', defaults: { knative: { autoscaling: { metric: 'rps' } } }, is: { autoscaling: { metric: 'concurrency' } } },
  ])("keeps Knative's own $says if the Service leaves it out", ({ defaults, is }) => {
    expect(at(bring([plain], platformWith(defaults)).claim, 'spec', 'knative')).toMatchObject(is)
  })

  test('keeps a target that equals the default in MiB of another metric', () => {
    const platform = platformWith({ knative: { autoscaling: { class: 'hpa', metric: 'memory', target: 300 } } })
    const path = ['spec', 'template', 'metadata']
    const service = put(plain, path, { annotations: { 'autoscaling.knative.dev/target': '300' } }) as JsonObject
    expect(autoscalingOf(bring([service], platform).claim)).toMatchObject({ class: 'kpa', metric: 'concurrency', target: 300 })
  })

  test("keeps a pod without pull secrets free of the platform's", () => {
    const platform = platformWith({ imagePullSecrets: [{ name: 'acme' }] })
    expect(bring([plain], platform).claim).toHaveProperty('spec.imagePullSecrets', [])
    const path = ['spec', 'template', 'spec', 'imagePullSecrets']
    expect(bring([put(plain, path, [{ name: 'acme' }]) as JsonObject], platform).claim).not.toHaveProperty('spec.imagePullSecrets')
  })

  test('leaves out what the platform does by default', () => {
    const probe = { httpGet: { path: '/health/ready' } }
    const resources = { requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '500m', memory: '1Gi' } }
    const container = { image: 'ghcr.io/acme/web:1', readinessProbe: probe, resources }
    const service = put(plain, ['spec', 'template', 'spec', 'containers'], [container]) as JsonObject
    const { claim } = bring([service], platformWith({ readyPath: '/health/ready', size: 'micro' }))
    expect(claim).not.toHaveProperty('spec.readyPath')
    expect(claim).not.toHaveProperty('spec.size')
  })
})

describe('objects as kubectl prints them', () => {
  const document = knativeClaim({
    httpPort: 8000,
    eventing: {
      broker: { name: 'shop' },
      triggers: [{ name: 'created' }],
      kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'], sink: 'broker' },
    },
  })
  const applied = render(document)

  /** The object with the fields that webhooks and controllers of Knative add. */
  function served(manifest: JsonObject): JsonObject {
    const group = String(manifest.apiVersion).split('/')[0]
    const creator = { [`${group}/creator`]: 'me', [`${group}/lastModifier`]: 'me' }
    const filled: Readonly<Record<string, readonly (readonly [(string | number)[], Json])[]>> = {
      'serving.knative.dev Service': [
        [['spec', 'template', 'metadata', 'creationTimestamp'], null],
        [['spec', 'template', 'spec', 'enableServiceLinks'], false],
        [['spec', 'template', 'spec', 'containers', 0, 'readinessProbe', 'successThreshold'], 1],
        [['spec', 'template', 'spec', 'containers', 0, 'readinessProbe', 'httpGet', 'port'], 0],
      ],
      'eventing.knative.dev Broker': [
        [['spec', 'config'], { apiVersion: 'v1', kind: 'ConfigMap', name: 'config-br-default-channel', namespace: 'knative-eventing' }],
      ],
      'eventing.knative.dev Trigger': [
        [['metadata', 'labels', 'eventing.knative.dev/broker'], 'shop'],
        [['spec', 'filter'], {}],
      ],
      'sources.knative.dev KafkaSource': [
        [['metadata', 'finalizers'], ['kafkasources.sources.knative.dev']],
        [['spec', 'consumers'], 1],
        [['spec', 'initialOffset'], 'latest'],
        [['spec', 'ordering'], 'ordered'],
        [['spec', 'net'], { sasl: { password: {}, type: {}, user: {} }, tls: { caCert: {}, cert: {}, key: {} } }],
      ],
    }
    return [
      [['metadata', 'uid'], '5d6a0b6e'] as const,
      [['metadata', 'annotations'], { ...annotationsOf(manifest), ...creator }] as const,
      [['status'], { observedGeneration: 1 }] as const,
      ...(filled[`${group} ${manifest.kind}`] ?? []),
    ].reduce<Json>((object, [path, value]) => put(object, path, value), manifest) as JsonObject
  }

  const annotationsOf = ({ metadata }: JsonObject): JsonObject => {
    const annotations = at(metadata, 'annotations')
    return isObject(annotations) ? annotations : {}
  }

  test('become the same claim as the applied manifests, with nothing left out', () => {
    expect(applied.map(({ kind }) => kind).sort()).toEqual(['Broker', 'KafkaSource', 'Service', 'Trigger'])
    expect(bring(applied.map(served))).toEqual({ ok: true, claim: document, unsaid: [] })
  })

  test.each<{ says: string; kind: string; path: string[]; value: Json }>([
    {
      says: 'the configuration of a Broker',
      kind: 'Broker',
      path: ['spec', 'config'],
      value: { apiVersion: 'v1', kind: 'ConfigMap', name: 'kafka-broker-config' },
    },
    { says: 'the consumers of a KafkaSource', kind: 'KafkaSource', path: ['spec', 'consumers'], value: 3 },
    { says: 'the first offset of a KafkaSource', kind: 'KafkaSource', path: ['spec', 'initialOffset'], value: 'earliest' },
    { says: 'the credentials of a KafkaSource', kind: 'KafkaSource', path: ['spec', 'net'], value: { tls: { enable: true, caCert: {} } } },
  ])('list $says that an author chose', ({ kind, path, value }) => {
    const { unsaid } = bring(
      applied.map(manifest => (manifest.kind === kind ? (put(served(manifest), path, value) as JsonObject) : manifest)),
    )
    expect(unsaid.map(({ object, path: place }) => `${object.split(' ')[0]} ${formatPath(place)}`)).toEqual([`${kind} ${path.join('.')}`])
  })
})

describe('a foreign manifest', () => {
  const foreign: JsonObject = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: {
      name: 'python-api-base',
      namespace: 'my-api',
      uid: 'x',
      labels: { team: 'base' },
      annotations: { 'serving.knative.dev/creator': 'me', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
    },
    spec: {
      template: {
        metadata: {
          annotations: {
            'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
            'autoscaling.knative.dev/minScale': '1',
            'autoscaling.knative.dev/target': '50',
            'sidecar.istio.io/inject': 'true',
          },
        },
        spec: {
          nodeSelector: { disk: 'ssd' },
          containers: [
            {
              name: 'api',
              image: 'ghcr.io/acme/python-api-base:1',
              command: ['uvicorn'],
              ports: [{ containerPort: 8000 }],
              env: [
                { name: 'ENVIRONMENT', value: 'production' },
                { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
              ],
              envFrom: [{ configMapRef: { name: 'config' } }, { secretRef: { name: 'secrets' } }],
              resources: { limits: { cpu: '1000m', memory: '1Gi' }, requests: { cpu: '100m', memory: '256Mi' } },
              readinessProbe: { httpGet: { path: '/health/ready', port: 8000 }, periodSeconds: 10 },
            },
          ],
        },
      },
    },
    status: { url: 'http://x' },
  }
  const { claim, unsaid } = bring([foreign])

  test('becomes a claim that sets the defaults of Knative if the platform has others', () => {
    expect(claim).toEqual({
      apiVersion: 'platform.bizmatters.io/v1alpha1',
      kind: 'EventDrivenService',
      metadata: { name: 'python-api-base', namespace: 'my-api' },
      spec: {
        image: 'ghcr.io/acme/python-api-base:1',
        size: 'micro',
        runtime: 'Knative',
        command: ['uvicorn'],
        env: [{ name: 'ENVIRONMENT', value: 'production' }],
        configRefs: [
          { name: 'c', env: [{ key: 'k', name: 'KEY' }] },
          { name: 'config', envFrom: true },
        ],
        secretRefs: [{ name: 'secrets', envFrom: true }],
        httpPort: 8000,
        probes: { liveness: { none: true }, readiness: { path: '/health/ready', period: '10s' } },
        knative: { autoscaling: { target: 50, minScale: 1, maxScale: 0, scaleDownDelay: '0s' }, containerConcurrency: 0 },
      },
    })
  })

  test.each([
    { says: 'requests per second', annotations: { metric: 'rps' }, target: 200 },
    { says: 'CPU', annotations: { class: 'hpa.autoscaling.knative.dev' }, target: 80 },
    { says: 'concurrency, which has the same default', annotations: { metric: 'concurrency' }, target: undefined },
  ])('sets the target that Knative assumes for $says', ({ annotations, target }) => {
    const named = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]))
    const service = put(foreign, ['spec', 'template', 'metadata', 'annotations'], named) as JsonObject
    expect(at(bring([service]).claim, 'spec', 'knative', 'autoscaling', 'target')).toBe(target)
  })

  test('lists what a claim cannot express, without the fields of the cluster', () => {
    expect(unsaid.map(({ object, path, problem }) => `${object} ${formatPath(path)} ${problem.split(':')[0]}`)).toEqual([
      'Service python-api-base metadata.labels.team is left out',
      'Service python-api-base spec.template.metadata.annotations["sidecar.istio.io/inject"] is left out',
      'Service python-api-base spec.template.spec.nodeSelector is left out',
      'Service python-api-base spec.template.spec.containers[0].resources.limits.cpu becomes "500m", was "1000m"',
      'Service python-api-base spec.template.spec.containers[0].securityContext is added',
    ])
  })

  const containers = ['spec', 'template', 'spec', 'containers', 0]
  const unsaidOf = (manifest: JsonObject) =>
    bring([manifest]).unsaid.map(({ path, problem }) => `${formatPath(path)} ${problem.split(':')[0]}`)
  const foreignUnsaid = unsaidOf(foreign)

  test.each<{ says: string; path: (string | number)[]; value: Json }>([
    { says: 'another spelling of the same quantity', path: [...containers, 'resources', 'requests', 'cpu'], value: '0.1' },
    { says: 'a default of the API server', path: ['spec', 'template', 'spec', 'dnsPolicy'], value: 'ClusterFirst' },
    { says: 'an empty list', path: [...containers, 'volumeMounts'], value: [] },
  ])('does not list $says', ({ path, value }) => {
    expect(unsaidOf(put(foreign, path, value) as JsonObject)).toEqual(foreignUnsaid)
  })

  test.each<{ scheme: string; unsaid: string[] }>([
    { scheme: 'HTTP', unsaid: [] },
    { scheme: 'HTTPS', unsaid: ['spec.template.spec.containers[0].readinessProbe becomes {"tcpSocket"'] },
  ])('lists the scheme of a probe unless it is the default: $scheme', ({ scheme, unsaid }) => {
    const probed = put(foreign, [...containers, 'readinessProbe', 'httpGet', 'scheme'], scheme) as JsonObject
    expect(unsaidOf(probed).filter(each => !foreignUnsaid.includes(each))).toEqual(unsaid)
  })

  test('lists an init container of another image, whose command a claim would run in the wrong image', () => {
    const init = { name: 'wait', image: 'busybox:1', command: ['sleep', '1'] }
    const changed = put(foreign, ['spec', 'template', 'spec', 'initContainers'], [init]) as JsonObject
    expect(bring([changed]).claim).not.toHaveProperty('spec.initContainer')
    expect(unsaidOf(changed)).toContain('spec.template.spec.initContainers is left out')
  })

  test('leaves out a variable that Knative sets itself, which no claim may name', () => {
    const changed = put(foreign, [...containers, 'env'], [{ name: 'PORT', value: '1' }]) as JsonObject
    expect(bring([changed]).claim).not.toHaveProperty('spec.env')
    expect(unsaidOf(changed)).toContain('spec.template.spec.containers[0].env[0] is left out')
  })

  test.each<{ says: string; probe: JsonObject; is: string | undefined }>([
    { says: 'its path', probe: { httpGet: { path: '/up', port: 8000 } }, is: '/up' },
    { says: 'the root if it has no path', probe: { httpGet: { port: 8000 } }, is: '/' },
    { says: 'nothing if it is no HTTP probe', probe: { tcpSocket: { port: 8000 } }, is: undefined },
  ])('takes from a readiness probe $says', ({ probe, is }) => {
    const { claim } = bring([put(foreign, [...containers, 'readinessProbe'], probe) as JsonObject])
    expect(at(claim, 'spec', 'readyPath')).toBe(is)
  })

  test.each<{ says: string; probe: JsonObject | undefined; is: JsonObject }>([
    { says: 'none, as Knative probes the port', probe: undefined, is: { tcp: 8000 } },
    { says: 'the port that Knative fills in', probe: { successThreshold: 1, tcpSocket: { port: 0 } }, is: { tcp: 8000 } },
    { says: 'a command', probe: { exec: { command: ['/ready'] }, failureThreshold: 4 }, is: { exec: ['/ready'], failures: 4 } },
  ])('takes or reports a readiness probe: $says', ({ probe, is }) => {
    const { claim, unsaid } = bring([put(foreign, [...containers, 'readinessProbe'], probe) as JsonObject])
    expect(at(claim, 'spec', 'probes', 'readiness')).toEqual(is)
    expect(unsaid.filter(({ path }) => path.includes('readinessProbe'))).toEqual([])
  })

  test('takes files, and reports the limit that scratch space gets', () => {
    const pod = ['spec', 'template', 'spec']
    const mounts = ['tls', 'work', 'data'].map(name => ({ name, mountPath: `/${name}` }))
    const volumes = [
      { name: 'tls', secret: { secretName: 'tls' } },
      { name: 'work', emptyDir: {} },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ]
    const service = put(put(foreign, [...pod, 'volumes'], volumes), [...containers, 'volumeMounts'], mounts) as JsonObject
    const { claim } = bring([service])
    expect(at(claim, 'spec', 'files')).toEqual([
      { secret: 'tls', mountPath: '/tls' },
      { scratch: '10Gi', mountPath: '/work' },
    ])
    expect(unsaidOf(service).filter(line => line.includes('volume'))).toEqual([
      'spec.template.spec.containers[0].volumeMounts[2] is left out',
      'spec.template.spec.volumes[1].emptyDir.sizeLimit is added',
      'spec.template.spec.volumes[2] is left out',
    ])
  })

  test("takes the identity of the account in the platform's cloud", () => {
    const role = 'arn:aws:iam::123456789012:role/api'
    const account: JsonObject = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'api', namespace: 'my-api', annotations: { 'eks.amazonaws.com/role-arn': role } },
    }
    const service = put(foreign, ['spec', 'template', 'spec', 'serviceAccountName'], 'api') as JsonObject
    const aws: Platform = { ...builtInPlatform, features: { ...builtInPlatform.features, identity: 'AWS' } }
    expect(at(bring([service, account], aws).claim, 'spec', 'identity')).toBe(role)
    expect(bring([service, account]).claim).not.toHaveProperty('spec.identity')
    const imported = bring([foreign, account], aws)
    expect(imported.claim).not.toHaveProperty('spec.identity')
    expect(imported.unsaid.filter(({ object }) => object.startsWith('ServiceAccount'))).toEqual([])
  })

  test('reports a variable that refers to a secret, because the secret will come after it', () => {
    const env = [
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
      { name: 'HOST', value: 'db' },
      { name: 'URL', value: 'postgres://me:$(PASSWORD)@$(HOST)' },
      { name: 'TOLD', value: '$$(PASSWORD)' },
    ]
    const { unsaid } = bring([put(foreign, ['spec', 'template', 'spec', 'containers', 0, 'env'], env) as JsonObject])
    expect(unsaid.filter(({ path }) => path.includes('env'))).toMatchObject([
      {
        object: 'Service python-api-base',
        path: ['spec', 'template', 'spec', 'containers', 0, 'env', 2],
        problem: 'it will come before PASSWORD, and a variable can only refer to earlier ones',
      },
    ])
  })

  test('renames a Trigger of another name, and leaves out one for another service', () => {
    const trigger = (name: string, service: string): JsonObject => ({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name, namespace: 'my-api' },
      spec: {
        broker: 'default',
        filter: { attributes: { type: name } },
        subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: service } },
      },
    })
    const imported = bring([foreign, trigger('created', 'python-api-base'), trigger('deleted', 'another')])
    expect(at(imported.claim, 'spec', 'eventing')).toEqual({
      broker: { name: 'default', create: false },
      triggers: [{ name: 'created', filter: { type: 'created' } }],
    })
    expect(imported.unsaid.filter(({ object }) => object.startsWith('Trigger'))).toMatchObject([
      { object: 'Trigger created', path: ['metadata', 'name'], problem: 'becomes python-api-base-created' },
      { object: 'Trigger deleted', path: [], problem: 'is left out' },
    ])
  })

  test.each<{ says: string; orders: JsonObject; bills: JsonObject }>([
    {
      says: 'filters',
      orders: { filters: [{ prefix: { type: 'order.' } }] },
      bills: { filters: [{ prefix: { type: 'bill.' } }] },
    },
    {
      says: 'filters, next to the empty filter that Knative fills in',
      orders: { filter: {}, filters: [{ prefix: { type: 'order.' } }] },
      bills: { filter: {}, filters: [{ prefix: { type: 'bill.' } }] },
    },
    {
      says: 'attributes in any order',
      orders: { filter: { attributes: { type: 'order.created', source: 'shop' } } },
      bills: { filter: { attributes: { type: 'bill.created', source: 'shop' } } },
    },
  ])('finds each renamed Trigger again by its $says', ({ orders, bills }) => {
    const trigger = (name: string, filter: JsonObject): JsonObject => ({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name, namespace: 'my-api' },
      spec: {
        broker: 'default',
        ...filter,
        subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'python-api-base' } },
      },
    })
    const imported = bring([foreign, trigger('orders', orders), trigger('bills', bills)])
    expect(imported.unsaid.filter(({ object }) => object.startsWith('Trigger'))).toMatchObject([
      { object: 'Trigger orders', path: ['metadata', 'name'], problem: 'becomes python-api-base-orders' },
      { object: 'Trigger bills', path: ['metadata', 'name'], problem: 'becomes python-api-base-bills' },
    ])
  })

  test('takes the KafkaSource that sends to this service, and leaves out the other', () => {
    const source = (name: string, service: string): JsonObject => ({
      apiVersion: 'sources.knative.dev/v1',
      kind: 'KafkaSource',
      metadata: { name, namespace: 'my-api' },
      spec: {
        bootstrapServers: ['kafka:9092'],
        topics: [name],
        consumerGroup: 'my-api-python-api-base',
        sink: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: service } },
      },
    })
    const imported = bring([foreign, source('bills', 'another'), source('python-api-base', 'python-api-base')])
    expect(at(imported.claim, 'spec', 'eventing')).toEqual({ kafka: { bootstrapServers: ['kafka:9092'], topics: ['python-api-base'] } })
    expect(imported.unsaid.filter(({ object }) => object.startsWith('KafkaSource'))).toMatchObject([
      { object: 'KafkaSource bills', path: [], problem: 'is left out' },
    ])
  })

  test.each([
    { says: 'no Service', manifests: [], problem: 'needs a Service of serving.knative.dev with a name' },
    {
      says: 'two Services',
      manifests: [foreign, foreign],
      problem: 'holds 2 Services of serving.knative.dev; each becomes a claim of its own, so import them one by one',
    },
  ])('refuses $says', ({ manifests, problem }) => {
    expect(importKnative(manifests, builtInPlatform)).toMatchObject({ ok: false, findings: [{ problem }] })
  })

  test('returns a claim that the platform refuses, with the findings', () => {
    const path = ['spec', 'template', 'spec', 'timeoutSeconds']
    expect(importKnative([put(foreign, path, 900) as JsonObject], builtInPlatform)).toMatchObject({
      ok: false,
      claim: { spec: { knative: { timeoutSeconds: 900 } } },
      findings: [{ path: ['spec', 'knative', 'timeoutSeconds'] }],
    })
  })

  test('law: returns a result for any value in any field', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, index) => {
        const [service = {}] = render(knativeClaim({ env: [{ name: 'A', value: '1' }], eventing: { triggers: [{ name: 'a' }] } }))
        const paths = [
          ['metadata'],
          ['metadata', 'name'],
          ['spec'],
          ['spec', 'template'],
          ['spec', 'template', 'metadata'],
          ['spec', 'template', 'metadata', 'annotations'],
          ['spec', 'template', 'spec'],
          ['spec', 'template', 'spec', 'containers'],
          ['spec', 'template', 'spec', 'containers', 0],
          ['spec', 'template', 'spec', 'containers', 0, 'env'],
          ['spec', 'traffic'],
        ]
        expect(
          importKnative([put(service, paths[index % paths.length] ?? [], value as never) as JsonObject], builtInPlatform),
        ).toHaveProperty('ok')
      }),
    )
  })
})
