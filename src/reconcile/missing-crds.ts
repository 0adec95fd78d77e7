// If a CRD is missing, Crossplane applies nothing of a claim that needs it: docs/adr/0012-skip-resources-with-missing-crds.md
import type { OwnedResource } from '../capabilities/capability.ts'
import { findKind } from '../capabilities/index.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { ClusterLookup } from './cluster-lookup.ts'

type Kind = Pick<Manifest, 'apiVersion' | 'kind'>

export const kindKey = ({ apiVersion, kind }: Kind): string => `${kind}.${apiVersion}`

/** The product that brings the kind; undefined for a built-in kind. */
export const productOf = ({ kinds }: OwnedResource, manifest: Manifest): string | undefined => findKind(manifest, kinds)?.product

/** Whether the cluster has the kind of a resource; undefined until Crossplane has answered. */
export function isKindKnown(
  { canAskKinds, existing, kinds }: ClusterLookup,
  resource: OwnedResource,
  manifest: Manifest,
): boolean | undefined {
  // Crossplane answers for a name only if the CRD exists.
  if (!canAskKinds || Object.hasOwn(existing, resource.key) || productOf(resource, manifest) === undefined) return true
  const name = kindKey(manifest)
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined
}

export function missingCrd(resource: OwnedResource, manifest: Manifest): Readiness {
  const { apiVersion, kind, metadata } = manifest
  const crd = `${findKind(manifest, resource.kinds)?.plural}.${apiVersion.split('/')[0]}`
  return notReady(
    'KindUnknown',
    `${kind} ${metadata.name} can't be created: the cluster has no CRD for ${kind} ${apiVersion}. Ask the platform team to install ${productOf(resource, manifest)}. If it is installed, make Crossplane refresh: kubectl annotate crd ${crd} --overwrite seen=$(date +%s). The rest of the claim does not wait for it.`,
  )
}
