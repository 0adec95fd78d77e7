import { describe, expect, test } from 'vitest'
import { deployment } from '../../../src/capabilities/deployment/deployment.ts'
import { deploymentCapability } from '../../../src/capabilities/deployment/index.ts'
import { imagePullPolicy } from '../../../src/capabilities/workload/pod.ts'
import { at, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { conditions, resolvedClaim } from '../../fixtures/resolved-claim.ts'
import { violations } from '../workload/pod-security.ts'

const build = (spec: JsonObject = {}): JsonObject => deployment.build(resolvedClaim(spec), 'new') ?? {}
const pod = (spec?: JsonObject) => at(build(spec), 'spec', 'template', 'spec')
const main = (spec?: JsonObject) => at(pod(spec), 'containers', 0)
const init = (spec?: JsonObject) => at(pod(spec), 'initContainers', 0)

const full = {
  env: [{ name: 'LOG_LEVEL', value: 'info' }],
  secretRefs: [
    { name: 'db', env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] },
    { name: 'cache', envFrom: true, prefix: 'CACHE_' },
  ],
  secret1Name: 'legacy',
  imagePullSecrets: [{ name: 'registry' }],
  initContainer: { command: ['node', 'migrate.js'], args: ['--to', 'latest'] },
  httpPort: 3000,
}

describe('the manifest', () => {
  test('has name, namespace, labels, and selects by the name alone', () => {
    const labels = {
      'app.kubernetes.io/name': 'orders-worker',
      'app.kubernetes.io/component': 'event-driven-worker',
      'app.kubernetes.io/managed-by': 'crossplane',
    }
    const manifest = build()
    expect(manifest).toMatchObject({ apiVersion: 'apps/v1', kind: 'Deployment' })
    expect(manifest.metadata).toEqual({ name: 'orders-worker', namespace: 'shop', labels })
    expect(at(manifest, 'spec', 'selector')).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'orders-worker' } })
    expect(at(manifest, 'spec', 'template', 'metadata')).toEqual({ labels: { ...labels, 'app.kubernetes.io/version': '1.4.2' } })
  })

  test('is none with runtime Knative', () => {
    expect(deploymentCapability.resolve(resolvedClaim({ runtime: 'Knative', nats: undefined }))).toBeUndefined()
  })

  test.each([
    { lifecycle: 'new', replicas: 1 },
    { lifecycle: 'adopted', replicas: undefined },
    { lifecycle: 'existing', replicas: undefined },
  ] as const)('sets replicas to $replicas on a Deployment that is $lifecycle', ({ lifecycle, replicas }) => {
    for (const scaling of [{}, { minReplicas: 5 }, { minReplicas: 0 }])
      expect(at(deployment.build(resolvedClaim({ scaling }), lifecycle), 'spec', 'replicas')).toBe(replicas)
  })
})

describe('the pod', () => {
  test('runs as the non-root user 1000 without a token', () => {
    expect(pod()).toMatchObject({
      serviceAccountName: 'orders-worker',
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
    })
  })

  test.each([
    { says: 'the least', spec: {} },
    { says: 'everything', spec: full },
  ])('with $says passes the restricted Pod Security Standard', ({ spec }) => {
    expect(violations(at(build(spec), 'spec', 'template') as JsonObject)).toEqual([])
  })

  test.each([
    { says: 'none', spec: {}, secrets: undefined },
    { says: 'an empty list', spec: { imagePullSecrets: [] }, secrets: undefined },
    { says: 'two', spec: { imagePullSecrets: [{ name: 'b' }, { name: 'a' }] }, secrets: [{ name: 'b' }, { name: 'a' }] },
  ])('pull secrets: $says', ({ spec, secrets }) => expect(at(pod(spec), 'imagePullSecrets')).toEqual(secrets))
})

