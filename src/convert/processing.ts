import { SECONDS_TO_FINISH } from '../capabilities/deployment/availability.ts'
import { seconds as secondsIn } from '../claim/duration.ts'
import type { EventDrivenServiceSpec } from '../claim/generated/types.ts'
import { at, type Json } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { variableValue } from './env.ts'
import { durationText } from './fields.ts'

type Processing = Pick<NonNullable<EventDrivenServiceSpec['processing']>, 'maxDuration' | 'concurrency'>

/** The most messages at once that a claim may have. */
const MOST_AT_ONCE = 10_000

/** The time that a pod has for its work, and the variable CONCURRENCY. Undefined if the pod has neither. */
export function processingOf(pod: Json | undefined, env: readonly Json[], { policy }: Platform): Processing | undefined {
  const grace = at(pod, 'terminationGracePeriodSeconds')
  const seconds = typeof grace === 'number' ? Math.min(grace - SECONDS_TO_FINISH, secondsIn(policy.maxGracePeriod)) : 0
  const variable = variableValue(env, 'CONCURRENCY')
  const concurrency = typeof variable === 'string' && /^[1-9][0-9]{0,4}$/.test(variable) ? Number(variable) : undefined
  const isKnown = concurrency !== undefined && concurrency <= MOST_AT_ONCE
  if (seconds > 0) return { maxDuration: durationText(seconds), ...(isKnown && concurrency > 1 && { concurrency }) }
  return isKnown ? { concurrency } : undefined
}
