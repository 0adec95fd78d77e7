// Crossplane 1 composes cluster-scoped resources only: there each resource travels inside an Object of provider-kubernetes.

import type { ComposedResource } from '../capabilities/capability.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { at, isObject, type JsonObject } from '../kubernetes/json.ts'
import { isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import type { Carrier } from './observe.ts'

export const providerKubernetes = (platform: Platform): Carrier => ({
  observe: outer => {
    const object = unwrapObject(outer)
    const failure = syncFailure(outer)
    return { outer, object, isDeleted: [outer, object].some(one => one && isBeingDeleted(one)), ...(failure && { failure }) }
  },
  wrap: ({ resource, manifest, observation, isFrozen }) =>
    isFrozen && observation ? freezeObject(observation.outer) : wrapInObject(manifest, resource, platform),
  canAsk: false,
  // Its three-way merge removes a field that is no longer set.
  keepsOmittedFields: false,
})

/** Why the provider can't apply the manifest in an Object. */
function syncFailure(outer: JsonObject): ((manifest: Manifest) => Readiness) | undefined {
  const synced = observedCondition(outer, 'Synced')
  if (synced?.status !== 'False') return undefined
  return ({ kind, metadata }) =>
    notReady(synced.reason || 'NotSynced', `provider-kubernetes can't apply ${kind} ${metadata.name}: ${synced.message}`)
}

/** The Object has no name of its own: Crossplane gives it one that is unique in the cluster. */
export const wrapInObject = (manifest: Manifest, { readyCondition }: ComposedResource, { providerConfig }: Platform): JsonObject => ({
  apiVersion: 'kubernetes.crossplane.io/v1alpha2',
  kind: 'Object',
  spec: {
    forProvider: { manifest },
    readiness: readinessPolicy(readyCondition),
    providerConfigRef: { name: providerConfig },
    // Without it, the provider polls a ready Object every ten minutes. Needs the provider's flag --enable-watches.
    watch: true,
  },
})

function readinessPolicy(type: ComposedResource['readyCondition']): JsonObject {
  switch (type) {
    case undefined:
      return { policy: 'SuccessfulCreate' }
    case 'Ready':
      return { policy: 'DeriveFromObject' }
    case 'Available':
      return {
        policy: 'DeriveFromCelQuery',
        celQuery: `has(object.status.conditions) && object.status.conditions.exists(c, c.type == "${type}" && c.status == "True")`,
      }
    default:
      return type satisfies never
  }
}

/** The object inside an observed Object, once the provider has seen it. */
export function unwrapObject(observed: JsonObject): JsonObject | undefined {
  const manifest = at(observed, 'status', 'atProvider', 'manifest')
  return isObject(manifest) ? manifest : undefined
}

/** The Object as Crossplane applied it last. */
const freezeObject = ({ apiVersion, kind, spec }: JsonObject): JsonObject => ({ apiVersion, kind, spec })
