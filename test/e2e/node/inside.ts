// The first program in the namespaces of a node: prepares mounts, network and host name, then runs the command and ends with it.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { BRIDGE, DNS_ADDRESS, NODE_ADDRESS, NODE_NAME, SERVICES } from './addresses.ts'
import { type Hierarchy, mountCgroups } from './cgroups.ts'
import { HIERARCHIES } from './environment.ts'

const run = (program: string, ...args: readonly string[]) => void execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
const mount = (...args: readonly string[]) => run('mount', ...args)
const mountMemory = (folder: string) => {
  mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder)
}

// Kubelet insists on these, which belong to the whole machine.
const sysctls: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
}

const OWN = '/run/node'

function prepareMounts(): void {
  run('umount', '-R', '/sys/fs/cgroup')
  mountCgroups(mount, JSON.parse(process.env[HIERARCHIES] ?? '[]') as Hierarchy[])
  mountMemory('/run')
  mkdirSync(OWN)
  // Kubelet and CNI have no flag for their folders in /var/log and /var/lib.
  mountMemory('/var/log')
  mountOwnLib()
  for (const [name, value] of Object.entries(sysctls)) {
    const file = join(OWN, name.replaceAll('/', '-'))
    writeFileSync(file, `${value}\n`)
    mount('--bind', file, join('/proc/sys', name))
  }
  resolveServices()
  // Kubelet's mounts have to reach the containers.
  mount('--make-rshared', '/')
}

/** A /var/lib with everything of the machine's, in which new folders are not the machine's. */
function mountOwnLib(): void {
  const place = '/var/lib'
  const original = join(OWN, 'lib')
  mkdirSync(original)
  mount('--rbind', place, original)
  mountMemory(place)
  for (const name of readdirSync(original)) symlinkSync(join(original, name), join(place, name))
  for (const name of ['cni', 'kubelet']) {
    rmSync(join(place, name), { force: true })
    mkdirSync(join(place, name))
  }
}

/** Lets the command resolve the names of Services. */
function resolveServices(): void {
  const file = join(OWN, 'resolv.conf')
  writeFileSync(file, `nameserver ${DNS_ADDRESS}\nsearch svc.cluster.local cluster.local\noptions ndots:5\n`)
  let place = '/etc/resolv.conf'
  if (existsSync(place)) place = realpathSync(place)
  else {
    // A link into the machine's /run, which is hidden here.
    place = resolve('/etc', readlinkSync(place))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, '')
  }
  mount('--bind', file, place)
}

function prepareNetwork(): void {
  run('hostname', NODE_NAME)
  run('ip', 'link', 'set', 'lo', 'up')
  run('ip', 'link', 'add', BRIDGE, 'type', 'bridge')
  // Kubelet reads the address when it starts.
  run('ip', 'addr', 'add', `${NODE_ADDRESS}/24`, 'dev', BRIDGE)
  run('ip', 'link', 'set', BRIDGE, 'up')
  // For processes outside pods; kube-proxy translates the addresses of Services.
  run('ip', 'route', 'add', SERVICES, 'dev', BRIDGE, 'src', NODE_ADDRESS)
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
}

// As in a shell.
const SIGNALED = 128

prepareMounts()
prepareNetwork()
const [program = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
child.once('error', error => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code, signal) => process.exit(code ?? SIGNALED + (signal === null ? 0 : constants.signals[signal])))
