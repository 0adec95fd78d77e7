// Decides which results of a soak run are problems.
import { isDeepStrictEqual } from 'node:util'
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import type { CallResult } from './attacks.ts'

/** In bytes, after a full garbage collection. */
export interface Memory {
  readonly heapUsed: number
  /** Memory outside the heap that heap objects own, such as buffers. */
  readonly external: number
  /** The resident memory that the operating system reports. */
  readonly rss: number
}

export const memories = ['heapUsed', 'external', 'rss'] as const satisfies readonly (keyof Memory)[]

/** The state after the last call. */
export interface End {
  readonly calls: number
  /** Calls still in flight after the last one. */
  readonly inFlight: number
  readonly exitCode: number | null
  /** The `calls` field of the log line `stopped`. */
  readonly stopped: string | undefined
}

const MEBIBYTE = 1024 * 1024

/**
 * How much the minimum may grow from one quarter of the run to the next. After a full garbage collection the heap varies by a
 * few hundred kilobytes; resident memory varies more because of fragmentation.
 */
const tolerance: Memory = { heapUsed: 2 * MEBIBYTE, external: 2 * MEBIBYTE, rss: 16 * MEBIBYTE }

const MIN_SAMPLES = 8

/** The minimum of each quarter of the run, which no garbage collection frees. */
export function quarters(samples: readonly Memory[], of: keyof Memory): readonly number[] {
  const start = (quarter: number) => Math.round((quarter * samples.length) / 4)
  return [0, 1, 2, 3].map(quarter => Math.min(...samples.slice(start(quarter), start(quarter + 1)).map(sample => sample[of])))
}

/** A leak grows in both the third and the last quarter; the first half is warm-up, and a single step is not a leak. */
export function leaks(samples: readonly Memory[]): string[] {
  if (samples.length < MIN_SAMPLES) return [`only ${samples.length} memory samples, which is too few to detect a leak`]
  return memories.flatMap(of => {
    const [, second = 0, third = 0, fourth = 0] = quarters(samples, of)
    const steady = third - second <= tolerance[of] || fourth - third <= tolerance[of]
    return steady ? [] : [`${of} grows: at least ${[second, third, fourth].map(inMebibytes).join(', then ')} MiB`]
  })
}

export const inMebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(1)

/** Describes the problem of a call; undefined if there is none. */
export function problemOf({ bytes, code, details }: CallResult, answer: RunFunctionResponse | undefined): string | undefined {
  if (bytes === undefined) return `a call failed: ${code === undefined ? '' : status[code]} ${details}`
  return isDeepStrictEqual(RunFunctionResponse.decode(bytes), answer) ? undefined : "the response differs from the core's"
}

/** The problems at the end of a run. */
export function problemsAtEnd({ calls, inFlight, exitCode, stopped }: End): string[] {
  return [
    ...(calls === 0 ? ['no call was made'] : []),
    ...(inFlight === 0 ? [] : [`${inFlight} calls are still in flight after the last one`]),
    ...(exitCode === 0 ? [] : [`the function exited with ${exitCode} after SIGTERM`]),
    ...(stopped === 'finished' ? [] : [`the function logged for its last calls: ${stopped}`]),
  ]
}
