// The data of an event in memory, by its content type: a JSON value, a string or bytes. It is the same in both modes.
import { CloudEventError } from './cloud-event-error.ts'
import { parseJson, stringifyJson } from './json.ts'

const utf8 = new TextEncoder()
const strictJson = new TextDecoder('utf-8', { fatal: true })
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const JSON_TYPE = /^[^/]+\/(?:json|[^;]*\+json)[ \t]*(?:;|$)/i
const TEXT_TYPE =
  /^(?:text\/[^;]+|[^/]+\/(?:xml|[^;]*\+xml|javascript|ecmascript|x-www-form-urlencoded|yaml|x-yaml|[^;]*\+yaml))[ \t]*(?:;|$)/i
const CHARSET = /;[ \t]*charset="?([^";]*)"?/i

export const isJsonType = (contentType: string) => JSON_TYPE.test(contentType)

const isUtf8 = (contentType: string) => /^(?:utf-?8|us-ascii)$/i.test(CHARSET.exec(contentType)?.[1]?.trim() ?? 'utf-8')

const isTextType = (contentType: string) => TEXT_TYPE.test(contentType) && isUtf8(contentType)

/** Reads the bytes of a message. No bytes are no data. */
export function decodeData(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (bytes.length === 0) return undefined
  if (contentType === undefined) return ownBytes(bytes)
  if (isJsonType(contentType)) return decodeJson(bytes)
  if (!isTextType(contentType)) return ownBytes(bytes)
  try {
    return strictText.decode(bytes)
  } catch {
    return ownBytes(bytes)
  }
}

/** A view without the methods of Buffer, which differ: slice shares memory, and toJSON writes an object. */
const ownBytes = (bytes: Uint8Array) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Reads UTF-8 and JSON. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(strictJson.decode(bytes))
  } catch (error) {
    throw new CloudEventError([`data: is not JSON: ${error instanceof Error ? error.message : error}`])
  }
}

/** Writes the bytes of a message. Undefined without data. */
export function encodeData(data: unknown, contentType: string | undefined): Uint8Array | undefined {
  if (data === undefined) return undefined
  if (data instanceof Uint8Array) return data
  if (contentType !== undefined && isJsonType(contentType)) return utf8.encode(writeJson(data))
  if (typeof data === 'string') return utf8.encode(data)
  throw new CloudEventError([`data: must be a string or bytes, because datacontenttype is ${contentType ?? 'missing'}`])
}

export function writeJson(value: unknown): string {
  let json: string | undefined
  try {
    json = stringifyJson(value)
  } catch (error) {
    throw new CloudEventError([`data: cannot be written as JSON: ${error instanceof Error ? error.message : error}`])
  }
  if (json === undefined) throw new CloudEventError([`data: cannot be written as JSON: it is a ${typeof value}`])
  return json
}

/** Brings data that a program provides into the form that a message would be decoded to. */
export function normalizeData(data: unknown, contentType: string | undefined): unknown {
  const isJson = contentType !== undefined && isJsonType(contentType)
  if (isJson && !(data instanceof Uint8Array)) return data
  const bytes = encodeData(data, contentType)
  return bytes && decodeData(bytes, contentType)
}
