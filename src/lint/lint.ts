import type { Finding } from '../claim/findings.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { inventoryOf } from './inventory.ts'
import type { Rule } from './rule.ts'
import { rules as lintRules } from './rules.ts'

export interface LintSettings {
  /** The namespace of objects that name none. */
  readonly namespace: string
  /** Whether the values are everything of their namespaces, so that an object that is not among them does not exist. */
  readonly isComplete: boolean
  /** Those of `eds lint` if it is left out. */
  readonly rules?: readonly Rule[]
}

export interface LintFinding {
  /** The position of the object among the values. */
  readonly index: number
  readonly finding: Finding
}

export interface Linted {
  readonly findings: readonly LintFinding[]
  /** How many references lead to objects that are not among the values and may exist elsewhere. */
  readonly unchecked: number
}

/** Finds references between Kubernetes objects that lead nowhere, and objects that undo one another. */
export function lint(values: readonly JsonObject[], { namespace, isComplete, rules = lintRules }: LintSettings): Linted {
  const inventory = inventoryOf(values, namespace)
  const indexes = new Map(inventory.objects.map((object, index) => [object, index]))
  const namespaces = new Set(inventory.objects.map(object => object.namespace))
  const isCertain = (absentFrom: string | undefined) => absentFrom === undefined || (isComplete && namespaces.has(absentFrom))
  const reports = rules.flatMap(({ code, check }) => check(inventory).map(report => ({ ...report, code })))
  const certain = reports.filter(({ absentFrom }) => isCertain(absentFrom))
  return {
    findings: certain.map(({ object, code, path, problem, found, meant }) => ({
      index: indexes.get(object) ?? 0,
      finding: { code, path, problem, ...(found !== undefined && { found }), ...(meant !== undefined && { meant }) },
    })),
    unchecked: reports.length - certain.length,
  }
}
