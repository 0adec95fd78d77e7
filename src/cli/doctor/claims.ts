// The claims to check, from files or from the cluster.

import { build } from '../../capabilities/build/index.ts'
import { KIND } from '../../claim/identity.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { isBeingDeleted } from '../../kubernetes/objects.ts'
import type { Platform } from '../../platform/platform.ts'
import { conditionTypes, findingsMessage, ownStatus, typeOf } from '../../reconcile/conditions.ts'
import { API_VERSION, parseClaim } from '../../reconcile/parse-claim.ts'
import { shell } from '../../text/shell-quote.ts'
import { type ClaimDocument, sortDocuments } from '../claim-documents.ts'
import { endOnFindings, readDocuments } from '../documents.ts'
import type { Io } from '../io.ts'
import { fail } from '../stderr.ts'
import { type Api, isAbsent } from './api.ts'
import { type Check, unknown, well, wrong } from './check.ts'

/** NAMESPACE/NAME, or NAME alone. */
export interface Named {
  readonly namespace: string
  readonly name: string
}

export interface Operands {
  readonly named: readonly Named[]
  readonly written: readonly ClaimDocument[]
}

const FILE = /^-$|\.(?:ya?ml|json)$|[/\\]$|^\.{1,2}[/\\]|[*?]/

/** Treats an operand that looks like a file, a folder or a glob as one, and any other as a claim in the cluster. */
export async function readOperands(operands: readonly string[], namespace: string, io: Io): Promise<Operands> {
  const {
    documents,
    findings: syntaxFindings,
    complete,
  } = await readDocuments(
    operands.filter(operand => FILE.test(operand)),
    io,
  )
  const { claims, findings: kindFindings } = sortDocuments(documents)
  endOnFindings([...syntaxFindings, ...kindFindings], { complete }, io)
  const named = operands.filter(operand => !FILE.test(operand)).map(operand => toNamed(operand, namespace))
  return { named, written: claims.map(({ document, claim }) => ({ document, claim: placed(claim, namespace) })) }
}

function toNamed(operand: string, namespace: string): Named {
  const [first = '', ...rest] = operand.split('/')
  return rest.length === 0 ? { namespace, name: first } : { namespace: first, name: rest.join('/') }
}

/** The one claim that an operand names. */
export function readClaimName(command: string, operands: readonly string[], namespace: string): Named {
  const [operand, second] = operands
  if (operand === undefined) return fail(`eds ${command}`, 'name a claim: NAMESPACE/NAME, or NAME with -n NAMESPACE')
  if (second !== undefined) return fail(`eds ${command}`, `takes one claim, got '${operand}' and '${second}'`)
  if (FILE.test(operand)) return fail(`eds ${command}`, `takes a claim of the cluster, got the file '${operand}'`)
  return toNamed(operand, namespace)
}

function placed(claim: JsonObject, namespace: string): JsonObject {
  const metadata = isObject(claim.metadata) ? claim.metadata : {}
  return claim.kind !== KIND || metadata.namespace !== undefined ? claim : { ...claim, metadata: { ...metadata, namespace } }
}

export interface Examined {
  readonly check: Check
  /** Undefined if the claim is missing or invalid. */
  readonly claim?: ResolvedClaim
  readonly composite?: JsonObject
  /** The claim's namespace does not exist, so nothing in it can be checked. */
  readonly isNamespaceMissing?: boolean
  /** The claim is in the cluster, and so are its pods. */
  readonly isApplied?: boolean
  /** Nothing will change until somebody changes the claim: it is missing, refused, paused or being deleted. */
  readonly isBlocked?: boolean
}

type PlatformOf = (composite: JsonObject) => Platform

export async function examineWritten(api: Api, composite: JsonObject, platformOf: PlatformOf): Promise<Examined> {
  const namespace = textOf(at(composite, 'metadata', 'namespace') ?? '')
  const name = `Claim ${namespace}/${textOf(at(composite, 'metadata', 'name'))}`
  const parsed = parseClaim(composite, platformOf(composite))
  if (!parsed.ok) return { check: wrong(name, findingsMessage(parsed.findings), 'eds validate FILE') }
  const { claim } = parsed
  const isNamespaceMissing = isAbsent(await api.get(`/api/v1/namespaces/${encodeURIComponent(claim.namespace)}`))
  const check = isNamespaceMissing
    ? wrong(name, `is valid, but namespace ${claim.namespace} does not exist`, shell`kubectl create namespace ${claim.namespace}`)
    : well(name, 'is valid')
  return { check, claim, composite, isNamespaceMissing }
}

