import type { Role } from '../capability.ts'

/** Every runtime needs the kinds of Kubernetes itself, and nearly every Deployment a ScaledObject: one role for all of them. */
export const deploymentRole: Role = {
  name: 'deployment',
  purpose: 'runtime Deployment: the kinds of Kubernetes itself, and the ScaledObject of KEDA.',
}
