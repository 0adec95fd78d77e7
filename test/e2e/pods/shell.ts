// Runs shell commands inside the cluster.
import { at } from '../../../src/kubernetes/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { BUSYBOX } from '../node/platform.ts'

let pods = 0

/** Runs a command of the busybox image in a pod of its own, with these labels, and returns its output; throws if it fails. */
export async function runInPod(
  { api, kubectl, until }: Cluster,
  namespace: string,
  command: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: `shell-${++pods}` }
  const container = {
    name: 'shell',
    image: BUSYBOX,
    args: [`{ ${command}; } 2>&1`],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const security = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  await api.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: pod.name, labels },
    spec: { restartPolicy: 'Never', automountServiceAccountToken: false, securityContext: security, containers: [container] },
  })
  const phase = await until(`${pod.name} ends`, async () => {
    const now = at(await api.get(pod), 'status', 'phase')
    return now === 'Succeeded' || now === 'Failed' ? now : undefined
  })
  const output = await kubectl(['-n', namespace, 'logs', pod.name])
  await api.delete(pod)
  if (phase === 'Failed') throw new Error(`${command} failed:\n${output}`)
  return output
}
