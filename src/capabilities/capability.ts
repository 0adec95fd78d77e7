import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import type { Json, JsonObject } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { Readiness } from './readiness.ts'

/** Which of the claim's conditions a resource counts for. */
export type Concern = 'Workload' | 'Scaling' | 'Eventing'

/** A part of a manifest that Kubernetes keeps as it was made. */
export interface ImmutableField {
  readonly path: readonly string[]
  /** What people call it. */
  readonly called: string
  /** What would be lost, and what to do instead. */
  readonly advice: (claim: ResolvedClaim) => string
  /** Whether the claim itself asks for the value: another default is no reason to complain. */
  readonly asked?: (claim: ResolvedClaim) => boolean
}

export interface ComposedResource {
  /** How Crossplane knows the resource. Never rename one: that deletes the object. */
  readonly key: string
  readonly concern: Concern
  /** The manifest, or undefined where this claim has no such resource. */
  readonly build: (claim: ResolvedClaim, birth: boolean, there: boolean) => Manifest | undefined
  /** Judges the resource as it is observed. */
  readonly ready: (observed: JsonObject, claim: ResolvedClaim) => Readiness
  /** The resource's own condition that means ready; none where being there is enough. */
  readonly readyCondition?: 'Ready' | 'Available'
  /** What can't be changed once the object is there. A claim that asks for it all the same is told so. */
  readonly immutable?: readonly ImmutableField[]
  /** The part of the claim's status that describes the resource. `before` is the image in the status so far. */
  readonly status?: (observed: JsonObject | undefined, claim: ResolvedClaim, before?: Json) => JsonObject
}

/** The object of a resource as it is observed, or undefined where it is not there. */
export type FindObserved = (resource: ComposedResource) => JsonObject | undefined
