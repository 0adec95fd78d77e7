// What the HTTP and the NATS binding share: attributes in headers.
import { type AttributeName, attributeNames, isAttributeName } from './attributes.ts'
import { CloudEventError } from './cloud-event-error.ts'
import { decodeData, encodeData } from './data.ts'
import { assemble, type CloudEvent } from './event.ts'

export const PREFIX = 'ce-'

const NEEDS_ENCODING = /[^\x21-\x7e]|["%]/u
const PRINTABLE = /^[\x20-\x7e]*$/
const MALFORMED = /%(?![0-9A-Fa-f]{2})/
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/

const encoder = new TextEncoder()

/** Percent-encodes spaces, quotes, percent signs, and everything that is not printable ASCII. */
export const encodeHeader = (value: string): string =>
  NEEDS_ENCODING.test(value)
    ? Array.from(value, character => (NEEDS_ENCODING.test(character) ? percentEncode(character) : character)).join('')
    : value

const percentEncode = (character: string) =>
  Array.from(encoder.encode(character), byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

/** Decodes a header. Throws a CloudEventError that names the attribute. */
export function decodeHeader(name: string, value: string): string {
  const plain = value.startsWith('"') ? unquote(name, value) : value
  if (!PRINTABLE.test(plain)) throw new CloudEventError([`${name}: characters outside printable ASCII must be percent-encoded`])
  if (!plain.includes('%')) return plain
  if (MALFORMED.test(plain)) throw new CloudEventError([`${name}: a percent sign must be written as %25`])
  try {
    return decodeURIComponent(plain)
  } catch {
    throw new CloudEventError([`${name}: the percent-encoded bytes are not UTF-8`])
  }
}

function unquote(name: string, value: string): string {
  const [, content] = QUOTED.exec(value) ?? []
  if (content === undefined) throw new CloudEventError([`${name}: the quotes are not closed`])
  return content.replaceAll(/\\(.)/g, '$1')
}

/** Makes an event of headers, which are pairs of a name without prefix in lower case and a raw value. */
export function eventOfHeaders(
  headers: Iterable<readonly [string, string]>,
  contentType: string | undefined,
  body: Uint8Array,
): CloudEvent {
  const attributes: Partial<Record<AttributeName, string>> = {}
  const extensions: [string, string][] = []
  for (const [name, raw] of headers) {
    const value = decodeHeader(name, raw)
    if (isAttributeName(name)) attributes[name] = value
    else extensions.push([name, value])
  }
  if (contentType !== undefined) attributes.datacontenttype = contentType
  return assemble(attributes, extensions, type => decodeData(body, type))
}

/** The attributes and extensions of an event as encoded headers, without datacontenttype. */
export function headersOf(event: CloudEvent): [string, string][] {
  const headers: [string, string][] = []
  for (const name of attributeNames) {
    const value = event[name]
    if (value !== undefined && name !== 'datacontenttype') headers.push([PREFIX + name, encodeHeader(value)])
  }
  for (const [name, value] of Object.entries(event.extensions)) headers.push([PREFIX + name, encodeHeader(value)])
  return headers
}

const NOTHING = new Uint8Array()

export const bodyOf = ({ data, datacontenttype }: CloudEvent): Uint8Array => encodeData(data, datacontenttype) ?? NOTHING

/** The media type without parameters, in lower case. */
export const mediaTypeOf = (contentType: string | undefined) => contentType?.split(';', 1)[0]?.trim().toLowerCase()
