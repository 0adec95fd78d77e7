import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Capability, RuntimeParts } from '../capability.ts'
import { deploymentRole } from '../workload/roles.ts'
import { countedDeployment, deployment, deploymentKind } from './deployment.ts'
import { httpService, service, serviceAddress, serviceKind, standInService } from './service.ts'

export const deploymentCapability: Capability<ResolvedClaim> = {
  name: 'deployment',
  condition: 'Workload',
  role: deploymentRole,
  isUsual: () => true,
  kinds: [deploymentKind, serviceKind],
  resolve: claim => (claim.runtime === 'Deployment' ? claim : undefined),
  resources: (_, __, { findObserved }) => [countedDeployment(findObserved), service, httpService],
}

export const deploymentRuntime: RuntimeParts = {
  noun: 'Deployment',
  backend: deployment,
  entryPoint: service,
  standIn: standInService,
  others: [deployment, httpService],
  address: serviceAddress,
}
