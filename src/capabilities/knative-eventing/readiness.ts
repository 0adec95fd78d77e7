import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { inProgress, notReady, type Readiness, ready } from '../readiness.ts'

/** Every kind of Knative's has the condition Ready. */
export function eventingReadiness(what: string, observed: JsonObject, advice: string): Readiness {
  const state = observedCondition(observed, 'Ready')
  if (state === undefined || hasUnobservedGeneration(observed))
    return inProgress('Waiting', `Knative has not looked at ${what} yet; if this stays, see whether Knative Eventing runs.`)
  if (state.status === 'True') return ready('Ready', `${what} is ready.`)
  if (state.status === 'Unknown') return inProgress('Waiting', `Knative is setting up ${what}; if this stays: ${advice}`)
  const message = `${state.message || 'no reason is given'}`.replace(/\.?$/, '.')
  // Knative has whole sentences for a reason at times.
  const reason = /^\w+$/.test(state.reason) ? state.reason : 'NotReady'
  return notReady(reason, `${what} is not ready: ${message} ${advice}`)
}
