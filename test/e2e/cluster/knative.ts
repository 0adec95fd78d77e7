// Runs Knative Serving and Eventing with their controllers, autoscalers and admission webhooks, each as a process with its own
// service account. Simulates the network layer, of which Knative supports several, and the KafkaSource controller.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { moduleSources, versionOf } from '../go-tools.ts'
import { type Reference, referenceTo } from './api.ts'
import { type Cluster, manifests } from './cluster.ts'
import { freePort } from './ports.ts'
import { buildAll, type Pin, type Steps } from './programs.ts'

const SERVING = 'cluster/programs/serving'
const EVENTING = 'cluster/programs/eventing'

// The build time of each program after Kubernetes was built.
const SECONDS = 20

// By the import path that the manifests name as image, the webhooks first.
const pinned: Readonly<Record<string, Pin>> = {
  'serving/cmd/webhook': { module: SERVING, program: 'webhook', called: 'Knative Serving webhook', seconds: SECONDS },
  'eventing/cmd/webhook': { module: EVENTING, program: 'webhook', called: 'Knative Eventing webhook', seconds: SECONDS },
  'eventing/cmd/in_memory/channel_controller': {
    module: EVENTING,
    program: 'channel_controller',
    called: 'Knative channel controller',
    seconds: SECONDS,
  },
  'serving/cmd/controller': { module: SERVING, program: 'controller', called: 'Knative Serving controller', seconds: SECONDS },
  'serving/cmd/autoscaler': { module: SERVING, program: 'autoscaler', called: 'Knative autoscaler', seconds: SECONDS },
  'serving/cmd/autoscaler-hpa': { module: SERVING, program: 'autoscaler-hpa', called: 'Knative HPA autoscaler', seconds: SECONDS },
  'eventing/cmd/controller': { module: EVENTING, program: 'controller', called: 'Knative Eventing controller', seconds: SECONDS },
  'eventing/cmd/mtchannel_broker': { module: EVENTING, program: 'mtchannel_broker', called: 'Knative Broker controller', seconds: SECONDS },
  'eventing/cmd/in_memory/channel_dispatcher': {
    module: EVENTING,
    program: 'channel_dispatcher',
    called: 'Knative channel dispatcher',
    seconds: SECONDS,
  },
}

export const knativeVersions = () => ({ serving: versionOf(SERVING), eventing: versionOf(EVENTING) })

/** The name of the process that replaces the pods of Serving's webhook. */
export const SERVING_WEBHOOK = 'knative-serving-webhook'

const KAFKA_SOURCES = 'kafkasources.sources.knative.dev'
const kafkaSource = fileURLToPath(new URL('../knative/crds/kafka-source.yaml', import.meta.url))

