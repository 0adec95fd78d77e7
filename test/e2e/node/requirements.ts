// The requirements of a real node on the machine. All programs are packages of Debian and its descendants.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The folder of Debian's CNI plugins. */
export const CNI_PLUGINS = '/usr/lib/cni'

/** The package of each program. */
const packages: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  conntrack: 'conntrack',
  catatonit: 'catatonit',
  buildah: 'buildah',
  busybox: 'busybox-static',
  ip: 'iproute2',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
}

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && existsSync(join(folder, program)))

/** Why this machine can't run a real node, in one line; undefined if it can. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'a real node needs Linux; without one, KWOK simulates the pods: npm run sandbox'
  if (process.getuid?.() !== 0) return 'a real node needs root, for namespaces, mounts and cgroups'
  const missing = Object.keys(packages).filter(program => !isOnPath(program))
  const needed = new Set(missing.map(program => packages[program]))
  if (!existsSync(join(CNI_PLUGINS, 'bridge'))) needed.add('containernetworking-plugins')
  if (needed.size === 0) return undefined
  return `a real node needs programs that are missing: apt-get install --no-install-recommends ${[...needed].join(' ')}`
}
