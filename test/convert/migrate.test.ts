import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Row } from '../../src/convert/compare.ts'
import { migrate } from '../../src/convert/migrate.ts'
import type { Verdict } from '../../src/convert/reasons.ts'
import { at, isObject, items, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { type ClaimDocument, claim, deepFreeze, deploymentClaims, put, RUNS } from '../fixtures/claims.ts'
import { platforms } from '../fixtures/platforms.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): JsonObject => parse(readFileSync(`${root}${file}`, 'utf8'))
const folder = 'test/fixtures/agent-executor'
const files = readdirSync(`${root}${folder}`)
const agentExecutor = files.map(file => read(`${folder}/${file}`))

function bring(manifests: readonly JsonObject[], { platform = builtInPlatform, adopt = false } = {}) {
  const migrated = migrate(deepFreeze(manifests), platform, { adopt })
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  return migrated
}

/** Any claim that eds migrate can read: events come from objects that it does not read. */
const claims = (): fc.Arbitrary<ClaimDocument> =>
  deploymentClaims()
    .map(({ spec: { eventing: _, ...spec }, ...document }): ClaimDocument => ({ ...document, spec }))
    .filter(({ spec }) => spec.nats !== undefined || spec.httpPort !== undefined)

function render(document: JsonObject, platform: Platform = builtInPlatform): JsonObject[] {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
  return compose(parsed.claim, { ...platform, composeAs: 'Native' }, {}).resources.map(({ manifest }): JsonObject => manifest)
}

const told = (rows: readonly Row[], ...verdicts: Verdict[]) =>
  rows.filter(({ verdict }) => verdicts.includes(verdict)).map(({ object, path }) => `${object.split(' ')[0]} ${path}`)

const where = ['spec', 'template', 'spec']
const main = [...where, 'containers', 0]

/** The agent-executor with another value in one of its manifests. */
const changed = (kind: string, path: readonly (string | number)[], to: Json | undefined) =>
  agentExecutor.map(manifest => (manifest.kind === kind ? changedIn(manifest, path, to) : manifest))

function changedIn(manifest: JsonObject, path: readonly (string | number)[], to: Json | undefined): JsonObject {
  const value = put(manifest, path, to)
  if (!isObject(value)) throw new Error('no longer an object')
  return value
}

describe('agent-executor', () => {
  test('becomes the claim of the examples', () => {
    expect(files.sort()).toEqual(['deployment.yaml', 'scaledobject.yaml', 'service.yaml', 'serviceaccount.yaml'])
    const { claim, size } = bring(agentExecutor)
    expect(claim).toEqual(read('examples/agent-executor-claim.yaml'))
    expect(size).toEqual({ size: 'medium', exact: true })
  })

  test('changes the names of its containers, and loses only labels', () => {
    const { rows } = bring(agentExecutor)
    expect(told(rows, 'different', 'unsaid').filter(row => !row.includes('metadata.labels'))).toEqual([
      'Deployment spec.template.spec.initContainers[0].name',
      'Deployment spec.template.spec.containers[0].name',
    ])
    expect(told(rows, 'unsaid').every(row => row.endsWith('["app.kubernetes.io/part-of"]'))).toBe(true)
    expect(rows.filter(({ verdict, because }) => verdict === 'added' && because === undefined)).toEqual([])
  })

  test('becomes the same claim from manifests with the fields of API server and controllers', () => {
    expect(bring(agentExecutor.map(asServed))).toEqual(bring(agentExecutor))
  })
})

/** A manifest as kubectl get -o yaml prints it. */
function asServed(manifest: JsonObject): JsonObject {
  const put1 = (object: JsonObject, path: readonly (string | number)[], to: Json) =>
    at(object, ...path) === undefined ? changedIn(object, path, to) : object
  let served = changedIn(manifest, ['status'], { observedGeneration: 2, conditions: [{ type: 'Available', status: 'True' }] })
  served = changedIn(served, ['metadata'], {
    ...(isObject(manifest.metadata) ? manifest.metadata : {}),
    uid: '5d6a0b6e',
    resourceVersion: '2128',
    generation: 2,
    creationTimestamp: '2026-11-21T09:05:32Z',
    managedFields: [{ manager: 'kubectl-client-side-apply', operation: 'Update' }],
    annotations: {
      ...annotationsOf(manifest),
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      ...(manifest.kind === 'Deployment' && { 'deployment.kubernetes.io/revision': '2' }),
    },
  })
  if (manifest.kind === 'Service') {
    for (const [field, value] of Object.entries({
      clusterIP: '10.0.0.193',
      clusterIPs: ['10.0.0.193'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
    }))
      served = put1(served, ['spec', field], value)
  }
  if (manifest.kind !== 'Deployment') return served
  const pod = at(manifest, ...where)
  const container = (each: Json): Json => ({
    ...objectOf(each),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...Object.fromEntries(
      ['startupProbe', 'livenessProbe', 'readinessProbe']
        .filter(name => at(each, name) !== undefined)
        .map(name => [name, filled(at(each, name), { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })]),
    ),
  })
  const volume = (each: Json): Json =>
    Object.fromEntries(
      Object.entries(objectOf(each)).map(([name, source]) => [
        name,
        ['secret', 'configMap', 'projected'].includes(name) ? filled(source, { defaultMode: 420 }) : source,
      ]),
    )
  const list = (field: string, fill: (each: Json) => Json) => items(at(pod, field)).map(fill)
  served = put1(served, ['spec', 'progressDeadlineSeconds'], 600)
  served = put1(served, ['spec', 'revisionHistoryLimit'], 10)
  return changedIn(served, where, {
    ...filled(pod, { terminationGracePeriodSeconds: 30 }),
    serviceAccount: 'agent-executor',
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    containers: list('containers', container),
    initContainers: list('initContainers', container),
    volumes: list('volumes', volume),
  })
}

/** The object with the fields that it lacks. */
const filled = (value: Json | undefined, fields: JsonObject): JsonObject => {
  const missing = Object.entries(fields).filter(([field]) => at(value, field) === undefined)
  return { ...objectOf(value), ...Object.fromEntries(missing) }
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

const annotationsOf = ({ metadata }: JsonObject) => objectOf(at(metadata, 'annotations'))

describe('rendered manifests', () => {
  test('law: become a claim that renders them, with no difference, and that comes back unchanged', () => {
    fc.assert(
      fc.property(claims(), fc.boolean(), (document, adopt) => {
        const manifests = render(document)
        const { claim, rows, size } = bring(manifests, { adopt })
        expect(render(claim)).toEqual(manifests)
        expect(told(rows, 'different', 'unsaid', 'added')).toEqual([])
        expect(size?.exact).toBe(true)
        expect(bring(render(claim), { adopt }).claim).toEqual(claim)
      }),
      { numRuns: RUNS },
    )
  })

  test('law: become the same claim from manifests with the fields of API server and controllers', () => {
    fc.assert(
      fc.property(claims(), document => {
        const manifests = render(document)
        const { claim, rows } = bring(manifests.map(asServed))
        expect(claim).toEqual(bring(manifests).claim)
        expect(told(rows, 'different', 'unsaid', 'added')).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  test("become a claim without the platform's own defaults", () => {
    const platform: Platform = {
      ...builtInPlatform,
      defaults: {
        nats: { account: 'ACME', accountID: 'A1', monitoringEndpoint: 'nats.acme.example:8222' },
        scaling: { minReplicas: 2, cooldownPeriod: 60 },
        imagePullSecrets: [{ name: 'acme' }],
        healthPath: '/alive',
      },
    }
    const manifests = render(claim(), platform)
    const { claim: migrated, rows } = bring(manifests, { platform })
    expect(migrated.spec).toEqual({
      ...claim().spec,
      size: 'medium',
      nats: { url: 'nats://nats.nats.svc:4222', stream: 'ORDERS', consumer: 'orders-workers' },
    })
    expect(told(rows, 'different', 'unsaid', 'added')).toEqual([])
    expect(render(bring(manifests).claim).slice(0, 3)).toEqual(manifests.slice(0, 3))
  })
})

/** The fields that KEDA assumes. */
const withAssumed = (manifest: JsonObject): JsonObject =>
  manifest.kind === 'ScaledObject' && isObject(manifest.spec)
    ? { ...manifest, spec: { pollingInterval: 30, cooldownPeriod: 300, ...manifest.spec } }
    : manifest

test("law: the claim renders the given manifests, whatever the platform's defaults are", () => {
  fc.assert(
    fc.property(claims(), platforms(), (document, platform) => {
      const manifests = render(document)
      const { claim } = bring(manifests, { platform })
      expect(render(claim, platform).map(withAssumed)).toEqual(manifests.map(withAssumed))
    }),
    { numRuns: RUNS },
  )
})

describe('a policy of the platform', () => {
  const scaled = claim({ scaling: { minReplicas: 1, maxReplicas: 5 } })
  const limited = (policy: JsonObject) => ({ ...builtInPlatform, policy: { ...builtInPlatform.policy, ...policy } })
  const most = (rows: readonly Row[]) => rows.filter(({ path }) => path === 'spec.maxReplicaCount').map(({ verdict }) => verdict)

  test.each([
    { says: 'lowers a default', policy: { maxReplicas: 5 }, claims: undefined },
    { says: 'lowers a default of a claim that breaks another limit', policy: { maxReplicas: 5, digest: 'Required' }, claims: undefined },
    { says: 'refuses no manifest', policy: { maxReplicas: 3 }, claims: 5 },
  ])('$says', ({ policy, claims }) => {
    const { claim, rows } = bring(render(scaled), { platform: limited(policy) })
    expect([at(claim, 'spec', 'scaling', 'maxReplicas'), most(rows)]).toEqual([claims, ['same']])
  })
})

/** A platform that offers what a claim can only name. */
const offering: Platform = {
  ...builtInPlatform,
  features: { ...builtInPlatform.features, identity: 'Azure', prometheusAnnotations: true },
  natsServers: {
    main: { url: 'tls://main:4222', monitoringEndpoint: 'main:8222', useHttps: true },
    old: { url: 'nats://old:4222', monitoringEndpoint: 'old:8222', account: 'OLD', accountID: 'AOLD' },
  },
  priorities: { low: 'batch', high: 'critical' },
}

/** Any claim of that platform. */
const offered = fc
  .record({
    document: claims(),
    server: fc.constantFrom(undefined, 'main', 'old'),
    priority: fc.constantFrom(undefined, 'low', 'high'),
    identity: fc.constantFrom(undefined, '2f1c5e9a-0b7d-4c3e-9f6a-8d2b4a6c1e3f'),
  })
  .map(({ document, server, ...names }): ClaimDocument => {
    const { nats } = document.spec
    const { url: _, monitoringEndpoint: __, ...consumer } = objectOf(nats)
    const fields = { ...names, nats: server === undefined || nats === undefined ? nats : { ...consumer, server } }
    const named = Object.entries(fields).filter(([, value]) => value !== undefined)
    return { ...document, spec: { ...document.spec, ...Object.fromEntries(named) } }
  })

test('law: a claim keeps the names that the platform gives to servers, priorities and identities', () => {
  fc.assert(
    fc.property(offered, document => {
      const manifests = render(document, offering)
      const { claim, rows } = bring(manifests, { platform: offering })
      expect(render(claim, offering)).toEqual(manifests)
      expect(told(rows, 'different', 'unsaid', 'added')).toEqual([])
      expect(bring(render(claim, offering), { platform: offering }).claim).toEqual(claim)
      for (const field of ['priority', 'identity']) expect(at(claim, 'spec', field)).toEqual(document.spec[field])
      expect(at(claim, 'spec', 'nats', 'server')).toEqual(at(document, 'spec', 'nats', 'server'))
    }),
    { numRuns: RUNS },
  )
})

describe('a foreign manifest', () => {
  test.each([
    {
      says: 'the port of a probe',
      kind: 'Deployment',
      path: [...main, 'readinessProbe', 'httpGet', 'port'],
      to: 9000,
      spec: { httpPort: 9000 },
      unsaid: ['Deployment spec.template.spec.containers[0].ports["8080"]'],
    },
    {
      says: 'other replica bounds',
      kind: 'ScaledObject',
      path: ['spec', 'minReplicaCount'],
      to: 0,
      spec: { scaling: { minReplicas: 0 } },
      unsaid: [],
    },
    {
      says: "KEDA's own bounds if none are set",
      kind: 'ScaledObject',
      path: ['spec', 'maxReplicaCount'],
      to: undefined,
      spec: { scaling: { maxReplicas: 100 } },
      unsaid: [],
    },
    {
      says: 'a paused ScaledObject',
      kind: 'ScaledObject',
      path: ['metadata', 'annotations'],
      to: { 'autoscaling.keda.sh/paused': 'true' },
      spec: { scaling: { paused: true } },
      unsaid: [],
    },
    {
      says: 'a paused replica count',
      kind: 'ScaledObject',
      path: ['metadata', 'annotations'],
      to: { 'autoscaling.keda.sh/paused-replicas': '3' },
      spec: {},
      unsaid: ['ScaledObject metadata.annotations["autoscaling.keda.sh/paused-replicas"]'],
    },
    {
      says: 'the prefix of a secret',
      kind: 'Deployment',
      path: [...main, 'envFrom'],
      to: [{ prefix: 'LLM_', secretRef: { name: 'keys' } }],
      spec: {},
      unsaid: [],
    },
    {
      says: 'a whole config map',
      kind: 'Deployment',
      path: [...main, 'envFrom', 0],
      to: { configMapRef: { name: 'settings' } },
      spec: { configRefs: [{ name: 'settings', envFrom: true }] },
      unsaid: [],
    },
    {
      says: 'a config map with the name of a secret',
      kind: 'Deployment',
      path: [...main, 'envFrom'],
      to: [{ configMapRef: { name: 'keys' } }, { secretRef: { name: 'keys' } }],
      spec: { configRefs: [{ name: 'keys', envFrom: true }] },
      unsaid: [],
    },
    {
      says: 'a key of a config map',
      kind: 'Deployment',
      path: [...main, 'env', 3],
      to: { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level', optional: true } } },
      spec: { configRefs: [{ name: 'settings', env: [{ key: 'level', name: 'LEVEL' }], optional: true }] },
      unsaid: [],
    },
    {
      says: 'a pod field',
      kind: 'Deployment',
      path: [...main, 'env', 3],
      to: { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      spec: {},
      unsaid: ['Deployment spec.template.spec.containers[0].env.POD'],
    },
    {
      says: 'an optional key of a secret',
      kind: 'Deployment',
      path: [...main, 'env', 3, 'valueFrom', 'secretKeyRef', 'optional'],
      to: true,
      spec: {
        secretRefs: [
          { name: 'agent-executor-db-conn', env: [{ key: 'endpoint', name: 'POSTGRES_HOST' }], optional: true },
          { name: 'agent-executor-db-conn' },
          { name: 'agent-executor-cache-conn' },
          { name: 'agent-executor-llm-keys' },
        ],
      },
      unsaid: [],
    },
    {
      says: 'a volume that the container does not mount',
      kind: 'Deployment',
      path: [...where, 'volumes'],
      to: [{ name: 'tmp', emptyDir: {} }],
      spec: {},
      unsaid: ['Deployment spec.template.spec.volumes'],
    },
    {
      says: 'an init container with another image',
      kind: 'Deployment',
      path: [...where, 'initContainers', 0, 'image'],
      to: 'busybox:1',
      spec: {},
      unsaid: ['Deployment spec.template.spec.initContainers'],
    },
    {
      says: 'a sidecar',
      kind: 'Deployment',
      path: [...where, 'containers'],
      to: [{ name: 'proxy', image: 'proxy:1' }, at(agentExecutor[0], ...main) ?? null],
      spec: {},
      unsaid: ['Deployment spec.template.spec.containers[0]'],
    },
    {
      says: 'a UDP port of the same number',
      kind: 'Deployment',
      path: [...main, 'ports'],
      to: [
        { name: 'quic', containerPort: 8080, protocol: 'UDP' },
        { name: 'http', containerPort: 8080, protocol: 'TCP' },
      ],
      spec: {},
      unsaid: ['Deployment spec.template.spec.containers[0].ports["8080/UDP"]'],
    },
    {
      says: 'a headless Service',
      kind: 'Service',
      path: ['spec', 'clusterIP'],
      to: 'None',
      spec: {},
      unsaid: ['Service spec.clusterIP'],
    },
    {
      says: 'a Service with another name',
      kind: 'Service',
      path: ['metadata', 'name'],
      to: 'metrics',
      spec: {},
      unsaid: ['Service '],
    },
    {
      says: 'a fallback',
      kind: 'ScaledObject',
      path: ['spec', 'fallback'],
      to: { failureThreshold: 3, replicas: 2 },
      spec: {},
      unsaid: ['ScaledObject spec.fallback'],
    },
  ])('keeps or reports $says', ({ kind, path, to, spec, unsaid }) => {
    const { claim, rows } = bring(changed(kind, path, to))
    expect(claim.spec).toMatchObject(spec)
    expect(told(rows, 'unsaid').filter(row => !/part-of|initContainers\[0\]\.env/.test(row))).toEqual(unsaid)
  })

  test.each([
    {
      says: 'the same resources in another spelling',
      resources: { requests: { cpu: 0.5, memory: '1024Mi' }, limits: { cpu: 2, memory: '4Gi' } },
      is: { size: 'medium', exact: true },
    },
    {
      says: 'a little more than small',
      resources: { requests: { cpu: '300m', memory: '600Mi' }, limits: { cpu: '1', memory: '2Gi' } },
      is: { size: 'small', exact: false },
    },
    { says: 'limits alone', resources: { limits: { cpu: '4', memory: '8Gi' } }, is: { size: 'large', exact: false } },
    { says: 'far more than large', resources: { requests: { cpu: '64', memory: '1Ti' } }, is: { size: 'large', exact: false } },
    { says: 'far less than micro', resources: { requests: { cpu: '1m', memory: '1M' } }, is: { size: 'micro', exact: false } },
    { says: 'no resources', resources: {}, is: undefined },
  ])('chooses the size for $says', ({ resources, is }) => {
    const { claim, size, rows } = bring(changed('Deployment', [...main, 'resources'], resources))
    expect(size).toEqual(is)
    expect(at(claim, 'spec', 'size')).toBe(is?.size ?? 'medium')
    const figures = told(rows, 'different', 'added').filter(row => /containers\[0\]\.resources/.test(row) && !row.includes('init'))
    expect(figures.length === 0).toBe(is?.exact === true)
  })

  test('probes the root if the given HTTP probe has no path', () => {
    const { claim } = bring(changed('Deployment', [...main, 'livenessProbe'], { httpGet: { port: 8080 } }))
    expect(at(claim, 'spec', 'healthPath')).toBe('/')
  })

  test('leaves out a NATS URL from a secret, and the claim stays valid', () => {
    const secret = { name: 'NATS_URL', valueFrom: { secretKeyRef: { name: 'nats', key: 'url' } } }
    const { claim, rows } = bring(changed('Deployment', [...main, 'env', 0], secret))
    expect(at(claim, 'spec', 'nats')).toEqual({ stream: 'AGENT_EXECUTION', consumer: 'agent-executor-workers' })
    expect(told(rows, 'different')).toContain('Deployment spec.template.spec.containers[0].env.NATS_URL')
  })

  test('reports a variable that refers to a secret, because the secret will come after it', () => {
    const env = at(agentExecutor[0], ...main, 'env')
    const url = { name: 'URL', value: 'postgres://$(POSTGRES_HOST)/$$(POSTGRES_DB)' }
    const { rows } = bring(changed('Deployment', [...main, 'env'], [...(Array.isArray(env) ? env : []), url]))
    expect(told(rows, 'same')).toContain('Deployment spec.template.spec.containers[0].env.URL.value')
    expect(rows.filter(({ because }) => because?.startsWith('it will come before POSTGRES_HOST'))).toMatchObject([
      { verdict: 'different', was: url.value },
    ])
  })
})

describe('refuses', () => {
  const without = (kind: string) => agentExecutor.filter(manifest => manifest.kind !== kind)
  const deployment = agentExecutor.filter(({ kind }) => kind === 'Deployment')
  test.each([
    { says: 'no Deployment', manifests: without('Deployment'), problem: /^needs a Deployment of apps\/v1/ },
    {
      says: 'two Deployments',
      manifests: [...agentExecutor, ...deployment],
      problem: /^holds 2 Deployments \(agent-executor, agent-executor\)/,
    },
    {
      says: 'no ScaledObject',
      manifests: without('ScaledObject'),
      problem: /^needs the ScaledObject that scales Deployment agent-executor$/,
    },
    {
      says: 'the ScaledObject of another Deployment',
      manifests: changed('ScaledObject', ['spec', 'scaleTargetRef', 'name'], 'orders'),
      problem: /; there is agent-executor-scaler for orders$/,
    },
    {
      says: 'a ScaledObject without a NATS trigger',
      manifests: changed('ScaledObject', ['spec', 'triggers', 0, 'type'], 'kafka'),
      problem: /^needs a trigger of type nats-jetstream in ScaledObject agent-executor-scaler/,
    },
    {
      says: 'a stream name that no claim may have',
      manifests: changed('ScaledObject', ['spec', 'triggers', 0, 'metadata', 'stream'], 'a b'),
      problem: /./,
    },
  ])('$says', ({ manifests, problem }) => {
    const migrated = migrate(manifests, builtInPlatform, { adopt: false })
    expect(migrated).toMatchObject({ ok: false, findings: [{ problem: expect.stringMatching(problem) }] })
  })
})

describe('an HPA', () => {
  const http = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'ghcr.io/acme/web:1', ports: [{ containerPort: 80 }] }] },
      },
    },
  }
  const hpa = (target: string, metadata: JsonObject = {}) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web-cpu', ...metadata },
    spec: { scaleTargetRef: { kind: 'Deployment', name: target }, maxReplicas: 4 },
  })
  const deletes = (...more: JsonObject[]) => {
    const migrated = migrate([web, http, ...more], builtInPlatform, { adopt: false })
    if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
    return migrated.steps.flatMap(({ commands }) => commands).filter(command => command.includes('horizontalpodautoscaler'))
  }

  test('of the Deployment is deleted, because the claim sets the count', () => {
    expect(deletes(hpa('web'))).toEqual(['kubectl -n default delete horizontalpodautoscaler/web-cpu'])
  })

  test.each([
    { says: 'of another Deployment', object: hpa('other') },
    { says: 'of KEDA', object: hpa('web', { ownerReferences: [{ controller: true, kind: 'ScaledObject', name: 'web' }] }) },
  ])('$says is left alone', ({ object }) => expect(deletes(object)).toEqual([]))
})
