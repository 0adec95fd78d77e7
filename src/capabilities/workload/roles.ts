import type { Role } from '../capability.ts'

/** Every runtime needs what Kubernetes itself has, and nearly every Deployment a ScaledObject: one role for all of them. */
export const deploymentRole: Role = {
  name: 'deployment',
  purpose: 'runtime Deployment: what Kubernetes itself has, and the ScaledObject of KEDA.',
}
