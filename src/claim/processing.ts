// How a claim works on its messages, and what follows for the autoscaler.
import { milliseconds, seconds } from './duration.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import type { Processing } from './resolved-claim.ts'

type ProcessingSpec = NonNullable<EventDrivenServiceSpec['processing']>

/** Undefined if the claim says nothing. */
export function resolveProcessing(spec: ProcessingSpec | undefined): Processing | undefined {
  if (spec === undefined || Object.keys(spec).length === 0) return undefined
  const { maxDuration, concurrency = 1 } = spec
  return { ...(maxDuration !== undefined && { maxSeconds: seconds(maxDuration) }), concurrency }
}

/** The highest value of scaling.lagThreshold. */
const HIGHEST = 1_000_000_000

/** The messages per replica that follow from it; undefined if none do. */
export function lagThresholdOf({ maxDuration, concurrency = 1, averageDuration, targetLatency }: ProcessingSpec): number | undefined {
  if (averageDuration !== undefined && targetLatency !== undefined)
    return Math.min(HIGHEST, Math.max(1, Math.floor((concurrency * milliseconds(targetLatency)) / milliseconds(averageDuration))))
  // KEDA counts messages in work too, so with this threshold a busy replica counts as busy.
  return maxDuration === undefined ? undefined : concurrency
}
