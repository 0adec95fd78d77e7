// Runs a command in namespaces of its own (mounts, network, processes, host name, IPC, cgroups), so that a node neither sees nor
// changes the machine's. Everything in them ends with the command, and with this process, however it ends.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCgroup, findCgroups, hierarchies, removeCgroup } from './cgroups.ts'
import { openDoors } from './doors.ts'
import { DOORS, FOLDER, HIERARCHIES } from './environment.ts'

// Folders and cgroups carry the ID of the process that made them, so that the next run recognizes those of a killed one.
const NAME = 'eds-node'
const OWNED = new RegExp(`^${NAME}-(\\d+)-`)

const inside = fileURLToPath(new URL('inside.ts', import.meta.url))

export const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
// npm and the terminal both send the signal of one Ctrl-C.
const SAME_SIGNAL_MS = 1_000
const GRACE_MS = 20_000

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)
const ownerOf = (name: string): number => Number(OWNED.exec(name)?.[1] ?? Number.NaN)

/** Removes the cgroups and folders of runs that were killed. */
export async function removeLeftovers(): Promise<void> {
  const dead = (name: string) => !isAlive(ownerOf(name))
  for (const folder of findCgroups(OWNED)) if (dead(folder.slice(folder.lastIndexOf('/') + 1))) await removeCgroup(folder)
  for (const name of readdirSync(tmpdir()))
    if (OWNED.test(name) && dead(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
}

/**
 * Runs the command, forwards signals to it, and returns its exit code. Nothing of it is left, except the logs of a failed run. The
 * doors are ports of this machine that the command may connect to its own.
 */
export async function runInNamespaces(command: readonly string[], { doors: count = 0 }: { readonly doors?: number } = {}): Promise<number> {
  await removeLeftovers()
  const folder = mkdtempSync(join(tmpdir(), `${NAME}-${process.pid}-`))
  const doors = await openDoors(folder, count)
  const all = hierarchies()
  const cgroups = createCgroup(folder.slice(folder.lastIndexOf('/') + 1))
  const joining = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
  const unshare = ['unshare', '--mount', '--net', '--pid', '--uts', '--ipc', '--cgroup', '--propagation', 'private', '--mount-proc']
  const child = spawn(
    'sh',
    [
      ...['-euc', joining, 'sh', ...cgroups, '--'],
      // The kernel kills unshare with this process, and the namespaces with unshare.
      ...['setpriv', '--pdeathsig', 'KILL', ...unshare, '--fork', '--kill-child'],
      ...['catatonit', '--', process.execPath, '--import', 'tsx', inside, ...command],
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      // In its own process group, so Ctrl-C reaches only this process, which passes it on.
      detached: true,
      env: {
        ...process.env,
        TMPDIR: folder,
        [FOLDER]: folder,
        [HIERARCHIES]: JSON.stringify(all),
        [DOORS]: doors.ports.join(','),
      },
    },
  )
  let interruptedAt: number | undefined
  let killedBy: number | undefined
  let killing: NodeJS.Timeout | undefined
  const forward = (signal: keyof typeof exitCodes): void => {
    const isSecond = interruptedAt !== undefined && Date.now() - interruptedAt > SAME_SIGNAL_MS
    if (interruptedAt !== undefined && !isSecond) return
    interruptedAt ??= Date.now()
    killedBy ??= exitCodes[signal]
    const init = childOf(child.pid)
    if (isSecond || init === undefined) return void child.kill('SIGKILL')
    process.kill(init, signal)
    killing = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  const signals = Object.keys(exitCodes) as (keyof typeof exitCodes)[]
  for (const signal of signals) process.on(signal, forward)
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? killedBy ?? 1))
  })
  clearTimeout(killing)
  doors.close()
  for (const signal of signals) process.off(signal, forward)
  for (const cgroup of cgroups) await removeCgroup(cgroup)
  if (code !== 0 && interruptedAt === undefined) keepLogs(folder)
  rmSync(folder, { recursive: true, force: true })
  return code
}

/** The first process of the namespaces; undefined if it has not started yet. */
function childOf(pid: number | undefined): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    return child ? Number(child) : undefined
  } catch {
    return undefined
  }
}

function keepLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    const logs = join(folder, name, 'log')
    if (!existsSync(logs)) continue
    const kept = mkdtempSync(join(tmpdir(), 'node-logs-'))
    renameSync(logs, join(kept, 'log'))
    process.stderr.write(`the logs of the node are in ${join(kept, 'log')}\n`)
  }
}
