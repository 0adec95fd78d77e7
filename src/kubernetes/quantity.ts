// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
import { type Json, textOf } from './json.ts'

const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

const QUANTITY = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d+)|([A-Za-z]*))$/

/** Cores or bytes; undefined if the text is not a quantity. */
export function parseQuantity(text: Json | undefined): number | undefined {
  const [, digits, exponent, suffix = ''] = QUANTITY.exec(textOf(text)) ?? []
  if (digits === undefined) return undefined
  if (exponent !== undefined) return Number(`${digits}e${exponent}`)
  // As an exponent, so that 100m and 0.1 are the same number.
  if (Object.hasOwn(decimal, suffix)) return Number(`${digits}e${decimal[suffix]}`)
  return Object.hasOwn(binary, suffix) ? Number(digits) * 2 ** (binary[suffix] ?? 0) : undefined
}
