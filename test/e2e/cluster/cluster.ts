// A control plane of processes on loopback: etcd, API server, controllers, scheduler, KWOK for nodes and pods, a registry,
// Crossplane, KEDA and NATS. Programs with restricted roles use their own service accounts. All files are in one temporary folder.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseAllDocuments } from 'yaml'
import { type Authority, createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { startNode } from '../node/node.ts'
import { startNatsPod, startPlatform } from '../node/platform.ts'
import type { Api } from './api.ts'
import { type Major, startCrossplane } from './crossplane.ts'
import { startKeda } from './keda.ts'
import { startKubernetes } from './kubernetes.ts'
import type { Accounts } from './nats-accounts.ts'
import { createNetwork, type Network } from './network.ts'
import { freePort } from './ports.ts'
import { createProcesses, type Processes } from './processes.ts'
import { buildNodePrograms, buildPrograms, type Programs, type Sources, type Steps } from './programs.ts'
import { startRegistry } from './registry.ts'
import { type Timing, until } from './until.ts'

export interface Cluster {
  readonly folder: string
  readonly kubeconfig: string
  readonly programs: Programs
  readonly sources: Sources
  readonly api: Api
  /** The CA of the API server, of KEDA, and of every server that KEDA's scalers trust. */
  readonly authority: Authority
  readonly network: Network
  readonly processes: Processes
  /** The registry for packages, instead of ghcr.io. */
  readonly registry: string
  readonly asUsual: boolean
  /** Whether pods are real; otherwise KWOK simulates them. */
  readonly realPods: boolean
  /** The stages of the start, with the seconds since its beginning. */
  readonly stages: readonly Stage[]
  /** Reports a stage and adds it to them. */
  readonly reached: (name: string) => void
  /** Reports progress on a terminal or in a log. */
  readonly say: (line: string) => void
  readonly until: <T>(what: string, poll: () => Promise<T> | T, timing?: Timing) => Promise<NonNullable<T>>
  /** Runs kubectl as administrator and returns its output; YAML is passed on standard input. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>
  /** A kubeconfig for a service account, which has only its own roles. */
  readonly accountOf: (namespace: string, serviceAccount: string) => Promise<string>
  /** Keeps a folder up to date like a pod's mount of the secret; resolves when the folder is filled. */
  readonly mount: (namespace: string, secret: string) => Promise<string>
  readonly applyAll: (manifests: readonly JsonObject[]) => Promise<void>
  /** Ends all processes; keeps the folder with the logs if asked. */
  readonly stop: (options?: { readonly keepLogs?: boolean }) => Promise<void>
}

export interface Stage {
  readonly name: string
  readonly seconds: number
}

/** The objects of a YAML text. */
export const manifests = (yaml: string): JsonObject[] =>
  parseAllDocuments(yaml)
    .map(document => document.toJS() as unknown)
    .filter(isObject)

const MOUNT_EVERY_MS = 1_000
const TOKEN_SECONDS = 12 * 60 * 60
const KUBECTL_MS = 120_000

export interface ClusterOptions {
  readonly crossplane?: Major
  /** Logs and autoscaling like in a production cluster, instead of verbose and fast for tests. */
  readonly asUsual?: boolean
  /** Real pods instead of KWOK's, in the namespaces of test/e2e/node/run.ts. */
  readonly realPods?: boolean
  /** Without Crossplane and KEDA. */
  readonly bare?: boolean
}

/** Checks the requirements first, and builds missing programs. */
export async function startCluster(steps: Steps, options: ClusterOptions = {}): Promise<Cluster> {
  const { crossplane = 2, asUsual = false, realPods = false, bare = false } = options
  const { say, begin } = steps
  const { programs, sources } = await buildPrograms(steps)
  const nodePrograms = realPods ? await buildNodePrograms(steps) : undefined
  begin('starting Kubernetes')
  const folder = mkdtempSync(join(tmpdir(), 'control-plane-'))
  const processes = createProcesses(folder)
  const closing: (() => void)[] = []
  const atEnd = (close: () => void): void => void closing.push(close)
  let stopped = false

  const stop: Cluster['stop'] = async ({ keepLogs = false } = {}) => {
    if (stopped) return
    stopped = true
    for (const close of closing) close()
    await processes.stopAll({ keepLogs })
  }

  try {
    const began = Date.now()
    const stages: Stage[] = []
    const reached = (name: string): void => {
      const seconds = (Date.now() - began) / 1000
      stages.push({ name, seconds })
      say(`${name} after ${seconds.toFixed(1)} s`)
    }
    const authority = createAuthority({ commonName: 'test-ca' })
    let api: Api | undefined
    const network = await createNetwork(folder, async address => {
      if (api === undefined) return []
      const namespaceOf = (object: JsonObject) => at(object, 'metadata', 'namespace')
      const services = (await api.list({ apiVersion: 'v1', kind: 'Service' })).filter(({ spec }) => at(spec, 'clusterIP') === address)
      if (services.length > 0) return services.map(service => `${at(service, 'metadata', 'name')}.${namespaceOf(service)}`)
      const slices = await api.list({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' })
      return slices
        .filter(({ endpoints }) => JSON.stringify(endpoints ?? []).includes(`"${address}"`))
        .map(slice => `${at(slice, 'metadata', 'labels', 'kubernetes.io/service-name')}.${namespaceOf(slice)}`)
    })
    closing.push(network.close)

    const timing = (given: Timing = {}): Timing => ({ ...given, check: processes.check })
    const untilHere: Cluster['until'] = (what, poll, given) => until(what, poll, timing(given))
    const kubernetes = await startKubernetes({
      asUsual,
      realPods,
      folder,
      programs,
      sources,
      processes,
      network,
      authority,
      until: untilHere,
    })
    api = kubernetes.api
    const client = kubernetes.api
    closing.push(client.close)

    const kubectl: Cluster['kubectl'] = (args, input) =>
      new Promise((resolve, reject) => {
        const environment = { ...process.env, KUBECONFIG: kubernetes.kubeconfig }
        const child = execFile(
          'kubectl',
          [...args],
          { env: environment, maxBuffer: 64 * 1024 * 1024, timeout: KUBECTL_MS },
          (error, stdout, stderr) =>
            error ? reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`)) : resolve(stdout),
        )
        child.stdin?.end(input)
      })

    const accountOf: Cluster['accountOf'] = async (namespace, serviceAccount) => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`
      const spec = { expirationSeconds: TOKEN_SECONDS }
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
      const answer = await untilHere(`the account ${serviceAccount}`, () => client.call('POST', path, request))
      return kubernetes.writeKubeconfig(`${namespace}-${serviceAccount}`, String(at(answer, 'status', 'token')))
    }

    const mount: Cluster['mount'] = async (namespace, name) => {
      const target = join(folder, 'mounts', name)
      mkdirSync(target, { recursive: true })
      let before = ''
      const refresh = async (): Promise<boolean> => {
        const secret = await client.find({ apiVersion: 'v1', kind: 'Secret', namespace, name })
        const data = isObject(secret?.data) ? secret.data : undefined
        const isComplete = ['ca.crt', 'tls.crt', 'tls.key'].every(file => data?.[file])
        const now = JSON.stringify(data)
        if (data === undefined || !isComplete || now === before) return before !== ''
        for (const [file, content] of Object.entries(data)) {
          // Moved into place, so nobody reads an unfinished file.
          writeFileSync(join(target, `.${file}`), Buffer.from(String(content), 'base64'))
          renameSync(join(target, `.${file}`), join(target, file))
        }
        before = now
        return true
      }
      await untilHere(`the secret ${namespace}/${name}`, refresh)
      void (async () => {
        while (!stopped) {
          await delay(MOUNT_EVERY_MS, undefined, { ref: false })
          await refresh().catch(() => undefined)
        }
      })()
      return target
    }

    const applyAll: Cluster['applyAll'] = async manifests => {
      const list = { apiVersion: 'v1', kind: 'List', items: manifests }
      await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(list))
    }

    const cluster: Cluster = {
      folder,
      programs,
      sources,
      kubeconfig: kubernetes.kubeconfig,
      api: client,
      authority,
      network,
      processes,
      registry: await startRegistry({ folder, programs, processes, network, authority, until: untilHere }, { realPods }, atEnd),
      asUsual,
      realPods,
      stages,
      reached,
      say,
      until: untilHere,
      kubectl,
      accountOf,
      mount,
      applyAll,
      stop,
    }
    reached('Kubernetes is up')
    if (nodePrograms !== undefined) {
      begin('starting the node')
      await startNode(cluster, nodePrograms, kubernetes.writeKubeconfig, atEnd)
    }
    if (bare) return cluster
    begin('starting Crossplane and KEDA')
    await (realPods
      ? startPlatform(cluster)
      : Promise.all([startCrossplane(cluster, authority, crossplane), startKeda(cluster, authority)]))
    reached('Crossplane and KEDA are up')
    return cluster
  } catch (error) {
    await stop({ keepLogs: true })
    throw new Error(`the control plane did not start; its logs are in ${processes.logs}`, { cause: error })
  }
}

export interface NatsServer {
  readonly host: string
  /** The client port. */
  readonly port: number
  readonly monitoringPort: number
}

/**
 * A NATS server in the namespace with the Services of its chart: clients use `nats`, and only the headless Service exposes the
 * monitoring port. If an account is given it contains the streams; otherwise there are no accounts.
 */
export async function startNats(cluster: Cluster, namespace: string, account?: string): Promise<NatsServer> {
  if (cluster.realPods) return startNatsPod(cluster, namespace, account)
  const user = '{ user: worker, password: worker }'
  const server = await runNats(cluster, namespace, ({ monitoringPort }) => [
    `http: 127.0.0.1:${monitoringPort}`,
    ...(account === undefined ? [] : [`accounts { ${account}: { jetstream: enabled, users: [${user}] } }`, 'no_auth_user: worker']),
  ])
  await cluster.until('NATS', async () => (await fetch(`http://127.0.0.1:${server.monitoringPort}/healthz`)).ok)
  return server
}

/** Such a server with TLS on both ports, which accepts only clients with a certificate and credentials of these accounts. */
export async function startSecureNats(cluster: Cluster, namespace: string, accounts: Accounts): Promise<NatsServer> {
  const { authority, folder } = cluster
  const { certificate, key } = issueCertificate(authority, {
    commonName: 'nats',
    usages: ['server'],
    dnsNames: [`nats.${namespace}.svc`, `nats-headless.${namespace}.svc`],
  })
  const write = (name: string, content: string): string => {
    const file = join(folder, `${namespace}-${name}`)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  const files = [
    `cert_file: "${write('tls.crt', certificate)}"`,
    `key_file: "${write('tls.key', key)}"`,
    `ca_file: "${write('ca.crt', authority.certificate)}"`,
  ]
  return runNats(cluster, namespace, ({ monitoringPort }) => [
    `https: 127.0.0.1:${monitoringPort}`,
    `tls { ${files.join(', ')}, verify: true }`,
    accounts.configuration,
  ])
}

async function runNats(
  { processes, network, folder, applyAll }: Cluster,
  namespace: string,
  configure: (server: NatsServer) => readonly string[],
): Promise<NatsServer> {
  const server = { host: '127.0.0.1', port: await freePort(), monitoringPort: await freePort() }
  const name = `nats-of-${namespace}`
  const configuration = join(folder, `${name}.conf`)
  writeFileSync(configuration, configure(server).join('\n'))
  processes.start({
    name,
    file: 'nats-server',
    args: ['-c', configuration, '-js', '-sd', join(folder, name), '-a', '127.0.0.1', '-p', String(server.port)],
  })
  const labels = { 'app.kubernetes.io/name': 'nats' }
  const service = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { selector: labels, ...spec },
  })
  const client = { name: 'nats', port: 4222 }
  // The pod that KWOK simulates, so the Services have endpoints.
  const container = { name: 'nats', image: 'nats', ports: [{ containerPort: 4222 }, { containerPort: 8222 }] }
  const pods = { metadata: { labels }, spec: { containers: [container] } }
  await applyAll([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    service('nats', { ports: [client] }),
    service('nats-headless', { clusterIP: 'None', ports: [client, { name: 'monitor', port: 8222 }] }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'nats', namespace },
      spec: { serviceName: 'nats-headless', selector: { matchLabels: labels }, template: pods },
    },
  ])
  network.join(`nats.${namespace}`, 4222, server.port)
  network.join(`nats-headless.${namespace}`, 4222, server.port)
  network.join(`nats-headless.${namespace}`, 8222, server.monitoringPort)
  return server
}
