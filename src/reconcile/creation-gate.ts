// Holds back new resources: with a taken name, Crossplane would take over a foreign object; with a missing CRD or permission, it
// would apply nothing. docs/adr/0007-adopt-only-by-annotation.md, docs/adr/0012-skip-resources-with-missing-crds.md,
// docs/adr/0015-leave-out-forbidden-kinds.md
import { WORKLOAD } from '../capabilities/index.ts'
import { inProgress, type Readiness } from '../capabilities/readiness.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import type { Manifest } from '../kubernetes/objects.ts'
import type { Built } from './build.ts'
import { type ClusterLookup, wasAsked } from './cluster-lookup.ts'
import { typeOf } from './conditions.ts'
import { forbidden, forbiddenBy, type Source } from './forbidden-kinds.ts'
import { isKindKnown, kindKey, missingCrd, productOf } from './missing-crds.ts'
import { foreignObject, nameConflict, pendingDeletion } from './name-conflicts.ts'

export interface CreationGate {
  /** Whether a resource may be applied now. */
  readonly isOpen: (built: Built) => boolean
  /** Why new resources are held back, and the step of a change of runtime, each with its condition. */
  readonly blocks: readonly Block[]
  readonly waits: boolean
  readonly nameQueries: readonly { readonly key: string; readonly manifest: Manifest }[]
  readonly kindQueries: readonly Manifest[]
  readonly forbiddenKinds: readonly ForbiddenKind[]
}

/** A kind that is left out because Crossplane may not manage it. */
export interface ForbiddenKind {
  readonly kind: string
  readonly source: Source
}

interface Block {
  readonly condition: string
  readonly readiness: Readiness
}

export function gateCreation(
  built: readonly Built[],
  claim: ResolvedClaim,
  lookup: ClusterLookup,
  switching: Readiness | undefined,
): CreationGate {
  const absent = lookup.canAsk ? built.filter(({ observation }) => observation === undefined) : []
  const leftOut = absent.flatMap(built => {
    const source = forbiddenBy(built, lookup)
    return source === undefined ? [] : [{ built, source }]
  })
  const isLeftOut = (one: Built) => leftOut.some(({ built }) => built === one)
  const later = absent.filter(one => !isLeftOut(one) && isAskedLater(one, lookup))
  const created = absent.filter(one => !isLeftOut(one) && !later.includes(one))
  const isKnown = ({ resource, manifest }: Built) => isKindKnown(lookup, resource, manifest)
  const missing = created.filter(one => isKnown(one) === false)
  const clashes = clashesOf(created, lookup, claim, switching !== undefined)
  const asking =
    clashes.some(isWorkload) || created.every(one => isAnswered(one, lookup)) ? [] : [{ condition: WORKLOAD, readiness: ASKING }]
  const held = [...clashes, ...asking]
  const isHeld = ({ resource }: Built) => held.some(block => isWorkload(block) || block.condition === resource.condition)
  return {
    isOpen: one => !absent.includes(one) || (created.includes(one) && !isHeld(one) && !missing.includes(one)),
    blocks: [
      ...forbiddenBlocks(leftOut.map(({ built }) => built)),
      ...missing.map(({ resource, manifest }) => ({ condition: resource.condition, readiness: missingCrd(resource, manifest) })),
      ...withSwitching(held, switching),
      ...later.map(({ resource: { condition }, readiness }) => ({ condition, readiness })),
    ],
    waits: clashes.some(isWait) || later.length > 0,
    nameQueries: created.filter(isKnown).map(({ resource: { key }, manifest }) => ({ key, manifest })),
    kindQueries: lookup.canAskKinds ? kindQueriesFor(created) : [],
    forbiddenKinds: leftOut.map(({ built: { manifest }, source }) => ({ kind: kindKey(manifest), source })),
  }
}

/**
 * Whether the rest of the claim is applied first: Crossplane would keep the whole claim waiting for the name of a kind that it may
 * not read. Nobody knows whether it may before it was asked.
 */
function isAskedLater({ resource: { key, condition }, manifest }: Built, lookup: ClusterLookup): boolean {
  const { access, composite } = lookup
  const kind = kindKey(manifest)
  if (access === undefined || access.has(kind) || wasAsked(lookup, key, kind) || condition === WORKLOAD) return false
  return observedCondition(composite, typeOf(condition)) === undefined
}

function forbiddenBlocks(leftOut: readonly Built[]): Block[] {
  const conditions = [...new Set(leftOut.map(({ resource }) => resource.condition))]
  return conditions.map(condition => ({
    condition,
    readiness: forbidden(leftOut.filter(({ resource }) => resource.condition === condition)),
  }))
}

const isWorkload = ({ condition }: Block) => condition === WORKLOAD
const isWait = ({ readiness }: Block) => readiness.reason === 'Waiting'

/** For each condition the first taken name, else the first name that is about to become free. */
function clashesOf(created: readonly Built[], lookup: ClusterLookup, claim: ResolvedClaim, isSwitching: boolean): Block[] {
  const found = created.flatMap(({ resource, manifest }): Block[] => {
    const object = foreignObject(resource.key, lookup)
    const readiness =
      pendingDeletion(resource, manifest, lookup, claim, isSwitching) ?? (object && nameConflict(resource, manifest, object, lookup, claim))
    return readiness ? [{ condition: resource.condition, readiness }] : []
  })
  return [...new Set(found.map(({ condition }) => condition))].flatMap(condition => {
    const own = found.filter(block => block.condition === condition)
    return own.find(block => !isWait(block)) ?? own[0] ?? []
  })
}

const isAnswered = ({ resource, manifest }: Built, lookup: ClusterLookup) =>
  Object.hasOwn(lookup.existing, resource.key) || isKindKnown(lookup, resource, manifest) === false

const ASKING = inProgress(
  'Creating',
  'Crossplane is checking whether the names of the resources are free. If this message persists, Crossplane is older than 2.0: set composeAs: ProviderKubernetes in the Composition.',
)

/** During a change of runtime a deletion is part of the plan, so the change explains it best. */
function withSwitching(held: readonly Block[], switching: Readiness | undefined): readonly Block[] {
  if (switching === undefined) return held
  const block = { condition: WORKLOAD, readiness: switching }
  return held.some(one => isWorkload(one) && !isWait(one)) ? [...held, block] : [block, ...held]
}

const kindQueriesFor = (created: readonly Built[]): readonly Manifest[] => [
  ...new Map(
    created
      .filter(({ resource, manifest }) => productOf(resource, manifest) !== undefined)
      .map(({ manifest }) => [kindKey(manifest), manifest]),
  ).values(),
]
