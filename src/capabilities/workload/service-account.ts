import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Cloud } from '../../platform/platform.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { exists } from '../readiness.ts'
import { metadata } from './labels.ts'

const KIND = { apiVersion: 'v1', kind: 'ServiceAccount' } as const

export const serviceAccountKind: KindInfo = { ...KIND, plural: 'serviceaccounts' }

export const serviceAccount: ComposedResource = {
  key: 'serviceaccount',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name, identityAnnotation(claim)),
    automountServiceAccountToken: false,
  }),
  ready: exists,
}

/** Each cloud reads this annotation of the ServiceAccount. Its webhook or metadata server needs no Kubernetes token in the pod. */
export const identityAnnotations: Readonly<Record<Cloud, string>> = {
  GCP: 'iam.gke.io/gcp-service-account',
  AWS: 'eks.amazonaws.com/role-arn',
  Azure: 'azure.workload.identity/client-id',
}

function identityAnnotation({ identity, platform: { features } }: ResolvedClaim): JsonObject {
  return identity === undefined || features.identity === undefined
    ? {}
    : { annotations: { [identityAnnotations[features.identity]]: identity } }
}
