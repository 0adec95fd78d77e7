import type { JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import type { Defaults } from '../platform/defaults.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'

/** What may answer a question of a claim: its spec, its environment, the platform, the built-in defaults. */
export type Layer = Defaults | EventDrivenServiceSpec

/** A field of the spec, merged object by object. The most specific layer comes first. */
export function layered<Field extends keyof EventDrivenServiceSpec>(
  layers: readonly Layer[],
  field: Field,
): EventDrivenServiceSpec[Field] | undefined {
  const values = layers.map(layer => ({ [field]: (layer as EventDrivenServiceSpec)[field] }) as JsonObject)
  return merge({}, ...values)[field] as EventDrivenServiceSpec[Field] | undefined
}

/** The index of the first layer that answers; the number of layers if none does. */
export function rank(layers: readonly Layer[], answer: (layer: Layer) => unknown): number {
  const index = layers.findIndex(layer => answer(layer) !== undefined)
  return index < 0 ? layers.length : index
}

/** A layer that sets another field turns on what a less specific layer has turned off. */
export function isEnabled(layers: readonly Layer[], of: (layer: Layer) => { readonly enabled?: boolean } | undefined): boolean {
  const first = layers.map(of).find(asked => asked !== undefined && Object.keys(asked).length > 0)
  return first?.enabled ?? true
}
