// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
import { type Json, textOf } from './json.ts'

const units: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** Cores or bytes; undefined for what is no quantity. */
export function parseQuantity(text: Json | undefined): number | undefined {
  const [, digits = '', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(textOf(text)) ?? []
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  return digits === '' || factor === undefined ? undefined : Number(digits) * factor
}
