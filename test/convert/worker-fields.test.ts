// The fields of long-running workers: what a claim takes from a Deployment and the objects around it, and what it reports.
import { expect, test } from 'vitest'
import { migrate } from '../../src/convert/migrate.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform, type Platform } from '../../src/platform/platform.ts'

const platform: Platform = {
  ...builtInPlatform,
  features: { ...builtInPlatform.features, identity: 'GCP' },
  priorities: { low: 'batch', high: 'business-critical' },
  natsServers: {
    plain: { url: 'nats://events:4222', monitoringEndpoint: 'events:8222' },
    secure: { url: 'tls://events:4222', monitoringEndpoint: 'events:8222', account: 'EVENTS', useHttps: true },
  },
}

interface Parts {
  /** Fields of the main container. */
  readonly container?: JsonObject
  readonly pod?: JsonObject
  /** Fields of the Deployment's spec. */
  readonly deployment?: JsonObject
  readonly scaling?: JsonObject
  readonly trigger?: JsonObject
  /** Annotations of the ServiceAccount. */
  readonly account?: JsonObject
  readonly others?: readonly JsonObject[]
  readonly on?: Platform
}

const NATS = [
  { name: 'NATS_URL', value: 'nats://nats.nats.svc:4222' },
  { name: 'NATS_STREAM_NAME', value: 'ORDERS' },
  { name: 'NATS_CONSUMER_GROUP', value: 'orders' },
]

const metadata = (name = 'orders') => ({ name, namespace: 'shop' })

const deploymentOf = ({ container = {}, pod = {}, deployment = {} }: Parts): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: metadata(),
  spec: {
    ...deployment,
    selector: { matchLabels: { 'app.kubernetes.io/name': 'orders' } },
    template: {
      metadata: { labels: { 'app.kubernetes.io/name': 'orders', tier: 'worker' } },
      spec: {
        serviceAccountName: 'orders',
        ...pod,
        containers: [{ name: 'main', image: 'ghcr.io/acme/orders:1', env: NATS, ...container }],
      },
    },
  },
})

const scaledObjectOf = ({ scaling = {}, trigger = {} }: Parts): JsonObject => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: metadata('orders-scaler'),
  spec: {
    scaleTargetRef: { name: 'orders' },
    minReplicaCount: 1,
    maxReplicaCount: 10,
    ...scaling,
    triggers: [
      {
        type: 'nats-jetstream',
        metadata: {
          natsServerMonitoringEndpoint: 'nats-headless.nats.svc.cluster.local:8222',
          account: '$SYS',
          stream: 'ORDERS',
          consumer: 'orders',
          lagThreshold: '5',
          ...trigger,
        },
      },
    ],
  },
})

function bring(parts: Parts) {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...metadata(), annotations: parts.account ?? {} } }
  const migrated = migrate([deploymentOf(parts), scaledObjectOf(parts), account, ...(parts.others ?? [])], parts.on ?? platform, {
    adopt: false,
  })
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  return migrated
}

const isOwnLabel = (path: string) => path.includes('.labels') || path.startsWith('metadata.labels')

/** What a claim can't say, and what it changes. */
const reported = (parts: Parts) =>
  bring(parts)
    .rows.filter(({ verdict, path }) => (verdict === 'unsaid' || verdict === 'different') && !isOwnLabel(path))
    .map(
      ({ object, path, verdict }) =>
        `${object.split(' ')[0]} ${path.replace('spec.template.spec.', '').replace('containers[0].', '')} ${verdict}`,
    )

const fieldsOf = (parts: Parts) => {
  const spec = bring(parts).claim.spec
  return spec as Readonly<Record<string, Json>>
}

const mounted = (mount: JsonObject, volume: JsonObject): Parts => ({
  container: { volumeMounts: [{ name: 'data', ...mount }] },
  pod: { volumes: [{ name: 'data', ...volume }] },
})

