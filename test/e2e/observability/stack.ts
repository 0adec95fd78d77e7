// What watches claims in a cluster: the Prometheus Operator with its admission webhook, kube-state-metrics, the NATS exporter, and
// Prometheus with the configuration that the operator writes. Pods are simulated by KWOK, so the network leads their addresses to
// processes on loopback.
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parse, stringify } from 'yaml'
import { issueCertificate } from '../../../scripts/certificates.ts'
import { at, isObject, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { createMetrics } from '../../../worker/src/metrics.ts'
import { root } from '../../fixtures/claim-files.ts'
import { type Cluster, type NatsServer, startNats } from '../cluster/cluster.ts'
import { startKeda } from '../cluster/keda.ts'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { freePort } from '../cluster/ports.ts'
import { goTool, moduleSources } from '../go-tools.ts'
import { discover } from './discovery.ts'

const PROGRAMS = [
  ['observability/programs/nats-exporter', undefined],
  ['observability/programs/kube-state-metrics', undefined],
  ['observability/programs/prometheus-operator', 'operator'],
  ['observability/programs/prometheus-operator', 'admission-webhook'],
] as const
const OPERATOR = 'observability/programs/prometheus-operator'

const NAMESPACE = 'monitoring'

export interface Stack {
  readonly cluster: Cluster
  readonly nats: Nats
  /** The metrics of the simulated worker, in the words of the worker library. */
  readonly worker: ReturnType<typeof createMetrics>
  readonly query: (expr: string) => Promise<readonly Sample[]>
  readonly ask: (path: string) => Promise<JsonObject>
  /** The configuration that the operator wrote. */
  readonly configuration: () => Promise<JsonObject>
  /** The rule files that the operator wrote. */
  readonly rules: () => Promise<readonly JsonObject[]>
  readonly end: () => void
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

/** The claim's kind, without its schema. */
const claimDefinition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'eventdrivenservices.platform.bizmatters.io' },
  spec: {
    group: 'platform.bizmatters.io',
    scope: 'Namespaced',
    names: {
      kind: 'EventDrivenService',
      listKind: 'EventDrivenServiceList',
      plural: 'eventdrivenservices',
      singular: 'eventdrivenservice',
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

/** A Deployment whose pods KWOK simulates, and its Service: metrics at port 8080. */
function simulated(namespace: string, name: string): JsonObject[] {
  const labels = { 'app.kubernetes.io/name': name }
  const ports = [{ name: 'metrics', containerPort: 8080 }]
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: name, ports }] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, labels },
      spec: { selector: labels, ports: [{ name: 'metrics', port: 8080, targetPort: 8080 }] },
    },
  ]
}

const serviceMonitor = (namespace: string, name: string, labels: JsonObject, honorLabels: boolean): JsonObject => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'ServiceMonitor',
  metadata: { name, namespace },
  spec: { selector: { matchLabels: labels }, endpoints: [{ port: 'metrics', honorLabels }] },
})

const exempt = (namespace: string, name: string) => ({ group: 'monitoring.coreos.com', resource: 'servicemonitors', namespace, name })

/** As docs/observability.md says: everything is enforced but KEDA and kube-state-metrics. */
const prometheusObject: JsonObject = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'Prometheus',
  metadata: { name: 'main', namespace: NAMESPACE },
  spec: {
    // That of Debian.
    version: 'v2.42.0',
    scrapeInterval: '2s',
    evaluationInterval: '2s',
    podMonitorSelector: {},
    podMonitorNamespaceSelector: {},
    serviceMonitorSelector: {},
    serviceMonitorNamespaceSelector: {},
    ruleSelector: {},
    ruleNamespaceSelector: {},
    enforcedNamespaceLabel: 'namespace',
    excludedFromEnforcement: [exempt('keda', 'keda-operator'), exempt(NAMESPACE, 'kube-state-metrics')],
  },
}

