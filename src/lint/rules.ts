import { missingBroker, missingSink } from './eventing.ts'
import { hostOutsideGateway, missingGateway } from './gateways.ts'
import { sameHost } from './hosts.ts'
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
