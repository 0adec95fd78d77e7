import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { knativeServing } from '../../../src/capabilities/knative-serving/index.ts'
import { knativeService, standInKnativeService } from '../../../src/capabilities/knative-serving/knative-service.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../src/platform/platform.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claims, knativeClaim, RUNS } from '../../fixtures/claims.ts'
import { conditions, resolvedClaim, type Said } from '../../fixtures/resolved-claim.ts'
import { violations } from '../workload/pod-security.ts'

const asKnative = (spec: JsonObject = {}) => resolvedClaim({ runtime: 'Knative', nats: undefined, ...spec })
const build = (spec?: JsonObject): JsonObject => knativeService.build(asKnative(spec), 'new') ?? {}
const pod = (spec?: JsonObject) => at(build(spec), 'spec', 'template', 'spec')
const main = (spec?: JsonObject) => at(pod(spec), 'containers', 0)
const serving = (knative: JsonObject, more: JsonObject = {}) => build({ knative, ...more })
const annotations = (autoscaling: JsonObject, more?: JsonObject) =>
  Object.fromEntries(
    Object.entries(at(serving({ autoscaling }, more), 'spec', 'template', 'metadata', 'annotations') as JsonObject).map(([name, value]) => [
      name.replace('autoscaling.knative.dev/', ''),
      value,
    ]),
  )

describe('the manifest', () => {
  test('is a Service of Knative with our labels', () => {
    expect(build()).toMatchObject({ apiVersion: 'serving.knative.dev/v1', kind: 'Service' })
    expect(build().metadata).toEqual({
      name: 'orders-worker',
      namespace: 'shop',
      labels: {
        'app.kubernetes.io/name': 'orders-worker',
        'app.kubernetes.io/component': 'event-driven-worker',
        'app.kubernetes.io/managed-by': 'crossplane',
      },
    })
  })

  test('is none with runtime Deployment', () => {
    expect(knativeServing.resolve(resolvedClaim())).toBeUndefined()
  })

  test('has pods that a Deployment of the same claim would not take for its own', () => {
    expect(at(build(), 'spec', 'template', 'metadata', 'labels')).not.toHaveProperty('app.kubernetes.io/name')
  })

  test.each([
    { says: 'external, without a word', visibility: 'external', label: undefined },
    { says: 'cluster-local, by a label', visibility: 'cluster-local', label: 'cluster-local' },
  ])('is $says', ({ visibility, label }) => {
    const { metadata, spec } = serving({ visibility })
    expect(at(metadata, 'labels', 'networking.knative.dev/visibility')).toBe(label)
    expect(JSON.stringify(spec)).not.toContain('visibility')
  })
})

describe('the pod', () => {
  test('has its security on the container, as Knative takes none for the pod', () => {
    expect(pod()).toMatchObject({ serviceAccountName: 'orders-worker', automountServiceAccountToken: false })
    expect(pod()).not.toHaveProperty('securityContext')
    expect(at(main(), 'securityContext')).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
  })

  test('passes the restricted Pod Security Standard, with an init container too', () => {
    const platform = { ...builtInPlatform, features: { ...builtInPlatform.features, knativeInitContainers: true } }
    const parsed = parseClaim(knativeClaim({ initContainer: { command: ['migrate'] } }), platform)
    if (!parsed.ok) throw new Error('not valid')
    const template = at(knativeService.build(parsed.claim, 'new'), 'spec', 'template') as JsonObject
    expect(at(template, 'spec', 'initContainers', 0)).toMatchObject({ name: 'init', command: ['migrate'] })
    expect(violations(template)).toEqual([])
  })

  test('sets no PORT, which Knative sets itself, but the variables of NATS where the claim has it', () => {
    const names = (spec?: JsonObject) => (at(main(spec), 'env') as JsonObject[]).map(({ name }) => name)
    const telemetry = ['OTEL_SERVICE_NAME', 'OTEL_SERVICE_VERSION', 'OTEL_RESOURCE_ATTRIBUTES']
    expect(names()).toEqual(telemetry)
    expect(names({ nats: { stream: 'S', consumer: 'c' }, env: [{ name: 'A', value: '1' }] })).toEqual([
      'NATS_URL',
      'NATS_STREAM_NAME',
      'NATS_CONSUMER_GROUP',
      ...telemetry,
      'A',
    ])
  })

  test('has one port, named for HTTP/1, and probes that leave the port to Knative', () => {
    expect(at(main({ httpPort: 3000 }), 'ports')).toEqual([{ name: 'http1', containerPort: 3000, protocol: 'TCP' }])
    expect(at(main({ healthPath: '/h' }), 'livenessProbe')).toMatchObject({ httpGet: { path: '/h' } })
    expect(at(main(), 'readinessProbe', 'httpGet')).toEqual({ path: '/ready' })
  })

  test('shares secrets, sizes and pull secrets with the Deployment', () => {
    const spec = { size: 'micro', secretRefs: [{ name: 'db', envFrom: true }], imagePullSecrets: [{ name: 'registry' }] }
    expect(main(spec)).toMatchObject({
      name: 'main',
      envFrom: [{ secretRef: { name: 'db' } }],
      resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
    })
    expect(pod(spec)).toMatchObject({ imagePullSecrets: [{ name: 'registry' }] })
  })

  test.each([
    { says: 'the built-in', knative: {}, environment: undefined, concurrency: 100, timeout: 300 },
    { says: 'the environment’s', knative: {}, environment: 'development', concurrency: 50, timeout: 60 },
    {
      says: 'the claim’s, even 0',
      knative: { containerConcurrency: 0, timeoutSeconds: 1 },
      environment: 'staging',
      concurrency: 0,
      timeout: 1,
    },
  ])('takes as many requests and as long as $says says', ({ knative, environment, concurrency, timeout }) => {
    const template = at(build({ knative, ...(environment && { environment }) }), 'spec', 'template', 'spec')
    expect(template).toMatchObject({ containerConcurrency: concurrency, timeoutSeconds: timeout })
  })
})

