// Starts the programs of the control plane by name, each with its own log, and stops them by process ID.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Program {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

export interface Processes {
  /** The folder of the logs. */
  readonly logs: string
  readonly start: (program: Program) => void
  /** Sends SIGTERM, and SIGKILL if the process does not end. */
  readonly stop: (name: string) => Promise<void>
  /** Sends SIGKILL, like a failing node. */
  readonly kill: (name: string) => Promise<void>
  /** Restarts a stopped program, with the same or other arguments. */
  readonly startAgain: (name: string, args?: readonly string[]) => void
  readonly restart: (name: string) => Promise<void>
  readonly pid: (name: string) => number
  readonly log: (name: string) => string
  /** Throws the end of the log if a program has exited by itself. */
  readonly check: () => void
  /** Ends all programs and removes the folder, except the logs if asked. */
  readonly stopAll: (options: { readonly keepLogs: boolean }) => Promise<void>
}

interface Entry {
  readonly program: Program
  child?: ChildProcess
  ended?: Promise<void>
  stopping?: boolean
}

const GRACE_MS = 8_000
const TAIL_LINES = 15
const keeperFile = fileURLToPath(new URL('keeper.mjs', import.meta.url))

/** Only the variables that programs need, without proxies or kubeconfigs of the user. */
const environment = (): Record<string, string> =>
  Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap(name => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )

export const tail = (text: string): string => text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')

export function createProcesses(folder: string): Processes {
  const logs = join(folder, 'log')
  mkdirSync(logs, { recursive: true })
  const entries = new Map<string, Entry>()
  const failures: string[] = []
  const keeper = spawn(process.execPath, [keeperFile, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  keeper.unref()

  const logOf = (name: string) => join(logs, `${name}.log`)
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name)
    if (entry === undefined) throw new Error(`no program ${name} was started`)
    return entry
  }

  const run = (entry: Entry): void => {
    const { name, file, args, environment: own } = entry.program
    const log = openSync(logOf(name), 'a')
    // In its own process group, so Ctrl-C reaches only this process, which stops the programs in order.
    const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true, env: { ...environment(), ...own } })
    closeSync(log)
    const pid = child.pid
    if (pid !== undefined) keeper.stdin?.write(`+${pid}\n`)
    entry.child = child
    entry.stopping = false
    entry.ended = new Promise(resolve => {
      const end = (how: string) => {
        if (pid !== undefined) keeper.stdin?.write(`-${pid}\n`)
        if (!entry.stopping)
          failures.push(`${name} ${how}. Its log is ${logOf(name)}, and ends:\n${tail(readFileSync(logOf(name), 'utf8'))}`)
        resolve()
      }
      child.once('error', error => end(`could not be started: ${error.message}`))
      child.once('exit', (code, signal) => end(`ended by itself (${signal ?? `exit code ${code}`})`))
    })
  }

  const end = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const { child, ended } = Object.assign(entryOf(name), { stopping: true })
    if (child === undefined || ended === undefined) return
    child.kill(signal)
    const timeout = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(timeout)
  }

  const start = (program: Program): void => {
    const entry: Entry = { program }
    entries.set(program.name, entry)
    run(entry)
  }
  const startAgain = (name: string, args?: readonly string[]): void => {
    const { program } = entryOf(name)
    start(args === undefined ? program : { ...program, args })
  }
  const stop = (name: string) => end(name, 'SIGTERM')
  return {
    logs,
    start,
    stop,
    kill: name => end(name, 'SIGKILL'),
    startAgain,
    restart: async name => {
      await stop(name)
      startAgain(name)
    },
    pid: name => entryOf(name).child?.pid ?? 0,
    log: name => readFileSync(logOf(name), 'utf8'),
    check: () => {
      if (failures.length > 0) throw new Error(failures.join('\n\n'))
    },
    stopAll: async ({ keepLogs }) => {
      if (keepLogs) keeper.stdin?.write('keep\n')
      // Stops the programs in reverse order, those without dependencies in parallel.
      const names = [...entries.keys()].reverse()
      const isFoundation = (name: string) => name === 'etcd' || name === 'kube-apiserver'
      await Promise.all(names.filter(name => !isFoundation(name)).map(stop))
      for (const name of names.filter(isFoundation)) await stop(name)
      for (const name of keepLogs ? readdirSync(folder) : [])
        if (join(folder, name) !== logs) rmSync(join(folder, name), { recursive: true, force: true })
      keeper.stdin?.end()
    },
  }
}
