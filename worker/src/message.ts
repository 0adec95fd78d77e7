// A message of JetStream, and what may be answered to it.
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { type CloudEvent, createEvent } from './cloudevents/event.ts'
import { encodeHeader } from './cloudevents/headers.ts'
import { parseNats } from './cloudevents/nats.ts'

const encoder = new TextEncoder()
const ACK = encoder.encode('+ACK')
const NAK = encoder.encode('-NAK')
const WORKING = encoder.encode('+WPI')
// Servers before 2.10 ignore a reason after it.
const TERM = encoder.encode('+TERM')
const NANOSECONDS = 1e6

export interface Message {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: Msg['headers']
  readonly stream: string
  readonly sequence: number
  /** 1 for the first delivery. */
  readonly attempt: number
  readonly time: Date
  readonly receivedMs: number
  /** When the server last learnt that the message is in good hands. */
  aliveMs: number
  readonly ack: () => void
  /** Has the message delivered again after this many milliseconds. */
  readonly nak: (afterMs: number) => void
  readonly working: () => void
  readonly term: () => void
}

/**
 * Reads where a message comes from in its reply subject, which is
 * `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<deliveries>.<sequence>.<consumer sequence>.<nanoseconds>.<pending>[.<token>]`.
 * Undefined for another message, such as a status.
 */
export function messageOf(nc: NatsConnection, message: Msg): Message | undefined {
  const { reply = '' } = message
  const parts = reply.split('.')
  if (parts[0] !== '$JS' || parts[1] !== 'ACK') return undefined
  const at = parts.length === 9 ? 2 : 4
  const nowMs = performance.now()
  const answer = (verb: Uint8Array) => nc.publish(reply, verb)
  const self: Message = {
    subject: message.subject,
    data: message.data,
    headers: message.headers,
    stream: parts[at] ?? '',
    sequence: Number(parts[at + 3]),
    attempt: Number(parts[at + 2]),
    get time() {
      return new Date(Number(parts[at + 5]) / NANOSECONDS)
    },
    receivedMs: nowMs,
    aliveMs: nowMs,
    ack: () => answer(ACK),
    nak: afterMs => answer(afterMs > 0 ? encoder.encode(`-NAK {"delay":${Math.round(afterMs * NANOSECONDS)}}`) : NAK),
    working: () => {
      answer(WORKING)
      self.aliveMs = performance.now()
    },
    term: () => answer(TERM),
  }
  return self
}

/** The event in a message. A message that is no CloudEvent becomes one of this type. Throws a CloudEventError. */
export function eventOfMessage(message: Message, plainType: string): CloudEvent {
  const { data, headers, stream, subject } = message
  const event = parseNats({ headers, data })
  if (event !== undefined) return event
  const contentType = headers?.get('Content-Type') || undefined
  const plain = (datacontenttype: string | undefined) =>
    createEvent({
      type: plainType,
      source: `/nats/${stream}`,
      id: headers?.get('Nats-Msg-Id') || String(message.sequence),
      subject: isPrintable(subject) ? subject : encodeHeader(subject),
      time: message.time,
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
