import { exists, metadata } from './parts.ts'
import type { ComposedResource } from './resource.ts'

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
