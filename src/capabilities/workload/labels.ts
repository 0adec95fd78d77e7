import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { meshAnnotations, meshLabels } from './mesh-pod.ts'
import { prometheusAnnotations, tracingAnnotations } from './metrics.ts'

export const NAME_LABEL = 'app.kubernetes.io/name'
export const selectorLabels = ({ name }: ResolvedClaim) => ({ [NAME_LABEL]: name })

/** Every object has these labels. */
const commonLabels = { 'app.kubernetes.io/component': 'event-driven-worker', 'app.kubernetes.io/managed-by': 'crossplane' }

/** None of the claim's own labels has a name of ours: see propagatedLabels. */
const labels = (claim: ResolvedClaim) => ({ [NAME_LABEL]: claim.name, ...commonLabels, ...claim.labels })

export const metadata = (claim: ResolvedClaim, name: string, more: JsonObject = {}): Manifest['metadata'] => ({
  name,
  namespace: claim.namespace,
  ...more,
  labels: { ...labels(claim), ...(more.labels as JsonObject | undefined) },
})

/** The metadata of the pods, for every runtime. */
export function podMetadata(claim: ResolvedClaim, ownAnnotations: JsonObject = {}): JsonObject {
  const annotations = {
    ...prometheusAnnotations(claim),
    ...tracingAnnotations(claim),
    ...meshAnnotations(claim),
    ...commitAnnotation(claim),
    ...ownAnnotations,
  }
  return { labels: podLabels(claim), ...(Object.keys(annotations).length > 0 && { annotations }) }
}

/** The commit that the pods run. Their image has the digest. */
const commitAnnotation = ({ commit }: ResolvedClaim): JsonObject =>
  commit === undefined ? {} : { 'platform.bizmatters.io/commit': commit }

/** The Deployment selects by the name label, so no Knative pod may have it while a claim changes its runtime. */
const podLabels = (claim: ResolvedClaim) => ({
  ...(claim.runtime === 'Knative' ? { ...commonLabels, ...claim.labels } : labels(claim)),
  'app.kubernetes.io/version': versionLabel(claim),
  // https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
  ...(claim.identity !== undefined && claim.platform.features.identity === 'Azure' && { 'azure.workload.identity/use': 'true' }),
  ...meshLabels(claim),
})

/** The tag of the image, else its digest. */
export function imageVersion({ image }: Pick<ResolvedClaim, 'image'>): string {
  const [name = '', digest] = image.split('@')
  return /:([^:/]+)$/.exec(name)?.[1] ?? digest ?? 'latest'
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LABEL_VALUE = /[A-Za-z0-9](?:[-._A-Za-z0-9]{0,61}[A-Za-z0-9])?/

/** Kubernetes allows 63 characters, no colon, and no separator at either end. */
const versionLabel = (claim: ResolvedClaim) => LABEL_VALUE.exec(imageVersion(claim).replace(':', '-'))?.[0] ?? ''
