// Runs a function as a process, calls it over loopback and measures it through the operating system.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Identity } from '../../scripts/certificates.ts'
import { freePort } from '../e2e/cluster/ports.ts'
import { until } from '../e2e/cluster/until.ts'
import { bytesOf, type Calls } from './calls.ts'
import { type Connection, open } from './client.ts'
import { percentile } from './figures.ts'
import { cpuMs, megabytes } from './proc.ts'
import type { Program } from './programs.ts'

const deadline = { timeoutMs: 30_000, everyMs: 2 }

let number = 0

/** The folder with the certificate of the server, and the identity of its clients. */
export interface Tls {
  readonly folder: string
  readonly client: Identity
}

export interface Running {
  readonly pid: number
  readonly connection: Connection
  /** From the start of the process to its first response. */
  readonly startMs: number
  readonly stop: () => Promise<void>
}

function requireRunning({ exitCode, spawnfile }: ChildProcess): void {
  if (exitCode !== null) throw new Error(`${spawnfile} exited with ${exitCode} before it served`)
}

export async function start({ command, args }: Program, tls: Tls | undefined, hello: Calls): Promise<Running> {
  const port = await freePort()
  const safety = tls ? ['--tls-certs-dir', tls.folder] : ['--insecure']
  const beganMs = performance.now()
  const child = spawn(command, [...args, ...safety, '--address', `127.0.0.1:${port}`], { stdio: 'ignore' })
  await once(child, 'spawn')
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGTERM')) await ended
  }
  try {
    const connection = await until('a connection', () => open(port, tls?.client), { ...deadline, check: () => requireRunning(child) })
    await connection.call(bytesOf(hello, number++))
    const stopAll = async () => {
      connection.close()
      await stop()
    }
    return { pid: child.pid ?? 0, connection, startMs: performance.now() - beganMs, stop: stopAll }
  } catch (error) {
    await stop()
    throw error
  }
}

export interface Measured {
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMsPerCall: number
  readonly clientCpuMsPerCall: number
  readonly rssMegabytes: number
}

/** Ends a measurement when either limit is reached. */
export interface Duration {
  readonly calls: number
  readonly ms: number
}

/** Keeps this many calls in flight. */
export async function load(
  { pid, connection }: Running,
  calls: Calls,
  inFlight: number,
  { ms, calls: maxCalls }: Duration,
): Promise<Measured> {
  const latencies: number[] = []
  const beganMs = performance.now()
  const callRepeatedly = async () => {
    while (performance.now() - beganMs < ms && latencies.length < maxCalls) {
      const message = bytesOf(calls, number++)
      const sentMs = performance.now()
      await connection.call(message)
      latencies.push(performance.now() - sentMs)
    }
  }
  const serverMs = cpuMs(pid)
  const client = process.cpuUsage()
  await Promise.all(Array.from({ length: inFlight }, callRepeatedly))
  const elapsedMs = performance.now() - beganMs
  const { user, system } = process.cpuUsage(client)
  const count = latencies.length
  return {
    callsPerSecond: (count / elapsedMs) * 1000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMsPerCall: (cpuMs(pid) - serverMs) / count,
    clientCpuMsPerCall: (user + system) / 1000 / count,
    rssMegabytes: megabytes(pid, 'VmRSS'),
  }
}

/** The share of a core that calls at a steady rate use, mostly one at a time as in a cluster. */
export async function coresAt({ pid, connection }: Running, calls: Calls, perSecond: number, ms: number): Promise<number> {
  const answers: Promise<unknown>[] = []
  const serverMs = cpuMs(pid)
  const beganMs = performance.now()
  for (let elapsedMs = 0; elapsedMs < ms; elapsedMs = performance.now() - beganMs) {
    while (answers.length < (elapsedMs / 1000) * perSecond) answers.push(connection.call(bytesOf(calls, number++)))
    await delay(1)
  }
  await Promise.all(answers)
  return (cpuMs(pid) - serverMs) / (performance.now() - beganMs)
}