export async function startStack(cluster: Cluster): Promise<Stack> {
  const { applyAll } = cluster
  const [exporter, stateMetrics, operator, webhook] = await goTools()
  const definitions = join(
    await moduleSources(OPERATOR, 'github.com/prometheus-operator/prometheus-operator'),
    'example/prometheus-operator-crd',
  )
  const own = readdirSync(definitions).map(file => parse(readFileSync(join(definitions, file), 'utf8')) as JsonObject)
  await applyAll([...own, claimDefinition])
  await applyAll(['shop', NAMESPACE].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
  const [server] = await Promise.all([startNats(cluster, 'nats'), startKeda(cluster, cluster.authority)])
  await startOperator(cluster, operator, webhook)
  await startStateMetrics(cluster, stateMetrics)
  await startExporter(cluster, exporter, server)
  await applyAll([serviceMonitor('keda', 'keda-operator', { 'app.kubernetes.io/name': 'keda-operator' }, true), prometheusObject])
  const worker = await startWorker(cluster)
  const prometheus = await startPrometheus(cluster)
  const nats = await connectNats(server.port)
  return {
    cluster,
    nats,
    worker: worker.metrics,
    ...prometheus,
    end: () => {
      nats.close()
      prometheus.end()
      worker.close()
    },
  }
}

async function goTools(): Promise<readonly [string, string, string, string]> {
  const files: string[] = []
  // One after another, because each uses all cores.
  for (const [module, program] of PROGRAMS) files.push(await goTool(module, program))
  const [exporter = '', stateMetrics = '', operator = '', webhook = ''] = files
  return [exporter, stateMetrics, operator, webhook]
}

const ADMISSION = 'prometheus-operator-admission-webhook'

async function startOperator(cluster: Cluster, operator: string, webhook: string): Promise<void> {
  const { folder, processes, network, authority, applyAll, kubeconfig, until } = cluster
  processes.start({
    name: 'prometheus-operator',
    file: operator,
    args: [`-web.listen-address=127.0.0.1:${await freePort()}`, '-feature-gates=StatusForConfigurationResources=true'],
    environment: { KUBECONFIG: kubeconfig },
  })
  const files = join(folder, 'admission')
  mkdirSync(files)
  const { certificate, key } = issueCertificate(authority, {
    commonName: ADMISSION,
    usages: ['server'],
    dnsNames: [`${ADMISSION}.${NAMESPACE}.svc`],
  })
  writeFileSync(join(files, 'tls.crt'), certificate)
  writeFileSync(join(files, 'tls.key'), key, { mode: 0o600 })
  const port = await freePort()
  processes.start({
    name: ADMISSION,
    file: webhook,
    args: [
      `-web.listen-address=127.0.0.1:${port}`,
      `-web.cert-file=${join(files, 'tls.crt')}`,
      `-web.key-file=${join(files, 'tls.key')}`,
      '-web.client-ca-file=',
    ],
  })
  network.join(`${ADMISSION}.${NAMESPACE}`, 443, port)
  const service = { name: ADMISSION, namespace: NAMESPACE, path: '/admission-prometheusrules/validate' }
  await applyAll([
    { apiVersion: 'v1', kind: 'Service', metadata: { name: ADMISSION, namespace: NAMESPACE }, spec: { ports: [{ port: 443 }] } },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: ADMISSION },
      webhooks: [
        {
          name: 'prometheusrulevalidate.monitoring.coreos.com',
          clientConfig: { service, caBundle: Buffer.from(authority.certificate).toString('base64') },
          rules: [
            {
              apiGroups: ['monitoring.coreos.com'],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE'],
              resources: ['prometheusrules'],
            },
          ],
          admissionReviewVersions: ['v1'],
          failurePolicy: 'Fail',
          sideEffects: 'None',
        },
      ],
    },
  ])
  await until(
    'the admission webhook',
    () => processes.log(ADMISSION).includes('Listening') || processes.log(ADMISSION).includes('Starting'),
  )
}

/** With the configuration that package/monitoring ships. */
async function startStateMetrics({ folder, processes, network, kubeconfig, applyAll }: Cluster, file: string): Promise<void> {
  const values = parse(readFileSync(`${root}package/monitoring/kube-state-metrics.yaml`, 'utf8')) as JsonObject
  const config = join(folder, 'kube-state-metrics.yaml')
  writeFileSync(config, stringify(at(values, 'customResourceState', 'config')))
  const port = await freePort()
  processes.start({
    name: 'kube-state-metrics',
    file,
    args: [
      ...['--kubeconfig', kubeconfig, '--host=127.0.0.1', `--port=${port}`],
      ...['--telemetry-host=127.0.0.1', `--telemetry-port=${await freePort()}`],
      ...['--resources=deployments,pods,horizontalpodautoscalers', '--custom-resource-state-config-file', config],
    ],
  })
  network.join(`kube-state-metrics.${NAMESPACE}`, 8080, port)
  await applyAll([
    ...simulated(NAMESPACE, 'kube-state-metrics'),
    serviceMonitor(NAMESPACE, 'kube-state-metrics', { 'app.kubernetes.io/name': 'kube-state-metrics' }, true),
  ])
}

async function startExporter({ processes, network, applyAll }: Cluster, file: string, { monitoringPort }: NatsServer): Promise<void> {
  const port = await freePort()
  processes.start({
    name: 'nats-exporter',
    file,
    args: ['-addr=127.0.0.1', `-port=${port}`, '-jsz=all', '-varz', `http://127.0.0.1:${monitoringPort}`],
  })
  network.join('nats-exporter.nats', 8080, port)
  await applyAll([
    ...simulated('nats', 'nats-exporter'),
    serviceMonitor('nats', 'nats-exporter', { 'app.kubernetes.io/name': 'nats-exporter' }, false),
  ])
}

