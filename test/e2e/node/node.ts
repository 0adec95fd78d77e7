// A real node for the control plane: containerd, kubelet, kube-proxy and CoreDNS. Needs the namespaces of namespaces.ts.
import type { Cluster } from '../cluster/cluster.ts'
import type { NodePrograms } from '../cluster/programs.ts'
import { MIRRORED } from '../cluster/registry.ts'
import { NODE_NAME } from './addresses.ts'
import { PAUSE, startContainerd } from './containerd.ts'
import { COREDNS, dns } from './dns.ts'
import { connectDoor, doorPorts } from './doors.ts'
import { isInside } from './environment.ts'
import { nodeImages, pushImage } from './images.ts'
import { nodeRoles, startKubelet } from './kubelet.ts'
import { PRIVATE_HOST, startPrivateRegistry } from './private-registry.ts'

/** Resolves when the node is ready and names of Services resolve. */
export async function startNode(
  cluster: Cluster,
  programs: NodePrograms,
  writeKubeconfig: (user: string, token: string) => string,
  atEnd: (close: () => void) => void,
): Promise<void> {
  if (!isInside()) throw new Error('a real node runs only in namespaces of its own: test/e2e/node/run.ts COMMAND')
  const { registry, applyAll, kubectl, until, api, reached } = cluster
  // The API server listens on the port of the first door, so that a kubeconfig works on both sides.
  const [door] = doorPorts()
  if (door !== undefined) await connectDoor(door, '127.0.0.1', door, atEnd)
  const open = Object.fromEntries([...MIRRORED, 'docker.io', 'registry.test'].map(host => [host, `http://${registry}`]))
  const closed = await startPrivateRegistry(registry, atEnd)
  const { pause, coredns } = await nodeImages(programs)
  await Promise.all([
    startContainerd(cluster, { ...open, [PRIVATE_HOST]: closed }),
    pushImage(cluster, pause, PAUSE),
    pushImage(cluster, coredns, COREDNS),
    applyAll([...nodeRoles, ...dns([...MIRRORED, 'registry.test'])]),
  ])
  startKubelet({ ...cluster, writeKubeconfig }, programs)
  await until('the node', () => api.find({ apiVersion: 'v1', kind: 'Node', name: NODE_NAME }))
  await kubectl(['wait', `node/${NODE_NAME}`, '--for=condition=Ready', '--timeout=60s'])
  reached('the node is ready')
  await kubectl(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=60s'])
  reached('CoreDNS is ready')
}
