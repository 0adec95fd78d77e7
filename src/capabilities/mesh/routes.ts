// Which Service gets which share of the requests, for the VirtualService and the HTTPRoute alike.
import type { Canary } from '../../claim/resolved-claim.ts'
import type { CanaryStage } from '../workload/canary.ts'

export interface Share {
  readonly service: string
  readonly weight: number
}

export interface Routes {
  /** Headers that lead to the canary. */
  readonly match: Canary['match']
  readonly shares: readonly Share[]
}

/** A canary gets nothing before it is available. */
export function routesOf(stage: CanaryStage, stable: string, canary: string): Routes {
  if (stage.is !== 'asked') return { match: [], shares: [{ service: stable, weight: 100 }] }
  const weight = stage.isAvailable ? stage.canary.weight : 0
  return {
    match: stage.isAvailable ? stage.canary.match : [],
    shares: [
      { service: stable, weight: 100 - weight },
      { service: canary, weight },
    ],
  }
}