/** The YAML documents in a folder and below, of the files that are wanted. */
export const manifestsIn = (folder: string, isWanted: (name: string) => boolean = () => true): JsonObject[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.yaml') && isWanted(name))
    .flatMap(name => manifests(readFileSync(join(folder, name), 'utf8')))

/** The manifests of the releases, which name import paths as images. */
export async function released(): Promise<JsonObject[]> {
  const [serving, networking, caching, eventing] = await Promise.all([
    moduleSources(SERVING, 'knative.dev/serving'),
    moduleSources(SERVING, 'knative.dev/networking'),
    moduleSources(SERVING, 'knative.dev/caching'),
    moduleSources(EVENTING, 'knative.dev/eventing'),
  ])
  const folders = [
    ...[networking, caching].map(module => join(module, 'config')),
    ...['core', 'hpa-autoscaling'].map(part => join(serving, 'config', part)),
    ...['core', 'brokers/mt-channel-broker', 'channels/in-memory-channel'].map(part => join(eventing, 'config', part)),
  ]
  return folders.flatMap(folder => manifestsIn(folder))
}

// Knative's own HPAs need pod metrics, which do not exist here.
const UNWANTED = 'HorizontalPodAutoscaler'

const settings: Readonly<Record<string, JsonObject>> = {
  // The images of the claims do not exist, so Knative must not resolve their digests.
  'config-deployment': { 'registries-skipping-tag-resolving': 'ghcr.io' },
  // Without a domain every service is cluster-local.
  'config-domain': { 'example.com': '' },
}

function configured(manifest: JsonObject): JsonObject {
  const name = String(at(manifest, 'metadata', 'name'))
  if (name === KAFKA_SOURCES) {
    // The conversion webhook belongs to the simulated controller, and these tests use no old versions.
    const { conversion: _, ...spec } = manifest.spec as JsonObject
    return { ...manifest, spec }
  }
  const more = manifest.kind === 'ConfigMap' ? settings[name] : undefined
  return more === undefined ? manifest : { ...manifest, data: { ...(manifest.data as JsonObject), ...more } }
}

/** Starts a process instead of the pods of the Deployment, with their environment. */
async function run(cluster: Cluster, manifest: JsonObject, file: string, kubeconfig: string): Promise<void> {
  const { namespace = '', name = '' } = referenceTo(manifest)
  const given = at(manifest, 'spec', 'template', 'spec', 'containers', 0, 'env')
  const environment = Object.fromEntries(
    (Array.isArray(given) ? given : []).map(variable => [String(at(variable, 'name')), String(at(variable, 'value') ?? 'none')]),
  )
  const port = await freePort()
  if (environment.WEBHOOK_NAME !== undefined) cluster.network.join(`${environment.WEBHOOK_NAME}.${namespace}`, 443, port)
  cluster.processes.start({
    name: `${namespace}-${name}`,
    file,
    args: [],
    environment: {
      ...environment,
      SYSTEM_NAMESPACE: namespace,
      POD_NAME: name,
      // An unreachable address, because a Service must not have a loopback address.
      POD_IP: '10.1.255.255',
      WEBHOOK_PORT: String(port),
      PROFILING_PORT: '0',
      KUBECONFIG: kubeconfig,
      HTTP_PROXY: cluster.network.url,
    },
  })
}

/** Writes the status of every object of the kind whenever its spec changes. */
function play({ api }: Cluster, kind: Reference, statusOf: (object: JsonObject) => JsonObject): void {
  api.watch(kind, ({ type, object }) => {
    const generation = at(object, 'metadata', 'generation') ?? 0
    if (type === 'DELETED' || at(object, 'status', 'observedGeneration') === generation) return
    const status = { observedGeneration: generation, ...statusOf(object) }
    void api.patch({ ...kind, ...referenceTo(object), kind: kind.kind }, { status }, { status: true }).catch(() => undefined)
  })
}

const isTrue = (...types: readonly string[]) => ({
  conditions: types.map(type => ({ type, status: 'True', lastTransitionTime: new Date().toISOString() })),
})

/** The status that a network layer such as Kourier sets for a configured route. */
const playNetworkLayer = (cluster: Cluster) => {
  const proxies = { ingress: [{ domainInternal: 'gateway.knative-serving.svc.cluster.local' }] }
  play(cluster, { apiVersion: 'networking.internal.knative.dev/v1alpha1', kind: 'Ingress' }, () => ({
    ...isTrue('NetworkConfigured', 'LoadBalancerReady', 'Ready'),
    publicLoadBalancer: proxies,
    privateLoadBalancer: proxies,
  }))
}

/** Simulated because there is no Kafka here, and the KafkaSource controller is not available as a Go module. */
const playKafka = (cluster: Cluster) => play(cluster, { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource' }, () => isTrue('Ready'))

/** Installs and starts Knative; resolves when both webhooks are called. */
export async function startKnative(cluster: Cluster, steps: Steps): Promise<void> {
  const { applyAll, kubectl, until, api } = cluster
  const programs = await buildAll(pinned, steps)
  steps.begin('starting Knative')
  const began = Date.now()
  const kafka = manifests(readFileSync(kafkaSource, 'utf8'))
  const all = [...(await released()), ...kafka].filter(({ kind }) => kind !== UNWANTED).map(configured)
  const of = (...kinds: readonly string[]) => all.filter(({ kind }) => kinds.includes(String(kind)))
  await applyAll(of('Namespace', 'CustomResourceDefinition'))
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'])
  await applyAll(all.filter(({ kind }) => kind !== 'CustomResourceDefinition'))
  const deployments = of('Deployment', 'StatefulSet')
  // Programs share service accounts, and a kubeconfig must not be written while a program reads it.
  const accounts = new Map<string, string>()
  for (const [path, program] of Object.entries(programs)) {
    const deployment = deployments.find(
      manifest => at(manifest, 'spec', 'template', 'spec', 'containers', 0, 'image') === `ko://knative.dev/${path}`,
    )
    if (deployment === undefined) throw new Error(`Knative has no Deployment of ${path}`)
    const { namespace = '' } = referenceTo(deployment)
    const account = String(at(deployment, 'spec', 'template', 'spec', 'serviceAccountName'))
    const key = `${namespace}/${account}`
    const kubeconfig = accounts.get(key) ?? (await cluster.accountOf(namespace, account))
    accounts.set(key, kubeconfig)
    await run(cluster, deployment, program, kubeconfig)
  }
  playNetworkLayer(cluster)
  playKafka(cluster)
  await until("Knative's webhooks", async () => {
    const metadata = { name: 'probe', namespace: 'default' }
    const image = 'ghcr.io/acme/probe:1'
    const [service, broker] = await Promise.all([
      api.create(
        { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec: { template: { spec: { containers: [{ image }] } } } },
        { dryRun: true },
      ),
      api.create({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, spec: {} }, { dryRun: true }),
    ])
    return isObject(at(service, 'metadata', 'annotations')) && isObject(at(broker, 'metadata', 'annotations'))
  })
  steps.say(`Knative is up after ${((Date.now() - began) / 1000).toFixed(1)} s`)
}
