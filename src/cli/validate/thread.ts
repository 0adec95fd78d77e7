// The other side of pool.ts: a thread that judges what it is sent.
import { parentPort, workerData } from 'node:worker_threads'
import { judge, type Settings } from './judge.ts'
import type { Part } from './part.ts'

/** What a thread says when it can begin; afterwards it answers each message with its reports. */
export const READY = 'ready'

export function judgeForOthers(): void {
  const settings: Settings = workerData
  const judgePart = judge(settings)
  parentPort?.on('message', (parts: readonly Part[]) => parentPort?.postMessage(parts.map(judgePart)))
  parentPort?.postMessage(READY)
}
