import type { KindInfo, Role } from '../capability.ts'

/** Every runtime needs the kinds of Kubernetes itself, and nearly every Deployment a ScaledObject: one role for all of them. */
export const deploymentRole: Role = {
  name: 'deployment',
  purpose: 'runtime Deployment: the kinds of Kubernetes itself, and the ScaledObject of KEDA.',
}

/** With features.podReasons, Crossplane reads the pods of a workload that is not ready. */
export const podsRole: Role = {
  name: 'pods',
  purpose: 'features.podReasons: the pods of a claim that is not ready. Apply it before you set the switch.',
}
export const podKind: KindInfo = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' }
