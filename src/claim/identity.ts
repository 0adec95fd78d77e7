// What the service is called and where it lives. The same claim is seen as itself, as the composite that Crossplane made
// for it, or as a namespaced composite.

import { at, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import { crossplaneFields } from './crossplane-fields.ts'
import type { Finding } from './findings.ts'

export const KIND = 'EventDrivenService'
export const COMPOSITE_KIND = 'XEventDrivenService'

export interface Identity {
  readonly name: string | undefined
  readonly namespace: string | undefined
}

const nonEmptyText = (value: Json | undefined) => (typeof value === 'string' && value !== '' ? value : undefined)

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

/** A claim as its author wrote it, whatever it arrived as, so that one schema judges it everywhere. */
export interface IdentifiedClaim {
  readonly identity: Identity
  readonly document: JsonObject
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
  return { identity, document }
}

/** Without a namespace there is nowhere to compose. A claim in a file may leave it open, one in a cluster never; the name is the schema's to ask for. */
export function missingIdentity({ namespace }: Identity): Finding[] {
  if (namespace !== undefined) return []
  const problem = 'required: a composite needs a claim (spec.claimRef) or a namespace of its own to say where its resources go'
  return [{ code: 'NO_NAMESPACE', path: ['metadata', 'namespace'], problem }]
}
