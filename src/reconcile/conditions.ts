// From the readiness of the resources to what the claim says of itself.

import type { Concern } from '../capabilities/capability.ts'
import type { Readiness } from '../capabilities/readiness.ts'
import { type Finding, sentence } from '../claim/findings.ts'
import { condition } from '../kubernetes/conditions.ts'
import { at, type JsonObject } from '../kubernetes/json.ts'

export interface Condition extends Readiness {
  readonly type: `${Concern}Ready`
}

const concerns = ['Workload', 'Scaling', 'Eventing'] as const satisfies readonly Concern[]

/** One condition for each concern that the claim has: the first thing that blocks, else what the main resource says. */
export function conditionsOf(resources: readonly { readonly concern: Concern; readonly readiness: Readiness }[]): Condition[] {
  return concerns.flatMap(concern => {
    const own = resources.filter(resource => resource.concern === concern).map(resource => resource.readiness)
    const telling = own.find(readiness => !readiness.ready) ?? own.find(readiness => readiness.reason !== 'Created') ?? own[0]
    return telling === undefined ? [] : [{ type: `${concern}Ready` as const, ...telling }]
  })
}

/** Whether Crossplane said so last. */
export const wasReady = (composite: JsonObject): boolean => condition(composite, 'Ready')?.status === 'True'

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
export const retired = (composite: JsonObject, conditions: readonly Condition[]): Condition[] =>
  concerns
    .map(concern => `${concern}Ready` as const)
    .filter(type => condition(composite, type) !== undefined && !conditions.some(said => said.type === type))
    .map(type => ({ type, ready: true, reason: NOT_APPLICABLE, message: 'The claim does not ask for this any more.' }))

// Kubernetes keeps at most 32,768 characters of a condition's message.
const LONGEST_MESSAGE = 30_000

/** Everything that is wrong with a claim, as far as a condition can hold it. */
export function refusal(findings: readonly Finding[]): string {
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
export const refused = (reason: (typeof invalid)[number], message: string): Condition => ({
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
export const changes = (composite: JsonObject, conditions: readonly Condition[]): Condition[] =>
  conditions.filter(({ type, ready, reason }) => {
    const said = condition(composite, type)
    const before = said?.reason === NOT_APPLICABLE ? undefined : said
    const wasUp = before?.status === 'True' && before.reason !== 'ScaledToZero'
    if (!ready && (planned.has(reason) || (!wasUp && reason === STARTING))) return false
    if (before === undefined) return true
    return before.status !== (ready ? 'True' : 'False') || (!ready && before.reason !== reason)
  })