describe('autoscaling', () => {
  const kpa = { class: 'kpa.autoscaling.knative.dev', metric: 'concurrency', target: '100', 'min-scale': '0', 'max-scale': '10' }
  const hpa = { class: 'hpa.autoscaling.knative.dev', metric: 'cpu', target: '100', 'min-scale': '0', 'max-scale': '10' }
  const every = {
    target: 0.5,
    minScale: 1,
    maxScale: 0,
    scaleDownDelay: '1m',
    window: '90s',
    initialScale: 3,
    activationScale: 2,
    targetUtilization: 70.5,
    panicWindow: 10,
    panicThreshold: 200,
  }

  test.each([
    { says: 'nothing', autoscaling: {}, becomes: { ...kpa, 'scale-down-delay': '30s' } },
    {
      says: 'everything, with kpa',
      autoscaling: { class: 'kpa', metric: 'rps', ...every },
      becomes: {
        class: 'kpa.autoscaling.knative.dev',
        metric: 'rps',
        target: '0.5',
        'min-scale': '1',
        'max-scale': '0',
        'initial-scale': '3',
        window: '90s',
        'scale-down-delay': '1m',
        'activation-scale': '2',
        'target-utilization-percentage': '70.5',
        'panic-window-percentage': '10',
        'panic-threshold-percentage': '200',
      },
    },
    { says: 'the class hpa', autoscaling: { class: 'hpa' }, becomes: hpa },
    { says: 'a metric of hpa', autoscaling: { metric: 'cpu' }, becomes: hpa },
    {
      says: 'everything, with hpa, which does not look at the rest',
      autoscaling: { class: 'hpa', metric: 'memory', ...every },
      becomes: { ...hpa, metric: 'memory', target: '0.5', 'min-scale': '1', 'max-scale': '0', 'initial-scale': '3', window: '90s' },
    },
  ])('$says', ({ autoscaling, becomes }) => {
    expect(annotations(autoscaling)).toEqual(becomes)
  })

  test('is annotated on the template only, where Knative reads it', () => {
    expect(JSON.stringify(serving({ autoscaling: every }).metadata)).not.toContain('autoscaling.knative.dev')
  })

  const ofKpa = [
    'scale-down-delay',
    'activation-scale',
    'target-utilization-percentage',
    'panic-window-percentage',
    'panic-threshold-percentage',
  ]
  test('whatever the claim: the class has a metric of its own, bounds in order, and nothing of the other class', () => {
    fc.assert(
      fc.property(
        claims().filter(({ spec }) => spec.runtime === 'Knative'),
        document => {
          const parsed = parseClaim(document, builtInPlatform)
          if (!parsed.ok) throw new Error('not valid')
          const manifest = knativeService.build(parsed.claim, 'new')
          const said = at(manifest, 'spec', 'template', 'metadata', 'annotations') as Readonly<Record<string, string>>
          const get = (name: string) => said[`autoscaling.knative.dev/${name}`]
          const isKpa = get('class') === 'kpa.autoscaling.knative.dev'
          expect(isKpa ? ['concurrency', 'rps'] : ['cpu', 'memory']).toContain(get('metric'))
          if (!isKpa) for (const name of ofKpa) expect(get(name)).toBeUndefined()
          const [least, most, wakes] = [Number(get('min-scale')), Number(get('max-scale')), get('activation-scale')]
          if (most !== 0) expect(least).toBeLessThanOrEqual(most)
          if (wakes === undefined) return
          expect(Number(wakes)).toBeGreaterThanOrEqual(Math.max(2, least))
          if (most !== 0) expect(Number(wakes)).toBeLessThanOrEqual(most)
        },
      ),
      { numRuns: RUNS },
    )
  })
})

