import {
  Ready,
  type Resource,
  type ResourceSelector,
  type RunFunctionRequest,
  type RunFunctionResponse,
  Severity,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript'
import { podKind } from '../capabilities/workload/roles.ts'
import { isObject, type JsonObject, textOf } from '../kubernetes/json.ts'
import { isBeingDeleted } from '../kubernetes/objects.ts'
import { lastApplied } from '../reconcile/applied.ts'
import type { Composition } from '../reconcile/compose.ts'
import { type ClaimCondition, changedConditions, isInvalid, ownStatus, retiredConditions, wasReady } from '../reconcile/conditions.ts'
import { kindKey } from '../reconcile/missing-crds.ts'

// Crossplane calls the function when a composed object changes. Polling is a safety net: soon while something is not ready,
// because Crossplane sees no change of an object that it could not create, and rarely once everything is ready.
const AT_ONCE_SECONDS = 5
const PODS_SECONDS = 10
const SOON_SECONDS = 60
const RARELY_SECONDS = 600

const aimed = { target: Target.TARGET_COMPOSITE_AND_CLAIM }

const conditionMessage = ({ type, ready, reason, message }: ClaimCondition) => ({
  type,
  status: ready ? Status.STATUS_CONDITION_TRUE : Status.STATUS_CONDITION_FALSE,
  reason,
  message,
  ...aimed,
})

const eventOf = ({ ready, reason, message }: ClaimCondition) => ({
  severity: ready ? Severity.SEVERITY_NORMAL : Severity.SEVERITY_WARNING,
  reason,
  message,
  ...aimed,
})

const meta = ({ meta }: RunFunctionRequest, seconds: number) => ({ tag: meta?.tag ?? '', ttl: { seconds, nanos: 0 } })

/** The answer to a valid claim: our resources beside those of earlier functions in the pipeline. */
export function composedResponse(request: RunFunctionRequest, composite: JsonObject, composition: Composition): RunFunctionResponse {
  const { resources, complete, conditions, status } = composition
  const allReady = complete && resources.every(({ readiness }) => readiness.ready)
  const composed = resources.map(({ key, desired, readiness }): [string, Resource] => [
    key,
    { resource: desired, connectionDetails: {}, ready: readiness.ready ? Ready.READY_TRUE : Ready.READY_FALSE },
  ])
  return {
    meta: meta(request, allReady ? RARELY_SECONDS : secondsUntilChange(composition)),
    desired: {
      composite: desiredComposite(request, composite, { status, complete }),
      // Assign, never merge: merging lists would keep a container that we removed.
      resources: { ...request.desired?.resources, ...Object.fromEntries(composed) },
    },
    context: request.context,
    results: changedConditions(composite, conditions).map(eventOf),
    requirements: requirementsOf(composite, composition),
    conditions: [...conditions, ...retiredConditions(composite, conditions)].map(conditionMessage),
  }
}

const secondsUntilChange = ({ waits, awaitsPods }: Composition) => (waits ? AT_ONCE_SECONDS : awaitsPods ? PODS_SECONDS : SOON_SECONDS)

function requirementsOf(
  { apiVersion, kind }: JsonObject,
  { nameQueries, kindQueries, podQueries }: Composition,
): RunFunctionResponse['requirements'] {
  if (nameQueries.length + kindQueries.length + podQueries.length === 0) return undefined
  const ownKind = { apiVersion: textOf(apiVersion), kind: textOf(kind) }
  const schemas = kindQueries.length === 0 ? [] : [ownKind, ...kindQueries]
  return {
    resources: Object.fromEntries([...nameQueries.map(selector), ...podQueries.map(podSelector)]),
    extraResources: {},
    schemas: Object.fromEntries(schemas.map(({ apiVersion, kind }) => [kindKey({ apiVersion, kind }), { apiVersion, kind }])),
  }
}

const selector = ({ key, manifest: { apiVersion, kind, metadata } }: Composition['nameQueries'][number]): [string, ResourceSelector] => [
  key,
  { apiVersion, kind, matchName: metadata.name, namespace: metadata.namespace },
]

const podSelector = ({ key, namespace, labels }: Composition['podQueries'][number]): [string, ResourceSelector] => [
  key,
  { apiVersion: podKind.apiVersion, kind: podKind.kind, matchLabels: { labels }, namespace },
]

/** The composite is ready when all resources are, ours and those of other functions, unless some of ours are missing. */
function desiredComposite(
  { desired }: RunFunctionRequest,
  composite: JsonObject,
  { status, complete }: Pick<Composition, 'status' | 'complete'>,
): Resource {
  const before: unknown = desired?.composite?.resource
  const earlier = isObject(before) ? before : {}
  return {
    connectionDetails: desired?.composite?.connectionDetails ?? {},
    ready: complete ? (desired?.composite?.ready ?? Ready.READY_UNSPECIFIED) : Ready.READY_FALSE,
    resource: {
      apiVersion: composite.apiVersion,
      kind: composite.kind,
      ...earlier,
      status: { ...(isObject(earlier.status) ? earlier.status : {}), ...status },
    },
  }
}

/**
 * The answer to a claim that can't be composed: running objects stay as Crossplane last applied them, and the composite
 * is not ready. docs/adr/0006-refused-claim-keeps-running.md
 */
export function refusedResponse(request: RunFunctionRequest, composite: JsonObject, why: ClaimCondition): RunFunctionResponse {
  const running = appliedResources(request)
  // While nothing runs, a fatal result makes Crossplane, and `crossplane render`, fail with its text.
  const runs = (running?.length ?? 0) > 0 || wasReady(composite)
  if (running === undefined || !runs) return refuseAll(request, composite, why)
  return {
    meta: meta(request, SOON_SECONDS),
    desired: {
      composite: desiredComposite(request, composite, { status: ownStatus(composite), complete: false }),
      resources: { ...Object.fromEntries(running), ...request.desired?.resources },
    },
    context: request.context,
    results: changedConditions(composite, [why]).map(eventOf),
    requirements: undefined,
    conditions: [conditionMessage(why)],
  }
}

/** The observed resources as they were last applied, without those being deleted. Undefined if one does not record it. */
function appliedResources({ observed }: RunFunctionRequest): [string, Resource][] | undefined {
  const resources: [string, Resource][] = []
  for (const [key, { resource }] of Object.entries(observed?.resources ?? {})) {
    if (!isObject(resource) || isBeingDeleted(resource)) continue
    const manifest = lastApplied(resource)
    if (manifest === undefined) return undefined
    resources.push([key, { resource: manifest, connectionDetails: {}, ready: Ready.READY_TRUE }])
  }
  return resources
}

/**
 * A fatal result: Crossplane applies and deletes nothing, and shows its text on the composite only. The claim therefore gets
 * a condition and an event of its own. Crossplane does not change the claim's `Ready`.
 */
export function refuseAll(request: RunFunctionRequest, composite: JsonObject, why: ClaimCondition): RunFunctionResponse {
  return {
    meta: meta(request, SOON_SECONDS),
    desired: request.desired,
    context: request.context,
    results: [...changedConditions(composite, [why]).map(eventOf), { severity: Severity.SEVERITY_FATAL, message: why.message }],
    requirements: undefined,
    conditions: [conditionMessage(why)],
  }
}

/** Whether an answer composes nothing, because the claim or the input is invalid. */
export const isRefusal = ({ results, conditions }: RunFunctionResponse): boolean =>
  results.some(({ severity }) => severity === Severity.SEVERITY_FATAL) || conditions.some(({ reason }) => isInvalid(reason))
