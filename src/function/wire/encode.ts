// Encodes an answer. The length of a message precedes its content, so the encoder writes each answer from its end to its start:
// each length is known when it is written, and nothing is measured twice or moved. A typical answer of 4.7 kB takes 21 µs; with
// @bufbuild/protobuf/wire it takes 30 µs: docs/adr/0013-own-codec-against-protobuf-wire.md
import type {
  Condition,
  Requirements,
  Resource,
  ResourceSelector,
  Result,
  RunFunctionResponse,
  SchemaSelector,
  State,
} from '@crossplane-org/function-sdk-typescript'

const START_BYTES = 16 * 1024
// Up to this length, writing character by character is faster than Buffer.write.
const SHORT_TEXT = 48

const VARINT = 0
const DOUBLE = 1
const BYTES = 2

class Writer {
  #buffer = Buffer.allocUnsafe(START_BYTES)
  #start = START_BYTES

  get #written(): number {
    return this.#buffer.length - this.#start
  }

  finish(): Buffer {
    return this.#buffer.subarray(this.#start)
  }

  /** The fields of a oneof are written even if they have their default value, unlike other fields. */
  text(field: number, text: string | undefined, always = false): void {
    if (text === undefined || (text === '' && !always)) return
    const before = this.#written
    this.#string(text)
    this.#close(field, before)
  }

  bytes(field: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const before = this.#written
    this.#room(bytes.length)
    this.#start -= bytes.length
    this.#buffer.set(bytes, this.#start)
    this.#close(field, before)
  }

  number(field: number, value: number | undefined): void {
    if (!value) return
    this.#varint(value)
    this.#tag(field, VARINT)
  }

  message<T>(field: number, content: T | undefined, write: (writer: Writer, content: T) => void): void {
    if (content === undefined) return
    const before = this.#written
    write(this, content)
    this.#close(field, before)
  }

  messages<T>(field: number, contents: readonly T[], write: (writer: Writer, content: T) => void): void {
    for (let i = contents.length - 1; i >= 0; i--) this.message(field, contents[i], write)
  }

  map<T>(field: number, map: { readonly [key: string]: T }, write: (writer: Writer, field: number, value: T) => void): void {
    const keys = Object.keys(map)
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] as string
      const before = this.#written
      write(this, 2, map[key] as T)
      this.text(1, key)
      this.#close(field, before)
    }
  }

  struct(field: number, object: object | undefined): void {
    if (object === undefined) return
    const before = this.#written
    this.#members(object as Record<string, unknown>)
    this.#close(field, before)
  }

  #members(object: Record<string, unknown>): void {
    const keys = Object.keys(object)
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] as string
      const value = object[key]
      if (value === undefined) continue
      const before = this.#written
      this.#value(2, value)
      this.text(1, key)
      this.#close(1, before)
    }
  }

  #value(field: number, value: unknown): void {
    const before = this.#written
    switch (typeof value) {
      case 'string':
        this.text(3, value, true)
        break
      case 'number':
        this.#room(8)
        this.#start -= 8
        this.#buffer.writeDoubleLE(value, this.#start)
        this.#tag(2, DOUBLE)
        break
      case 'boolean':
        this.#varint(value ? 1 : 0)
        this.#tag(4, VARINT)
        break
      case 'object':
        if (value === null) {
          this.#varint(0)
          this.#tag(1, VARINT)
        } else if (Array.isArray(value)) this.#list(6, value)
        else this.struct(5, value)
        break
      default:
        throw new Error(`JSON has no ${typeof value}`)
    }
    this.#close(field, before)
  }

  #list(field: number, list: readonly unknown[]): void {
    const before = this.#written
    for (let i = list.length - 1; i >= 0; i--) this.#value(1, list[i])
    this.#close(field, before)
  }

  /** Writes the length and the tag of the content written since `before`. */
  #close(field: number, before: number): void {
    this.#varint(this.#written - before)
    this.#tag(field, BYTES)
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type)
  }

  #varint(value: number): void {
    this.#room(10)
    if (value < 128) {
      this.#buffer[--this.#start] = value
      return
    }
    let length = 1
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++
    this.#start -= length
    let rest = value
    for (let i = 0; i < length; i++) {
      this.#buffer[this.#start + i] = (rest % 128) + (i < length - 1 ? 128 : 0)
      rest = Math.floor(rest / 128)
    }
  }

  #string(text: string): void {
    if (text.length <= SHORT_TEXT) {
      this.#room(text.length)
      let position = this.#start
      let i = text.length - 1
      for (; i >= 0; i--) {
        const code = text.charCodeAt(i)
        if (code > 127) break
        this.#buffer[--position] = code
      }
      if (i < 0) {
        this.#start = position
        return
      }
    }
    const length = Buffer.byteLength(text)
    this.#room(length)
    this.#start -= length
    this.#buffer.write(text, this.#start, 'utf8')
  }

  #room(bytes: number): void {
    if (this.#start >= bytes) return
    const larger = Buffer.allocUnsafe(2 * (this.#buffer.length + bytes))
    const start = larger.length - this.#written
    this.#buffer.copy(larger, start, this.#start)
    this.#buffer = larger
    this.#start = start
  }
}

export function encodeResponse({ meta, desired, results, context, requirements, conditions, output }: RunFunctionResponse): Buffer {
  const writer = new Writer()
  writer.struct(7, output)
  writer.messages(6, conditions, writeCondition)
  writer.message(5, requirements, writeRequirements)
  writer.struct(4, context)
  writer.messages(3, results, writeResult)
  writer.message(2, desired, writeState)
  writer.message(1, meta, writeMeta)
  return writer.finish()
}

function writeMeta(writer: Writer, { tag, ttl }: NonNullable<RunFunctionResponse['meta']>): void {
  writer.message(2, ttl, (writer, { seconds, nanos }) => {
    writer.number(2, nanos)
    writer.number(1, seconds)
  })
  writer.text(1, tag)
}

function writeState(writer: Writer, { composite, resources }: State): void {
  writer.map(2, resources, (writer, field, resource) => writer.message(field, resource, writeResource))
  writer.message(1, composite, writeResource)
}

function writeResource(writer: Writer, { resource, connectionDetails, ready }: Resource): void {
  writer.number(3, ready)
  writer.map(2, connectionDetails, (writer, field, bytes) => writer.bytes(field, bytes))
  writer.struct(1, resource)
}

function writeResult(writer: Writer, { severity, message, reason, target }: Result): void {
  writer.number(4, target)
  writer.text(3, reason)
  writer.text(2, message)
  writer.number(1, severity)
}

function writeCondition(writer: Writer, { type, status, reason, message, target }: Condition): void {
  writer.number(5, target)
  writer.text(4, message)
  writer.text(3, reason)
  writer.number(2, status)
  writer.text(1, type)
}

function writeRequirements(writer: Writer, { extraResources, resources, schemas }: Requirements): void {
  writer.map(3, schemas, (writer, field, schema) => writer.message(field, schema, writeKind))
  writer.map(2, resources, (writer, field, selector) => writer.message(field, selector, writeSelector))
  writer.map(1, extraResources, (writer, field, selector) => writer.message(field, selector, writeSelector))
}

function writeSelector(writer: Writer, selector: ResourceSelector): void {
  writer.text(5, selector.namespace)
  writer.message(4, selector.matchLabels, (writer, { labels }) =>
    writer.map(1, labels, (writer, field, value) => writer.text(field, value)),
  )
  writer.text(3, selector.matchName)
  writeKind(writer, selector)
}

function writeKind(writer: Writer, { apiVersion, kind }: SchemaSelector): void {
  writer.text(2, kind)
  writer.text(1, apiVersion)
}