/** The metrics of the claim's container, at the address of its Service. */
async function startWorker({ network }: Cluster) {
  const metrics = createMetrics()
  const server = createServer((_, answer) => void answer.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics.write(0)))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  network.join('orders.shop', 8080, (server.address() as AddressInfo).port)
  return { metrics, close: () => server.close() }
}

const jobsIn = (config: JsonObject): readonly JsonObject[] => items(config.scrape_configs).filter(isObject)

const SECRET = { apiVersion: 'v1', kind: 'Secret', namespace: NAMESPACE, name: 'prometheus-main' }
const CHANGED_MS = 1_000

/** Runs what the operator wrote, and loads it again when the operator changes it, as its config-reloader does. */
async function startPrometheus(cluster: Cluster) {
  const { folder, processes, api, network, until } = cluster
  const files = join(folder, 'prometheus')
  mkdirSync(join(files, 'rules'), { recursive: true })

  async function configuration(): Promise<JsonObject> {
    const secret = await api.get(SECRET)
    const packed = Buffer.from(String(at(secret, 'data', 'prometheus.yaml.gz')), 'base64')
    // Its config-reloader puts these in.
    const text = gunzipSync(packed).toString('utf8').replaceAll('$(SHARD)', '0').replaceAll('$(POD_NAME)', 'prometheus-main-0')
    return parse(text) as JsonObject
  }
  async function ruleFiles(): Promise<readonly [string, string][]> {
    const maps = await api.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE })
    return maps
      .filter(map => String(at(map, 'metadata', 'name')).startsWith('prometheus-main-rulefiles'))
      .flatMap(map => Object.entries((map.data ?? {}) as Record<string, string>))
  }
  /** The same jobs, with their targets from files, behind the network. */
  const reachable = (config: JsonObject): JsonObject => ({
    ...config,
    rule_files: [join(files, 'rules', '*.yaml')],
    scrape_configs: jobsIn(config).map(({ kubernetes_sd_configs: _, ...job }, index) => ({
      ...job,
      proxy_url: network.url,
      file_sd_configs: [{ files: [join(files, `targets-${index}.json`)] }],
    })),
  })

  let before = ''
  /** Whether the configuration changed. Targets need no reload. */
  async function write(): Promise<boolean> {
    const [config, rules] = await Promise.all([configuration(), ruleFiles()])
    for (const [index, job] of jobsIn(config).entries()) {
      const targets = await Promise.all(
        items(job.kubernetes_sd_configs)
          .filter(isObject)
          .map(one => discover(api, one)),
      )
      const file = join(files, `targets-${index}.json`)
      writeFileSync(`${file}.new`, JSON.stringify(targets.flat()))
      renameSync(`${file}.new`, file)
    }
    const now = JSON.stringify([config, rules])
    if (now === before) return false
    writeFileSync(join(files, 'prometheus.yaml'), stringify(reachable(config)))
    for (const [name, text] of rules) writeFileSync(join(files, 'rules', name), text)
    before = now
    return true
  }

  await until("Prometheus' configuration", write)
  const port = await freePort()
  processes.start({
    name: 'prometheus',
    file: 'prometheus',
    args: [
      `--config.file=${join(files, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(files, 'data')}`,
      ...[`--web.listen-address=127.0.0.1:${port}`, '--web.enable-lifecycle'],
    ],
  })
  const url = `http://127.0.0.1:${port}`
  await until('Prometheus', async () => (await fetch(`${url}/-/ready`)).ok)
  let failure: unknown
  const timer = setInterval(
    () =>
      void write()
        .then(async changed => {
          if (changed && !(await fetch(`${url}/-/reload`, { method: 'POST' })).ok) throw new Error('Prometheus refuses its configuration')
        })
        .catch(error => (failure = error)),
    CHANGED_MS,
  )

  async function ask(path: string): Promise<JsonObject> {
    if (failure !== undefined) throw failure
    const { status, data, error } = (await (await fetch(`${url}/api/v1/${path}`)).json()) as JsonObject
    if (status !== 'success' || !isObject(data)) throw new Error(`${path}: ${error}`)
    return data
  }
  return {
    ask,
    query: async (expr: string) => (await ask(`query?query=${encodeURIComponent(expr)}`)).result as unknown as readonly Sample[],
    configuration,
    rules: async () => (await ruleFiles()).map(([, text]) => parse(text) as JsonObject),
    end: () => clearInterval(timer),
  }
}
