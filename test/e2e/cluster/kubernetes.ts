import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { type Authority, issueCertificate } from '../../../scripts/certificates.ts'
import { NODE_ADDRESS } from '../node/addresses.ts'
import { doorPorts } from '../node/doors.ts'
import { kubeletFlags, nodeTokens } from '../node/kubelet.ts'
import { type Api, createApi } from './api.ts'
import type { Network } from './network.ts'
import { freePort } from './ports.ts'
import type { Processes } from './processes.ts'
import type { Programs, Sources } from './programs.ts'
import type { Timing } from './until.ts'

const run = promisify(execFile)

export interface Ground {
  readonly folder: string
  readonly programs: Programs
  readonly processes: Processes
  readonly network: Network
  readonly authority: Authority
  readonly until: <T>(what: string, poll: () => Promise<T> | T, timing?: Timing) => Promise<NonNullable<T>>
}

export interface Kubernetes {
  readonly api: Api
  /** The kubeconfig of the administrator. */
  readonly kubeconfig: string
  readonly writeKubeconfig: (user: string, token: string) => string
}

const ADMIN_TOKEN = 'administrator'
const PROXY_USER = 'front-proxy'

const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`)

interface KubernetesOptions {
  readonly sources: Sources
  readonly asUsual: boolean
  /** Whether pods are real; otherwise KWOK simulates them, and the node. */
  readonly realPods: boolean
}

/** Starts etcd, the API server, the controllers, the scheduler and, unless pods are real, KWOK with a node. */
export async function startKubernetes(ground: Ground & KubernetesOptions): Promise<Kubernetes> {
  const { folder, programs, processes, network, authority, until, sources, asUsual, realPods } = ground
  const files = join(folder, 'kubernetes')
  mkdirSync(files)
  const write = (name: string, content: string): string => {
    const file = join(files, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  const [door] = doorPorts()
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), door ?? (await freePort())]
  const url = `https://127.0.0.1:${port}`
  const ca = write('ca.crt', authority.certificate)

  const writeKubeconfig = (user: string, token: string): string =>
    write(
      `${user}.kubeconfig`,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'control-plane', cluster: { server: url, 'certificate-authority': ca } }],
        users: [{ name: user, user: { token } }],
        contexts: [{ name: 'control-plane', context: { cluster: 'control-plane', user } }],
        'current-context': 'control-plane',
      }),
    )
  const kubeconfig = writeKubeconfig('admin', ADMIN_TOKEN)

  const etcd = `http://127.0.0.1:${etcdPort}`
  const etcdFlags = {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': etcd,
    'advertise-client-urls': etcd,
    'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
    'log-level': 'warn',
    // The data need not survive a failure of the machine.
    'unsafe-no-fsync': true,
  }
  processes.start({ name: 'etcd', file: programs.etcd, args: flags(etcdFlags) })

  const server = issueCertificate(authority, {
    commonName: 'kube-apiserver',
    usages: ['server'],
    dnsNames: ['localhost', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    addresses: ['127.0.0.1', '10.0.0.1', NODE_ADDRESS],
  })
  const proxy = issueCertificate(authority, { commonName: PROXY_USER, usages: ['client'] })
  const accountKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const account = write('accounts.key', accountKey)
  const egress = {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: network.socket } } } }],
  }
  const simulatedFlags = {
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'endpoint-reconciler-type': 'none',
    'authorization-mode': 'RBAC',
    'egress-selector-config-file': write('egress.yaml', stringify(egress)),
    // No controller watches the health of nodes here, so no one would remove the taint.
    'disable-admission-plugins': 'TaintNodesByCondition',
  }
  const apiServerFlags = {
    ...(realPods ? kubeletFlags(authority, ca, write) : simulatedFlags),
    'etcd-servers': etcd,
    'secure-port': port,
    'tls-cert-file': write('server.crt', server.certificate),
    'tls-private-key-file': write('server.key', server.key),
    'cert-dir': files,
    'token-auth-file': write('tokens.csv', `${[`${ADMIN_TOKEN},admin,admin,"system:masters"`, ...nodeTokens].join('\n')}\n`),
    'allow-privileged': true,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': account,
    'service-account-signing-key-file': account,
    'service-cluster-ip-range': '10.0.0.0/16',
    'requestheader-client-ca-file': ca,
    'requestheader-allowed-names': PROXY_USER,
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': write('proxy.crt', proxy.certificate),
    'proxy-client-key-file': write('proxy.key', proxy.key),
  }
  processes.start({ name: 'kube-apiserver', file: programs.apiServer, args: flags(apiServerFlags) })
  const api = createApi(url, authority.certificate, ADMIN_TOKEN)
  await until('the API server', async () => (await api.call('GET', '/readyz')).message === 'ok')

  const clientFlags = async () => ({
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'secure-port': await freePort(),
    'cert-dir': files,
    'leader-elect': false,
  })
  const controllerFlags = {
    ...(await clientFlags()),
    'root-ca-file': ca,
    'service-account-private-key-file': account,
    controllers: realPods ? '*,-node-ipam-controller' : '*,-node-lifecycle-controller,-node-ipam-controller',
    // Instead of 15 s and 5 min, to shorten the tests.
    ...(!asUsual && { 'horizontal-pod-autoscaler-sync-period': '1s', 'horizontal-pod-autoscaler-downscale-stabilization': '5s' }),
  }
  processes.start({ name: 'kube-controller-manager', file: programs.controllers, args: flags(controllerFlags) })
  processes.start({ name: 'kube-scheduler', file: programs.scheduler, args: flags(await clientFlags()) })

  if (realPods) return { api, kubeconfig, writeKubeconfig }

  const { stdout: stages } = await run('kubectl', ['kustomize', join(sources.kwok, 'kustomize/stage/fast')], { maxBuffer: 1 << 24 })
  const kwokFlags = {
    kubeconfig,
    config: write('stages.yaml', stages),
    'manage-all-nodes': false,
    'manage-nodes-with-annotation-selector': 'kwok.x-k8s.io/node=fake',
    cidr: '10.1.0.1/16',
    'node-ip': '127.0.0.1',
    // Without the kubelet API, which nobody uses: kwok 0.7 sometimes crashes in it with a concurrent map write.
    'node-port': 0,
  }
  processes.start({ name: 'kwok', file: programs.kwok, args: flags(kwokFlags) })
  await createNode(api)
  await until('the node', async () => {
    const { status } = await api.get({ apiVersion: 'v1', kind: 'Node', name: NODE })
    return JSON.stringify(status).includes('"reason":"KubeletReady"')
  })
  return { api, kubeconfig, writeKubeconfig }
}

const NODE = 'kwok-node-a'

/** A node of KWOK, which marks its pods as Running. */
async function createNode(api: Api): Promise<void> {
  const resources = { cpu: '512', memory: '2Ti', pods: '5000' }
  const labels = { type: 'kwok', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': NODE }
  await api.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE, labels, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
    status: { allocatable: resources, capacity: resources },
  })
}
