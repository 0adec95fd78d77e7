import { isObject, type Json, textOf } from '../kubernetes/json.ts'

/** A value as a word of a summary; undefined for an object and for nothing. */
export const scalar = (value: Json | undefined): string | undefined =>
  value === undefined || value === null || isObject(value) ? undefined : textOf(value)

export const summarizeScale = (minimum: Json | undefined, maximum: Json | undefined): string | undefined =>
  minimum === undefined && maximum === undefined ? undefined : `${scalar(minimum) ?? 0}–${scalar(maximum) ?? '∞'} replicas`
