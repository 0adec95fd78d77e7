// Judges in this thread, and in others as soon as there is enough to do for that to pay.
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { FileReport } from '../report/report.ts'
import { judge, type Settings } from './judge.ts'
import type { Part } from './part.ts'
import { READY } from './thread.ts'

/** Parts that are judged in one go. */
export type Job = readonly Part[]
type Reports = readonly FileReport[]

export interface Pool {
  /** The program itself, if it can be started again as a thread. */
  readonly script: URL | undefined
  readonly threads?: number
}

/** A thread has to compile everything again and to warm up: measured, that pays only past a second of work. */
const JOBS_BEFORE_THREADS = 100
/** Reading and writing stay here, and more hands than this would wait for them. */
const MOST_THREADS = 3
/** One in work and one to go on with. */
const MOST_SENT = 2
/** Reports come out in order, so what is done early waits; this bounds for how many. */
const MOST_WAITING = 64
/** What could not be cut is judged here: to send it would hold it twice. */
const LONGEST_SENT = 1024 * 1024

/** The reports of each job, in the order of the jobs. */
export async function* judgeAll(
  jobs: AsyncIterable<Job>,
  settings: Settings,
  { script, threads = others() }: Pool,
): AsyncGenerator<Reports> {
  const own = judge(settings)
  const hands: Hand[] = []
  const waiting: (Reports | Promise<Reports>)[] = []
  let count = 0
  try {
    for await (const job of jobs) {
      count++
      if (count === JOBS_BEFORE_THREADS && script !== undefined)
        hands.push(...Array.from({ length: threads }, () => startHand(script, settings, own)))
      const free = lengthOf(job) > LONGEST_SENT ? undefined : hands.find(hand => hand.isFree())
      waiting.push(free === undefined ? job.map(own) : free.judge(job))
      // Answers of the threads are taken in between.
      if (hands.length > 0) await setImmediate()
      while (waiting.length > (hands.length > 0 ? MOST_WAITING : 0)) yield (await waiting.shift()) ?? []
    }
    for (const reports of waiting) yield await reports
  } finally {
    await Promise.all(hands.map(hand => hand.end()))
  }
}

const others = () => Math.min(MOST_THREADS, availableParallelism() - 1)
const lengthOf = (job: Job) => job.reduce((length, { text }) => length + text.length, 0)

interface Hand {
  readonly isFree: () => boolean
  readonly judge: (job: Job) => Promise<Reports>
  readonly end: () => Promise<unknown>
}

/** A thread, as a hand that helps. If it breaks down, what it was sent is judged here. */
function startHand(script: URL, settings: Settings, own: (part: Part) => FileReport): Hand {
  const worker = new Worker(script, { workerData: settings })
  const sent: { readonly job: Job; readonly resolve: (reports: Reports) => void }[] = []
  let isReady = false
  worker.on('message', (message: Reports | typeof READY) => {
    if (message === READY) isReady = true
    else sent.shift()?.resolve(message)
  })
  worker.on('error', () => {
    isReady = false
    for (const { job, resolve } of sent.splice(0)) resolve(job.map(own))
  })
  return {
    isFree: () => isReady && sent.length < MOST_SENT,
    judge: job =>
      new Promise(resolve => {
        sent.push({ job, resolve })
        worker.postMessage(job)
      }),
    end: () => worker.terminate(),
  }
}
