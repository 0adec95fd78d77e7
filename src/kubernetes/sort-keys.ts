import { isObject, type Json } from './json.ts'

/** The same maps in the same order, whatever order the claim has them in. */
export function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] => (item === undefined ? [] : [[name, sortKeys(item)]]))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
