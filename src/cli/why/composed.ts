// From the claim to its composite, and to the objects that Crossplane composed for it.

import { capabilities, findKind } from '../../capabilities/index.ts'
import type { Readiness } from '../../capabilities/readiness.ts'
import { COMPOSITE_KIND } from '../../claim/identity.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type Json, type JsonObject, nonEmptyText, textOf } from '../../kubernetes/json.ts'
import { groupOf } from '../../kubernetes/objects.ts'
import type { Platform } from '../../platform/platform.ts'
import { type ClusterLookup, noLookup } from '../../reconcile/cluster-lookup.ts'
import { type Composed, type Composition, compose } from '../../reconcile/compose.ts'
import { API_VERSION } from '../../reconcile/parse-claim.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent, itemsOf, nameOf, namespaceOf } from '../doctor/api.ts'
import { type Check, unknown, well, wrong } from '../doctor/check.ts'
import { checkDeletion, checkPause, isReconciled, PAUSED } from '../doctor/claims.ts'
import { timeOf } from '../doctor/events.ts'
import type { Answer } from '../doctor/http.ts'
import { observedOf } from '../observed.ts'

export interface ExaminedComposite {
  readonly check: Check
  /** Undefined if it does not exist or can't be read. */
  readonly composite: JsonObject | undefined
  /** Nothing else explains the claim: the composite is missing, paused or being deleted. */
  readonly isBlocked: boolean
  /** Whether it exists, as far as anybody may know. */
  readonly mayHaveObjects: boolean
}

const PLURAL = `${COMPOSITE_KIND.toLowerCase()}s`

/** Examines the composite of a claim; undefined for a namespaced claim, which is its own composite. */
export async function examineComposite(api: Api, claim: JsonObject): Promise<ExaminedComposite | undefined> {
  if (at(claim, 'spec', 'crossplane') !== undefined) return undefined
  const name = nonEmptyText(at(claim, 'spec', 'resourceRef', 'name'))
  const none = { composite: undefined, isBlocked: false, mayHaveObjects: false }
  if (name === undefined) return { ...none, check: unknown('Composite', 'Crossplane has not created it yet') }
  const row = `Composite ${name}`
  const answer = await api.get(`/apis/${API_VERSION}/${PLURAL}/${encodeURIComponent(name)}`)
  const inspect = shell`kubectl describe ${PLURAL} ${name}`
  if (isAbsent(answer)) {
    const message = `does not exist, although the claim names it: somebody deleted it, and Crossplane has not recreated it`
    const show = shell`kubectl -n ${namespaceOf(claim)} describe eventdrivenservice ${nameOf(claim)}`
    return { ...none, check: wrong(row, message, show), isBlocked: true }
  }
  if (!answer.ok || !isObject(answer.body))
    return { ...none, check: unknown(row, `can't be read: ${answer.ok ? 'no object' : answer.reason}`), mayHaveObjects: true }
  const composite = answer.body
  const resume = shell`kubectl annotate ${PLURAL} ${name} ${PAUSED}-`
  const blocked = checkDeletion(row, composite, inspect) ?? checkPause(row, composite, 'the composite', resume)
  return { check: blocked ?? checkSync(row, composite, inspect), composite, isBlocked: blocked !== undefined, mayHaveObjects: true }
}

/** Whether Crossplane applied everything. Why something is not ready is up to the objects. */
function checkSync(row: string, composite: JsonObject, inspect: string): Check {
  const [synced, ready] = [observedCondition(composite, 'Synced'), observedCondition(composite, 'Ready')]
  if (synced?.status === 'False') return wrong(row, `Synced is False, ${synced.reason}: ${synced.message || 'no message'}`, inspect)
  if (synced === undefined || !isReconciled(composite)) return unknown(row, 'Crossplane has not reconciled its latest spec yet', inspect)
  if (ready?.status === 'True') return well(row, 'Synced, Ready')
  return unknown(row, `Synced, not Ready: ${ready?.message || ready?.reason || 'no message'}`, inspect)
}

