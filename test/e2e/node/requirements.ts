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
  iptables: 'iptables',
  ipset: 'ipset',
  conntrack: 'conntrack',
  catatonit: 'catatonit',
  buildah: 'buildah',
  busybox: 'busybox-static',
  ip: 'iproute2',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
}

export interface Machine {
  readonly platform: string
  readonly isRoot: boolean
  /** The folders of programs. */
  readonly path: string
}

const thisMachine = (): Machine => ({ platform: process.platform, isRoot: process.getuid?.() === 0, path: process.env.PATH ?? '' })

/** Why the machine can't run a real node, in one line; undefined if it can. */
export function obstacle({ platform, isRoot, path }: Machine = thisMachine()): string | undefined {
  if (platform !== 'linux') return 'a real node needs Linux; elsewhere KWOK simulates the pods (npm run sandbox)'
  if (!isRoot) return 'a real node needs root, for namespaces, mounts and cgroups; without it KWOK simulates the pods (npm run sandbox)'
  const folders = path.split(delimiter).filter(Boolean)
  const missing = Object.keys(packages).filter(program => !folders.some(folder => existsSync(join(folder, program))))
  const needed = new Set(missing.map(program => packages[program]))
  if (!existsSync(join(CNI_PLUGINS, 'bridge'))) needed.add('containernetworking-plugins')
  if (needed.size === 0) return undefined
  return `a real node needs missing programs: apt-get install --no-install-recommends ${[...needed].join(' ')}`
}
