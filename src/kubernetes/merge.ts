import { isObject, type Json, type JsonObject } from './json.ts'

/** Merges objects recursively: the first value of each field wins, and a list is one value. */
export function merge(first: JsonObject, ...others: readonly (JsonObject | undefined)[]): JsonObject {
  const merged = new Map<string, Json>()
  for (const layer of [first, ...others]) {
    for (const [name, value] of Object.entries(layer ?? {})) {
      if (value === undefined) continue
      const above = merged.get(name)
      if (above === undefined) merged.set(name, value)
      else if (isObject(above) && isObject(value)) merged.set(name, merge(above, value))
    }
  }
  return Object.fromEntries(merged)
}
