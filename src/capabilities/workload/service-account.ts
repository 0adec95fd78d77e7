import type { ComposedResource } from '../capability.ts'
import { exists } from '../readiness.ts'
import { metadata } from './labels.ts'

export const serviceAccount: ComposedResource = {
  key: 'serviceaccount',
  concern: 'Workload',
  build: claim => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(claim, claim.name),
    automountServiceAccountToken: false,
  }),
  ready: exists,
}
