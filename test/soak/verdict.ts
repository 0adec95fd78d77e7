// What the soak calls wrong.
import { isDeepStrictEqual } from 'node:util'
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import type { Said } from './troubles.ts'

/** In bytes, right after a collection of all garbage. */
export interface Memory {
  readonly heapUsed: number
  /** Of buffers and the like, which hang on the heap and lie outside of it. */
  readonly external: number
  /** What the operating system sees. */
  readonly rss: number
}

export const memories = ['heapUsed', 'external', 'rss'] as const satisfies readonly (keyof Memory)[]

/** How the function ended, and what it left behind. */
export interface End {
  readonly calls: number
  /** That still were in flight when nobody called any more. */
  readonly inFlight: number
  readonly exitCode: number | null
  /** What it says of its last calls when it has stopped. */
  readonly stopped: string | undefined
}

const MEBIBYTE = 1024 * 1024

/**
 * How much more than in the quarter of the time before may be left at the least. A full collection leaves the same to within
 * a few hundred kilobytes; what the operating system sees also has holes.
 */
const tolerance: Memory = { heapUsed: 2 * MEBIBYTE, external: 2 * MEBIBYTE, rss: 16 * MEBIBYTE }

const LEAST_SAMPLES = 8

/** The least of each quarter of the time: what no collection takes away. */
export function quarters(samples: readonly Memory[], of: keyof Memory): readonly number[] {
  const start = (quarter: number) => Math.round((quarter * samples.length) / 4)
  return [0, 1, 2, 3].map(quarter => Math.min(...samples.slice(start(quarter), start(quarter + 1)).map(sample => sample[of])))
}

/** The first half warms up, and a step that is made once is no leak: that goes on, in the third quarter and in the last. */
export function leaks(samples: readonly Memory[]): string[] {
  if (samples.length < LEAST_SAMPLES) return [`memory was looked at ${samples.length} times: too few to tell`]
  return memories.flatMap(of => {
    const [, second = 0, third = 0, fourth = 0] = quarters(samples, of)
    const steady = third - second <= tolerance[of] || fourth - third <= tolerance[of]
    return steady ? [] : [`${of} grows: at least ${[second, third, fourth].map(inMebibytes).join(', then ')} MiB`]
  })
}

export const inMebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(1)

/** What is wrong with what came back of a call, if anything. */
export function complaint({ bytes, code, details }: Said, answer: RunFunctionResponse | undefined): string | undefined {
  if (bytes === undefined) return `a call failed: ${code === undefined ? '' : status[code]} ${details}`
  return isDeepStrictEqual(RunFunctionResponse.decode(bytes), answer) ? undefined : "another answer than the core's"
}

/** What is wrong with a run as a whole. */
export function unclean({ calls, inFlight, exitCode, stopped }: End): string[] {
  return [
    ...(calls === 0 ? ['nothing was asked'] : []),
    ...(inFlight === 0 ? [] : [`${inFlight} calls are in flight when nobody calls any more`]),
    ...(exitCode === 0 ? [] : [`SIGTERM ended it with ${exitCode}`]),
    ...(stopped === 'finished' ? [] : [`it said of its last calls: ${stopped}`]),
  ]
}
