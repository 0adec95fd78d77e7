// Work from a consumer of JetStream: pull, handle, answer.
import { setTimeout as sleep } from 'node:timers/promises'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { CloudEventError } from './cloudevents/cloud-event-error.ts'
import type { CloudEvent } from './cloudevents/event.ts'
import { IndexedSet, Queue } from './collections.ts'
import { type ConsumerFacts, findConsumer } from './consumer.ts'
import { type Dead, deadLetterProblem, publishDeadLetter } from './dead-letter.ts'
import { reasonOf } from './errors.ts'
import type { Log } from './log.ts'
import { ack, eventOfMessage, type Message, nak, term, working } from './message.ts'
import type { Metrics } from './metrics.ts'
import { type Pull, startPull } from './pull.ts'
import { describeOutcome, type Outcome, type Runner } from './run.ts'
import type { NatsSettings } from './settings.ts'

export interface JetStreamOptions {
  readonly nats: NatsSettings
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  readonly runner: Runner
  readonly metrics: Metrics
  readonly log: Log
  readonly concurrency: number
  /** Milliseconds until the next attempt. */
  readonly backoff: (attempt: number) => number
  /** The first part of the subjects of dead letters; false without. */
  readonly deadLetter: string | false
  /** The type of events that are made of messages without one. */
  readonly plainType: string
  readonly maxPrefetch: number
}

export interface JetStreamInput {
  /** Why nothing can be received; undefined if all is well. */
  readonly problem: () => string | undefined
  readonly tick: () => void
  /** Takes no new message, and puts back those that wait. */
  readonly drain: () => Promise<void>
  /** Resolves once each message has its answer. */
  readonly idle: () => Promise<void>
  /** No longer tries to publish dead letters. */
  readonly giveUp: () => void
}

const RETRY_MS = 1000
/** Messages ahead are work for this long, so they never wait for long and a stop puts back few. */
const AHEAD_MS = 50
/** So that a message that is put back does not return to this worker. */
const RETURN_MS = 250
const ABANDONED_MS = 1000
/** Messages ahead go back if a handler suddenly takes this long, because another worker may be free. */
const PATIENCE_MS = 1000
/** How much a new duration changes the average. */
const WEIGHT = 0.1

