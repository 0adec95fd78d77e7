import { isObject, type Json } from './json.ts'

/** Sorts the keys of all maps, so that the order in the claim does not matter. */
export function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] => (item === undefined ? [] : [[name, sortKeys(item)]]))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
