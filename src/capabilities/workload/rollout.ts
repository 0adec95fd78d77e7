// How far a Deployment has rolled out: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
import { hasUnobservedGeneration } from '../../kubernetes/conditions.ts'
import { at, type JsonObject } from '../../kubernetes/json.ts'

/** Kubernetes omits a count of 0. */
export const countAt = (observed: JsonObject | undefined, ...path: string[]): number => {
  const value = at(observed, ...path)
  return typeof value === 'number' ? value : 0
}

export const hasOldPods = (observed: JsonObject): boolean =>
  countAt(observed, 'status', 'replicas') > countAt(observed, 'status', 'updatedReplicas')

/** Whether a pod is available, or none is wanted. */
export const serves = (observed: JsonObject): boolean =>
  at(observed, 'spec', 'replicas') === 0 || countAt(observed, 'status', 'availableReplicas') !== 0

export const isRolledOut = (observed: JsonObject): boolean =>
  !hasUnobservedGeneration(observed) && !hasOldPods(observed) && serves(observed)
