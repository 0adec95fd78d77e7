import type { ResolvedClaim } from '../../claim/resolved-claim.ts'

/** The key of the resource that owns the replica count of a Deployment. */
export const SCALER_KEY = 'scaledobject'

export const scaledObjectName = ({ name }: Pick<ResolvedClaim, 'name'>): string => `${name}-scaler`
