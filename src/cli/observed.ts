// Matches manifests to the resources of a claim, instead of reading the objects in a cluster.
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Composed } from '../reconcile/compose.ts'
import type { Observed } from '../reconcile/observe.ts'

export const KEY_ANNOTATION = 'crossplane.io/composition-resource-name'

/** The manifests that match a resource of the claim, by resource key. */
export function observedOf(
  claim: Pick<ResolvedClaim, 'name' | 'namespace'>,
  resources: readonly Composed[],
  manifests: readonly JsonObject[],
): Observed {
  const found = manifests.flatMap((manifest): [string, JsonObject][] => {
    const key = annotatedKey(claim, manifest) ?? resources.find(resource => isSame(innerManifest(manifest), resource.manifest))?.key
    return key === undefined ? [] : [[key, manifest]]
  })
  return Object.fromEntries(found)
}

/** Crossplane labels each resource with its key and its claim, or with its composite if there is no claim. */
function annotatedKey({ name, namespace }: Pick<ResolvedClaim, 'name' | 'namespace'>, manifest: JsonObject): string | undefined {
  const label = (field: string) => at(manifest, 'metadata', 'labels', `crossplane.io/${field}`)
  const key = at(manifest, 'metadata', 'annotations', KEY_ANNOTATION)
  const owner = label('claim-name') ?? label('composite') ?? name
  const home = label('claim-namespace') ?? at(manifest, 'metadata', 'namespace') ?? namespace
  return owner === name && home === namespace && typeof key === 'string' ? key : undefined
}

/** The path of the manifest inside an Object of provider-kubernetes. */
export const INNER_MANIFEST = ['spec', 'forProvider', 'manifest'] as const

/** The manifest inside an Object of provider-kubernetes, or the manifest itself. */
export function innerManifest(manifest: JsonObject): JsonObject {
  const inner = at(manifest, ...INNER_MANIFEST)
  return manifest.kind === 'Object' && isObject(inner) ? inner : manifest
}

const group = (apiVersion: Json | undefined) => textOf(apiVersion).split('/').slice(0, -1).join('/')

/** Ignores the version because the API server serves each object in all of them. */
export function isSame(observed: JsonObject, composed: JsonObject): boolean {
  const field = (name: string) => at(observed, 'metadata', name)
  return (
    observed.kind === composed.kind &&
    group(observed.apiVersion) === group(composed.apiVersion) &&
    field('name') === at(composed, 'metadata', 'name') &&
    (field('namespace') ?? at(composed, 'metadata', 'namespace')) === at(composed, 'metadata', 'namespace')
  )
}