describe('traffic', () => {
  const traffic = (...shares: JsonObject[]) => at(serving({ traffic: shares }), 'spec', 'traffic')

  test('goes to the latest revision where nothing is said', () => {
    expect(at(build(), 'spec', 'traffic')).toEqual([{ latestRevision: true, percent: 100 }])
  })

  test.each([
    {
      says: 'a canary',
      shares: [
        { revisionName: 'orders-00002', percent: 90 },
        { latestRevision: true, percent: 10 },
      ],
      becomes: [
        { latestRevision: false, revisionName: 'orders-00002', percent: 90 },
        { latestRevision: true, percent: 10 },
      ],
    },
    {
      says: 'a rollback',
      shares: [{ revisionName: 'orders-00001', percent: 100 }],
      becomes: [{ latestRevision: false, revisionName: 'orders-00001', percent: 100 }],
    },
    {
      says: 'blue and green, with a tag and no share for what is tried',
      shares: [
        { revisionName: 'orders-00001', percent: 100, tag: 'blue' },
        { latestRevision: true, tag: 'green' },
      ],
      becomes: [
        { latestRevision: false, revisionName: 'orders-00001', percent: 100, tag: 'blue' },
        { latestRevision: true, percent: 0, tag: 'green' },
      ],
    },
  ])('$says', ({ shares, becomes }) => {
    expect(traffic(...shares)).toEqual(becomes)
  })

  test('is accepted exactly when its shares add up to 100', () => {
    const shares = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 5 })
    const addUp = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
      .map(cuts => [...cuts, 100].sort((a, b) => a - b).map((edge, index, edges) => edge - (edges[index - 1] ?? 0)))
    fc.assert(
      fc.property(fc.oneof(shares, addUp), percents => {
        const split = percents.map(percent => ({ latestRevision: true, percent }))
        const parsed = parseClaim(knativeClaim({ knative: { traffic: split } }), builtInPlatform)
        const sum = percents.reduce((total, percent) => total + percent, 0)
        expect(parsed.ok).toBe(sum === 100)
        if (parsed.ok) expect(at(knativeService.build(parsed.claim, 'new'), 'spec', 'traffic')).toEqual(split)
      }),
      { numRuns: RUNS },
    )
  })

  test('is not split at the stand-in, which has revisions of its own', () => {
    const claim = asKnative({ knative: { traffic: [{ revisionName: 'orders-00001', percent: 100 }] } })
    const standIn = standInKnativeService.build(claim, 'new')
    expect(at(standIn, 'spec', 'traffic')).toEqual([{ latestRevision: true, percent: 100 }])
    expect(at(standIn, 'metadata', 'name')).toBe('orders-worker-switch')
  })
})