/** The newest warnings about an object, each once. A cluster-scoped object has its events in the namespace `default`. */
export async function warningsOf(api: Api, { kind, metadata }: JsonObject): Promise<string[]> {
  const namespace = textOf(at(metadata, 'namespace') ?? 'default')
  const selector = `involvedObject.kind=${textOf(kind)},involvedObject.name=${textOf(at(metadata, 'name'))},type=Warning`
  const answer = await api.get(`/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent(selector)}`)
  const texts = itemsOf(answer)
    .toSorted((a, b) => timeOf(b).localeCompare(timeOf(a)))
    .map(({ reason, message }) => `event ${textOf(reason)}: ${textOf(message)}`)
  return [...new Set(texts)].slice(0, MOST_EVENTS)
}

const MOST_EVENTS = 3

export interface Reference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
}

export interface ExaminedObjects {
  readonly checks: readonly Check[]
  /** The first object that is not as the claim asks, or that its controller has not processed. Those that may not be read do not count. */
  readonly unfinished: Check | undefined
}

/** What the claim becomes, with the objects that exist. */
export interface Followed {
  readonly composition: Composition
  readonly found: readonly Found[]
}

export interface Found {
  readonly reference: Reference
  readonly answer: Answer
}

/** Where the objects of a claim are named. */
export interface Origin {
  readonly claim: ResolvedClaim
  /** The claim as the cluster has it. Its status has the last build. */
  readonly document: JsonObject
  /** Undefined if it can't be read. */
  readonly composite: JsonObject | undefined
  readonly platform: Platform
}

/** A branch, its build, and the workload of the built image: each object decides what the next one is. */
const MOST_ROUNDS = 4

/** Reads the objects of a claim, those inside Objects of provider-kubernetes as well. */
export async function followObjects(api: Api, { claim, document, composite, platform }: Origin): Promise<Followed> {
  const native: Platform = { ...platform, composeAs: 'Native' }
  const lookup: ClusterLookup = { ...noLookup, composite: composite ?? document }
  const isListed = composite !== undefined && platform.composeAs === 'Native'
  const found = new Map<string, Found>()
  let composition = compose(claim, native, {}, lookup)
  let resources: readonly Composed[] = composition.resources
  let wanted = composite === undefined ? [] : referencesOf(composite, claim)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (!isListed) wanted = [...wanted, ...composition.resources.map(({ manifest }) => referenceOf(manifest, claim))]
    const references = new Map(wanted.map(one => [keyOf(one), one]))
    const unread = [...references].filter(([key]) => !found.has(key))
    if (unread.length === 0) break
    const answers = await Promise.all(unread.map(([, reference]) => read(api, reference)))
    unread.forEach(([key, reference], index) => {
      const answer = answers[index]
      if (answer !== undefined) found.set(key, { reference, answer })
    })
    const objects = [...found.values()].flatMap(({ answer }) => (answer.ok && isObject(answer.body) ? [answer.body] : []))
    composition = compose(claim, native, observedOf(claim, resources, objects), lookup)
    resources = [...resources, ...composition.resources]
  }
  return { composition, found: [...found.values()] }
}

/** A row for each object of the claim, judged by the capability that it belongs to. */
export function checkObjects(claim: ResolvedClaim, { composition: { resources }, found }: Followed): ExaminedObjects {
  const own = resources.map(({ manifest, readiness }) => {
    const reference = referenceOf(manifest, claim)
    const answer = found.find(one => keyOf(one.reference) === keyOf(reference))?.answer
    return { answer, check: checkObject(reference, answer, readiness) }
  })
  const known = new Set(resources.map(({ manifest }) => keyOf(referenceOf(manifest, claim))))
  const others = found
    .filter(({ reference }) => !known.has(keyOf(reference)))
    .map(({ reference, answer }) => ({ answer, check: checkOther(reference, answer) }))
  const all = [...own, ...others]
  return { checks: all.map(({ check }) => check), unfinished: all.flatMap(({ answer, check }) => unfinishedOf(answer, check))[0] }
}

