// From the readiness of the resources to what the claim says of itself.

import type { Concern } from '../capabilities/capability.ts'
import type { Readiness } from '../capabilities/readiness.ts'
import { type Finding, sentence } from '../claim/findings.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { at, type JsonObject } from '../kubernetes/json.ts'

export interface ClaimCondition extends Readiness {
  readonly type: `${Concern}Ready`
}

const concerns = ['Workload', 'Scaling', 'Eventing'] as const satisfies readonly Concern[]

/** One condition for each concern that the claim has: the first thing that blocks, else what the main resource says. */
export function conditionsOf(resources: readonly { readonly concern: Concern; readonly readiness: Readiness }[]): ClaimCondition[] {
  return concerns.flatMap(concern => {
    const own = resources.filter(resource => resource.concern === concern).map(resource => resource.readiness)
    const decisive = own.find(readiness => !readiness.ready) ?? own.find(readiness => readiness.reason !== 'Created') ?? own[0]
    return decisive === undefined ? [] : [{ type: `${concern}Ready` as const, ...decisive }]
  })
}

/** Whether Crossplane said so last. */
export const wasReady = (composite: JsonObject): boolean => observedCondition(composite, 'Ready')?.status === 'True'

/** The fields of the composite's status that the function writes. */
export const ownFields = ['workload', 'url', 'autoscaler'] as const

/** What the function wrote last into the status. */
export const ownStatus = ({ status }: JsonObject): JsonObject =>
  Object.fromEntries(ownFields.map(field => [field, at(status, field)]).filter(([, value]) => value !== undefined))

const NOT_APPLICABLE = 'NotApplicable'

/**
 * Conditions of the composite that are not said any more. Crossplane would keep them as they were said last, wrong as they
 * may be by now.
 */
export const retiredConditions = (composite: JsonObject, conditions: readonly ClaimCondition[]): ClaimCondition[] =>
  concerns
    .map(concern => `${concern}Ready` as const)
    .filter(type => observedCondition(composite, type) !== undefined && !conditions.some(said => said.type === type))
    .map(type => ({ type, ready: true, reason: NOT_APPLICABLE, message: 'The claim does not ask for this any more.' }))

// Kubernetes keeps at most 32,768 characters of a condition's message.
const LONGEST_MESSAGE = 30_000

/** Everything that is wrong with a claim, as far as a condition can hold it. */
export function findingsMessage(findings: readonly Finding[]): string {
  const lines: string[] = []
  let length = 0
  for (const finding of findings) {
    const line = `${sentence(finding)} [${finding.code}]`
    length += line.length + 2
    if (length > LONGEST_MESSAGE) return `${lines.join('; ')}; and ${findings.length - lines.length} more`
    lines.push(line)
  }
  return lines.join('; ')
}

const invalid = ['InvalidClaim', 'InvalidInput'] as const

export const isInvalid = (reason: string): boolean => invalid.some(known => known === reason)

/** Nothing was composed, and what runs keeps running. */
export const refusedCondition = (reason: (typeof invalid)[number], message: string): ClaimCondition => ({
  type: 'WorkloadReady',
  ready: false,
  reason,
  message,
})

// Steps of a change that somebody asked for.
const planned: ReadonlySet<string> = new Set(['Creating', 'Waiting', 'Updating', 'RollingOut', 'Deploying', 'Switching'])
// New pods are not ready at once, so this is news only if there were ready ones.
const STARTING = 'Unavailable'

/** The conditions that are news to the composite. A planned step is none; what blocks it, and that it is done, is news. */
export const changedConditions = (composite: JsonObject, conditions: readonly ClaimCondition[]): ClaimCondition[] =>
  conditions.filter(({ type, ready, reason }) => {
    const current = observedCondition(composite, type)
    const before = current?.reason === NOT_APPLICABLE ? undefined : current
    const wasUp = before?.status === 'True' && before.reason !== 'ScaledToZero'
    if (!ready && (planned.has(reason) || (!wasUp && reason === STARTING))) return false
    if (before === undefined) return true
    return before.status !== (ready ? 'True' : 'False') || (!ready && before.reason !== reason)
  })
