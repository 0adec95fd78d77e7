import type { Json, JsonObject } from '../kubernetes/json.ts'

export const definedFields = (fields: Readonly<Record<string, Json | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

export const unlessDefault = (standard: Json, value: Json | undefined) => (value === standard ? undefined : value)

/** Undefined if it is empty. */
export const nonEmpty = <T extends readonly Json[] | JsonObject>(value: T): T | undefined =>
  Object.keys(value).length === 0 ? undefined : value
