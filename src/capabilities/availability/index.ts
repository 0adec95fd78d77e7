import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Capability } from '../capability.ts'
import { deploymentRole } from '../workload/roles.ts'
import { podDisruptionBudget, podDisruptionBudgetKind } from './pod-disruption-budget.ts'

/** A condition of its own, so that a taken name holds back nothing that the workload needs. */
export const availability: Capability<ResolvedClaim> = {
  name: 'availability',
  condition: 'Availability',
  role: deploymentRole,
  isUsual: ({ availability }) => availability === 'Standard',
  kinds: [podDisruptionBudgetKind],
  resolve: claim => (claim.platform.availability === 'Standard' && mostReplicas(claim) > 1 ? claim : undefined),
  resources: () => [podDisruptionBudget],
}

function mostReplicas({ runtime, nats, scaling, knative: { autoscaling } }: ResolvedClaim): number {
  if (runtime === 'Knative') return autoscaling.maxScale === 0 ? Number.POSITIVE_INFINITY : autoscaling.maxScale
  return nats === undefined ? scaling.minReplicas : scaling.maxReplicas
}