describe('the container', () => {
  test('may nothing', () => {
    expect(main()).toMatchObject({
      name: 'main',
      image: 'ghcr.io/acme/orders-worker:1.4.2',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
    })
  })

  test.each([
    { httpPort: undefined, port: 8080 },
    { httpPort: 3000, port: 3000 },
  ])('listens on $port as http, which PORT tells', ({ httpPort, port }) => {
    expect(at(main({ httpPort }), 'ports')).toEqual([{ name: 'http', containerPort: port, protocol: 'TCP' }])
    expect(at(main({ httpPort }), 'env')).toContainEqual({ name: 'PORT', value: `${port}` })
  })

  test.each([
    { size: 'micro', requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '500m', memory: '1Gi' } },
    { size: 'large', requests: { cpu: '1000m', memory: '2Gi' }, limits: { cpu: '4000m', memory: '8Gi' } },
    { size: undefined, requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '2000m', memory: '4Gi' } },
  ])('of size $size has its resources', ({ size, requests, limits }) => {
    expect(at(main({ size }), 'resources')).toEqual({ requests, limits })
  })

  test.each([
    { says: 'the usual paths', spec: {}, live: '/health', ready: '/ready' },
    { says: 'paths of its own', spec: { healthPath: '/live', readyPath: '/up' }, live: '/live', ready: '/up' },
  ])('is probed at $says', ({ spec, live, ready }) => {
    expect(main(spec)).toMatchObject({
      livenessProbe: {
        httpGet: { path: live, port: 'http' },
        initialDelaySeconds: 10,
        periodSeconds: 10,
        timeoutSeconds: 5,
        failureThreshold: 3,
      },
      readinessProbe: {
        httpGet: { path: ready, port: 'http' },
        initialDelaySeconds: 5,
        periodSeconds: 5,
        timeoutSeconds: 3,
        failureThreshold: 2,
      },
    })
  })

  describe('environment', () => {
    const platform = [
      { name: 'NATS_URL', value: 'nats://nats.nats.svc:4222' },
      { name: 'NATS_STREAM_NAME', value: 'ORDERS' },
      { name: 'NATS_CONSUMER_GROUP', value: 'orders-workers' },
      { name: 'PORT', value: '8080' },
    ]
    const version = [
      { name: 'OTEL_SERVICE_VERSION', value: '1.4.2' },
      { name: 'OTEL_RESOURCE_ATTRIBUTES', value: 'service.namespace=shop,service.version=1.4.2' },
    ]
    const telemetry = [{ name: 'OTEL_SERVICE_NAME', value: 'orders-worker' }, ...version]
    const key = (name: string, secret: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: 'k' } } })
    test.each<{ says: string; spec: JsonObject; env: Json[] }>([
      { says: "the platform's first, then telemetry", spec: {}, env: [...platform, ...telemetry] },
      {
        says: "then the claim's, in its order",
        spec: {
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '' },
          ],
        },
        env: [...platform, ...telemetry, { name: 'B', value: '2' }, { name: 'A', value: '' }],
      },
      {
        says: 'then single keys of secrets, in their order',
        spec: {
          env: [{ name: 'A', value: '' }],
          secretRefs: [
            { name: 's', env: [{ secretKey: 'k', envName: 'C' }] },
            {
              name: 't',
              env: [
                { secretKey: 'k', envName: 'B' },
                { secretKey: 'k', envName: 'D' },
              ],
            },
          ],
        },
        env: [...platform, ...telemetry, { name: 'A', value: '' }, key('C', 's'), key('B', 't'), key('D', 't')],
      },
      {
        says: 'a claim that names its service to telemetry itself',
        spec: { env: [{ name: 'OTEL_SERVICE_NAME', value: 'mine' }] },
        env: [...platform, ...version, { name: 'OTEL_SERVICE_NAME', value: 'mine' }],
      },
      {
        says: 'a secret that does',
        spec: { secretRefs: [{ name: 's', env: [{ secretKey: 'k', envName: 'OTEL_SERVICE_NAME' }] }] },
        env: [...platform, ...version, key('OTEL_SERVICE_NAME', 's')],
      },
      {
        says: 'an environment, which telemetry names',
        spec: { environment: 'staging' },
        env: [
          ...platform,
          telemetry[0] ?? {},
          { name: 'OTEL_SERVICE_VERSION', value: '1.4.2' },
          {
            name: 'OTEL_RESOURCE_ATTRIBUTES',
            value: 'service.namespace=shop,service.version=1.4.2,deployment.environment.name=staging',
          },
        ],
      },
      {
        says: 'single keys of ConfigMaps before those of secrets',
        spec: {
          secretRefs: [{ name: 's', env: [{ key: 'k', name: 'B' }] }],
          configRefs: [{ name: 'c', optional: true, env: [{ key: 'k', name: 'A' }] }],
        },
        env: [
          ...platform,
          ...telemetry,
          { name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
          key('B', 's'),
        ],
      },
      {
        says: 'what a claim says about its messages',
        spec: { processing: { maxDuration: '50m', concurrency: 4 } },
        env: [...platform, ...telemetry, { name: 'CONCURRENCY', value: '4' }, { name: 'MAX_PROCESSING_SECONDS', value: '3000' }],
      },
      {
        says: 'one message at once, if the claim only says how long it takes',
        spec: { processing: { maxDuration: '10m' } },
        env: [...platform, ...telemetry, { name: 'CONCURRENCY', value: '1' }, { name: 'MAX_PROCESSING_SECONDS', value: '600' }],
      },
      {
        says: "the claim's own variable of such a name",
        spec: { processing: { concurrency: 4 }, env: [{ name: 'CONCURRENCY', value: 'eight' }] },
        env: [...platform, ...telemetry, { name: 'CONCURRENCY', value: 'eight' }],
      },
      {
        says: 'the files by which it logs in to NATS',
        spec: { nats: { stream: 'ORDERS', consumer: 'orders-workers', credentials: { secret: 'c' }, tls: { secret: 't' } } },
        env: [
          ...platform,
          ...telemetry,
          { name: 'NATS_CREDS', value: '/var/run/secrets/nats/user.creds' },
          { name: 'NATS_CA', value: '/var/run/secrets/nats/ca.crt' },
          { name: 'NATS_CERT', value: '/var/run/secrets/nats/tls.crt' },
          { name: 'NATS_KEY', value: '/var/run/secrets/nats/tls.key' },
        ],
      },
    ])('$says', ({ spec, env }) => expect(at(main(spec), 'env')).toEqual(env))

    test.each<{ says: string; spec: JsonObject; envFrom: Json | undefined }>([
      { says: 'none', spec: {}, envFrom: undefined },
      { says: 'single keys only', spec: { secretRefs: [{ name: 's', env: [{ secretKey: 'k', envName: 'A' }] }] }, envFrom: undefined },
      { says: 'all keys', spec: { secretRefs: [{ name: 's', envFrom: true }] }, envFrom: [{ secretRef: { name: 's' } }] },
      {
        says: 'all keys with a prefix',
        spec: { secretRefs: [{ name: 's', envFrom: true, prefix: 'P_' }] },
        envFrom: [{ prefix: 'P_', secretRef: { name: 's' } }],
      },
      {
        says: 'ConfigMaps first, so that a secret wins',
        spec: {
          secretRefs: [{ name: 's', envFrom: true, optional: true }],
          configRefs: [{ name: 'c', envFrom: true, prefix: 'P_' }],
        },
        envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }, { secretRef: { name: 's', optional: true } }],
      },
      {
        says: 'the older spelling, behind the newer',
        spec: { secret2Name: 'b', secret1Name: 'a', secretRefs: [{ name: 's', envFrom: true }] },
        envFrom: [{ secretRef: { name: 's' } }, { secretRef: { name: 'a' } }, { secretRef: { name: 'b' } }],
      },
      {
        says: 'one secret both ways',
        spec: { secretRefs: [{ name: 's', envFrom: true, env: [{ secretKey: 'k', envName: 'A' }] }] },
        envFrom: [{ secretRef: { name: 's' } }],
      },
    ])('secrets in bulk: $says', ({ spec, envFrom }) => expect(at(main(spec), 'envFrom')).toEqual(envFrom))
  })
})

