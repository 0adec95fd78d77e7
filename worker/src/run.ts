// What happens to one event, whether it came from JetStream or over HTTP.
import type { CloudEvent } from './cloudevents/event.ts'
import { type Indexed, IndexedSet } from './collections.ts'
import { Reject, Retry, reasonOf } from './errors.ts'
import type { Idempotency, Lease } from './idempotency.ts'
import { type Log, withFields } from './log.ts'
import type { Metrics, Result } from './metrics.ts'
import type { Publish } from './publish.ts'
import { checkData, type Schemas } from './standard-schema.ts'
import type { EventSpan, Telemetry } from './telemetry.ts'
import { continueTrace, type Trace, traceFields } from './trace.ts'

/** What a handler gets with an event. */
export interface HandlerContext {
  /** Aborted when the time of the event is up, or the worker has to stop. */
  readonly signal: AbortSignal
  /** Each line has the id, source and type of the event and the trace. */
  readonly log: Log
  /** 1 for the first delivery. Always 1 over HTTP. */
  readonly attempt: number
  /** Publishes an event that this one has caused. */
  readonly publish: Publish
  /** To pass on to other services. */
  readonly traceparent: string
}

/** How an event ended. */
export type Outcome =
  | { readonly result: 'handled' | 'duplicate' }
  | { readonly result: 'failed'; readonly error: unknown; readonly afterMs?: number }
  | { readonly result: 'rejected' | 'abandoned'; readonly reason: string }

export interface RunOptions {
  readonly handler: (event: CloudEvent, context: HandlerContext) => unknown
  readonly schemas?: Schemas | undefined
  readonly log: Log
  readonly metrics: Metrics
  readonly maxProcessingMs?: number | undefined
  readonly idempotency: () => Promise<Idempotency> | undefined
  readonly publish: (cause: CloudEvent, trace: () => Trace) => Publish
  readonly telemetry?: Telemetry | undefined
}

export interface Incoming {
  readonly attempt: number
  /** Of the message or the request. */
  readonly header: (name: string) => string | undefined
  /** Of the message; undefined over HTTP. */
  readonly subject?: string
  readonly consumer?: string
}

export interface Runner {
  readonly run: (event: CloudEvent, incoming: Incoming) => Promise<Outcome>
  readonly inFlight: () => number
  /** Ends handlers whose time is up. */
  readonly tick: () => void
  /** Aborts the signal of each handler that still runs. */
  readonly abort: () => void
  /** Ends each run that has not finished. */
  readonly abandon: () => Promise<void>
  /** Resolves once nothing runs. */
  readonly idle: () => Promise<void>
}

interface Run extends Indexed {
  readonly startedMs: number
  /** Made when the handler asks for its signal. */
  controller?: AbortController
  isAborted: boolean
  lease?: Lease
  span?: EventSpan
  readonly end: (outcome: Outcome) => void
}

function signalOf(entry: Run): AbortSignal {
  if (entry.controller === undefined) {
    entry.controller = new AbortController()
    if (entry.isAborted) entry.controller.abort()
  }
  return entry.controller.signal
}

/**
 * Signal, log and trace are made on demand, because most handlers use few of them. A class, because an object literal with getters takes
 * a tenth of the time of an event to create.
 */
class RunContext implements HandlerContext {
  readonly attempt: number
  readonly #options: RunOptions
  readonly #entry: Run
  readonly #event: CloudEvent
  readonly #incoming: Incoming
  #trace: Trace | undefined
  #log: Log | undefined
  #publish: Publish | undefined

  constructor(options: RunOptions, entry: Run, event: CloudEvent, incoming: Incoming) {
    this.attempt = incoming.attempt
    this.#options = options
    this.#entry = entry
    this.#event = event
    this.#incoming = incoming
  }