export async function examineNamed(api: Api, { namespace, name }: Named, platformOf: PlatformOf): Promise<Examined> {
  const row = `Claim ${namespace}/${name}`
  const inspect = shell`kubectl -n ${namespace} describe eventdrivenservice ${name}`
  const edit = shell`kubectl -n ${namespace} edit eventdrivenservice ${name}`
  const resume = shell`kubectl -n ${namespace} annotate eventdrivenservice ${name} ${PAUSED}-`
  const plural = `${KIND.toLowerCase()}s`
  const answer = await api.get(`/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`)
  if (isAbsent(answer)) {
    // The API server responds without an object if it does not know the kind.
    const hasApi = !answer.ok && answer.body !== undefined
    const message = hasApi ? 'does not exist' : `can't exist: the cluster has no API for ${plural}`
    return { check: wrong(row, message, shell`kubectl get ${plural} -A`), isBlocked: hasApi }
  }
  if (!answer.ok || !isObject(answer.body)) return { check: unknown(row, `can't be read: ${answer.ok ? 'no object' : answer.reason}`) }
  const composite = answer.body
  const parsed = parseClaim(composite, platformOf(composite))
  if (!parsed.ok) return { check: wrong(row, findingsMessage(parsed.findings), edit), composite, isBlocked: true }
  const blocked = checkDeletion(row, composite, inspect) ?? checkPause(row, composite, 'the claim', resume)
  const check = blocked ?? checkConditions(row, composite, inspect)
  return { check, claim: withBuiltImage(parsed.claim, composite), composite, isApplied: true, isBlocked: blocked !== undefined }
}

/** The image that the function reports, because a claim with spec.build names none. */
const withBuiltImage = (claim: ResolvedClaim, document: JsonObject): ResolvedClaim =>
  claim.build === undefined ? claim : { ...claim, image: ownStatus(document).build?.image ?? '' }

export function checkDeletion(row: string, object: JsonObject, inspect: string): Check | undefined {
  if (!isBeingDeleted(object)) return undefined
  const finalizers =
    items(at(object, 'metadata', 'finalizers'))
      .map(textOf)
      .join(', ') || 'none'
  const since = textOf(at(object, 'metadata', 'deletionTimestamp'))
  return wrong(row, `is being deleted since ${since}; it disappears once its resources are deleted (finalizers: ${finalizers})`, inspect)
}

/** Stops Crossplane from reconciling the object. */
export const PAUSED = 'crossplane.io/paused'

/** Comes before all conditions, because those of a paused claim are from before the pause. */
export function checkPause(row: string, object: JsonObject, noun: string, resume: string): Check | undefined {
  const synced = observedCondition(object, 'Synced')
  if (synced?.reason !== 'ReconcilePaused') return undefined
  return wrong(row, `Crossplane changes nothing while ${noun} has the annotation ${PAUSED} (Synced is False, ReconcilePaused)`, resume)
}

// The function's own conditions come first because they name the cause, unlike Crossplane's Ready.
// The workload waits for its build.
const types = [...new Set([typeOf(build.condition), ...conditionTypes(), 'Synced', 'Ready'])]

/** Whether Crossplane has reconciled the latest spec, which it reports with each condition. */
export function isReconciled(composite: JsonObject): boolean {
  const generation = at(composite, 'metadata', 'generation')
  const seen = items(at(composite, 'status', 'conditions'))
    .filter(condition => ['Synced', 'Ready'].includes(textOf(at(condition, 'type'))))
    .map(condition => at(condition, 'observedGeneration'))
  const isOld = (count: unknown) => typeof count === 'number' && typeof generation === 'number' && count < generation
  return !hasUnobservedGeneration(composite) && !seen.some(isOld)
}

function checkConditions(row: string, composite: JsonObject, inspect: string): Check {
  const states = types.flatMap(type => {
    const state = observedCondition(composite, type)
    return state === undefined ? [] : [{ type, ...state }]
  })
  if (states.length === 0) return wrong(row, 'Crossplane has not reconciled it yet', inspect)
  const bad = states.find(({ status }) => status !== 'True')
  if (bad !== undefined) return wrong(row, `${bad.type} is ${bad.status}, ${bad.reason}: ${bad.message || 'no message'}`, inspect)
  if (!isReconciled(composite)) return unknown(row, 'Crossplane has not reconciled its latest spec yet', inspect)
  return well(row, states.map(({ type }) => type).join(', '))
}
