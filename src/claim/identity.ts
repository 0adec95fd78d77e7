// The name and namespace of the service, read from a claim, from the composite that Crossplane created for it, or from a
// namespaced composite.

import { at, isObject, type JsonObject, nonEmptyText } from '../kubernetes/json.ts'
import { crossplaneFields } from './crossplane-fields.ts'
import type { Finding } from './findings.ts'

export const KIND = 'EventDrivenService'
export const COMPOSITE_KIND = 'XEventDrivenService'

export interface Identity {
  readonly name: string | undefined
  readonly namespace: string | undefined
}

export function identify(composite: JsonObject): Identity {
  const label = (name: string) => nonEmptyText(at(composite, 'metadata', 'labels', `crossplane.io/${name}`))
  return {
    name: nonEmptyText(at(composite, 'spec', 'claimRef', 'name')) ?? label('claim-name') ?? nonEmptyText(at(composite, 'metadata', 'name')),
    namespace:
      nonEmptyText(at(composite, 'metadata', 'namespace')) ??
      nonEmptyText(at(composite, 'spec', 'claimRef', 'namespace')) ??
      label('claim-namespace'),
  }
}

/** A claim as its author wrote it, whatever form it arrived in, so that one schema validates all forms. */
export interface IdentifiedClaim {
  readonly identity: Identity
  readonly document: JsonObject
  readonly labels: JsonObject
}

export function identifyClaim(composite: JsonObject): IdentifiedClaim {
  const identity = identify(composite)
  const { name, namespace } = identity
  const spec = at(composite, 'spec')
  const document = {
    apiVersion: at(composite, 'apiVersion'),
    kind: KIND,
    metadata: { ...(name && { name }), ...(namespace && { namespace }) },
    spec: isObject(spec) ? Object.fromEntries(Object.entries(spec).filter(([field]) => !Object.hasOwn(crossplaneFields, field))) : spec,
  }
  const labels = at(composite, 'metadata', 'labels')
  return { identity, document, labels: isObject(labels) ? labels : {} }
}

/** Resources need a namespace. A claim in a file may leave it out, one in a cluster may not. The schema checks the name. */
export function missingIdentity({ namespace }: Identity): Finding[] {
  if (namespace !== undefined) return []
  const problem = 'required: a composite must have a claim (spec.claimRef) or its own namespace, in which its resources are created'
  return [{ code: 'NO_NAMESPACE', path: ['metadata', 'namespace'], problem }]
}
