// npm run test:node: a node leaves nothing on the machine, however its run ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { root } from '../../fixtures/claim-files.ts'
import { until } from '../cluster/until.ts'
import { findCgroups } from './cgroups.ts'

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | null>
}

function start(...command: readonly string[]): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/e2e/node/run.ts', ...command], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, output: () => output, ended: once(child, 'exit').then(([code]) => code) }
}

const bare = (...flags: readonly string[]) => start(process.execPath, '--import', 'tsx', 'test/e2e/node/bare.ts', ...flags)

const isUp = ({ child, output }: Run) =>
  until('the node is up', () => output().split('\n').includes('up'), {
    check: () => expect(child.exitCode ?? child.signalCode, output()).toBeNull(),
  })

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended.
    return ''
  }
}

const processes = () => readdirSync('/proc').filter(name => /^\d+$/.test(name))
const nameOf = (pid: number | undefined) => `eds-node-${pid}-`
const isOf = (pid: number | undefined) => (text: string) => text.includes(nameOf(pid))

function namespacesIn(process: string): string[] {
  try {
    return readdirSync(`/proc/${process}/ns`).map(name => readlinkSync(`/proc/${process}/ns/${name}`))
  } catch {
    // The process has ended.
    return []
  }
}

/** The namespaces of the processes whose environment names the folder of the run. */
function namespacesOf(pid: number | undefined): Set<string> {
  const outside = new Set(namespacesIn('self'))
  const found = processes()
    .filter(process => isOf(pid)(read(`/proc/${process}/environ`)))
    .flatMap(namespacesIn)
  return new Set(found.filter(namespace => !outside.has(namespace)))
}

const isIn = (namespaces: ReadonlySet<string>) => (process: string) => namespacesIn(process).some(name => namespaces.has(name))

const cgroupsOf = (pid: number | undefined) => findCgroups(new RegExp(`^${nameOf(pid)}`))
const foldersOf = (pid: number | undefined) => readdirSync(process.env.TMPDIR ?? '/tmp').filter(isOf(pid))

/** The parts of the machine that a node must not change. */
const machine = () => ({
  links: execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' }),
  routes: execFileSync('ip', ['route'], { encoding: 'utf8' }),
  rules: execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }),
  sets: execFileSync('ipset', ['list', '-name'], { encoding: 'utf8' }),
  // Buildah mounts its storage, also for other tests.
  mounts: read('/proc/self/mountinfo')
    .split('\n')
    .filter(line => !line.includes(' /var/lib/containers/')),
  host: read('/proc/sys/kernel/hostname'),
  forwarding: read('/proc/sys/net/ipv4/ip_forward'),
  panic: read('/proc/sys/kernel/panic'),
  folders: ['/var/lib/kubelet', '/var/lib/cni', '/run/containerd', '/var/log/pods', '/var/log/containers'].filter(existsSync),
})

const nothingIsLeft = async (pid: number | undefined, namespaces: ReadonlySet<string>): Promise<void> => {
  await until('the processes end', () => processes().filter(isIn(namespaces)).length === 0, { timeoutMs: 30_000 })
  expect({ cgroups: cgroupsOf(pid), folders: foldersOf(pid) }).toEqual({ cgroups: [], folders: [] })
}

const before = machine()

test('leaves nothing after a normal end', async () => {
  const run = bare('--end')
  await until('the node starts', () => /the node is ready/.test(run.output()), {
    check: () => expect(run.child.exitCode, run.output()).toBeNull(),
  })
  const namespaces = namespacesOf(run.child.pid)
  expect(namespaces.size).toBeGreaterThan(5)
  expect(await run.ended, run.output()).toBe(0)
  await nothingIsLeft(run.child.pid, namespaces)
  expect(machine()).toEqual(before)
})

test('leaves only the logs after a failure', async () => {
  const run = start('false')
  expect(await run.ended).toBe(1)
  await nothingIsLeft(run.child.pid, new Set())
})

test.for([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('leaves nothing after %s', async ([signal, code]) => {
  const run = bare()
  await isUp(run)
  const namespaces = namespacesOf(run.child.pid)
  run.child.kill(signal)
  expect(await run.ended).toBe(code)
  await nothingIsLeft(run.child.pid, namespaces)
  expect(machine()).toEqual(before)
})

test('ends all processes after SIGKILL, and the next run removes the rest', async () => {
  const killed = bare()
  await isUp(killed)
  const { pid } = killed.child
  const namespaces = namespacesOf(pid)
  expect(cgroupsOf(pid).length).toBeGreaterThan(0)
  killed.child.kill('SIGKILL')
  await killed.ended
  await until('the processes end', () => processes().filter(isIn(namespaces)).length === 0, { timeoutMs: 30_000 })
  expect(foldersOf(pid)).toHaveLength(1)

  const next = start('true')
  expect(await next.ended, next.output()).toBe(0)
  await nothingIsLeft(pid, namespaces)
  await nothingIsLeft(next.child.pid, new Set())
  expect(machine()).toEqual(before)
})
