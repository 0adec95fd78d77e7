import { isObject, type Json } from './json.ts'

/** The same maps in the same order, whatever order the claim has them in. */
export function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] => (item === undefined ? [] : [[name, inOrder(item)]]))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
