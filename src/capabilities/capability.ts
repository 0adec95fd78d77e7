// The contract of a capability. Conditions, roles, messages about missing CRDs, doctor's access checks and summaries follow from it.
import type { Finding } from '../claim/findings.ts'
import type { EventDrivenServiceSpec, EventDrivenServiceStatus } from '../claim/generated/types.ts'
import type { Labels, ResolvedClaim } from '../claim/resolved-claim.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { Platform } from '../platform/platform.ts'
import type { Address } from './address.ts'
import type { Readiness } from './readiness.ts'

export interface Capability<Resolved = unknown> {
  /** Its folder. */
  readonly name: string
  /** `Mesh` makes the condition MeshReady. Capabilities may share one. */
  readonly condition: string
  readonly role: Role
  /** Whether nearly every claim of this platform needs it: doctor then examines it even if no claim is named. */
  readonly isUsual?: (platform: Platform) => boolean
  /** Whether its resources exist before the image of the workload is built. */
  readonly precedesImage?: true
  readonly kinds: readonly KindInfo[]
  /** The fields of the claim that the capability needs; undefined if the claim does not ask for it. */
  readonly resolve: (claim: ResolvedClaim) => Resolved | undefined
  /** Checks that neither the schema nor CEL can express. `spec` has the fields that both accepted. */
  readonly check?: (spec: Partial<EventDrivenServiceSpec>, name: string, platform: Platform, namespace?: string) => readonly Finding[]
  /** The resources of the claim. Each knows `resolved` and `context` by closure, because `build` is only given the claim. */
  resources(resolved: Resolved, claim: ResolvedClaim, context: Context): readonly ComposedResource[]
}

/** A ClusterRole for Crossplane, so that a platform without a product allows nothing of it. Capabilities may share one. */
export interface Role {
  /** Its file in package/runtime/rbac. */
  readonly name: string
  /** Which claims need it, and for what. */
  readonly purpose: string
}

export interface KindInfo {
  readonly apiVersion: string
  readonly kind: string
  /** Written out: https://kubernetes.io/docs/reference/using-api/api-concepts/#standard-api-terminology has no rule for it. */
  readonly plural: string
  /** The product that brings the kind; none for a kind of Kubernetes itself. */
  readonly product?: string
  /** A few words on the essence of a manifest. */
  readonly summarize?: (manifest: JsonObject) => readonly (string | undefined)[]
}

export interface Context {
  readonly findObserved: FindObserved
  /** The address at which events reach the workload. */
  readonly address: Address
}

/** The observed object of a resource, or the foreign object that the claim will adopt; undefined if neither exists. */
export type FindObserved = (resource: { readonly key: string }) => JsonObject | undefined

/**
 * `new`: nothing has the name yet, so this is the only time to set what others decide later.
 * `adopted`: a foreign object has the name, or ours is being deleted. Through provider-kubernetes every resource that is not
 * observed yet counts as adopted, because a field that is set only once would be removed later.
 * `existing`: the object is ours.
 */
export type Lifecycle = 'new' | 'adopted' | 'existing'

export interface ComposedResource {
  /** How Crossplane knows the resource. Never rename one: that deletes the object. */
  readonly key: string
  /** The manifest, or undefined if this claim has no such resource. Every call builds it, so no literal begins with a spread: see `own`. */
  readonly build: (claim: ResolvedClaim, lifecycle: Lifecycle) => Manifest | undefined
  readonly ready: (observed: JsonObject, claim: ResolvedClaim) => Readiness
  /** The resource's own condition that means ready; none if it is ready as soon as it exists. */
  readonly readyCondition?: 'Ready' | 'Available'
  /** Fields that Kubernetes refuses to change. A claim that asks for a change says so. */
  readonly immutable?: readonly ImmutableField[]
  /** The part of the claim's status that describes the resource. */
  readonly status?: (observed: JsonObject | undefined, claim: ResolvedClaim, previous: EventDrivenServiceStatus) => EventDrivenServiceStatus
  /**
   * The labels of the pods that may say why the observed object is not ready; undefined if they can't, or if they are too many.
   * docs/adr/0017-reasons-from-pods.md
   */
  readonly podLabels?: (observed: JsonObject, claim: ResolvedClaim) => Labels | undefined
  /** Why the claim can't take over a foreign object, and what to do first. */
  readonly conflict?: (manifest: Manifest, foreign: JsonObject, claim: ResolvedClaim) => string | undefined
  /** Whether a foreign object disappears by itself once the other runtime is deleted. */
  readonly isLeftByOtherRuntime?: (foreign: JsonObject, claim: ResolvedClaim) => boolean
  /** How a manifest is read from the observed object: without fields that others own, with annotations that the claim renders. */
  readonly freeze?: { readonly omit?: (observed: JsonObject) => readonly string[]; readonly annotations?: (name: string) => boolean }
  /** The target of an object's events, as one string to compare. A change of runtime reroutes every resource with a target. */
  readonly target?: (object: JsonObject) => string
}

export interface ImmutableField {
  readonly path: readonly string[]
  /** Its name in messages. */
  readonly called: string
  /** Names the loss that a change would cause, and what to do instead. */
  readonly advice: (claim: ResolvedClaim) => string
  /** Whether the claim itself asks for the value: a changed default is no reason to complain. */
  readonly asked?: (claim: ResolvedClaim) => boolean
}

/** A resource with what its capability knows. */
export interface OwnedResource extends ComposedResource {
  readonly condition: string
  /** The name of the role that lets Crossplane manage it. */
  readonly role: string
  readonly kinds: readonly KindInfo[]
}

/** The parts of a runtime, for a change of runtime. */
export interface RuntimeParts<Resource extends ComposedResource = ComposedResource> {
  readonly noun: string
  /** The workload behind the entry points; undefined if they run it themselves. */
  readonly backend?: Resource
  /** The resource that creates a Service of the claim's name. */
  readonly entryPoint: Resource
  /** Serves under another name while the other runtime's Service has the claim's name. */
  readonly standIn: Resource
  /** Everything else that is deleted with the runtime. */
  readonly others: readonly Resource[]
  readonly address: (claim: ResolvedClaim, host?: string) => Address
}
