// containerd with a bridge for its pods.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Cluster } from '../cluster/cluster.ts'
import { BRIDGE, FIRST_POD, NODE_ADDRESS, PODS } from './addresses.ts'
import { CNI_PLUGINS } from './requirements.ts'

const run = promisify(execFile)

/** The socket, in the /run of the namespaces. */
export const CONTAINERD = '/run/containerd/containerd.sock'
/** The image of the container that holds a pod's namespaces. */
export const PAUSE = 'registry.test/pause:1'

/** Starts containerd, which pulls images of these hosts from these URLs. */
export async function startContainerd(
  { folder: root, processes, until }: Pick<Cluster, 'folder' | 'processes' | 'until'>,
  mirrors: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = join(root, 'containerd')
  const [networks, hosts] = [join(folder, 'cni'), join(folder, 'hosts')]
  for (const inner of [networks, hosts]) mkdirSync(inner, { recursive: true })
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'addresses'),
    ranges: [[{ subnet: PODS, rangeStart: FIRST_POD, gateway: NODE_ADDRESS }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const plugins = [{ type: 'bridge', bridge: BRIDGE, isGateway: true, hairpinMode: true, ipMasq: false, ipam }]
  writeFileSync(join(networks, '10-bridge.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'node', plugins }))
  for (const [host, url] of Object.entries(mirrors)) {
    mkdirSync(join(hosts, host))
    writeFileSync(join(hosts, host, 'hosts.toml'), `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`)
  }
  const configuration = join(folder, 'config.toml')
  writeFileSync(
    configuration,
    `version = 2
root = "${join(folder, 'root')}"
state = "/run/containerd"
disabled_plugins = [${['aufs', 'btrfs', 'devmapper', 'zfs'].map(name => `"io.containerd.snapshotter.v1.${name}"`).join(', ')}]
[grpc]
  address = "${CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  netns_mounts_under_state_dir = true
  # A process of a container may not have less than containerd, which fails as: can't get final child's PID from pipe: EOF
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PLUGINS}"
    conf_dir = "${networks}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${hosts}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`,
  )
  processes.start({ name: 'containerd', file: 'containerd', args: ['--config', configuration] })
  await until('containerd', () => run('ctr', ['--address', CONTAINERD, 'version']))
}
