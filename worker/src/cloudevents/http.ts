// The HTTP binding: https://github.com/cloudevents/spec/blob/ce%40v1.0.2/cloudevents/bindings/http-protocol-binding.md
import { CloudEventError, UnsupportedFormatError } from './cloud-event-error.ts'
import type { CloudEvent } from './event.ts'
import { JSON_BATCH, JSON_FORMAT, parseBatch, parseEvent, serializeBatch, serializeEvent } from './format.ts'
import { bodyOf, eventOfHeaders, headersOf, mediaTypeOf, PREFIX } from './headers.ts'

/** The headers of node:http, of fetch, or pairs. Names may have any case. */
export type HttpHeaders = Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[] | undefined>>

/** A request or a response. */
export interface HttpMessage {
  readonly headers: HttpHeaders
  readonly body?: Uint8Array | string | undefined
}

/** One event, or a batch. */
export interface SerializedHttp {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const encoder = new TextEncoder()
const FORMATS = 'application/cloudevents'

const isIterable = (headers: HttpHeaders): headers is Iterable<readonly [string, string]> => Symbol.iterator in headers

function* pairsOf(headers: HttpHeaders): Generator<readonly [string, string]> {
  if (isIterable(headers)) {
    for (const [name, value] of headers) yield [name.toLowerCase(), value]
    return
  }
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) yield [name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]
  }
}

/** Sorts headers into the content type and those of the event. */
function split(headers: HttpHeaders) {
  let contentType: string | undefined
  const own: (readonly [string, string])[] = []
  for (const [name, value] of pairsOf(headers)) {
    if (name === 'content-type') contentType = value
    else if (name.startsWith(PREFIX)) own.push([name.slice(PREFIX.length), value])
  }
  return { contentType, own }
}

/** Reads the one event of a request or response, in binary or structured mode. Throws a CloudEventError. */
export function parseHttp(message: HttpMessage): CloudEvent {
  const events = parseHttpEvents(message)
  const [event] = events
  if (event === undefined || events.length > 1) throw new CloudEventError([`a batch of ${events.length} events is not one event`])
  return event
}

/** Reads the events of a request or response in any mode: as many as are in a batch, otherwise one. Throws a CloudEventError. */
export function parseHttpEvents({ headers, body = '' }: HttpMessage): readonly CloudEvent[] {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body
  const { contentType, own } = split(headers)
  const mediaType = mediaTypeOf(contentType)
  if (mediaType?.startsWith(FORMATS)) {
    const charset = /;[ \t]*charset="?([^";]*)"?/i.exec(contentType ?? '')?.[1]
    if (charset !== undefined && !/^utf-?8$/i.test(charset.trim()))
      throw new UnsupportedFormatError([`the charset ${charset} is not UTF-8`])
    if (mediaType === JSON_FORMAT) return [parseEvent(bytes)]
    if (mediaType === JSON_BATCH) return parseBatch(bytes)
    throw new UnsupportedFormatError([`the event format ${mediaType} is not supported, only ${JSON_FORMAT} and ${JSON_BATCH}`])
  }
  if (own.length === 0)
    throw new CloudEventError([`the message has neither headers that start with ${PREFIX} nor the content type ${JSON_FORMAT}`])
  if (own.some(([name]) => name === 'datacontenttype'))
    throw new CloudEventError(['datacontenttype: must be in the header content-type, not in ce-datacontenttype'])
  return [eventOfHeaders(own, contentType, bytes)]
}

/** Binary mode has the attributes in headers, structured mode has them in the body. */
export interface ModeOption {
  /** binary by default. */
  readonly mode?: 'binary' | 'structured' | undefined
}

/** Writes an event as the headers and the body of a request or response. */
export function serializeHttp(event: CloudEvent, { mode = 'binary' }: ModeOption = {}): SerializedHttp {
  if (mode === 'structured')
    return { headers: { 'content-type': `${JSON_FORMAT}; charset=utf-8` }, body: encoder.encode(serializeEvent(event)) }
  const headers = Object.fromEntries(headersOf(event))
  if (event.datacontenttype !== undefined) headers['content-type'] = event.datacontenttype
  return { headers, body: bodyOf(event) }
}

/** Writes events as one batch. */
export const serializeHttpBatch = (events: readonly CloudEvent[]): SerializedHttp => ({
  headers: { 'content-type': `${JSON_BATCH}; charset=utf-8` },
  body: encoder.encode(serializeBatch(events)),
})
