// What the adapters share: from an HTTP request to events, a handler, and the response.
import { CloudEventError, UnsupportedFormatError } from '../cloudevents/cloud-event-error.ts'
import { type CloudEvent, validateEvent } from '../cloudevents/event.ts'
import { type HttpMessage, parseHttpEvents, type SerializedHttp, serializeHttp, serializeHttpBatch } from '../cloudevents/http.ts'

/** Handles one event. An event that it returns becomes the response. Errors are left to the framework. */
export type EventHandler<Context> = (event: CloudEvent, context: Context) => unknown

export interface HttpAnswer extends SerializedHttp {
  readonly status: number
}

const encoder = new TextEncoder()
const NOTHING = new Uint8Array()

/** Calls the handler for each event of the request, one after the other. Invalid requests get 400, or 415 for an unknown format. */
export async function respond<Context>(message: HttpMessage, handler: EventHandler<Context>, context: Context): Promise<HttpAnswer> {
  let events: readonly CloudEvent[]
  try {
    events = parseHttpEvents(message)
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    return refuse(error)
  }
  const replies: CloudEvent[] = []
  for (const event of events) {
    const reply = await handler(event, context)
    if (isEvent(reply)) replies.push(reply)
  }
  const [reply] = replies
  if (reply === undefined) return { status: 204, headers: {}, body: NOTHING }
  return { status: 200, ...(replies.length > 1 ? serializeHttpBatch(replies) : serializeHttp(reply)) }
}

const isEvent = (value: unknown): value is CloudEvent => validateEvent(value).length === 0

const refuse = (error: CloudEventError): HttpAnswer => ({
  status: error instanceof UnsupportedFormatError ? 415 : 400,
  headers: { 'content-type': 'application/json' },
  body: encoder.encode(JSON.stringify({ error: 'not a CloudEvent', problems: error.problems })),
})