test.each<{ title: string; parts: Parts; files: Json | undefined; rows?: string[] }>([
  {
    title: 'a whole Secret',
    parts: mounted({ mountPath: '/etc/tls', readOnly: true }, { secret: { secretName: 'tls' } }),
    files: [{ secret: 'tls', mountPath: '/etc/tls' }],
  },
  {
    title: 'a whole ConfigMap',
    parts: mounted({ mountPath: '/etc/orders' }, { configMap: { name: 'rules', defaultMode: 420 } }),
    files: [{ configMap: 'rules', mountPath: '/etc/orders' }],
  },
  {
    title: 'one key as a file of its name',
    parts: mounted({ mountPath: '/etc/orders' }, { configMap: { name: 'rules', items: [{ key: 'a.yaml', path: 'a.yaml' }] } }),
    files: [{ configMap: 'rules', key: 'a.yaml', mountPath: '/etc/orders' }],
  },
  {
    title: 'one key as a file of another name',
    parts: mounted({ mountPath: '/etc/orders' }, { configMap: { name: 'rules', items: [{ key: 'a.yaml', path: 'b.yaml' }] } }),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'two of the keys',
    parts: mounted(
      { mountPath: '/etc/tls' },
      { secret: { secretName: 'tls', items: ['tls.crt', 'tls.key'].map(key => ({ key, path: key })) } },
    ),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'a file with a mode of its own',
    parts: mounted({ mountPath: '/etc/tls' }, { secret: { secretName: 'tls', items: [{ key: 'tls.key', path: 'tls.key', mode: 256 }] } }),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'a mode of the whole volume',
    parts: mounted({ mountPath: '/etc/tls' }, { secret: { secretName: 'tls', defaultMode: 256 } }),
    files: [{ secret: 'tls', mountPath: '/etc/tls' }],
    rows: ['Deployment volumes.data.secret.defaultMode unsaid'],
  },
  {
    title: 'an optional Secret',
    parts: mounted({ mountPath: '/etc/tls' }, { secret: { secretName: 'tls', optional: true } }),
    files: [{ secret: 'tls', mountPath: '/etc/tls' }],
    rows: ['Deployment volumes.data.secret.optional unsaid'],
  },
  {
    title: 'a mount that claims to be writable',
    parts: mounted({ mountPath: '/etc/tls', readOnly: false }, { secret: { secretName: 'tls' } }),
    files: [{ secret: 'tls', mountPath: '/etc/tls' }],
    rows: ['Deployment volumeMounts["/etc/tls"].readOnly different'],
  },
  {
    title: 'a single file by subPath',
    parts: mounted({ mountPath: '/etc/a.yaml', subPath: 'a.yaml' }, { configMap: { name: 'rules' } }),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'a directory of the system',
    parts: mounted({ mountPath: '/var/run/secrets/tokens' }, { secret: { secretName: 'tokens' } }),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'scratch space with a limit',
    parts: mounted({ mountPath: '/work' }, { emptyDir: { sizeLimit: '2Gi' } }),
    files: [{ scratch: '2Gi', mountPath: '/work' }],
  },
  {
    title: 'scratch space in memory',
    parts: mounted({ mountPath: '/dev/shm' }, { emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } }),
    files: [{ scratch: '64Mi', memory: true, mountPath: '/dev/shm' }],
  },
  {
    title: 'scratch space without a limit, which gets one',
    parts: mounted({ mountPath: '/work' }, { emptyDir: {} }),
    files: [{ scratch: '10Gi', mountPath: '/work' }],
  },
  {
    title: 'scratch space in memory without a limit, which gets the memory of the pod',
    parts: mounted({ mountPath: '/work' }, { emptyDir: { medium: 'Memory' } }),
    files: [{ scratch: '4Gi', memory: true, mountPath: '/work' }],
  },
  {
    title: 'a volume claim',
    parts: mounted({ mountPath: '/data' }, { persistentVolumeClaim: { claimName: 'data' } }),
    files: undefined,
    rows: ['Deployment volumes unsaid', 'Deployment volumeMounts unsaid'],
  },
  {
    title: 'scratch space that is mounted twice, once',
    parts: {
      container: {
        volumeMounts: [
          { name: 'data', mountPath: '/in' },
          { name: 'data', mountPath: '/out' },
        ],
      },
      pod: { volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Gi' } }] },
    },
    files: [{ scratch: '1Gi', mountPath: '/in' }],
    rows: ['Deployment volumeMounts["/out"] unsaid'],
  },
  {
    title: 'the outer of two directories',
    parts: {
      container: {
        volumeMounts: [
          { name: 'a', mountPath: '/etc/app' },
          { name: 'b', mountPath: '/etc/app/tls' },
        ],
      },
      pod: { volumes: ['a', 'b'].map(name => ({ name, secret: { secretName: name } })) },
    },
    files: [{ secret: 'a', mountPath: '/etc/app' }],
    rows: ['Deployment volumes.b unsaid', 'Deployment volumeMounts["/etc/app/tls"] unsaid'],
  },
])('takes or reports $title', ({ parts, files, rows = [] }) => {
  expect(fieldsOf(parts).files).toEqual(files)
  expect(reported(parts).sort()).toEqual(rows.sort())
})

