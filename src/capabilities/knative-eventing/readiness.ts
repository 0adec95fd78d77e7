import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { withFullStop } from '../../text/full-stop.ts'
import { inProgress, notReady, type Readiness, ready } from '../readiness.ts'

/** Every Knative kind has the condition Ready. */
export function eventingReadiness(what: string, observed: JsonObject, advice: string): Readiness {
  const state = observedCondition(observed, 'Ready')
  if (state === undefined || hasUnobservedGeneration(observed))
    return inProgress('Waiting', `Knative has not processed ${what} yet. If this message persists, check that Knative Eventing is running.`)
  if (state.status === 'True') return ready('Ready', `${what} is ready.`)
  if (state.status === 'Unknown') return inProgress('Waiting', `Knative is setting up ${what}. ${advice}`)
  const message = withFullStop(state.message || 'no reason is given')
  // Knative sometimes writes a whole sentence as the reason.
  const reason = /^\w+$/.test(state.reason) ? state.reason : 'NotReady'
  return notReady(reason, `${what} is not ready: ${message} ${advice}`)
}
