import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { exists } from '../readiness.ts'
import { scalar } from '../summary.ts'
import { metadata, selectorLabels } from '../workload/labels.ts'

const KIND = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const

export const podDisruptionBudgetKind: KindInfo = {
  ...KIND,
  plural: 'poddisruptionbudgets',
  summarize: ({ spec }) => [`at most ${scalar(at(spec, 'maxUnavailable'))} evicted at once`],
}

/** https://kubernetes.io/docs/tasks/run-application/configure-pdb/ */
export const podDisruptionBudget: ComposedResource = {
  key: 'poddisruptionbudget',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      // Never minAvailable: with one replica, or none, it would block the drain of a node.
      maxUnavailable: '25%',
      // A pod that is not ready does no work, so it must not block a drain either.
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: podsOf(claim) },
    },
  }),
  ready: exists,
  // Kubernetes refuses both bounds, and server-side apply would keep theirs.
  conflict: ({ metadata: { name, namespace } }, foreign) =>
    at(foreign, 'spec', 'minAvailable') === undefined
      ? undefined
      : `It has minAvailable, which excludes the claim's maxUnavailable. Delete it: kubectl -n ${namespace} delete poddisruptionbudget ${name}`,
}

const podsOf = (claim: ResolvedClaim) =>
  claim.runtime === 'Knative' ? { 'serving.knative.dev/service': claim.name } : selectorLabels(claim)
