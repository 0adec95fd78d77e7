import type { Lifecycle, OwnedResource } from '../capabilities/capability.ts'
import { freeze } from '../capabilities/freeze.ts'
import { beingDeleted, inProgress, type Readiness } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { ClusterLookup } from './cluster-lookup.ts'
import { keepImmutableFields } from './immutable-fields.ts'
import { foreignObject } from './name-conflicts.ts'
import type { Carrier, Observation, Observe, Wrappable } from './observe.ts'
import type { SwitchPlan } from './runtime-switch.ts'

export interface Built extends Wrappable {
  readonly resource: OwnedResource
  readonly readiness: Readiness
}

/** A manifest for each resource of the claim, with the readiness of the observed object. */
export const buildResources = (
  claim: ResolvedClaim,
  { resources, postponed }: SwitchPlan,
  observe: Observe,
  lookup: ClusterLookup,
  carrier: Carrier,
): Built[] =>
  resources.flatMap(resource => {
    if (resource.key === postponed) return []
    const observation = observe(resource.key)
    const foreign = observation ? undefined : foreignObject(resource.key, lookup)
    const wanted = resource.build(claim, lifecycleOf(observation, foreign, carrier))
    if (wanted === undefined) return []
    const current = observation?.object ?? foreign
    const { manifest, refused } = current ? keepImmutableFields(resource, wanted, current, claim) : { manifest: wanted, refused: undefined }
    const readiness = refused && !observation?.isDeleted ? refused : readinessOf(resource, manifest, observation, claim)
    return [{ resource, manifest, readiness, observation, isFrozen: false }]
  })

function lifecycleOf(observation: Observation | undefined, foreign: JsonObject | undefined, { keepsOmittedFields }: Carrier): Lifecycle {
  if (observation) return observation.isDeleted ? 'adopted' : 'existing'
  return foreign || !keepsOmittedFields ? 'adopted' : 'new'
}

function readinessOf(resource: OwnedResource, manifest: Manifest, observation: Observation | undefined, claim: ResolvedClaim): Readiness {
  if (observation?.isDeleted) return beingDeleted(manifest)
  if (observation?.failure) return observation.failure(manifest)
  return observation?.object ? resource.ready(observation.object, claim) : notCreated(manifest)
}

const notCreated = ({ kind, metadata }: Manifest): Readiness =>
  inProgress(
    'Creating',
    `${kind} ${metadata.name} does not exist yet. If this message persists, the events of the composite resource say why Crossplane can't create it.`,
  )

/** Resources of the old runtime that stay as they are for now. */
export const buildFrozen = ({ frozen }: SwitchPlan, observe: Observe): Built[] =>
  frozen.flatMap(({ resource, readiness }) => {
    const observation = observe(resource.key)
    const object = observation?.object
    return object ? [{ resource, manifest: freeze(object, resource), readiness, observation, isFrozen: true }] : []
  })