function unfinishedOf(answer: Answer | undefined, check: Check): Check[] {
  if (answer !== undefined && !answer.ok && answer.status === 403) return []
  if (check.state !== 'well') return [check]
  const isSeen = !answer?.ok || !isObject(answer.body) || !hasUnobservedGeneration(answer.body)
  return isSeen ? [] : [unknown(check.name, 'its controller has not processed the latest spec yet')]
}

/** Crossplane 2 has its own fields of a namespaced composite under spec.crossplane. */
const referencesOf = ({ spec }: JsonObject, claim: ResolvedClaim): Reference[] =>
  [...items(at(spec, 'resourceRefs')), ...items(at(spec, 'crossplane', 'resourceRefs'))]
    .filter(reference => nonEmptyText(at(reference, 'name')) !== undefined)
    .map(reference => referenceOf({ ...(isObject(reference) && reference), metadata: reference }, claim))

function referenceOf({ apiVersion, kind, metadata }: JsonObject, claim: ResolvedClaim): Reference {
  const type = { apiVersion: textOf(apiVersion), kind: textOf(kind) }
  const namespace = nonEmptyText(at(metadata, 'namespace')) ?? (knownKind(type) && claim.namespace)
  return { ...type, namespace, name: textOf(at(metadata, 'name')) }
}

const knownKind = (type: Pick<Reference, 'apiVersion' | 'kind'>) =>
  findKind(
    type,
    capabilities.flatMap(({ kinds }) => kinds),
  )

const keyOf = ({ apiVersion, kind, name }: Reference) => `${groupOf(apiVersion)}/${kind}/${name}`
const rowOf = ({ kind, name }: Reference) => `${kind} ${name}`

async function read(api: Api, reference: Reference): Promise<Answer> {
  const { apiVersion, namespace, name } = reference
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const plural = knownKind(reference)?.plural ?? (await pluralOf(api, group, reference))
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return api.get(`${group}${place}/${plural}/${encodeURIComponent(name)}`)
}

/** Asks the API server, because another function of the Composition may compose any kind. */
async function pluralOf(api: Api, group: string, { kind }: Reference): Promise<string> {
  const answer = await api.get(group)
  const found = items(answer.ok ? at(answer.body, 'resources') : undefined).find(one => at(one, 'kind') === kind && !isSubresource(one))
  return textOf(at(found, 'name') ?? `${kind.toLowerCase()}s`)
}

const isSubresource = (resource: Json) => textOf(at(resource, 'name')).includes('/')

function inspectOf({ apiVersion, kind, namespace, name }: Reference): string {
  const group = groupOf(apiVersion)
  const type = group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`
  return namespace === undefined ? shell`kubectl describe ${type} ${name}` : shell`kubectl -n ${namespace} describe ${type} ${name}`
}

/** Undefined as an answer means that Crossplane has not composed the object. */
function checkObject(reference: Reference, answer: Answer | undefined, { ready, message, reason, transient }: Readiness): Check {
  const row = rowOf(reference)
  if (answer === undefined || isAbsent(answer)) return unknown(row, 'does not exist yet')
  if (!answer.ok) return unknown(row, `can't be read: ${answer.reason}`)
  // New pods may fail while old ones serve.
  if (ready && reason !== 'RollingOut') return well(row, reason === 'Created' ? 'exists' : message)
  return !ready && transient === undefined
    ? wrong(row, `${reason}: ${message}`, inspectOf(reference))
    : unknown(row, `${reason}: ${message}`)
}

/** An object that the claim does not ask for: of another function, or left over from another runtime. */
function checkOther(reference: Reference, answer: Answer): Check {
  const row = rowOf(reference)
  if (!answer.ok) return unknown(row, isAbsent(answer) ? 'does not exist yet' : `can't be read: ${answer.reason}`)
  const states = ['Synced', 'Ready'].flatMap(type => {
    const state = isObject(answer.body) ? observedCondition(answer.body, type) : undefined
    return state === undefined || state.status === 'True' ? [] : [`${type} is ${state.status}, ${state.reason}: ${state.message}`]
  })
  return states.length === 0 ? well(row, 'exists') : wrong(row, states.join('; '), inspectOf(reference))
}