test.each<{ title: string; container: JsonObject; fields: JsonObject; rows?: string[] }>([
  { title: 'no probes', container: {}, fields: { probes: { liveness: { none: true }, readiness: { none: true } } } },
  {
    title: 'the paths of the platform',
    container: {
      livenessProbe: { httpGet: { path: '/health', port: 8080 } },
      readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5, failureThreshold: 2 },
    },
    fields: {},
  },
  {
    title: 'other paths in their short form',
    container: {
      livenessProbe: { httpGet: { path: '/up', port: 8080 } },
      readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 5, failureThreshold: 2 },
    },
    fields: { healthPath: '/up', readyPath: '/' },
  },
  {
    title: 'commands and their timing',
    container: {
      livenessProbe: { exec: { command: ['/alive'] }, periodSeconds: 90, failureThreshold: 5 },
      readinessProbe: { exec: { command: ['/ready'] } },
    },
    fields: {
      probes: { liveness: { exec: ['/alive'], period: '90s', failures: 5 }, readiness: { exec: ['/ready'], period: '10s', failures: 3 } },
    },
  },
  {
    title: 'a port by its name',
    container: { ports: [{ name: 'redis', containerPort: 6379 }], livenessProbe: { tcpSocket: { port: 'redis' } } },
    fields: { httpPort: 6379, probes: { liveness: { tcp: 6379 }, readiness: { none: true } } },
    rows: ['Deployment ports["6379"].name different'],
  },
  {
    title: 'gRPC over TCP',
    container: { ports: [{ name: 'http', containerPort: 8080 }], livenessProbe: { grpc: { port: 9000 } } },
    fields: { probes: { liveness: { tcp: 9000 }, readiness: { none: true } } },
    rows: ['Deployment livenessProbe different'],
  },
  {
    title: 'TLS over TCP',
    container: { ports: [{ name: 'http', containerPort: 8080 }], livenessProbe: { httpGet: { port: 8080, scheme: 'HTTPS' } } },
    fields: { probes: { liveness: { tcp: 8080 }, readiness: { none: true } } },
    rows: ['Deployment livenessProbe different'],
  },
  {
    title: 'the path of another port over TCP',
    container: {
      ports: [{ name: 'http', containerPort: 8080 }],
      livenessProbe: { httpGet: { path: '/live', port: 9000 } },
      readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5, failureThreshold: 2 },
    },
    fields: { probes: { liveness: { tcp: 9000 } } },
    rows: ['Deployment livenessProbe different'],
  },
  {
    title: 'the time to start',
    container: { startupProbe: { exec: { command: ['/started'] }, periodSeconds: 10, failureThreshold: 30 } },
    fields: { probes: { startup: { exec: ['/started'], within: '5m' }, liveness: { none: true }, readiness: { none: true } } },
    rows: ['Deployment startupProbe.failureThreshold different'],
  },
  {
    title: 'a time to start of hours, as long as a claim may have',
    container: { startupProbe: { exec: { command: ['/started'] }, periodSeconds: 60, failureThreshold: 120 } },
    fields: { probes: { startup: { exec: ['/started'], within: '1h' }, liveness: { none: true }, readiness: { none: true } } },
    rows: ['Deployment startupProbe.failureThreshold different', 'Deployment startupProbe.periodSeconds different'],
  },
  {
    title: 'the delay and the timeout',
    container: { livenessProbe: { exec: { command: ['/alive'] }, initialDelaySeconds: 60, timeoutSeconds: 30 } },
    fields: { probes: { liveness: { exec: ['/alive'] }, readiness: { none: true } } },
    rows: ['Deployment livenessProbe.initialDelaySeconds different', 'Deployment livenessProbe.timeoutSeconds different'],
  },
])('takes or reports probes: $title', ({ container, fields, rows = [] }) => {
  const { healthPath, readyPath, probes, httpPort } = fieldsOf({ container })
  const given = Object.entries({ healthPath, readyPath, probes, httpPort }).filter(([, value]) => value !== undefined)
  expect(Object.fromEntries(given)).toEqual(fields)
  expect(reported({ container }).sort()).toEqual(rows.sort())
})