export function startJetStream(options: JetStreamOptions): JetStreamInput {
  const { nats, nc, js, jsm, runner, metrics, log, concurrency, backoff, deadLetter, plainType, maxPrefetch } = options
  const waiting = new Queue<Message>()
  const running = new IndexedSet<Message>()
  /** Only reply subjects, so that handled messages can be collected. */
  const acks: string[] = []
  let facts: ConsumerFacts | undefined
  let pull: Pull | undefined
  let problem: string | undefined = 'the consumer has not been found yet'
  let [isConnected, isOpening, isStopping, hasGivenUp] = [true, false, false, false]
  /** Of one message, recently. No message is taken ahead before the first has shown it. */
  let averageMs: number | undefined
  let beatMs = performance.now()
  const waiters: (() => void)[] = []

  const isLast = ({ attempt }: Pick<Dead, 'attempt'>) => attempt >= (facts?.maxDeliver ?? Number.POSITIVE_INFINITY)

  const report = (found: string) => {
    if (found !== problem) log.error(found)
    problem = found
  }

  /** Waits for the consumer and the stream of dead letters, and starts to pull. */
  async function open(): Promise<void> {
    while (!isStopping) {
      const found = await findConsumer(jsm, nats)
      const reason = 'problem' in found ? found.problem : await missingStream(found.facts)
      if (reason === undefined && 'facts' in found) return begin(found.facts)
      if (reason !== undefined) report(reason)
      await sleep(RETRY_MS)
    }
  }

  async function missingStream({ subjects }: ConsumerFacts): Promise<string | undefined> {
    if (deadLetter === false) return undefined
    try {
      return await deadLetterProblem(jsm, deadLetter, subjects)
    } catch (error) {
      return `cannot look for the stream of dead letters: ${reasonOf(error)}`
    }
  }

  function begin(found: ConsumerFacts): void {
    if (isStopping) return
    if (facts === undefined && found.maxDeliver === Number.POSITIVE_INFINITY)
      log.warn(`consumer ${nats.consumer} has no max_deliver, so a message that always fails is retried forever`)
    facts = found
    if (problem !== undefined) log.info('receiving messages', { stream: nats.stream, consumer: nats.consumer, concurrency })
    problem = undefined
    newPull(found)
  }

  function newPull({ maxBatch }: ConsumerFacts): void {
    if (isStopping) return
    pull = startPull({ nc, stream: nats.stream, consumer: nats.consumer, maxBatch, receive, stalled: restart })
    fill()
  }

  function restart(reason: string): void {
    if (isOpening || isStopping) return
    log.warn('cannot receive messages for now', { reason })
    const old = pull
    pull = undefined
    reopen(old)
  }

  function reopen(old?: Pull): void {
    isOpening = true
    void Promise.resolve(old?.close())
      .catch(() => undefined)
      .then(open)
      .catch(error => log.error('cannot receive messages', { error }))
      .finally(() => {
        isOpening = false
      })
  }

  function receive(message: Message): void {
    if (message.attempt > 1) metrics.redelivered()
    waiting.push(message)
    dispatch()
  }

  function dispatch(): void {
    while (running.size < concurrency) {
      const message = waiting.shift()
      if (message === undefined) break
      // The server has delivered it to another worker by now.
      if (facts !== undefined && performance.now() - message.aliveMs > facts.ackWaitMs) continue
      running.add(message)
      void handle(message)
    }
    wake()
  }

  const wake = () => {
    if (running.size + waiting.size > 0) return
    flushAcks()
    for (const resolve of waiters.splice(0)) resolve()
  }

  /** The client writes to the socket after each publish of its own turn, so acks of one turn go together. */
  function ackSoon(message: Message): void {
    if (acks.push(message.reply) === 1) setImmediate(flushAcks)
  }

  function flushAcks(): void {
    if (nc.isClosed()) return
    for (const reply of acks.splice(0)) ack(nc, reply)
  }

  /** Asks for as many messages as there are free slots, and for more while handlers are fast. */
  function fill(): void {
    if (pull === undefined || isStopping) return
    const ahead =
      averageMs === undefined || averageMs > AHEAD_MS ? 0 : Math.min(maxPrefetch, Math.floor((AHEAD_MS / averageMs) * concurrency))
    const wanted = concurrency + ahead - running.size - waiting.size
    if (wanted - pull.requested() >= Math.max(1, ahead >> 1)) pull.ask(wanted)
  }

  async function handle(message: Message): Promise<void> {
    const startMs = performance.now()
    try {
      const event = readEvent(message)
      if (typeof event === 'string') return await bury(message, event)
      const outcome = await runner.run(event, message)
      if (outcome.result === 'handled') ackSoon(message)
      else await answer(message, outcome, event)
    } catch (error) {
      // The server delivers the message again after ack_wait.
      log.error('cannot answer a message', { error, sequence: message.sequence })
    } finally {
      const tookMs = performance.now() - startMs
      averageMs = averageMs === undefined ? tookMs : averageMs + (tookMs - averageMs) * WEIGHT
      running.delete(message)
      dispatch()
      fill()
    }
  }

  /** The event, or what is wrong with it. */
  function readEvent(message: Message): CloudEvent | string {
    try {
      return eventOfMessage(message, plainType)
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw error
      metrics.count('invalid', 'rejected', 0)
      return error.message
    }
  }

  async function answer(message: Message, outcome: Outcome, event: CloudEvent): Promise<void> {
    const fields = { event: event.id, source: event.source, type: event.type, attempt: message.attempt, sequence: message.sequence }
    switch (outcome.result) {
      case 'handled':
      case 'duplicate':
        return ackSoon(message)
      case 'rejected':
        return bury(message, outcome.reason)
      case 'failed': {
        const afterMs = outcome.afterMs ?? backoff(message.attempt)
        log.warn('the handler failed', { ...fields, error: outcome.error, ...(!isLast(message) && { retry_after_ms: afterMs }) })
        return isLast(message) ? bury(message, describeOutcome(outcome)) : nak(nc, message, afterMs)
      }
      case 'abandoned':
        log.warn('the handler did not finish before the worker had to stop', fields)
        return isLast(message) ? bury(message, outcome.reason) : nak(nc, message, ABANDONED_MS)
      default:
        return outcome satisfies never
    }
  }

  /** Publishes a dead letter, and only then ends the message. A crash between the two gives one copy, because the ID repeats. */
  async function bury(message: Message, reason: string): Promise<void> {
    if (await publishDead(message, reason)) return term(nc, message)
    if (isLast(message)) log.error('the message remains in the stream, and is not delivered again', { sequence: message.sequence })
    else nak(nc, message, ABANDONED_MS)
  }

  /** Tries until it works or the worker gives up: the last delivery may not be lost. */
  async function publishDead(dead: Dead, reason: string): Promise<boolean> {
    const fields = { reason, subject: dead.subject, sequence: dead.sequence, attempt: dead.attempt }
    if (deadLetter === false) {
      log.error('a message is given up, and there are no dead letters', fields)
      return true
    }
    for (let reported = false; ; reported = true) {
      try {
        await publishDeadLetter(js, deadLetter, dead, reason)
        metrics.deadLettered()
        log.error('a message became a dead letter', fields)
        return true
      } catch (error) {
        if (!reported) log.error('cannot publish a dead letter, and will try again', { ...fields, error })
      }
      if (hasGivenUp) return false
      await sleep(RETRY_MS)
    }
  }

  /** A worker that was killed at the last delivery cannot publish the dead letter. The server says so, and any worker does it. */
  function watchLostMessages(): void {
    if (deadLetter === false) return
    nc.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${nats.stream}.${nats.consumer}`, {
      queue: 'event-driven-service-worker',
      callback: (error, advisory) => {
        if (error !== null) return log.warn('cannot watch for messages that nobody answered', { reason: error.message })
        const { stream_seq: sequence, deliveries } = advisory.json<{ readonly stream_seq: number; readonly deliveries: number }>()
        void buryLost(sequence, deliveries).catch(error => log.error('cannot publish a dead letter', { sequence, error }))
      },
    })
  }

  async function buryLost(sequence: number, attempt: number): Promise<void> {
    const stored = await jsm.streams.getMessage(nats.stream, { seq: sequence })
    if (stored === null) return
    const { subject, data, header } = stored
    await publishDead({ subject, data, headers: header, stream: nats.stream, sequence, attempt }, 'the last delivery was not answered')
  }

  async function watchConnection(): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === 'disconnect') {
        isConnected = false
        report('the connection to NATS is lost')
      }
      if (type === 'reconnect') {
        isConnected = true
        // The server has forgotten the requests of the old connection.
        restart('the connection was lost')
      }
    }
  }

  const beat = (now: number) => {
    if (facts === undefined || !isConnected || now - beatMs < facts.ackWaitMs / 3) return
    beatMs = now
    // A message that the server has given up is not ours to prolong.
    for (const message of [...running, ...waiting]) if (now - message.aliveMs <= facts.ackWaitMs) working(nc, message)
  }

  /** A last delivery stays, because it would not be delivered again. */
  function putBack(): void {
    for (let left = waiting.size; left > 0; left--) {
      const message = waiting.shift()
      if (message === undefined) break
      if (isLast(message)) waiting.push(message)
      else nak(nc, message, RETURN_MS)
    }
  }

  async function putBackLate(now: number): Promise<void> {
    const [oldest] = waiting
    const old = pull
    if (oldest === undefined || old === undefined || facts === undefined || isLast(oldest)) return
    if (now - oldest.receivedMs < PATIENCE_MS || isOpening || isStopping || !isConnected) return
    // A message that goes back while requests are open comes back.
    pull = undefined
    averageMs = PATIENCE_MS
    await old.close().catch(() => undefined)
    putBack()
    if (pull === undefined && !isOpening) newPull(facts)
  }

  watchLostMessages()
  void watchConnection()
  reopen()

  return {
    problem: () => problem,
    tick: () => {
      pull?.tick()
      const now = performance.now()
      beat(now)
      void putBackLate(now)
      fill()
    },
    drain: async () => {
      isStopping = true
      await pull?.close().catch(() => undefined)
      putBack()
      dispatch()
    },
    idle: () =>
      new Promise(resolve => {
        waiters.push(resolve)
        wake()
      }),
    giveUp: () => {
      hasGivenUp = true
    },
  }
}
