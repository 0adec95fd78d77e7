import type { ComposedResource, KindInfo } from '../capability.ts'
import { exists } from '../readiness.ts'
import { metadata } from './labels.ts'

const KIND = { apiVersion: 'v1', kind: 'ServiceAccount' } as const

export const serviceAccountKind: KindInfo = { ...KIND, plural: 'serviceaccounts' }

export const serviceAccount: ComposedResource = {
  key: 'serviceaccount',
  build: claim => ({
    ...KIND,
    metadata: metadata(claim, claim.name),
    automountServiceAccountToken: false,
  }),
  ready: exists,
}
