// A node with one running pod, for ends.test.ts: says `up`, and ends by itself if asked with --end.
import { startCluster } from '../cluster/cluster.ts'
import { PAUSE } from './containerd.ts'

const cluster = await startCluster(
  { say: line => process.stdout.write(`${line}\n`), begin: () => undefined },
  { realPods: true, bare: true },
)
const volumes = [{ name: 'memory', emptyDir: { medium: 'Memory' } }]
const container = { name: 'pause', image: PAUSE, volumeMounts: [{ name: 'memory', mountPath: '/memory' }] }
await cluster.applyAll([
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pause', namespace: 'default' }, spec: { containers: [container], volumes } },
])
await cluster.kubectl(['wait', 'pod/pause', '--for=condition=Ready', '--timeout=60s'])
process.stdout.write('up\n')
if (process.argv.includes('--end')) process.exit(0)
setInterval(() => undefined, 60_000)
