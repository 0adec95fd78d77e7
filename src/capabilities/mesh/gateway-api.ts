// Readiness of the kinds of the Gateway API: https://gateway-api.sigs.k8s.io/guides/implementers-guide/

import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { withFullStop } from '../../text/full-stop.ts'
import { notReady, type Readiness, ready, starting } from '../readiness.ts'

/** Ready if all these conditions are true. */
export function conditionsReadiness(observed: JsonObject, conditions: Json | undefined, types: readonly string[]): Readiness {
  const name = `${textOf(observed.kind)} ${textOf(at(observed, 'metadata', 'name'))}`
  const generation = at(observed, 'metadata', 'generation')
  for (const type of types) {
    const found = items(conditions).find(condition => at(condition, 'type') === type)
    const seen = at(found, 'observedGeneration')
    const isOutdated = typeof seen === 'number' && typeof generation === 'number' && seen < generation
    if (found === undefined || isOutdated || at(found, 'status') === 'Unknown')
      return starting(
        'Waiting',
        `${name} waits for the gateway to report ${type}. If this message persists, check that the gateway exists.`,
      )
    if (at(found, 'status') === 'True') continue
    const message = withFullStop(textOf(at(found, 'message') ?? ''))
    return notReady(
      textOf(at(found, 'reason') ?? `Not${type}`),
      `${name} is not ${type === 'ResolvedRefs' ? 'resolved' : type.toLowerCase()}: ${message}`,
    )
  }
  return ready(types.at(-1) ?? '', `${name} is in use.`)
}

/** A route has conditions for each of its parents. */
export function routeReadiness(observed: JsonObject): Readiness {
  const parents = items(at(observed, 'status', 'parents'))
  const types = ['Accepted', 'ResolvedRefs']
  const states = (parents.length === 0 ? [undefined] : parents).map(parent =>
    conditionsReadiness(observed, at(parent, 'conditions'), types),
  )
  return states.find(state => !state.ready) ?? (states[0] as Readiness)
}
