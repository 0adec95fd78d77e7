// A cluster may lack the kinds of a product. Asked for an object of a kind that is unknown, or told to create one, Crossplane
// applies nothing of the claim: docs/adr/0012-skip-resources-with-missing-crds.md
import type { OwnedResource } from '../capabilities/capability.ts'
import { findKind } from '../capabilities/index.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { ClusterLookup } from './cluster-lookup.ts'

type Kind = Pick<Manifest, 'apiVersion' | 'kind'>

export const kindKey = ({ apiVersion, kind }: Kind): string => `${kind}.${apiVersion}`

/** What brings the kind of a manifest; undefined for one of Kubernetes' own. */
export const productOf = ({ kinds }: OwnedResource, manifest: Manifest): string | undefined => findKind(manifest, kinds)?.product

/** Whether the cluster knows the kind of a resource; undefined until Crossplane has said so. */
export function isKindKnown(
  { canAskKinds, existing, kinds }: ClusterLookup,
  resource: OwnedResource,
  manifest: Manifest,
): boolean | undefined {
  // Crossplane answers for a name only if the kind is known.
  if (!canAskKinds || Object.hasOwn(existing, resource.key) || productOf(resource, manifest) === undefined) return true
  const name = kindKey(manifest)
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined
}

export function missingCrd(resource: OwnedResource, manifest: Manifest): Readiness {
  const { apiVersion, kind, metadata } = manifest
  const crd = `${findKind(manifest, resource.kinds)?.plural}.${apiVersion.split('/')[0]}`
  return notReady(
    'KindUnknown',
    `${kind} ${metadata.name} can't be made, as the cluster does not know this kind of ${apiVersion}: the platform team has to install ${productOf(resource, manifest)}, or, where the kind is there by now, to have Crossplane look again: kubectl annotate crd ${crd} --overwrite seen=$(date +%s). The rest of the claim does not wait for it.`,
  )
}
