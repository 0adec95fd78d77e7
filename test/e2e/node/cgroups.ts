// The cgroup of a run: a child of this process' own in every hierarchy of cgroup v1, or one of the root of cgroup v2. The v2 part has
// not been tried on a machine.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface Hierarchy {
  /** As in the options of a mount, such as `cpu,cpuacct` or `name=systemd`; empty for cgroup v2. */
  readonly controllers: string
  /** The folder of this process' cgroup; of the root for cgroup v2. */
  readonly folder: string
}

interface Mount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

// https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
const mounts = (): Mount[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => {
      const [place = '', kind = ''] = line.split(' - ')
      const [, , , root = '', point = ''] = place.split(' ')
      const [type = '', , options = ''] = kind.split(' ')
      return { root, point, type, options: options.split(',') }
    })

/** The hierarchies that this process may use. */
export function hierarchies(): Hierarchy[] {
  const mounted = mounts()
  const unified = mounted.find(({ type, point }) => type === 'cgroup2' && existsSync(join(point, 'cgroup.subtree_control')))
  const first = mounted.filter(({ type }) => type === 'cgroup')
  if (first.length === 0) return unified === undefined ? [] : [{ controllers: '', folder: unified.point }]
  return readFileSync('/proc/self/cgroup', 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap(line => {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      if (controllers === '') return []
      const mount = first.find(({ options }) => controllers.split(',').every(controller => options.includes(controller)))
      if (mount === undefined) return []
      return [{ controllers, folder: join(mount.point, relative(mount.root, path)) }]
    })
}

/** Creates the cgroup in every hierarchy, and returns its folders. */
export function createCgroup(name: string): string[] {
  return hierarchies().map(({ controllers, folder }) => {
    const own = join(folder, name)
    mkdirSync(own)
    if (controllers.split(',').includes('cpuset'))
      for (const file of ['cpuset.cpus', 'cpuset.mems']) writeFileSync(join(own, file), readFileSync(join(folder, file)))
    return own
  })
}

/** The folders of cgroups whose name matches. */
export const findCgroups = (name: RegExp): string[] =>
  hierarchies().flatMap(({ folder }) =>
    readdirSync(folder)
      .filter(entry => name.test(entry))
      .map(entry => join(folder, entry)),
  )

const REMOVAL_MS = 10_000
const EVERY_MS = 100

/** Ends all processes of the cgroup, and removes it with its children. */
export async function removeCgroup(folder: string): Promise<void> {
  const deadline = Date.now() + REMOVAL_MS
  while (existsSync(folder)) {
    if (Date.now() > deadline) throw new Error(`${folder} can't be removed: ${processesIn(folder).join(', ') || 'it is busy'}`)
    const folders = [folder, ...readdirSync(folder, { recursive: true, withFileTypes: true }).filter(isFolder).map(pathOf)]
    for (const inner of folders.reverse()) {
      for (const pid of processesIn(inner)) kill(pid)
      try {
        rmdirSync(inner)
      } catch {
        // Processes need a moment to end.
      }
    }
    if (existsSync(folder)) await delay(EVERY_MS)
  }
}

const isFolder = (entry: { isDirectory: () => boolean }) => entry.isDirectory()
const pathOf = (entry: { readonly parentPath: string; readonly name: string }) => join(entry.parentPath, entry.name)

function processesIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    // 0 is a process of another PID namespace, and would be this process' group.
    if (pid > 0) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Mounts the hierarchies again, so that this process' cgroup, the root of its cgroup namespace, is their root. */
export function mountCgroups(mount: (...args: readonly string[]) => void, all: readonly Hierarchy[]): void {
  const place = '/sys/fs/cgroup'
  if (all.every(({ controllers }) => controllers === '')) {
    mount('-t', 'cgroup2', 'cgroup2', place)
    // Only a cgroup without processes passes controllers on to its children.
    const leaf = join(place, 'init')
    mkdirSync(leaf)
    for (const pid of processesIn(place)) writeFileSync(join(leaf, 'cgroup.procs'), String(pid))
    return
  }
  mount('-t', 'tmpfs', '-o', 'mode=755', 'cgroup', place)
  for (const { controllers } of all) {
    const point = join(place, controllers.replace('name=', ''))
    mkdirSync(point)
    mount('-t', 'cgroup', '-o', controllers.startsWith('name=') ? `none,${controllers}` : controllers, 'cgroup', point)
  }
}
