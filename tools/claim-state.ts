import { observedCondition } from '../src/kubernetes/conditions.ts'
import type { JsonObject } from '../src/kubernetes/json.ts'
import { conditionTypes } from '../src/reconcile/conditions.ts'

/** Why a claim is not ready, as one word; undefined if it is ready. */
export function blockerOf(claim: JsonObject): string | undefined {
  const ready = observedCondition(claim, 'Ready')
  if (ready?.status === 'True') return undefined
  const blocked = conditionTypes()
    .map(type => observedCondition(claim, type))
    .find(own => own?.status === 'False')
  return blocked?.reason ?? ready?.reason ?? 'new'
}
