import type { Json, JsonObject } from '../kubernetes/json.ts'

export const definedFields = (fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

export const unlessDefault = (standard: Json, value: Json | undefined) => (value === standard ? undefined : value)

/** Undefined if it is empty. */
export const nonEmpty = <T extends readonly Json[] | JsonObject>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value

const HOUR = 3600
const MINUTE = 60

/** `15m` for 900: the largest unit that divides the seconds. */
export function durationText(seconds: number): string {
  if (seconds % HOUR === 0) return `${seconds / HOUR}h`
  return seconds % MINUTE === 0 ? `${seconds / MINUTE}m` : `${seconds}s`
}
