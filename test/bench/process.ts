// The function as a process of its own, asked over loopback.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Client, credentials } from '@grpc/grpc-js'

const PATH = '/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction'
const TICKS_PER_SECOND = 100

export interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly startMs: number
}

/** Starts the bundle without TLS on a free port, and waits until it says that it listens. */
export async function start(): Promise<Running> {
  const began = performance.now()
  const child = spawn(process.execPath, ['dist/function.js', '--insecure', '--address', '127.0.0.1:0', '--metrics-address', ''], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for await (const line of createInterface({ input: child.stderr })) {
    const { msg, port } = JSON.parse(line) as { msg: string; port?: number }
    if (msg === 'listening' && port !== undefined) {
      child.stderr.resume()
      return { child, port, startMs: performance.now() - began }
    }
  }
  throw new Error('the function ended before it listened')
}

/** User and system time of a process, from the operating system. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000
}

export const residentMegabytes = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

export const megabytes = (file: string) => statSync(file).size / 1024 / 1024

export async function load({ child, port }: Running, payloads: readonly Uint8Array[], inFlight: number, calls: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const call = (index: number) =>
    new Promise<number>((resolve, reject) => {
      const began = performance.now()
      const payload = Buffer.from(payloads[index % payloads.length] ?? [])
      client.makeUnaryRequest(
        PATH,
        (bytes: Buffer) => bytes,
        bytes => bytes,
        payload,
        error => (error ? reject(error) : resolve(performance.now() - began)),
      )
    })
  let next = 0
  const latencies: number[] = []
  const worker = async () => {
    while (next < calls) latencies.push(await call(next++))
  }
  const pid = child.pid ?? 0
  for (let i = 0; i < Math.min(calls, 500); i++) await call(i)
  const cpuBefore = cpuMs(pid)
  const began = performance.now()
  await Promise.all(Array.from({ length: inFlight }, worker))
  const elapsedMs = performance.now() - began
  const sorted = latencies.sort((a, b) => a - b)
  const percentile = (p: number) => (sorted[Math.floor((sorted.length - 1) * p)] ?? 0).toFixed(2)
  client.close()
  return {
    'calls/s': Math.round((calls / elapsedMs) * 1000),
    'p50 ms': percentile(0.5),
    'p99 ms': percentile(0.99),
    'CPU ms a call': ((cpuMs(pid) - cpuBefore) / calls).toFixed(3),
    'RSS MB': Math.round(residentMegabytes(pid)),
  }
}
