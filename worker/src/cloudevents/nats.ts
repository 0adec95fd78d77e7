// The NATS binding. Version 1.0.2 knows only structured mode, without headers; the next version adds binary mode and the content type:
// https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
import { UnsupportedFormatError } from './cloud-event-error.ts'
import type { CloudEvent } from './event.ts'
import { JSON_FORMAT, parseEvent, serializeEvent } from './format.ts'
import { bodyOf, eventOfHeaders, headersOf, mediaTypeOf, PREFIX } from './headers.ts'
import type { ModeOption } from './http.ts'

/** The headers of nats.js (MsgHdrs) fit. */
export type NatsHeaders = Iterable<readonly [string, readonly string[]]>

/** A message as nats.js receives it, or its parts. */
export interface NatsMessage {
  readonly headers?: NatsHeaders | undefined
  readonly data: Uint8Array
}

/** The parts of a message to publish. */
export interface SerializedNats {
  readonly headers: readonly (readonly [string, string])[]
  readonly data: Uint8Array
}

const encoder = new TextEncoder()
/** The members that the JSON object of an event must have. */
const EVENT_OBJECT = ['"specversion"', '"id"', '"source"', '"type"']
const OPENING_BRACE = 0x7b

/**
 * Reads an event in binary or structured mode, or throws a CloudEventError. Undefined if the message is none: it has no headers of an
 * event, and its data is no JSON object with the required attributes.
 */
export function parseNats({ headers = [], data }: NatsMessage): CloudEvent | undefined {
  let contentType: string | undefined
  const own: (readonly [string, string])[] = []
  for (const [key, values] of headers) {
    const name = key.toLowerCase()
    if (name === 'content-type') contentType = values[0]
    else if (name.startsWith(PREFIX)) own.push([name.slice(PREFIX.length), values.join(', ')])
  }
  const mediaType = mediaTypeOf(contentType)
  if (mediaType === JSON_FORMAT) return parseEvent(data)
  if (mediaType?.startsWith('application/cloudevents')) throw new UnsupportedFormatError([`the event format ${mediaType} is not supported`])
  if (own.length > 0) return eventOfHeaders(own, undefined, data)
  return looksLikeEvent(data) ? parseEvent(data) : undefined
}

/** Without headers only the data can tell. */
function looksLikeEvent(data: Uint8Array): boolean {
  const buffer: Buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const first = buffer.find(byte => byte > 0x20)
  return first === OPENING_BRACE && EVENT_OBJECT.every(member => buffer.includes(member)) && isEventObject(buffer)
}

/** Tells an event from an object that has one as a member. */
function isEventObject(buffer: Buffer): boolean {
  try {
    const { specversion, id, source, type } = JSON.parse(buffer.toString('utf8')) as Readonly<Record<string, unknown>>
    return [specversion, id, source, type].every(value => typeof value === 'string')
  } catch {
    return false
  }
}

/** Writes an event as the headers and the data of a message. */
export function serializeNats(event: CloudEvent, { mode = 'binary' }: ModeOption = {}): SerializedNats {
  if (mode === 'structured') return { headers: [['Content-Type', JSON_FORMAT]], data: encoder.encode(serializeEvent(event)) }
  const headers = headersOf(event)
  if (event.datacontenttype !== undefined) headers.push([`${PREFIX}datacontenttype`, event.datacontenttype])
  return { headers, data: bodyOf(event) }
}
