import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'

/** A pod that asks for a sidecar belongs into the mesh. Without a policy of its own, it takes plain text too. */
export function meshOf(workload: JsonObject, { mesh }: Platform): Json | undefined {
  const metadata = at(workload, 'spec', 'template', 'metadata')
  const isInjected =
    at(metadata, 'labels', 'sidecar.istio.io/inject') === 'true' ||
    at(metadata, 'labels', 'istio.io/rev') !== undefined ||
    at(metadata, 'annotations', 'sidecar.istio.io/inject') === 'true'
  return mesh !== undefined && isInjected ? { mtls: 'PERMISSIVE' } : undefined
}
