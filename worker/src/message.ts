// A message of JetStream, and what may be answered to it.
import { Match, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node'
import { CloudEventError } from './cloudevents/cloud-event-error.ts'
import { type CloudEvent, createEvent } from './cloudevents/event.ts'
import { encodeHeader } from './cloudevents/headers.ts'
import { parseNats } from './cloudevents/nats.ts'
import type { Indexed } from './collections.ts'
import { reasonOf } from './errors.ts'
import type { Incoming } from './run.ts'

const encoder = new TextEncoder()
const ACK = encoder.encode('+ACK')
const WORKING = encoder.encode('+WPI')
// Servers before 2.10 ignore a reason after it.
const TERM = encoder.encode('+TERM')
const NANOSECONDS = 1e6

/** Reads headers and data when they are needed: parsed headers are the largest part of a message that waits. */
export class Message implements Incoming, Indexed {
  readonly #raw: Msg
  readonly reply: string
  readonly stream: string
  readonly consumer: string
  readonly sequence: number
  /** 1 for the first delivery. */
  readonly attempt: number
  readonly timeMs: number
  readonly receivedMs: number
  /** When the server last learnt that the message is in good hands. */
  aliveMs: number
  index: number | undefined

  /**
   * Reads where a message comes from in its reply subject, which is
   * `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<deliveries>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>[.<token>]`.
   */
  constructor(raw: Msg, reply: string) {
    const parts = reply.split('.')
    const at = parts.length === 9 ? 2 : 4
    this.#raw = raw
    this.reply = reply
    this.stream = parts[at] ?? ''
    this.consumer = parts[at + 1] ?? ''
    this.attempt = Number(parts[at + 2])
    this.sequence = Number(parts[at + 3])
    this.timeMs = Number(parts[at + 5]) / NANOSECONDS
    this.receivedMs = performance.now()
    this.aliveMs = this.receivedMs
    this.index = undefined
  }

  get subject(): string {
    return this.#raw.subject
  }

  get data(): Uint8Array {
    return this.#raw.data
  }

  get headers(): MsgHdrs | undefined {
    return this.#raw.headers
  }

  header(name: string): string | undefined {
    return this.headers?.get(name, Match.IgnoreCase) || undefined
  }
}

/** Undefined for another message, such as a status. */
export function messageOf(raw: Msg): Message | undefined {
  const { reply = '' } = raw
  return reply.startsWith('$JS.ACK.') ? new Message(raw, reply) : undefined
}

export const ack = (nc: NatsConnection, reply: string): void => nc.publish(reply, ACK)

/** Has the message delivered again after this many milliseconds. */
export const nak = (nc: NatsConnection, { reply }: Message, afterMs: number): void =>
  nc.publish(reply, afterMs > 0 ? `-NAK {"delay":${Math.round(afterMs * NANOSECONDS)}}` : '-NAK')

export const term = (nc: NatsConnection, { reply }: Message): void => nc.publish(reply, TERM)

export function working(nc: NatsConnection, message: Message): void {
  nc.publish(message.reply, WORKING)
  message.aliveMs = performance.now()
}

/** nats.js reads headers that NATS allows and HTTP does not, and throws. */
function readHeaders(message: Message): MsgHdrs | undefined {
  try {
    return message.headers
  } catch (error) {
    throw new CloudEventError([`its headers can't be read: ${reasonOf(error)}`])
  }
}

/** The event in a message. A message that is no CloudEvent becomes one of this type. Throws a CloudEventError. */
export function eventOfMessage(message: Message, plainType: string): CloudEvent {
  const { data, stream, subject } = message
  const event = parseNats({ headers: readHeaders(message), data })
  if (event !== undefined) return event
  const contentType = message.header('Content-Type')
  const plain = (datacontenttype: string | undefined) =>
    createEvent({
      type: plainType,
      source: `/nats/${stream}`,
      id: message.header('Nats-Msg-Id') ?? String(message.sequence),
      subject: isPrintable(subject) ? subject : encodeHeader(subject),
      time: new Date(message.timeMs),
      datacontenttype,
      data,
    })
  if (contentType !== undefined) return plain(contentType)
  try {
    return plain('application/json')
  } catch {
    return plain('text/plain')
  }
}

const isPrintable = (subject: string) => /^[\x21-\x7e]+$/.test(subject)
