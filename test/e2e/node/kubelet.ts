// kubelet and kube-proxy, and what the API server needs for them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Authority, issueCertificate } from '../../../scripts/certificates.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import type { Processes } from '../cluster/processes.ts'
import type { NodePrograms } from '../cluster/programs.ts'
import { DNS_ADDRESS, NODE_ADDRESS, NODE_NAME, PODS } from './addresses.ts'
import { CONTAINERD } from './containerd.ts'

const NODE_TOKEN = 'node'
const PROXY_TOKEN = 'proxy'
const PROXY_USER = 'system:kube-proxy'
const API_SERVER_USER = 'kube-apiserver-kubelet-client'

/** Lines of the API server's token file. */
export const nodeTokens = [`${NODE_TOKEN},system:node:${NODE_NAME},node,"system:nodes"`, `${PROXY_TOKEN},${PROXY_USER},proxy`] as const

/** The API server's flags to be reached by pods, and to reach kubelet. */
export function kubeletFlags(authority: Authority, ca: string, write: (name: string, content: string) => string) {
  const client = issueCertificate(authority, { commonName: API_SERVER_USER, usages: ['client'] })
  return {
    'bind-address': '0.0.0.0',
    'advertise-address': NODE_ADDRESS,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'client-ca-file': ca,
    'kubelet-client-certificate': write('kubelet-client.crt', client.certificate),
    'kubelet-client-key': write('kubelet-client.key', client.key),
    'kubelet-certificate-authority': ca,
    'kubelet-preferred-address-types': 'InternalIP',
  }
}

const bound = (name: string, role: string, user: string): JsonObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
})

/** Kubernetes has these roles, but binds them to nobody. */
export const nodeRoles: readonly JsonObject[] = [
  bound('kube-proxy', 'system:node-proxier', PROXY_USER),
  bound('kube-apiserver-kubelet', 'system:kubelet-api-admin', API_SERVER_USER),
]

interface NodeGround {
  readonly folder: string
  readonly processes: Processes
  readonly authority: Authority
  readonly writeKubeconfig: (user: string, token: string) => string
}

/** Starts kubelet and kube-proxy; the node registers itself. */
export function startKubelet({ folder, processes, authority, writeKubeconfig }: NodeGround, programs: NodePrograms): void {
  const files = join(folder, 'node')
  mkdirSync(files)
  const write = (name: string, content: string): string => {
    const file = join(files, name)
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  const identity = issueCertificate(authority, {
    commonName: NODE_NAME,
    usages: ['server'],
    dnsNames: [NODE_NAME],
    addresses: [NODE_ADDRESS],
  })
  const kubelet = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Many machines still have cgroup v1.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    containerRuntimeEndpoint: `unix://${CONTAINERD}`,
    address: NODE_ADDRESS,
    tlsCertFile: write('kubelet.crt', identity.certificate),
    tlsPrivateKeyFile: write('kubelet.key', identity.key),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: write('ca.crt', authority.certificate) },
    },
    authorization: { mode: 'Webhook' },
    clusterDomain: 'cluster.local',
    clusterDNS: [DNS_ADDRESS],
    resolvConf: write('resolv.conf', ''),
    healthzBindAddress: '127.0.0.1',
    failSwapOn: false,
    // Kept with the logs if a run fails.
    podLogsDir: join(processes.logs, 'pods'),
    nodeStatusReportFrequency: '10s',
    // The images and the disk belong to the run and to the machine.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi' },
  }
  processes.start({
    name: 'kubelet',
    file: programs.kubelet,
    args: [
      `--config=${write('kubelet.yaml', stringify(kubelet))}`,
      `--kubeconfig=${writeKubeconfig(NODE_NAME, NODE_TOKEN)}`,
      ...[`--root-dir=${join(folder, 'kubelet')}`, `--cert-dir=${files}`, `--hostname-override=${NODE_NAME}`, `--node-ip=${NODE_ADDRESS}`],
    ],
  })
  const proxy = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: writeKubeconfig('kube-proxy', PROXY_TOKEN) },
    clusterCIDR: PODS,
    hostnameOverride: NODE_NAME,
    bindAddress: NODE_ADDRESS,
    // These limits belong to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
  }
  processes.start({ name: 'kube-proxy', file: programs.kubeProxy, args: [`--config=${write('proxy.yaml', stringify(proxy))}`] })
}