describe('readiness', () => {
  const observed = (generation: number, seen: number | undefined, more: JsonObject = {}, ...said: Said[]): JsonObject => ({
    metadata: { name: 'orders-worker', generation },
    status: { ...(seen !== undefined && { observedGeneration: seen }), conditions: conditions(...said), ...more },
  })
  const judge = (object: JsonObject) => knativeService.ready(object, asKnative())
  const look = 'kubectl -n shop describe revisions -l serving.knative.dev/service=orders-worker'

  test.each([
    {
      says: 'nobody has looked at it',
      object: { metadata: { generation: 1 } },
      ready: false,
      reason: 'Deploying',
      message: 'being updated',
    },
    {
      says: 'it is ready',
      object: observed(2, 2, {}, ['Ready', 'True']),
      ready: true,
      reason: 'Ready',
      message: 'Knative Service orders-worker is ready.',
    },
    {
      says: 'an earlier spec was ready',
      object: observed(3, 2, {}, ['Ready', 'True']),
      ready: false,
      reason: 'Deploying',
      message: 'being updated',
    },
    {
      says: 'it is on its way',
      object: observed(1, 1, {}, ['Ready', 'Unknown']),
      ready: false,
      reason: 'Deploying',
      message: 'kubectl -n shop get revisions',
    },
    {
      says: 'its first revision fails',
      object: observed(1, 1, {}, ['Ready', 'False', 'RevisionFailed', 'Revision "orders-worker-00001" failed']),
      ready: false,
      reason: 'RevisionFailed',
      message: `Knative Service orders-worker is not ready: Revision "orders-worker-00001" failed. See: ${look}`,
    },
    {
      says: 'a later revision fails',
      object: observed(2, 2, { latestReadyRevisionName: 'orders-worker-00001' }, ['Ready', 'False', 'RevisionFailed', 'failed.']),
      ready: false,
      reason: 'RevisionFailed',
      message: `Knative Service orders-worker is not ready: failed. Requests still go to revision orders-worker-00001. See: ${look}`,
    },
    {
      says: 'a Service is in its way',
      object: observed(1, 1, {}, ['Ready', 'False', 'NotOwned', 'There is an existing Service']),
      ready: false,
      reason: 'NotOwned',
      message: 'delete or rename the existing one',
    },
    {
      says: 'its first revision fails, which the Route calls missing',
      object: observed(
        1,
        1,
        {},
        ['Ready', 'False', 'RevisionMissing', 'not found'],
        ['ConfigurationsReady', 'False', 'RevisionFailed', 'Container failed with: boom'],
      ),
      ready: false,
      reason: 'RevisionFailed',
      message: `Knative Service orders-worker is not ready: Container failed with: boom. See: ${look}`,
    },
    {
      says: 'no revision is ready, and the Configuration does not say why',
      object: observed(1, 1, {}, ['Ready', 'False', 'RevisionMissing', 'no ready revision']),
      ready: false,
      reason: 'RevisionFailed',
      message: `Knative Service orders-worker is not ready: no ready revision. See: ${look}`,
    },
  ])('$says', ({ object, ready, reason, message }) => {
    expect(judge(object)).toMatchObject({ ready, reason })
    expect(judge(object).message).toContain(message)
  })

  test('reports a missing revision in the traffic split', () => {
    const split = asKnative({ knative: { traffic: [{ revisionName: 'orders-worker-00009', percent: 100 }] } })
    const missing = observed(1, 1, {}, ['Ready', 'False', 'RevisionMissing', 'not found'])
    expect(knativeService.ready(missing, split)).toMatchObject({
      reason: 'RevisionMissing',
      message: expect.stringContaining('Check the names under spec.knative.traffic.'),
    })
  })

  test('until a new image is ready, the status names the previous one', () => {
    const spec = { template: { spec: { containers: [{ name: 'main', image: 'new' }] } } }
    const imageIn = (object: JsonObject) =>
      at(knativeService.status?.({ ...object, spec }, asKnative(), { workload: { image: 'old' } }), 'workload', 'image')
    expect(imageIn(observed(2, 2, {}, ['Ready', 'Unknown']))).toBe('old')
    expect(imageIn(observed(2, 1, {}, ['Ready', 'True']))).toBe('old')
    expect(imageIn(observed(2, 2, {}, ['Ready', 'True']))).toBe('new')
  })

  test('the status says what runs, where it is reached, and what scales it', () => {
    expect(knativeService.status?.(undefined, asKnative(), {})).toEqual({
      workload: { kind: 'Service', name: 'orders-worker', size: 'medium' },
      autoscaler: { kind: 'PodAutoscaler', minReplicas: 0, maxReplicas: 10 },
    })
    const running = { status: { url: 'https://orders-worker.shop.example.com', latestReadyRevisionName: 'orders-worker-00004' } }
    expect(knativeService.status?.(running, asKnative(), {})).toMatchObject({
      url: 'https://orders-worker.shop.example.com',
      autoscaler: { name: 'orders-worker-00004' },
    })
  })
})

describe('the pods of a Knative Service that is not ready', () => {
  const status = { latestCreatedRevisionName: 'orders-worker-00002' }
  const generation = { metadata: { generation: 2 } }
  const of = (name: string) => ({ 'serving.knative.dev/service': name, 'serving.knative.dev/revision': 'orders-worker-00002' })
  test.each<{ says: string; observed: JsonObject; spec?: JsonObject; labels: JsonObject | undefined }>([
    { says: 'those of the newest revision', observed: { status }, labels: of('orders-worker') },
    { says: 'none without a revision', observed: { status: {} }, labels: undefined },
    {
      says: 'none while a change is not observed',
      observed: { ...generation, status: { ...status, observedGeneration: 1 } },
      labels: undefined,
    },
    {
      says: 'none if they are too many for a request',
      observed: { status },
      spec: { knative: { autoscaling: { minScale: 101, maxScale: 200 } } },
      labels: undefined,
    },
  ])('are $says', ({ observed, spec, labels }) => expect(knativeService.podLabels?.(observed, asKnative(spec))).toEqual(labels))

  test('are those of the stand-in during a change of runtime', () => {
    expect(standInKnativeService.podLabels?.({ status }, asKnative())).toEqual(of('orders-worker-switch'))
  })
})
