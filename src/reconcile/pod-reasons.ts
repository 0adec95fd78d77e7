// Asks Crossplane for the pods of a workload that is not ready, and puts what they say into its condition:
// docs/adr/0017-reasons-from-pods.md
import type { ComposedResource } from '../capabilities/capability.ts'
import { WORKLOAD } from '../capabilities/index.ts'
import { notReady, type Readiness } from '../capabilities/readiness.ts'
import { problemOf } from '../capabilities/workload/pod-problems.ts'
import { podKind } from '../capabilities/workload/roles.ts'
import type { EventDrivenServiceStatus } from '../claim/generated/types.ts'
import type { Labels, ResolvedClaim } from '../claim/resolved-claim.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { groupTroubles, type PodTrouble, type TroubleGroup } from '../kubernetes/pod-troubles.ts'
import type { Built } from './build.ts'
import type { ClusterLookup } from './cluster-lookup.ts'
import { typeOf } from './conditions.ts'
import type { ForbiddenKind } from './creation-gate.ts'
import { wasRefused } from './forbidden-kinds.ts'
import { kindKey } from './missing-crds.ts'

/** No key of a resource has a colon. */
export const PODS_PREFIX = 'pods:'

export const POD = kindKey(podKind)

export interface PodQuery {
  readonly key: string
  readonly namespace: string
  readonly labels: Labels
}

export interface PodReasons {
  readonly queries: readonly PodQuery[]
  readonly forbiddenKinds: readonly ForbiddenKind[]
  /** What the pods tell, the first cause first. */
  readonly groups: readonly TroubleGroup[]
  readonly status: EventDrivenServiceStatus
  /** Whether the pods have told no certain cause yet. */
  readonly isOpen: boolean
}

const none: PodReasons = { queries: [], forbiddenKinds: [], groups: [], status: {}, isOpen: false }

/** What the pods of the workloads that are not ready tell, and the questions for Crossplane. */
export function askPods(built: readonly Built[], claim: ResolvedClaim, lookup: ClusterLookup): PodReasons {
  if (!claim.platform.features.podReasons || !lookup.canAsk) return none
  const wanted = built.flatMap(one => queryOf(one, claim) ?? [])
  if (wanted.length === 0 || !isSettled(wanted, lookup)) return none
  const refused = wanted.some(({ key }) => wasRefused(key, lookup))
  if (refused) return { ...none, forbiddenKinds: [{ kind: POD, source: 'reported' }] }
  const answered = wanted.flatMap(({ key }) => (Object.hasOwn(lookup.pods, key) ? [lookup.pods[key] ?? []] : []))
  // One claim finds out whether Crossplane may read pods: a question that it may not answer takes it two minutes.
  const isKnown = lookup.access === undefined || lookup.access.get(POD) === true
  if (!isKnown && answered.length === 0) return { ...none, forbiddenKinds: [{ kind: POD, source: 'remembered' }] }
  const problems = answered.flat().flatMap(pod => problemOf(pod, claim) ?? [])
  const groups = groupTroubles(problems)
  return { queries: wanted, forbiddenKinds: [], groups, status: statusOf(problems), isOpen: groups[0]?.mayPass ?? true }
}

const keyOf = ({ key }: ComposedResource) => `${PODS_PREFIX}${key}`

function queryOf({ resource, readiness, observation, isFrozen }: Built, claim: ResolvedClaim): PodQuery | undefined {
  if (readiness.ready || resource.podLabels === undefined || isFrozen) return undefined
  if (observation?.object === undefined || observation.isDeleted) return undefined
  const labels = resource.podLabels(observation.object, claim)
  return labels && { key: keyOf(resource), namespace: claim.namespace, labels }
}

/** Whether everything else of the claim was applied before. The question may delay the answer, and no change should wait for it. */
const isSettled = (wanted: readonly PodQuery[], { composite, pods }: ClusterLookup) =>
  wanted.some(({ key }) => Object.hasOwn(pods, key)) || observedCondition(composite, typeOf(WORKLOAD))?.status === 'False'

/** The status of a claim has room for a few pods. */
const MOST_IN_STATUS = 5

function statusOf(problems: readonly PodTrouble[]): EventDrivenServiceStatus {
  if (problems.length === 0) return {}
  const byCertainty = [...problems].sort((a, b) => Number(a.mayPass ?? false) - Number(b.mayPass ?? false) || (a.pod < b.pod ? -1 : 1))
  const pods = byCertainty
    .slice(0, MOST_IN_STATUS)
    .map(({ pod, reason, message, since }) => ({ name: pod, reason, message, ...(since !== undefined && { since }) }))
  return { pods }
}

/** The resources with the causes that their pods tell in their readiness. */
export function explainByPods(built: readonly Built[], { queries, groups }: PodReasons): readonly Built[] {
  const [first] = groups
  if (first === undefined) return built
  return built.map(one => {
    if (!queries.some(({ key }) => key === keyOf(one.resource))) return one
    const message = `${problemsOf(groups)}. ${one.readiness.message}`
    return { ...one, readiness: first.mayPass ? { ...one.readiness, message } : notReady(first.reason, message) }
  })
}

/** A change of runtime goes on, and says why the new workload does not become ready. */
export const explainSwitching = (switching: Readiness | undefined, { groups }: PodReasons): Readiness | undefined =>
  switching === undefined || groups.length === 0 ? switching : { ...switching, message: `${problemsOf(groups)}. ${switching.message}` }

const MOST_PROBLEMS = 3

function problemsOf(groups: readonly TroubleGroup[]): string {
  const shown = groups.slice(0, MOST_PROBLEMS)
  const rest = groups.slice(MOST_PROBLEMS)
  const lines = shown.map(({ reason, message, pods: { length } }) => `${length} ${length === 1 ? 'pod' : 'pods'}: ${reason}: ${message}`)
  return [...lines, ...(rest.length === 0 ? [] : [`and ${rest.length} more`])].join('; ')
}
