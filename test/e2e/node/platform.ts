// Crossplane, KEDA and NATS as pods, from their own chart and manifests.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { type Cluster, manifests, type NatsServer } from '../cluster/cluster.ts'
import { released } from '../cluster/keda.ts'
import { versions } from '../cluster/programs.ts'
import { moduleSources } from '../go-tools.ts'
import { platformImages, pushImage } from './images.ts'

const run = promisify(execFile)
const CROSSPLANE = 'crossplane-system'
const KEDA = 'keda'
// Less than the limit of `kubectl` here; `until` asks again.
const WAITING = '--timeout=60s'
const NATS_IMAGE = 'docker.io/library/nats:2'
/** A shell with common programs, such as wget and nslookup. */
export const BUSYBOX = 'registry.test/busybox:1'

/** Pushes all images, and starts Crossplane and KEDA. */
export async function startPlatform(cluster: Cluster): Promise<void> {
  const { programs, reached } = cluster
  const images = await platformImages(programs)
  const { crossplane, keda } = versions()
  const tag = keda.replace(/^v/, '')
  await Promise.all([
    pushImage(cluster, images.crossplane, `xpkg.crossplane.io/crossplane/crossplane:${crossplane}`),
    pushImage(cluster, images.keda, `ghcr.io/kedacore/keda:${tag}`),
    pushImage(cluster, images.kedaAdapter, `ghcr.io/kedacore/keda-metrics-apiserver:${tag}`),
    pushImage(cluster, images.kedaWebhooks, `ghcr.io/kedacore/keda-admission-webhooks:${tag}`),
    pushImage(cluster, images.nats, NATS_IMAGE),
    pushImage(cluster, images.busybox, BUSYBOX),
  ])
  reached('the images are in the registry')
  await Promise.all([startCrossplane(cluster, crossplane), startKeda(cluster)])
}

async function startCrossplane({ programs, authority, applyAll, kubectl, until, reached }: Cluster, version: string): Promise<void> {
  const source = await moduleSources('crossplane/core', 'github.com/crossplane/crossplane/v2')
  const settings = [
    `image.tag=${version}`,
    ...['registryCaBundleConfig.name=ca', 'registryCaBundleConfig.key=ca.crt'],
    // Tests change a claim more often than people do, and Crossplane would throttle it.
    'args={--circuit-breaker-refill-rate=100}',
  ]
  const chart = [join(source, 'cluster/charts/crossplane'), 'crossplane', CROSSPLANE, ...settings]
  const { stdout } = await run(programs.chart, chart, { maxBuffer: 1 << 24 })
  await applyAll([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CROSSPLANE } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ca', namespace: CROSSPLANE }, data: { 'ca.crt': authority.certificate } },
    ...manifests(stdout),
  ])
  for (const name of ['crossplane', 'crossplane-rbac-manager'])
    await until(name, () => kubectl(['-n', CROSSPLANE, 'rollout', 'status', `deployment/${name}`, WAITING]))
  reached('Crossplane is ready')
}

async function startKeda({ sources, applyAll, kubectl, until, reached }: Cluster): Promise<void> {
  await applyAll(await released(sources.keda))
  await until("KEDA's pods", () => kubectl(['-n', KEDA, 'wait', 'deployment', '--all', '--for=condition=Available', WAITING]))
  const metrics = 'apiservice/v1beta1.external.metrics.k8s.io'
  await until("KEDA's metrics", () => kubectl(['wait', metrics, '--for=condition=Available', WAITING]))
  reached('KEDA is ready')
}

const CLIENT_PORT = 4222
const MONITORING_PORT = 8222

/** A NATS server as a pod, with the Services of its chart. */
export async function startNatsPod(
  { api, applyAll, kubectl, until, reached }: Cluster,
  namespace: string,
  account?: string,
): Promise<NatsServer> {
  const labels = { 'app.kubernetes.io/name': 'nats' }
  const user = '{ user: worker, password: worker }'
  const configuration = [
    `http: ${MONITORING_PORT}`,
    'jetstream { store_dir: /data }',
    ...(account === undefined ? [] : [`accounts { ${account}: { jetstream: enabled, users: [${user}] } }`, 'no_auth_user: worker']),
  ].join('\n')
  const service = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: labels, ...spec },
  })
  const client = { name: 'nats', port: CLIENT_PORT }
  const container = {
    name: 'nats',
    image: NATS_IMAGE,
    args: ['-c', '/etc/nats/nats.conf'],
    ports: [{ containerPort: CLIENT_PORT }, { containerPort: MONITORING_PORT }],
    readinessProbe: { httpGet: { path: '/healthz', port: MONITORING_PORT }, periodSeconds: 1 },
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'configuration', mountPath: '/etc/nats' },
    ],
  }
  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'configuration', configMap: { name: 'nats' } },
  ]
  await applyAll([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nats', namespace }, data: { 'nats.conf': configuration } },
    service('nats', { ports: [client] }),
    service('nats-headless', { clusterIP: 'None', ports: [client, { name: 'monitor', port: MONITORING_PORT }] }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'nats', namespace },
      spec: {
        serviceName: 'nats-headless',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container], volumes, securityContext: { fsGroup: 1000 } } },
      },
    },
  ])
  await until('NATS', () => kubectl(['-n', namespace, 'rollout', 'status', 'statefulset/nats', WAITING]))
  reached(`NATS is ready in ${namespace}`)
  const { status } = await api.get({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'nats-0' })
  return { host: String(at(status, 'podIP')), port: CLIENT_PORT, monitoringPort: MONITORING_PORT }
}
