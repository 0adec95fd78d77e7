import type { Claim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'

export const NAME_LABEL = 'app.kubernetes.io/name'
export const selector = ({ name }: Claim) => ({ [NAME_LABEL]: name })

/** What every object of ours says of itself. */
const common = { 'app.kubernetes.io/component': 'event-driven-worker', 'app.kubernetes.io/managed-by': 'crossplane' }

const labels = (claim: Claim) => ({ ...selector(claim), ...common })

export const metadata = (claim: Claim, name: string, more: JsonObject = {}): Manifest['metadata'] => ({
  name,
  namespace: claim.namespace,
  ...more,
  labels: { ...labels(claim), ...(more.labels as JsonObject | undefined) },
})

/** The name is what the Deployment selects by, so while a claim changes its runtime no pod of Knative's may bear it. */
export const podLabels = (claim: Claim) => (claim.runtime === 'Knative' ? common : labels(claim))
