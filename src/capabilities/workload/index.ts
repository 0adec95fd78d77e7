import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Capability } from '../capability.ts'
import { checkWorkload } from './checks.ts'
import { deploymentRole } from './roles.ts'
import { serviceAccount, serviceAccountKind } from './service-account.ts'

/** What every runtime shares. */
export const workload: Capability<ResolvedClaim> = {
  name: 'workload',
  condition: 'Workload',
  role: deploymentRole,
  isUsual: () => true,
  kinds: [serviceAccountKind],
  check: checkWorkload,
  resolve: claim => claim,
  resources: () => [serviceAccount],
}
