import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Platform } from '../../platform/platform.ts'
import type { Api } from './api.ts'
import type { Check } from './check.ts'

/** The claims and the platform to check. */
export interface Subject {
  /** The valid ones: invalid and missing claims have rows of their own. */
  readonly claims: readonly ResolvedClaim[]
  readonly platform: Platform
}

/** The checks of a product that a capability needs. */
export interface Diagnosis {
  readonly name: string
  readonly isNeeded: (subject: Subject) => boolean
  readonly whyUnneeded: (subject: Subject) => string
  readonly check: (api: Api, subject: Subject) => Promise<readonly Check[]>
}

/** Whether KEDA scales the claim on the lag of its consumer. */
export const scalesOnNats = ({ runtime, nats }: ResolvedClaim): boolean => runtime === 'Deployment' && nats !== undefined

export const noClaimNeedsIt = ({ claims }: Subject): string =>
  claims.length === 0 ? 'no valid claim was given, and nothing in the Composition needs it' : 'no given claim needs it'
