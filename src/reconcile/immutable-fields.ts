// If a claim changes an immutable field, the object keeps its value and the claim reports it. Kubernetes would refuse the
// change again and again, and Crossplane would apply nothing else: docs/adr/0011-keep-immutable-eventing-objects.md

import type { ComposedResource } from '../capabilities/capability.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'

export interface WithImmutableFields {
  readonly manifest: Manifest
  /** What could not be changed, and what to do. */
  readonly refused?: Readiness
}

export function keepImmutableFields(
  { immutable = [] }: ComposedResource,
  wanted: Manifest,
  observed: JsonObject,
  claim: ResolvedClaim,
): WithImmutableFields {
  let kept: WithImmutableFields = { manifest: wanted }
  for (const { path, called, advice, asked } of immutable) {
    const was = at(observed, ...path)
    const now = at(wanted, ...path)
    if (typeof was !== 'string' || was === now) continue
    const message = `${wanted.kind} ${textOf(at(observed, 'metadata', 'name'))} keeps its ${called} '${was}', which can't be changed to '${textOf(now)}'. ${advice(claim)}`
    const refused = kept.refused ?? (asked === undefined || asked(claim) ? notReady('Immutable', message) : undefined)
    kept = { manifest: withValueAt(kept.manifest, path, was) as Manifest, ...(refused && { refused }) }
  }
  return kept
}

function withValueAt(object: JsonObject, [step = '', ...rest]: readonly string[], value: Json): JsonObject {
  const below = object[step]
  return { ...object, [step]: rest.length === 0 ? value : withValueAt(isObject(below) ? below : {}, rest, value) }
}
