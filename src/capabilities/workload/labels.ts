import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'

export const NAME_LABEL = 'app.kubernetes.io/name'
export const selectorLabels = ({ name }: ResolvedClaim) => ({ [NAME_LABEL]: name })

/** Every object has these labels. */
const commonLabels = { 'app.kubernetes.io/component': 'event-driven-worker', 'app.kubernetes.io/managed-by': 'crossplane' }

const labels = (claim: ResolvedClaim) => ({ ...selectorLabels(claim), ...commonLabels })

export const metadata = (claim: ResolvedClaim, name: string, more: JsonObject = {}): Manifest['metadata'] => ({
  name,
  namespace: claim.namespace,
  ...more,
  labels: { ...labels(claim), ...(more.labels as JsonObject | undefined) },
})

/** The Deployment selects by the name label, so no Knative pod may have it while a claim changes its runtime. */
export const podLabels = (claim: ResolvedClaim) => (claim.runtime === 'Knative' ? commonLabels : labels(claim))
