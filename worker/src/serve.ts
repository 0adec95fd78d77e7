import { setTimeout as sleep } from 'node:timers/promises'
import { type Duration, milliseconds, SetupError } from './errors.ts'
import { createHttpInput } from './http-server.ts'
import type { Idempotency } from './idempotency.ts'
import type { JetStreamInput } from './jetstream.ts'
import type { KvIdempotency } from './kv.ts'
import { createLog, type Sink, toStandardOutput } from './log.ts'
import { createMetrics } from './metrics.ts'
import type { Nats } from './nats.ts'
import { createRunner, type HandlerContext, type RunOptions } from './run.ts'
import { type Environment, readSettings } from './settings.ts'
import type { EventOf, Schemas } from './standard-schema.ts'
import { findTelemetry } from './telemetry.ts'

/** The delay before the next delivery, and the subject of dead letters. */
export interface RetryOptions {
  /** The delay before the next attempt. 1 s by default, doubled each time, at most 1 min. */
  readonly backoff?: (attempt: number) => Duration
  /** Dead letters go to `<deadLetter>.<subject>`, which a stream must take. dlq by default; false has none. */
  readonly deadLetter?: string | false
}

/** Only the handler is required. The variables of the claim are the defaults of the rest. */
export interface ServeOptions<S extends Schemas = Schemas> {
  /** Handles one event. If it throws, the event is delivered again; see Retry and Reject. */
  readonly handler: (event: EventOf<S>, context: HandlerContext) => unknown
  /** The schema of the data for each type of event. An event that does not fit, or has none, becomes a dead letter. */
  readonly schemas?: S
  /** How many messages are handled at once. CONCURRENCY by default (spec.processing.concurrency), else 1. */
  readonly concurrency?: number
  readonly retry?: RetryOptions
  /** Handles an event with the same source and id once. */
  readonly idempotency?: KvIdempotency
  /** The type of events that are made of messages that are no CloudEvents. nats.message by default. */
  readonly plainType?: string
  /** The source of published events. `/<name of the claim>` by default. */
  readonly source?: string
  /** How many messages may wait in memory while handlers are fast. 255 by default; 0 holds none but those being handled. */
  readonly prefetch?: number
  /** process.env by default. */
  readonly env?: Environment
  /** Receives each line of the log. Standard output by default. */
  readonly logTo?: Sink
  /** Stop and exit on SIGTERM and SIGINT. True by default. */
  readonly signals?: boolean
}

/** A running worker. */
export interface Worker {
  /** The port of the probes, the metrics and events over HTTP. */
  readonly port: number
  /** Why the worker is not ready; undefined if it is. */
  readonly problem: () => string | undefined
  /** Takes no new work, finishes what runs, puts back the rest, and closes the connection. */
  readonly stop: () => Promise<void>
}

const TICK_MS = 100
const MAX_BACKOFF_MS = 60_000
const MAX_PREFETCH = 255
/** The steps after the deadline take at most 4 s together: the grace period leaves 5. */
const STEP_MS = 1000

const defaultBackoff = (attempt: number): Duration => Math.min(1000 * 2 ** (attempt - 1), MAX_BACKOFF_MS)

