// A claim asks for a change that Kubernetes can't make: what is there stays, and the claim says so. Applied, the change
// would be refused again and again and stop everything else that the claim asks for. docs/adr/0011-what-cannot-change.md

import type { ComposedResource } from '../capabilities/capability.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import type { Claim } from '../claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'

export interface Held {
  readonly manifest: Manifest
  /** What could not be changed, and what to do. */
  readonly refused?: Readiness
}

export function hold({ immutable = [] }: ComposedResource, wanted: Manifest, observed: JsonObject, claim: Claim): Held {
  let held: Held = { manifest: wanted }
  for (const { path, called, advice, asked } of immutable) {
    const was = at(observed, ...path)
    const wish = at(wanted, ...path)
    if (typeof was !== 'string' || was === wish) continue
    const message = `${wanted.kind} ${textOf(at(observed, 'metadata', 'name'))} keeps its ${called} '${was}', which can't be changed to '${textOf(wish)}'. ${advice(claim)}`
    const refused = held.refused ?? (asked === undefined || asked(claim) ? notReady('Immutable', message) : undefined)
    held = { manifest: put(held.manifest, path, was) as Manifest, ...(refused && { refused }) }
  }
  return held
}

function put(object: JsonObject, [step = '', ...rest]: readonly string[], value: Json): JsonObject {
  const below = object[step]
  return { ...object, [step]: rest.length === 0 ? value : put(isObject(below) ? below : {}, rest, value) }
}
