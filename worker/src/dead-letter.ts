// Dead letters: copies of messages that nobody will handle, in another stream.
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { headers, type MsgHdrs } from '@nats-io/transport-node'
import { encodeHeader } from './cloudevents/headers.ts'

/** A message, or what is left of it in the stream. */
export interface Dead {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers: MsgHdrs | undefined
  readonly stream: string
  readonly sequence: number
  readonly attempt: number
}

const MAX_REASON = 500

/** Publishes `<prefix>.<subject>` with all headers. The stream keeps one copy of each message, because its ID is `<stream>:<sequence>`. */
export async function publishDeadLetter(js: JetStreamClient, prefix: string, message: Dead, reason: string): Promise<void> {
  const fields = headers()
  // Nats-Msg-Id and Nats-Expected-… are meant for the first stream.
  for (const [name, values] of readableHeaders(message))
    if (!name.toLowerCase().startsWith('nats-')) for (const value of values) fields.append(name, value)
  fields.set('eds-error', encodeHeader(reason.slice(0, MAX_REASON)))
  fields.set('eds-deliveries', String(message.attempt))
  await js.publish(`${prefix}.${message.subject}`, message.data, { headers: fields, msgID: `${message.stream}:${message.sequence}` })
}

/** None if nats.js can't read them: without its headers a message is better than lost. */
function readableHeaders(message: Dead): Iterable<readonly [string, readonly string[]]> {
  try {
    return message.headers ?? []
  } catch {
    return []
  }
}

/** Why dead letters of these subjects would be lost; undefined if a stream takes them. */
export async function deadLetterProblem(jsm: JetStreamManager, prefix: string, subjects: readonly string[]): Promise<string | undefined> {
  for (const subject of subjects) {
    const names = await jsm.streams.names(`${prefix}.${subject}`).next()
    if (names.length === 0)
      return `no stream takes dead letters: create one with the subject ${prefix}.${subject}, or set retry.deadLetter to false`
  }
  return undefined
}