/** Starts a worker from the variables that the claim sets. Throws a SetupError if some are missing. */
export async function serve<const S extends Schemas = Schemas>(options: ServeOptions<S>): Promise<Worker> {
  const { schemas, retry = {}, idempotency, env = process.env, logTo = toStandardOutput, signals = true } = options
  const { backoff = defaultBackoff, deadLetter = 'dlq' } = retry
  const settings = readSettings(env)
  const { service, version, namespace, nats, finishMs, maxProcessingMs } = settings
  const { concurrency = settings.concurrency, source = `/${encodeURIComponent(service)}`, plainType = 'nats.message' } = options
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new SetupError(`concurrency must be a whole number of at least 1, got ${concurrency}`)
  if (idempotency !== undefined && nats === undefined) throw new SetupError('idempotency needs NATS: set spec.nats of the claim')

  const log = createLog({ service, ...(version && { version }), ...(namespace && { namespace }) }, env.LOG_LEVEL, logTo)
  const metrics = createMetrics()
  const stopping = new AbortController()
  let connection: Nats | undefined
  let input: JetStreamInput | undefined
  let store: Promise<Idempotency> | undefined
  let connectionProblem: string | undefined = nats && 'not connected to NATS yet'

  const telemetry = await findTelemetry(log)
  const runner = createRunner({
    // The schemas have checked that the event is one of the handler's.
    handler: options.handler as RunOptions['handler'],
    schemas,
    log,
    metrics,
    maxProcessingMs,
    telemetry,
    idempotency: () => (idempotency === undefined ? undefined : openStore(idempotency)),
    publish: (cause, trace) => {
      if (connection === undefined) return () => Promise.reject(new SetupError('publish needs NATS: set spec.nats of the claim'))
      return connection.createPublish(cause, { source, trace })
    },
  })

  /** Opens the bucket once, and again if that failed. */
  function openStore(bucket: KvIdempotency): Promise<Idempotency> {
    if (connection === undefined) return Promise.reject(new Error('not connected to NATS yet'))
    store ??= connection.openIdempotency(bucket)
    store.catch(() => (store = undefined))
    return store
  }

  const readiness = () => connectionProblem ?? input?.problem()
  const http = createHttpInput({
    runner,
    log,
    health: () => (connection?.nc.isClosed() && !stopping.signal.aborted ? 'the connection to NATS is closed' : undefined),
    readiness,
    metrics: () => metrics.write(runner.inFlight()),
  })

  async function connectNats(): Promise<void> {
    if (nats === undefined) return
    const report = (problem: string) => {
      if (problem !== connectionProblem) log.error(problem)
      connectionProblem = problem
    }
    const { openNats } = await import('./nats.ts')
    connection = await openNats(nats, service, { report, signal: stopping.signal })
    if (connection === undefined) return
    connectionProblem = undefined
    input = await connection.receive({
      runner,
      metrics,
      log,
      concurrency,
      backoff: attempt => milliseconds(backoff(attempt)),
      deadLetter,
      plainType,
      maxPrefetch: options.prefetch ?? MAX_PREFETCH,
    })
  }

  const port = await http.listen(settings.port)
  const ticks = setInterval(() => {
    runner.tick()
    input?.tick()
  }, TICK_MS)
  const connecting = connectNats()
  connecting.catch(error => log.error('cannot start', { error }))
  log.info('started', { port, concurrency, ...(nats && { stream: nats.stream, consumer: nats.consumer }) })

  async function stopOnce(): Promise<void> {
    const startMs = performance.now()
    log.info('stopping: no new work', { in_flight: runner.inFlight() })
    stopping.abort()
    http.drain()
    await atMost(STEP_MS, connecting)
    await atMost(STEP_MS, input?.drain())
    const idle = async () => {
      await input?.idle()
      await runner.idle()
    }
    if (!(await atMost(finishMs - (performance.now() - startMs), idle()))) {
      runner.abort()
      input?.giveUp()
      await atMost(STEP_MS, idle())
      await atMost(STEP_MS, runner.abandon())
      await atMost(STEP_MS, idle())
    }
    clearInterval(ticks)
    await atMost(STEP_MS, Promise.allSettled([connection?.nc.drain(), telemetry?.flush()]))
    http.close()
    log.info('stopped', { after_ms: Math.round(performance.now() - startMs) })
  }

  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= stopOnce())
  if (signals)
    // A second signal ends the process at once.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop().then(() => process.exit(0)))
  return { port, problem: () => (stopping.signal.aborted ? 'the worker stops' : readiness()), stop }
}

/** Waits no longer than this. Whether the work was done. */
async function atMost(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const timer = new AbortController()
  const done = Promise.resolve(work).then(
    () => true,
    () => true,
  )
  const late = sleep(Math.max(0, ms), false, { signal: timer.signal }).catch(() => false)
  const result = await Promise.race([done, late])
  timer.abort()
  return result
}
