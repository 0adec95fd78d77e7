// Test files run in several processes, and several of them need a program that is not built yet.
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 200
const WRITE_MS = 5000

const held = new Set<string>()
process.on('exit', () => {
  for (const lock of held) rmSync(lock, { force: true })
})

/** Makes a file unless it exists. Of several processes one makes it, and the others wait. */
export async function makeOnce(file: string, make: () => Promise<void>): Promise<string> {
  const lock = `${file}.lock`
  mkdirSync(dirname(file), { recursive: true })
  while (!existsSync(file)) {
    if (!take(lock)) {
      await sleep(POLL_MS)
      continue
    }
    try {
      if (!existsSync(file)) await make()
    } finally {
      rmSync(lock, { force: true })
      held.delete(lock)
    }
  }
  return file
}

/** Whether the lock is ours now. One whose holder was killed is removed. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, identityOf(process.pid), { flag: 'wx' })
    held.add(lock)
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isAbandoned(lock: string): boolean {
  const holder = contentOf(lock)
  if (holder === undefined) return false
  // Empty until the holder has written to it.
  if (holder === '') return Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > WRITE_MS
  return holder !== identityOf(Number(holder.split(' ')[0]))
}

/**
 * The process with its start and its namespace, because process IDs are used again. A process that has ended has another identity, and so
 * has one of another namespace: two processes then make the file, and the last one wins.
 */
function identityOf(pid: number): string {
  const stat = contentOf(`/proc/${pid}/stat`)
  if (stat === undefined) return isAlive(pid) ? String(pid) : ''
  // The name of the program, in brackets, may contain spaces.
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return `${pid} ${start} ${pidNamespace()}`
}

/** In which a process ID is valid: a process in the namespaces of a node does not see those outside. */
export const pidNamespace = (): string => (existsSync(OWN_NAMESPACE) ? readlinkSync(OWN_NAMESPACE).replace(/\D/g, '') : '0')
const OWN_NAMESPACE = '/proc/self/ns/pid'

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process that we may not signal exists.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
