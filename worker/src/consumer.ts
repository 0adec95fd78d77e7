// What the stream and the consumer say, and why they cannot be used.
import { AckPolicy, type ConsumerInfo, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream'
import { reasonOf } from './errors.ts'
import type { NatsSettings } from './settings.ts'

export interface ConsumerFacts {
  readonly ackWaitMs: number
  /** Infinity without a limit. */
  readonly maxDeliver: number
  /** The largest pull request that the consumer accepts. */
  readonly maxBatch: number
  /** What its messages may have as subject. */
  readonly subjects: readonly string[]
}

export type Found = { readonly facts: ConsumerFacts } | { readonly problem: string }

const NANOSECONDS = 1e6
const DEFAULT_ACK_WAIT_MS = 30_000
const STREAM_NOT_FOUND = 10059
const CONSUMER_NOT_FOUND = 10014

/** Reads the consumer. A problem names the field of the claim, or the command that solves it. */
export async function findConsumer(jsm: JetStreamManager, { stream, consumer }: NatsSettings): Promise<Found> {
  try {
    const info = await jsm.consumers.info(stream, consumer)
    const problem = problemOf(info)
    if (problem !== undefined) return { problem }
    const { filter_subject: filter, filter_subjects: filters } = info.config
    const own = filters ?? (filter ? [filter] : undefined)
    return { facts: factsOf(info, own ?? (await jsm.streams.info(stream)).config.subjects) }
  } catch (error) {
    return { problem: explain(error, stream, consumer) }
  }
}

function problemOf({ name, config }: ConsumerInfo): string | undefined {
  if (config.deliver_subject) return `consumer ${name} is a push consumer: create a pull consumer for spec.nats.consumer of the claim`
  if (config.ack_policy !== AckPolicy.Explicit) return `consumer ${name} has the ack policy ${config.ack_policy}: it must be explicit`
  return undefined
}

function explain(error: unknown, stream: string, consumer: string): string {
  const code = error instanceof JetStreamApiError ? error.code : undefined
  if (code === STREAM_NOT_FOUND) return `stream ${stream} does not exist: create it, or correct spec.nats.stream of the claim`
  if (code === CONSUMER_NOT_FOUND)
    return `consumer ${consumer} of stream ${stream} does not exist: create it, or correct spec.nats.consumer of the claim`
  return `cannot read consumer ${consumer} of stream ${stream}: ${reasonOf(error)}`
}

function factsOf({ config }: ConsumerInfo, subjects: readonly string[]): ConsumerFacts {
  const waits = [config.ack_wait ?? DEFAULT_ACK_WAIT_MS * NANOSECONDS, ...(config.backoff ?? [])]
  const { max_deliver: maxDeliver = -1, max_batch: maxBatch = 0 } = config
  return {
    ackWaitMs: Math.min(...waits) / NANOSECONDS,
    maxDeliver: maxDeliver > 0 ? maxDeliver : Number.POSITIVE_INFINITY,
    maxBatch: maxBatch > 0 ? maxBatch : Number.POSITIVE_INFINITY,
    subjects,
  }
}
