import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Capability } from '../capability.ts'
import { buildRun, buildRunKind, failedRun } from './build-run.ts'
import { checkBuild } from './checks.ts'
import { gitRepository, gitRepositoryKind } from './git-repository.ts'

/** docs/adr/0023-builds-by-content.md */
export const build: Capability<NonNullable<ResolvedClaim['build']>> = {
  name: 'build',
  condition: 'Build',
  role: { name: 'build', purpose: 'claims with spec.build: the BuildRuns of Shipwright, and the GitRepositories of Flux for branches.' },
  isUsual: platform => platform.build !== undefined,
  precedesImage: true,
  kinds: [buildRunKind, gitRepositoryKind],
  check: checkBuild,
  resolve: claim => claim.build,
  resources: (resolved, { builds: { wanted, failed } = {} }) => [
    ...(wanted && !wanted.isKnown ? [buildRun(resolved, wanted)] : []),
    ...(failed ? [failedRun(failed)] : []),
    ...(resolved.follow ? [gitRepository(resolved)] : []),
  ],
}
