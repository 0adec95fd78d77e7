// Turns the readiness of the resources into the conditions of the claim.

import type { Capability } from '../capabilities/capability.ts'
import { capabilities, conditionNames, WORKLOAD } from '../capabilities/index.ts'
import type { Readiness } from '../capabilities/readiness.ts'
import { type Finding, sentence } from '../claim/findings.ts'
import type { EventDrivenServiceStatus } from '../claim/generated/types.ts'
import { observedCondition } from '../kubernetes/conditions.ts'
import { at, type JsonObject } from '../kubernetes/json.ts'

export interface ClaimCondition extends Readiness {
  /** Such as WorkloadReady. */
  readonly type: string
}

export const typeOf = (condition: string) => `${condition}Ready`

/** The types of the claim's own conditions, in the order in which people read them. */
export const conditionTypes = (): readonly string[] => conditionNames().map(typeOf)

/** One condition for each that the claim has: the first blocker, else the state of the main resource. */
export function conditionsOf(
  parts: readonly { readonly condition: string; readonly readiness: Readiness }[],
  all: readonly Capability[] = capabilities,
): ClaimCondition[] {
  return conditionNames(all).flatMap(condition => {
    const own = parts.filter(part => part.condition === condition).map(({ readiness }) => readiness)
    const decisive = own.find(({ ready }) => !ready) ?? own.find(({ reason }) => reason !== 'Created') ?? own[0]
    return decisive === undefined ? [] : [{ type: typeOf(condition), ...decisive }]
  })
}

/** Whether Crossplane last reported the composite as ready. */
export const wasReady = (composite: JsonObject): boolean => observedCondition(composite, 'Ready')?.status === 'True'

/** The fields of the composite's status that the function writes. */
export const ownFields = ['workload', 'url', 'autoscaler', 'build', 'pods'] as const satisfies readonly (keyof EventDrivenServiceStatus)[]

/** The status that the function wrote last. */
export const ownStatus = ({ status }: JsonObject): EventDrivenServiceStatus =>
  Object.fromEntries(ownFields.map(field => [field, at(status, field)]).filter(([, value]) => value !== undefined))

const NOT_APPLICABLE = 'NotApplicable'

/** Conditions that no longer apply to the claim. Crossplane would keep their last, outdated state. */
export const retiredConditions = (composite: JsonObject, conditions: readonly ClaimCondition[]): ClaimCondition[] =>
  conditionTypes()
    .filter(type => observedCondition(composite, type) !== undefined && !conditions.some(said => said.type === type))
    .map(type => ({ type, ready: true, reason: NOT_APPLICABLE, message: 'The claim no longer asks for this.' }))

// Kubernetes keeps at most 32,768 characters of a condition's message.
const LONGEST_MESSAGE = 30_000

/** All findings of a claim, cut to what a condition can hold. */
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

/** Nothing was composed; running objects stay as they are. */
export const refusedCondition = (reason: (typeof invalid)[number], message: string): ClaimCondition => ({
  type: typeOf(WORKLOAD),
  ready: false,
  reason,
  message,
})

/** The conditions that deserve an event. A planned step deserves none, but its blocker and its end do. */
export const changedConditions = (composite: JsonObject, conditions: readonly ClaimCondition[]): ClaimCondition[] =>
  conditions.filter(({ type, ready, reason, transient }) => {
    const current = observedCondition(composite, type)
    const before = current?.reason === NOT_APPLICABLE ? undefined : current
    const wasUp = before?.status === 'True' && before.reason !== 'ScaledToZero'
    if (transient === 'always' || (transient === 'at-first' && !wasUp)) return false
    if (before === undefined) return true
    return before.status !== (ready ? 'True' : 'False') || (!ready && before.reason !== reason)
  })
