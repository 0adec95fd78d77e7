import { sameForAll, unknownField, unusedField } from './application-sets.ts'
import { missingHealth, sharedFiles, trackedByLabel } from './applications.ts'
import { missingBroker, missingSink } from './eventing.ts'
import { hostOutsideGateway, missingGateway } from './gateways.ts'
import { sameHost } from './hosts.ts'
import { renamedTarget } from './kustomizations.ts'
import { allowBesideAllow, selectsNothing } from './policies.ts'
import { missingPort, missingService, missingSubset } from './routes.ts'
import type { Rule } from './rule.ts'

/** Every rule of `eds lint`. */
export const rules: readonly Rule[] = [
  { code: 'MISSING_SERVICE', check: missingService },
  { code: 'MISSING_PORT', check: missingPort },
  { code: 'MISSING_SUBSET', check: missingSubset },
  { code: 'MISSING_GATEWAY', check: missingGateway },
  { code: 'HOST_OUTSIDE_GATEWAY', check: hostOutsideGateway },
  { code: 'SAME_HOST', check: sameHost },
  { code: 'MISSING_SINK', check: missingSink },
  { code: 'MISSING_BROKER', check: missingBroker },
  { code: 'SELECTS_NOTHING', check: selectsNothing },
  { code: 'TOKEN_NOT_REQUIRED', check: allowBesideAllow },
]

/** Every rule of `eds gitops check`. */
export const gitopsRules: readonly Rule[] = [
  { code: 'UNUSED_FIELD', check: unusedField },
  { code: 'UNKNOWN_TEMPLATE_FIELD', check: unknownField },
  { code: 'SAME_FOR_ALL', check: sameForAll },
  { code: 'SHARED_FILES', check: sharedFiles },
  { code: 'RENAMED_TARGET', check: renamedTarget },
  { code: 'MISSING_HEALTH', check: missingHealth },
  { code: 'TRACKED_BY_LABEL', check: trackedByLabel },
]
