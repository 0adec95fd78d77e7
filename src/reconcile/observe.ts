import type { ComposedResource } from '../capabilities/capability.ts'
import type { Readiness } from '../capabilities/readiness.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { isBeingDeleted, type Manifest } from '../kubernetes/objects.ts'

/** Observed resources by their key. */
export type Observed = Readonly<Record<string, JsonObject>>

/** The state of an observed resource. */
export interface Observation {
  /** What Crossplane itself observes: the object, or the Object that carries it. */
  readonly outer: JsonObject
  /** The object; undefined until it is seen. */
  readonly object: JsonObject | undefined
  readonly isDeleted: boolean
  /** Why the object is not as the claim asks. */
  readonly failure?: (manifest: Manifest) => Readiness
}

export type Observe = (key: string) => Observation | undefined

export interface Wrappable {
  readonly resource: ComposedResource
  readonly manifest: Manifest
  /** Undefined for a resource that is new. */
  readonly observation: Observation | undefined
  /** Whether the manifest is read from the observed object, because the claim that it was built from is gone. */
  readonly isFrozen: boolean
}

/** How Crossplane composes objects: as they are, or each inside an Object of provider-kubernetes. */
export interface Carrier {
  readonly observe: (outer: JsonObject) => Observation
  readonly wrap: (built: Wrappable) => JsonObject
  /** Whether Crossplane can be asked for the objects: it knows nothing of those inside an Object. */
  readonly canAsk: boolean
  /** Whether a field that is set once and then left out stays as it is. */
  readonly keepsOmittedFields: boolean
}

export const native: Carrier = {
  observe: outer => ({ outer, object: outer, isDeleted: isBeingDeleted(outer) }),
  wrap: ({ manifest }) => manifest,
  canAsk: true,
  keepsOmittedFields: true,
}

export const observer =
  (observed: Observed, { observe }: Carrier): Observe =>
  key => {
    const outer = Object.hasOwn(observed, key) ? observed[key] : undefined
    return outer && observe(outer)
  }
