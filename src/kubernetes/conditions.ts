import { at, isObject, type JsonObject } from './json.ts'

export interface ObjectCondition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A condition of an observed object, or undefined if its controller has not set it. */
export function observedCondition(observed: JsonObject, type: string): ObjectCondition | undefined {
  const conditions = at(observed, 'status', 'conditions')
  if (!Array.isArray(conditions)) return undefined
  const found: unknown = conditions.find(c => at(c, 'type') === type)
  if (!isObject(found)) return undefined
  const field = (field: string) => (typeof found[field] === 'string' ? found[field] : '')
  return { status: field('status'), reason: field('reason'), message: field('message') }
}

/** Whether the controller has not observed the newest spec of the object yet. */
export function hasUnobservedGeneration(observed: JsonObject): boolean {
  const generation = at(observed, 'metadata', 'generation')
  const seen = at(observed, 'status', 'observedGeneration')
  return typeof generation === 'number' && typeof seen === 'number' && seen < generation
}
