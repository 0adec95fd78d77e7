// Events that a handler publishes have ids that follow from the handled event, so that a replay repeats them.
import { createHash } from 'node:crypto'
import type { JetStreamClient } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { type CloudEvent, createEvent, type EventInit } from './cloudevents/event.ts'
import { encodeHeader } from './cloudevents/headers.ts'
import { serializeNats } from './cloudevents/nats.ts'
import type { Trace } from './trace.ts'

/** An event to publish. Its source is the worker by default, its id follows from the handled event. */
export type OutgoingEvent<Data = unknown> = Omit<EventInit<Data>, 'source'> & { readonly source?: string }

/** Publishes an event to a subject of JetStream. Resolves once a stream has stored it; a stream drops an id that it has already. */
export type Publish = (subject: string, event: OutgoingEvent) => Promise<CloudEvent>

const ID_LENGTH = 32

export function createPublish(
  js: JetStreamClient,
  cause: CloudEvent,
  { source, trace }: { readonly source: string; readonly trace: () => Trace },
): Publish {
  let count = 0
  return async (subject, outgoing) => {
    count += 1
    const id = createHash('sha256').update(`${cause.source}\n${cause.id}\n${count}`).digest('hex').slice(0, ID_LENGTH)
    const event = createEvent({ id, source, ...outgoing })
    const message = serializeNats(event)
    const fields = headers()
    for (const [name, value] of message.headers) fields.set(name, value)
    const msgID = `${encodeHeader(event.source)} ${encodeHeader(event.id)}`
    await trace().publish(subject, event, traceHeaders => {
      for (const [name, value] of traceHeaders) fields.set(name, value)
      return js.publish(subject, message.data, { headers: fields, msgID })
    })
    return event
  }
}