const digest = `@sha256:${'0123456789abcdef'.repeat(4)}`
test.each([
  { image: 'nginx', policy: 'Always' },
  { image: 'nginx:latest', policy: 'Always' },
  { image: 'ghcr.io/acme/worker', policy: 'Always' },
  { image: 'localhost:5000/worker', policy: 'Always' },
  { image: 'localhost:5000/worker:latest', policy: 'Always' },
  { image: 'nginx:1.27', policy: 'IfNotPresent' },
  { image: 'nginx:latest-alpine', policy: 'IfNotPresent' },
  { image: 'localhost:5000/worker:1.0', policy: 'IfNotPresent' },
  { image: `nginx${digest}`, policy: 'IfNotPresent' },
  { image: `nginx:latest${digest}`, policy: 'IfNotPresent' },
  { image: `localhost:5000/worker${digest}`, policy: 'IfNotPresent' },
])('$image is pulled $policy', ({ image, policy }) => {
  expect(imagePullPolicy(image)).toBe(policy)
  expect(at(main({ image }), 'imagePullPolicy')).toBe(policy)
})

describe('the init container', () => {
  test('is omitted by default', () => expect(at(pod(), 'initContainers')).toBeUndefined())

  test('runs its command with all that the container has but ports and probes', () => {
    const { name: _, ports, livenessProbe, readinessProbe, lifecycle, ...common } = main(full) as JsonObject
    expect([ports, livenessProbe, readinessProbe, lifecycle]).not.toContain(undefined)
    expect(init(full)).toEqual({ ...common, name: 'init', command: ['node', 'migrate.js'], args: ['--to', 'latest'] })
  })

  test.each([
    { says: 'none', initContainer: { command: ['a'] }, args: undefined },
    { says: 'an empty list', initContainer: { command: ['a'], args: [] }, args: [] },
  ])('arguments: $says', ({ initContainer, args }) => expect(at(init({ initContainer }), 'args')).toEqual(args))
})