test('takes files whatever the policy of the platform requires', () => {
  const strict: Platform = { ...platform, policy: { ...platform.policy, registries: ['ghcr.io'], require: ['nats'] } }
  const parts = mounted({ mountPath: '/etc/tls' }, { secret: { secretName: 'tls' } })
  expect(fieldsOf({ ...parts, on: strict }).files).toEqual([{ secret: 'tls', mountPath: '/etc/tls' }])
})

const READ_ONLY = { securityContext: { readOnlyRootFilesystem: true } }
const TMP = { container: { ...READ_ONLY, volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }] } }
const budget = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: metadata(name),
  spec,
})
const selector = { matchLabels: { 'app.kubernetes.io/name': 'orders' } }
const attributes = (environment: string) => ({
  name: 'OTEL_RESOURCE_ATTRIBUTES',
  value: `service.namespace=shop,service.version=1,deployment.environment.name=${environment}`,
})
const creds = { secret: { name: 'orders-nats', items: [{ key: 'orders.creds', path: 'user.creds' }] } }
const ca = { secret: { name: 'nats-ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }
const client = { secret: { name: 'nats-ca', items: ['tls.crt', 'tls.key'].map(key => ({ key, path: key })), optional: true } }

test.each<{ title: string; parts: Parts; fields: Readonly<Record<string, Json | undefined>>; rows?: string[] }>([
  {
    title: 'the program',
    parts: { container: { command: ['/orders'], args: ['--lane', 'eu'] } },
    fields: { command: ['/orders'], args: ['--lane', 'eu'] },
  },
  {
    title: 'the order of ConfigMaps and Secrets, which changes',
    parts: {
      container: { envFrom: [{ secretRef: { name: 'keys' } }, { prefix: 'A_', configMapRef: { name: 'settings', optional: true } }] },
    },
    fields: {
      configRefs: [{ name: 'settings', envFrom: true, prefix: 'A_', optional: true }],
      secretRefs: [{ name: 'keys', envFrom: true }],
    },
    rows: ['Deployment envFrom.settings different'],
  },
  { title: 'a read-only root file system', parts: { container: READ_ONLY }, fields: { rootFilesystem: 'ReadOnly', files: undefined } },
  {
    title: 'the /tmp that the platform adds to it',
    parts: { ...TMP, pod: { volumes: [{ name: 'scratch', emptyDir: {} }] } },
    fields: { rootFilesystem: 'ReadOnly', files: undefined },
  },
  {
    title: 'a /tmp with a limit of its own',
    parts: { ...TMP, pod: { volumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Gi' } }] } },
    fields: { rootFilesystem: 'ReadOnly', files: [{ scratch: '1Gi', mountPath: '/tmp' }] },
  },
  {
    title: 'a writable root file system on a platform with a read-only one',
    parts: { on: { ...platform, defaults: { rootFilesystem: 'ReadOnly' } } },
    fields: { rootFilesystem: 'Writable' },
  },
  {
    title: 'the time to finish a message',
    parts: { pod: { terminationGracePeriodSeconds: 630 }, container: { env: [...NATS, { name: 'CONCURRENCY', value: '4' }] } },
    fields: { processing: { maxDuration: '10m', concurrency: 4 }, scaling: { lagThreshold: 5 }, env: undefined },
  },
  {
    title: 'a threshold that follows from the messages in work',
    parts: {
      pod: { terminationGracePeriodSeconds: 90 },
      container: { env: [...NATS, { name: 'CONCURRENCY', value: '5' }] },
    },
    fields: { processing: { maxDuration: '1m', concurrency: 5 }, scaling: undefined },
  },
  { title: 'the default time to stop', parts: { pod: { terminationGracePeriodSeconds: 30 } }, fields: { processing: undefined } },
  {
    title: 'a shorter time to stop',
    parts: { pod: { terminationGracePeriodSeconds: 5 } },
    fields: { processing: undefined },
    rows: ['Deployment terminationGracePeriodSeconds unsaid'],
  },
  {
    title: 'a time to stop of days, as long as the platform allows',
    parts: { pod: { terminationGracePeriodSeconds: 200_000 } },
    fields: { processing: { maxDuration: '1h' } },
    rows: ['Deployment terminationGracePeriodSeconds different'],
  },
  {
    title: 'a variable CONCURRENCY that is no number of messages',
    parts: { container: { env: [...NATS, { name: 'CONCURRENCY', value: 'auto' }] } },
    fields: { processing: undefined, env: [{ name: 'CONCURRENCY', value: 'auto' }] },
  },
  {
    title: 'a window of the autoscaler that follows from the time to stop',
    parts: {
      pod: { terminationGracePeriodSeconds: 630 },
      scaling: { advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } } } },
    },
    fields: { processing: { maxDuration: '10m' } },
  },
  {
    title: 'another window of the autoscaler',
    parts: { scaling: { advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } } } } },
    fields: { processing: undefined },
    rows: ['ScaledObject spec.advanced.horizontalPodAutoscalerConfig.behavior unsaid'],
  },
  {
    title: 'one pod at a time',
    parts: { deployment: { strategy: { type: 'Recreate' } }, scaling: { maxReplicaCount: 1 } },
    fields: { updates: 'OneAtATime', scaling: undefined },
  },
  {
    title: 'one version at a time with several pods',
    parts: { deployment: { strategy: { type: 'Recreate' } } },
    fields: { updates: undefined },
    rows: ['Deployment spec.strategy.type different'],
  },
  {
    title: 'the pace of a rollout',
    parts: { deployment: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } } },
    fields: { updates: undefined },
    rows: ['Deployment spec.strategy.rollingUpdate.maxSurge different'],
  },
  { title: 'a priority of the platform', parts: { pod: { priorityClassName: 'business-critical' } }, fields: { priority: 'high' } },
  {
    title: 'a priority that the platform does not offer',
    parts: { pod: { priorityClassName: 'other' } },
    fields: { priority: undefined },
    rows: ['Deployment priorityClassName unsaid'],
  },
  {
    title: "an identity of the platform's cloud",
    parts: { account: { 'iam.gke.io/gcp-service-account': 'orders@acme.iam.gserviceaccount.com' } },
    fields: { identity: 'orders@acme.iam.gserviceaccount.com' },
  },
  {
    title: 'an identity of another cloud',
    parts: { account: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/orders' } },
    fields: { identity: undefined },
    rows: ['ServiceAccount metadata.annotations["eks.amazonaws.com/role-arn"] unsaid'],
  },
  {
    title: "a server of the platform's list",
    parts: {
      container: { env: [{ name: 'NATS_URL', value: 'tls://events:4222' }, ...NATS.slice(1)] },
      trigger: { natsServerMonitoringEndpoint: 'events:8222', account: 'EVENTS', useHttps: 'true' },
    },
    fields: { nats: { server: 'secure', stream: 'ORDERS', consumer: 'orders' } },
  },
  {
    title: "the account of a server of the platform's list, if it is another",
    parts: {
      container: { env: [{ name: 'NATS_URL', value: 'tls://events:4222' }, ...NATS.slice(1)] },
      trigger: { natsServerMonitoringEndpoint: 'events:8222', account: 'ORDERS', useHttps: 'true' },
    },
    fields: { nats: { server: 'secure', stream: 'ORDERS', consumer: 'orders', account: 'ORDERS' } },
  },
  {
    title: 'HTTPS to a server that the platform does not list',
    parts: { trigger: { useHttps: 'true' } },
    fields: { nats: { url: 'nats://nats.nats.svc:4222', stream: 'ORDERS', consumer: 'orders' } },
    rows: ['ScaledObject spec.triggers[0].metadata.useHttps unsaid'],
  },
  {
    title: 'credentials and certificates that the platform mounted',
    parts: {
      container: {
        env: [...NATS, { name: 'NATS_CREDS', value: '/var/run/secrets/nats/user.creds' }],
        volumeMounts: [{ name: 'login', mountPath: '/var/run/secrets/nats', readOnly: true }],
      },
      pod: { volumes: [{ name: 'login', projected: { defaultMode: 420, sources: [creds, ca, client] } }] },
    },
    fields: {
      nats: {
        url: 'nats://nats.nats.svc:4222',
        stream: 'ORDERS',
        consumer: 'orders',
        credentials: { secret: 'orders-nats', key: 'orders.creds' },
        tls: { secret: 'nats-ca' },
      },
      env: undefined,
      files: undefined,
    },
  },
  {
    title: 'an environment that the platform named',
    parts: { container: { env: [...NATS, attributes('staging')] } },
    fields: { environment: 'staging', size: 'small', scaling: { maxReplicas: 10 }, env: undefined },
  },
  {
    title: "attributes of the author's own",
    parts: { container: { env: [...NATS, attributes('nowhere')] } },
    fields: { environment: undefined, env: [attributes('nowhere')] },
  },
  {
    title: 'a PodDisruptionBudget of the same name',
    parts: { others: [budget('orders', { maxUnavailable: '25%', unhealthyPodEvictionPolicy: 'AlwaysAllow', selector })] },
    fields: {},
  },
  {
    title: 'a PodDisruptionBudget of another name',
    parts: {
      others: [budget('pdb', { minAvailable: 1, selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['worker'] }] } })],
    },
    fields: {},
    rows: [
      'PodDisruptionBudget metadata.name different',
      'PodDisruptionBudget spec.minAvailable unsaid',
      'PodDisruptionBudget spec.selector.matchExpressions unsaid',
    ],
  },
  {
    title: 'a PodDisruptionBudget of a single replica',
    parts: { scaling: { maxReplicaCount: 1 }, others: [budget('orders', { maxUnavailable: 1, selector })] },
    fields: {},
    rows: ['PodDisruptionBudget  unsaid'],
  },
  {
    title: 'a PodDisruptionBudget of other pods',
    parts: { others: [budget('web', { maxUnavailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': 'web' } } })] },
    fields: {},
    rows: ['PodDisruptionBudget  unsaid'],
  },
  {
    title: 'a PodDisruptionBudget of every pod',
    parts: { others: [budget('all', { maxUnavailable: 1, selector: {} })] },
    fields: {},
    rows: ['PodDisruptionBudget  unsaid'],
  },
  {
    title: 'a hook of the container',
    parts: { container: { lifecycle: { preStop: { exec: { command: ['sleep', '10'] } } } } },
    fields: {},
    rows: ['Deployment lifecycle unsaid'],
  },
])('takes or reports $title', ({ parts, fields, rows = [] }) => {
  const spec = fieldsOf(parts)
  for (const [field, value] of Object.entries(fields)) expect(spec[field], field).toEqual(value)
  expect(reported(parts).sort()).toEqual(rows.sort())
})

const service = (spec: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'Service', metadata: metadata('web'), spec })
const withoutScaler = (parts: Parts) => migrate([deploymentOf(parts), ...(parts.others ?? [])], platform, { adopt: false })

test.each<{ title: string; parts: Parts; spec: JsonObject }>([
  {
    title: 'a Service sends requests',
    parts: {
      container: { env: [], ports: [{ name: 'web', containerPort: 3000 }] },
      deployment: { replicas: 3 },
      others: [service({ selector: { tier: 'worker' }, ports: [{ port: 80, targetPort: 'web' }] })],
    },
    spec: { httpPort: 3000, scaling: { minReplicas: 3 } },
  },
  {
    title: 'it has an HTTP port',
    parts: { container: { env: [], ports: [{ name: 'http', containerPort: 8080 }] } },
    spec: { httpPort: 8080, scaling: { minReplicas: 1 } },
  },
])('makes an HTTP service of a Deployment without a ScaledObject if $title', ({ parts, spec }) => {
  const migrated = withoutScaler(parts)
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  expect(migrated.claim.spec).toMatchObject(spec)
  expect(migrated.claim).not.toHaveProperty('spec.nats')
  expect(migrated.rows.filter(({ object }) => object.startsWith('ScaledObject'))).toEqual([])
})

test.each<{ title: string; parts: Parts }>([
  { title: 'nothing brings it work', parts: { container: { env: [] } } },
  {
    title: 'the Service selects other pods',
    parts: { container: { env: [] }, others: [service({ selector: { tier: 'web' }, ports: [{ port: 80 }] })] },
  },
  { title: 'it reads from NATS', parts: { container: { ports: [{ name: 'http', containerPort: 8080 }] } } },
])('refuses a Deployment without a ScaledObject if $title', ({ parts }) => {
  expect(withoutScaler(parts)).toMatchObject({ ok: false, findings: [{ problem: 'needs the ScaledObject that scales Deployment orders' }] })
})

test('says why for every row', () => {
  const rows = bring({
    container: {
      ...READ_ONLY,
      ports: [{ containerPort: 8080 }, { containerPort: 9090 }],
      volumeMounts: [{ name: 'data', mountPath: '/work', readOnly: true }],
      lifecycle: { postStart: { exec: { command: ['true'] } } },
      startupProbe: { exec: { command: ['true'] }, failureThreshold: 9 },
    },
    pod: { terminationGracePeriodSeconds: 90, volumes: [{ name: 'data', emptyDir: {} }], tolerations: [{ operator: 'Exists' }] },
    account: { 'iam.gke.io/gcp-service-account': 'orders@acme.iam.gserviceaccount.com' },
    others: [budget('pdb', { minAvailable: 1, selector: { matchLabels: { tier: 'worker' } } })],
  }).rows
  expect(rows.length).toBeGreaterThan(50)
  expect(rows.filter(({ verdict, because }) => verdict !== 'same' && because === undefined)).toEqual([])
  expect(
    at(
      rows.find(({ path }) => path === 'spec.template.spec.volumes.tmp'),
      'because',
    ),
  ).toBe('a read-only root file system needs a writable /tmp')
})
