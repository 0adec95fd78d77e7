import { identityAnnotations } from '../capabilities/workload/service-account.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'

/** The identity in the platform's cloud; undefined if the account has none there. */
export const identityOf = (serviceAccount: JsonObject | undefined, { features }: Platform): Json | undefined =>
  features.identity && at(serviceAccount, 'metadata', 'annotations', identityAnnotations[features.identity])

/** The ServiceAccount of a workload's pods, if it is its own. */
export function accountOf(workload: JsonObject, manifests: readonly JsonObject[]): JsonObject | undefined {
  const name = at(workload, 'spec', 'template', 'spec', 'serviceAccountName') ?? 'default'
  return manifests.find(manifest => manifest.kind === 'ServiceAccount' && at(manifest, 'metadata', 'name') === name && name !== 'default')
}
