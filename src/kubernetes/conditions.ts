import { at, isObject, type JsonObject } from './json.ts'

export interface Condition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A condition of an observed object, or undefined where its controller has not said anything. */
export function condition(observed: JsonObject, type: string): Condition | undefined {
  const conditions = at(observed, 'status', 'conditions')
  if (!Array.isArray(conditions)) return undefined
  const found: unknown = conditions.find(c => at(c, 'type') === type)
  if (!isObject(found)) return undefined
  const text = (field: string) => (typeof found[field] === 'string' ? found[field] : '')
  return { status: text('status'), reason: text('reason'), message: text('message') }
}

/** Whether the object's controller has not yet looked at its newest spec. */
export function outdated(observed: JsonObject): boolean {
  const generation = at(observed, 'metadata', 'generation')
  const seen = at(observed, 'status', 'observedGeneration')
  return typeof generation === 'number' && typeof seen === 'number' && seen < generation
}
