/** A JSON value, and so any part of a Kubernetes object. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a path, or undefined if the path does not exist. Reads only own properties. */
export function at(value: unknown, ...path: (string | number)[]): Json | undefined {
  let here: unknown = value
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined
    here = (here as Record<string | number, unknown>)[step]
  }
  return here as Json | undefined
}

/** The items of a list; none for any other value. */
export const items = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

/** Assignment to `__proto__` would set the prototype instead of a field. */
export function setField<T>(object: { [name: string]: T }, name: string, value: T): void {
  if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

/** A value as text. String() would call a `toString` field of an object. */
export const textOf = (value: unknown): string => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value))

/** Undefined for an empty text and for what is no text. */
export const nonEmptyText = (value: Json | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
