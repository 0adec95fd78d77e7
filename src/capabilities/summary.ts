import { isObject, type Json, textOf } from '../kubernetes/json.ts'

/** A value as text for a summary; undefined for an object or a missing value. */
export const scalar = (value: Json | undefined): string | undefined =>
  value === undefined || value === null || isObject(value) ? undefined : textOf(value)

export const summarizeScale = (minimum: Json | undefined, maximum: Json | undefined): string | undefined =>
  minimum === undefined && maximum === undefined ? undefined : `${scalar(minimum) ?? 0}–${scalar(maximum) ?? '∞'} replicas`
