import { type AttributeName, attributeNames, extensionProblemOf, isAttributeName, problemOf } from './attributes.ts'
import { CloudEventError } from './cloud-event-error.ts'
import { normalizeData } from './data.ts'

/** An event of CloudEvents 1.0: https://cloudevents.io */
export interface CloudEvent<Data = unknown, Type extends string = string> {
  readonly specversion: '1.0'
  /** Unique for each source. */
  readonly id: string
  readonly source: string
  readonly type: Type
  readonly subject?: string
  /** As the producer wrote it. */
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  /** In their canonical string form, because headers have no types. */
  readonly extensions: Readonly<Record<string, string>>
  /**
   * A JSON value if datacontenttype is JSON, with a bigint for each integer beyond 2^53; a string if it is text in UTF-8; otherwise a
   * Uint8Array.
   */
  readonly data?: Data
}

/** The value of an extension. The event has it as a string. */
export type ExtensionValue = string | number | boolean | Date | Uint8Array

/** The attributes and the data of a new event. */
export interface EventInit<Data = unknown, Type extends string = string> {
  readonly type: Type
  readonly source: string
  /** A random UUID by default. */
  readonly id?: string | undefined
  readonly subject?: string | undefined
  /** Now by default. */
  readonly time?: string | Date | undefined
  /** application/json by default, unless the data is a Uint8Array. */
  readonly datacontenttype?: string | undefined
  readonly dataschema?: string | undefined
  readonly extensions?: Readonly<Record<string, ExtensionValue | undefined>> | undefined
  readonly data?: Data | undefined
}

/** Creates an event, or throws a CloudEventError. */
export function createEvent<Data = unknown, const Type extends string = string>(init: EventInit<Data, Type>): CloudEvent<Data, Type> {
  const { id = crypto.randomUUID(), time = new Date(), extensions = {}, data, ...rest } = init
  const isJson = data !== undefined && !(data instanceof Uint8Array)
  const datacontenttype = init.datacontenttype ?? (isJson ? 'application/json' : undefined)
  const attributes = { ...rest, id, specversion: '1.0', time: time instanceof Date ? timestamp(time) : time, datacontenttype }
  const values = Object.entries(extensions).flatMap(([name, value]) => (value === undefined ? [] : [[name, canonical(value)] as const]))
  // The data is of this type because it has been checked against nothing else.
  return assemble(attributes, values, () => normalizeData(data, datacontenttype)) as CloudEvent<Data, Type>
}

const timestamp = (date: Date) => (Number.isNaN(date.getTime()) ? String(date) : date.toISOString())

/** https://github.com/cloudevents/spec/blob/ce%40v1.0.2/cloudevents/spec.md#type-system; undefined if it is not one of the types. */
export function canonical(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 ? String(value) : undefined
  if (value instanceof Date) return timestamp(value)
  if (value instanceof Uint8Array) return toBase64(value)
  return undefined
}

export const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** Checks attributes and extensions, and makes an event of them and of the data. Throws a CloudEventError with every problem. */
export function assemble(
  attributes: Readonly<Partial<Record<AttributeName, unknown>>>,
  extensions: Iterable<readonly [string, unknown]>,
  readData: (contentType: string | undefined) => unknown = nothing,
): CloudEvent {
  const event: Record<string, unknown> = {}
  const problems: string[] = []
  for (const name of attributeNames) {
    const value = attributes[name]
    const problem = problemOf(name, value)
    if (problem !== undefined) problems.push(problem)
    else if (value !== undefined) event[name] = value
  }
  // Extensions may have any name, such as constructor.
  const values: Record<string, string> = Object.create(null)
  for (const [name, value] of extensions) {
    const problem = extensionProblemOf(name, value)
    if (problem !== undefined) problems.push(problem)
    else values[name] = String(value)
  }
  if (problems.length > 0) throw new CloudEventError(problems)
  event.extensions = values
  // Each attribute has just been checked.
  const checked = event as unknown as CloudEvent
  const data = readData(checked.datacontenttype)
  if (data !== undefined) event.data = data
  return checked
}

const nothing = () => undefined

/** The sentences about what is wrong with a value that should be an event; none if it is one. */
export function validateEvent(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ['an event must be an object']
  const { extensions, data: _, ...attributes } = value as Record<string, unknown>
  if (typeof extensions !== 'object' || extensions === null) return ['extensions: must be an object']
  const unknown = Object.keys(attributes).filter(name => !isAttributeName(name))
  try {
    assemble(attributes, Object.entries(extensions))
  } catch (error) {
    if (error instanceof CloudEventError) return [...error.problems, ...unknown.map(notHere)]
    throw error
  }
  return unknown.map(notHere)
}

const notHere = (name: string) => `${name}: belongs into extensions`