  get signal(): AbortSignal {
    return signalOf(this.#entry)
  }

  get log(): Log {
    const { id, source, type } = this.#event
    this.#log ??= withFields(this.#options.log, () => ({
      event: id,
      source,
      type,
      attempt: this.attempt,
      trace_id: this.#continued().traceId,
    }))
    return this.#log
  }

  get traceparent(): string {
    return this.#continued().traceparent
  }

  get publish(): Publish {
    this.#publish ??= this.#options.publish(this.#event, () => this.#continued())
    return this.#publish
  }

  #continued(): Trace {
    this.#trace ??= this.#entry.span?.trace ?? continueTrace(traceFields(this.#event, this.#incoming)('traceparent'))
    return this.#trace
  }
}

export function createRunner(options: RunOptions): Runner {
  const { handler, schemas, metrics, maxProcessingMs, telemetry } = options
  const runs = new IndexedSet<Run>()
  const waiters: (() => void)[] = []

  const abort = (run: Run, reason: string) => {
    run.isAborted = true
    run.controller?.abort(new Error(reason))
  }

  /** Resolves when the event is done, or when it is given up. What it still does then has no effect. */
  function run(original: CloudEvent, incoming: Incoming): Promise<Outcome> {
    return new Promise(resolve => {
      const startedMs = performance.now()
      const entry: Run = {
        startedMs,
        index: undefined,
        isAborted: false,
        end: outcome => {
          if (!runs.delete(entry)) return
          metrics.count(original.type, outcome.result satisfies Result, (performance.now() - startedMs) / 1000)
          resolve(outcome)
          entry.span?.end(outcome)
          if (runs.size === 0) for (const wake of waiters.splice(0)) wake()
        },
      }
      runs.add(entry)
      const span = telemetry?.start(original, incoming)
      if (span !== undefined) entry.span = span
      const done = span === undefined ? perform(entry, original, incoming) : span.within(() => perform(entry, original, incoming))
      void done.then(entry.end)
    })
  }

  async function perform(entry: Run, original: CloudEvent, incoming: Incoming): Promise<Outcome> {
    let event = original
    let lease: Lease | undefined
    try {
      if (schemas !== undefined) {
        const checked = await checkData(original, schemas)
        if ('problem' in checked) return { result: 'rejected', reason: checked.problem }
        event = checked.event
      }
      const opening = options.idempotency()
      if (opening !== undefined) {
        lease = await (await opening).begin(original, signalOf(entry))
        if (lease === undefined) return { result: 'duplicate' }
        entry.lease = lease
      }
      await handler(event, new RunContext(options, entry, original, incoming))
      await lease?.finish(signalOf(entry))
      return { result: 'handled' }
    } catch (error) {
      await lease?.release()
      if (error instanceof Reject) return { result: 'rejected', reason: error.message }
      if (error instanceof Retry) return { result: 'failed', error, afterMs: error.afterMs }
      return { result: 'failed', error }
    }
  }

  return {
    run,
    inFlight: () => runs.size,
    tick: () => {
      if (maxProcessingMs === undefined) return
      const limit = performance.now() - maxProcessingMs
      for (const entry of [...runs]) {
        if (entry.startedMs > limit) continue
        const reason = `the handler took longer than ${maxProcessingMs / 1000} s (spec.processing.maxDuration of the claim)`
        abort(entry, reason)
        // The handler may never end, and would keep its lease.
        void entry.lease?.release()
        entry.end({ result: 'failed', error: new Error(reason) })
      }
    },
    abort: () => {
      for (const entry of runs) abort(entry, 'the worker has to stop')
    },
    abandon: async () => {
      const left = [...runs]
      for (const entry of left) entry.end({ result: 'abandoned', reason: 'the worker had to stop' })
      await Promise.all(left.map(entry => entry.lease?.release()))
    },
    idle: () => (runs.size === 0 ? Promise.resolve() : new Promise(resolve => waiters.push(resolve))),
  }
}

export const describeOutcome = (outcome: Outcome): string => {
  switch (outcome.result) {
    case 'handled':
    case 'duplicate':
      return outcome.result
    case 'failed':
      return reasonOf(outcome.error)
    case 'rejected':
    case 'abandoned':
      return outcome.reason
    default:
      return outcome satisfies never
  }
}