describe('ready', () => {
  const up = conditions(['Progressing', 'True', 'NewReplicaSetAvailable'], ['Available', 'True', 'MinimumReplicasAvailable'])
  const down = conditions(['Progressing', 'True', 'ReplicaSetUpdated'], ['Available', 'False', 'MinimumReplicasUnavailable'])
  const look = 'See: eds why shop/orders-worker, or kubectl -n shop describe pods -l app.kubernetes.io/name=orders-worker'
  const stuck = 'The rollout of Deployment orders-worker is stuck: its new pods do not become ready.'
  const quota = 'pods "orders-worker-7d9f-x2x4k" is forbidden: exceeded quota: compute, requested: memory=1Gi'

  test.each<{ says: string; observed: JsonObject; is: [ready: boolean, reason: string, message: string] }>([
    {
      says: 'available',
      observed: { spec: { replicas: 3 }, status: { conditions: up } },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
    {
      says: 'available, with the latest spec observed',
      observed: { metadata: { generation: 2 }, spec: { replicas: 1 }, status: { observedGeneration: 2, conditions: up } },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
    {
      says: 'available while it rolls out',
      observed: {
        spec: { replicas: 1 },
        status: { conditions: conditions(['Progressing', 'True', 'ReplicaSetUpdated'], ['Available', 'True']) },
      },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
    {
      says: 'scaled to zero by KEDA',
      observed: { spec: { replicas: 0 }, status: { conditions: up } },
      is: [true, 'ScaledToZero', 'Deployment orders-worker is scaled to zero until messages arrive.'],
    },
    {
      says: 'scaled to zero, and so not available',
      observed: { spec: { replicas: 0 }, status: { conditions: conditions(['Available', 'False']) } },
      is: [true, 'ScaledToZero', 'Deployment orders-worker is scaled to zero until messages arrive.'],
    },
    {
      says: 'scaled to zero, without conditions yet',
      observed: { spec: { replicas: 0 } },
      is: [true, 'ScaledToZero', 'Deployment orders-worker is scaled to zero until messages arrive.'],
    },
    {
      says: 'another count not looked at yet, and what was available still is',
      observed: { metadata: { generation: 3 }, spec: { replicas: 5 }, status: { observedGeneration: 2, conditions: up } },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
    {
      says: 'an older spec looked at, and nothing available',
      observed: { metadata: { generation: 3 }, spec: { replicas: 1 }, status: { observedGeneration: 2, conditions: down } },
      is: [false, 'Updating', 'Deployment orders-worker is being updated.'],
    },
    {
      says: 'rolling out, and the old pods serve while the new ones start',
      observed: {
        spec: { replicas: 3 },
        status: { replicas: 4, updatedReplicas: 1, availableReplicas: 3, unavailableReplicas: 1, conditions: up },
      },
      is: [
        false,
        'RollingOut',
        `Deployment orders-worker is rolling out: 1 of 3 pods run the new version, and 1 is not available. ${look}`,
      ],
    },
    {
      says: 'rolling out, and all new pods so far are available',
      observed: { spec: { replicas: 3 }, status: { replicas: 3, updatedReplicas: 2, availableReplicas: 3, conditions: up } },
      is: [false, 'RollingOut', `Deployment orders-worker is rolling out: 2 of 3 pods run the new version. ${look}`],
    },
    {
      says: 'rolled out',
      observed: { spec: { replicas: 3 }, status: { replicas: 3, updatedReplicas: 3, availableReplicas: 3, conditions: up } },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
    {
      says: 'scaled up, and most of the new pods are starting',
      observed: { spec: { replicas: 5 }, status: { availableReplicas: 1, conditions: down } },
      is: [
        true,
        'PartlyAvailable',
        `Deployment orders-worker has fewer ready pods than replicas, which is normal while it scales up. ${look}`,
      ],
    },
    {
      says: 'scaled up twice, the second count not looked at yet',
      observed: {
        metadata: { generation: 3 },
        spec: { replicas: 9 },
        status: { observedGeneration: 2, availableReplicas: 1, conditions: down },
      },
      is: [
        true,
        'PartlyAvailable',
        `Deployment orders-worker has fewer ready pods than replicas, which is normal while it scales up. ${look}`,
      ],
    },
    {
      says: 'a stuck rollout after some pods were lost',
      observed: {
        spec: { replicas: 5 },
        status: {
          replicas: 5,
          updatedReplicas: 5,
          availableReplicas: 1,
          unavailableReplicas: 4,
          conditions: conditions(['Available', 'False'], ['Progressing', 'False', 'ProgressDeadlineExceeded']),
        },
      },
      is: [false, 'ProgressDeadlineExceeded', `${stuck} 5 of 5 pods run the new version, and 4 are not available. ${look}`],
    },
    {
      says: 'no pod ready',
      observed: { spec: { replicas: 1 }, status: { conditions: down } },
      is: [false, 'Unavailable', `Deployment orders-worker has no ready pod. ${look}`],
    },
    {
      says: 'without conditions yet',
      observed: { spec: { replicas: 1 } },
      is: [false, 'Unavailable', `Deployment orders-worker has no ready pod. ${look}`],
    },
    {
      says: 'a stuck rollout, though the old pods serve',
      observed: {
        spec: { replicas: 1 },
        status: {
          replicas: 2,
          updatedReplicas: 1,
          unavailableReplicas: 1,
          conditions: conditions(['Available', 'True'], ['Progressing', 'False', 'ProgressDeadlineExceeded']),
        },
      },
      is: [false, 'ProgressDeadlineExceeded', `${stuck} 1 of 1 pods run the new version, and 1 is not available. ${look}`],
    },
    {
      says: 'a stuck rollout without a reason',
      observed: { spec: { replicas: 1 }, status: { conditions: conditions(['Progressing', 'False']) } },
      is: [false, 'RolloutStuck', `${stuck} 0 of 1 pods run the new version. ${look}`],
    },
    {
      says: 'a quota that is used up',
      observed: {
        spec: { replicas: 1 },
        status: { conditions: [...down, ...conditions(['ReplicaFailure', 'True', 'FailedCreate', quota])] },
      },
      is: [false, 'FailedCreate', `Deployment orders-worker can't create pods: forbidden: exceeded quota: compute, requested: memory=1Gi`],
    },
    {
      says: 'created before its ServiceAccount',
      observed: {
        spec: { replicas: 1 },
        status: {
          conditions: [
            ...down,
            ...conditions([
              'ReplicaFailure',
              'True',
              'FailedCreate',
              'pods "orders-worker-7d9f-" is forbidden: error looking up service account shop/orders-worker: serviceaccount "orders-worker" not found',
            ]),
          ],
        },
      },
      is: [
        false,
        'Waiting',
        'Deployment orders-worker waits for its ServiceAccount. If this message persists, something else prevents its pods: kubectl -n shop get events --field-selector reason=FailedCreate',
      ],
    },
    {
      says: 'a past failure',
      observed: { spec: { replicas: 1 }, status: { conditions: [...up, ...conditions(['ReplicaFailure', 'False'])] } },
      is: [true, 'Available', 'Deployment orders-worker is available.'],
    },
  ])('$says', ({ observed, is: [ready, reason, message] }) => {
    expect(deployment.ready(observed, resolvedClaim())).toMatchObject({ ready, reason, message })
  })

  test('provider-kubernetes reads the same condition', () => expect(deployment.readyCondition).toBe('Available'))
})

test.each<{ says: string; observed: JsonObject | undefined; replicas: number; readyReplicas: number }>([
  { says: 'no Deployment', observed: undefined, replicas: 0, readyReplicas: 0 },
  { says: 'three of five ready', observed: { spec: { replicas: 5 }, status: { readyReplicas: 3 } }, replicas: 5, readyReplicas: 3 },
  { says: 'scaled to zero', observed: { spec: { replicas: 0 }, status: {} }, replicas: 0, readyReplicas: 0 },
])('status: $says', ({ observed, replicas, readyReplicas }) => {
  expect(deployment.status?.(observed, resolvedClaim(), {})).toEqual({
    workload: {
      kind: 'Deployment',
      name: 'orders-worker',
      size: 'medium',
      replicas,
      readyReplicas,
    },
  })
})

const containers = [
  { name: 'sidecar', image: 'proxy' },
  { name: 'main', image: 'new' },
]
const withStatus = (status: JsonObject, replicas = 2): JsonObject => ({ spec: { replicas, template: { spec: { containers } } }, status })

test.each<{ says: string; observed: JsonObject | undefined; before?: string; image: string | undefined }>([
  {
    says: 'rolled out: the image of the pods',
    observed: withStatus({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 }),
    before: 'old',
    image: 'new',
  },
  {
    says: 'rolling out: the previous image',
    observed: withStatus({ replicas: 3, updatedReplicas: 1, availableReplicas: 2 }),
    before: 'old',
    image: 'old',
  },
  { says: 'no pod available: the previous image', observed: withStatus({ replicas: 2, updatedReplicas: 2 }), before: 'old', image: 'old' },
  { says: 'scaled to zero: the image that would run', observed: withStatus({}, 0), before: 'old', image: 'new' },
  { says: 'no Deployment: the previous image', observed: undefined, before: 'old', image: 'old' },
  { says: 'new: none, because nothing has run yet', observed: undefined, image: undefined },
])('image in the status, $says', ({ observed, before, image }) => {
  expect(
    at(deployment.status?.(observed, resolvedClaim(), before === undefined ? {} : { workload: { image: before } }), 'workload', 'image'),
  ).toBe(image)
})

const newest = (message: string, status: JsonObject = {}): JsonObject => ({
  metadata: { generation: 2 },
  spec: { replicas: 3 },
  status: {
    observedGeneration: 2,
    replicas: 4,
    updatedReplicas: 1,
    conditions: conditions(['Progressing', 'True', '', message]),
    ...status,
  },
})
const byName = { 'app.kubernetes.io/name': 'orders-worker' }

test.each<{ says: string; observed: JsonObject; labels: JsonObject | undefined }>([
  {
    says: 'the newest pods during a rollout',
    observed: newest('ReplicaSet "orders-worker-6d4cf56db6" is progressing.'),
    labels: { ...byName, 'pod-template-hash': '6d4cf56db6' },
  },
  {
    says: 'the newest pods right after a change',
    observed: newest('Created new replica set "orders-worker-6d4cf56db6"'),
    labels: { ...byName, 'pod-template-hash': '6d4cf56db6' },
  },
  { says: 'all pods if no ReplicaSet is named', observed: newest('Deployment "orders-worker" is progressing.'), labels: byName },
  { says: 'all pods if another object is named', observed: newest('ReplicaSet "other-6d4cf56db6" is progressing.'), labels: byName },
  { says: 'none while a change is not observed', observed: newest('', { observedGeneration: 1 }), labels: undefined },
  { says: 'none if there are none', observed: newest('', { replicas: 0 }), labels: undefined },
  { says: 'none if they are too many for a request', observed: newest('', { replicas: 101 }), labels: undefined },
  {
    says: 'none if they could not be created',
    observed: newest('', { conditions: conditions(['ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota']) }),
    labels: undefined,
  },
])('asks for $says', ({ observed, labels }) => expect(deployment.podLabels?.(observed, resolvedClaim())).toEqual(labels))

test.each<{ says: string; volumes: JsonObject[]; finds: unknown }>([
  { says: 'the same source', volumes: [{ name: 'files-0', secret: { secretName: 'old' } }], finds: undefined },
  { says: 'another name', volumes: [{ name: 'data', emptyDir: {} }], finds: undefined },
  {
    says: 'another source',
    volumes: [{ name: 'files-0', emptyDir: {} }],
    finds: "Its volume 'files-0' has another source than the claim's: eds migrate prints the command that replaces it.",
  },
])('adopts a Deployment that has a volume with $says: $finds', ({ volumes, finds }) => {
  const claim = resolvedClaim({ files: [{ mountPath: '/a', secret: 's' }] })
  const manifest = deployment.build(claim, 'adopted')
  if (manifest === undefined) throw new Error('no Deployment')
  const foreign = {
    spec: { selector: at(manifest, 'spec', 'selector') ?? {}, template: { spec: { containers: [{ name: 'main' }], volumes } } },
  }
  expect(deployment.conflict?.(manifest, foreign, claim)).toBe(finds)
})
