// The JSON event format: https://github.com/cloudevents/spec/blob/ce%40v1.0.2/cloudevents/formats/json-format.md
import { attributeNames, isAttributeName } from './attributes.ts'
import { CloudEventError } from './cloud-event-error.ts'
import { decodeData, decodeJson, isJsonType, writeJson } from './data.ts'
import { assemble, type CloudEvent, canonical, toBase64 } from './event.ts'

export const JSON_FORMAT = 'application/cloudevents+json'
export const JSON_BATCH = 'application/cloudevents-batch+json'

const utf8 = new TextEncoder()
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bytesOf = (text: string | Uint8Array) => (typeof text === 'string' ? utf8.encode(text) : text)

/** Reads one event in the JSON format. Throws a CloudEventError. */
export const parseEvent = (text: string | Uint8Array): CloudEvent => eventOf(decodeEnvelope(text))

/** Reads a batch in the JSON format. Throws a CloudEventError if one of its events is wrong. */
export function parseBatch(text: string | Uint8Array): readonly CloudEvent[] {
  const batch = decodeEnvelope(text)
  if (!Array.isArray(batch)) throw new CloudEventError(['a batch must be a JSON array'])
  return batch.map((member: unknown, index) => {
    try {
      return eventOf(member)
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw error
      throw new CloudEventError(error.problems.map(problem => `event ${index} of the batch: ${problem}`))
    }
  })
}

function decodeEnvelope(text: string | Uint8Array): unknown {
  try {
    return decodeJson(bytesOf(text))
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    throw new CloudEventError(error.problems.map(problem => problem.replace(/^data: /, 'the message ')))
  }
}

function eventOf(envelope: unknown): CloudEvent {
  if (!isObject(envelope)) throw new CloudEventError(['an event must be a JSON object'])
  const attributes: Record<string, unknown> = {}
  const extensions: [string, unknown][] = []
  for (const [name, value] of Object.entries(envelope)) {
    if (name === 'data' || name === 'data_base64') continue
    // In attributes, null is the same as leaving the attribute out.
    if (value === null && (isAttributeName(name) || /^[a-z0-9]+$/.test(name))) continue
    if (isAttributeName(name)) attributes[name] = value
    else extensions.push([name, canonical(value) ?? value])
  }
  // Without a content type, data is JSON. Headers have to say so.
  const hasData = Object.hasOwn(envelope, 'data')
  if (hasData && attributes.datacontenttype === undefined) attributes.datacontenttype = 'application/json'
  return assemble(attributes, extensions, type => dataOf(envelope, type))
}

function dataOf(envelope: Readonly<Record<string, unknown>>, contentType: string | undefined): unknown {
  const { data, data_base64: base64 } = envelope
  const hasData = Object.hasOwn(envelope, 'data')
  if (base64 !== undefined && base64 !== null) {
    if (hasData) throw new CloudEventError(['data: must not be next to data_base64'])
    if (typeof base64 !== 'string' || !BASE64.test(base64))
      throw new CloudEventError(['data_base64: must be a string in Base64 (RFC 4648)'])
    return decodeData(Uint8Array.from(Buffer.from(base64, 'base64')), contentType)
  }
  if (!hasData) return undefined
  if (contentType === undefined || isJsonType(contentType)) return data
  if (typeof data !== 'string') throw new CloudEventError([`data: must be a string, because datacontenttype is ${contentType}`])
  return decodeData(utf8.encode(data), contentType)
}

/** Writes one event in the JSON format. */
export function serializeEvent(event: CloudEvent): string {
  const envelope: Record<string, unknown> = {}
  for (const name of attributeNames) if (event[name] !== undefined) envelope[name] = event[name]
  const { data, datacontenttype } = event
  // fromEntries also defines a member called __proto__, and extensions cannot replace attributes.
  const members = writeJson(Object.fromEntries([...Object.entries(envelope), ...Object.entries(event.extensions)]))
  if (data === undefined) return members
  if (data instanceof Uint8Array) return withMember(members, 'data_base64', writeJson(toBase64(data)))
  if (typeof data !== 'string' && datacontenttype !== undefined && !isJsonType(datacontenttype))
    throw new CloudEventError([`data: must be a string or bytes, because datacontenttype is ${datacontenttype}`])
  return withMember(members, 'data', writeJson(data))
}

/** Adds a member to the JSON of an object that is not empty. */
const withMember = (json: string, name: string, value: string) => `${json.slice(0, -1)},"${name}":${value}}`

/** Writes a batch in the JSON format. */
export const serializeBatch = (events: readonly CloudEvent[]): string => `[${events.map(serializeEvent).join(',')}]`
