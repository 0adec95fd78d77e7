// The rows of the tests of rules, and what the rules report of them.
import { formatPath } from '../../src/claim/findings.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { lint } from '../../src/lint/lint.ts'
import type { Rule } from '../../src/lint/rule.ts'

/** A mistake that a rule reports, and what is like it but right. */
export interface RuleRow {
  readonly code: Rule['code']
  readonly says: string
  /** The position and the path of the finding. */
  readonly at: string
  readonly wrong: readonly string[]
  /** What the rule accepts, with what is different. */
  readonly right: Readonly<Record<string, readonly string[]>>
  /** Whether only --complete reports it. */
  readonly onlyComplete?: true
}

interface Language {
  readonly rules: readonly Rule[]
  readonly namespace: string
  /** The objects of the lines of a row. */
  readonly objects: (lines: readonly string[]) => JsonObject[]
}

/** What the rules report of such lines. */
export const teller =
  ({ rules, namespace, objects }: Language) =>
  (lines: readonly string[], isComplete = false) => {
    const { findings, unchecked } = lint(objects(lines), { namespace, isComplete, rules })
    return {
      findings: findings.map(({ index, finding: { code, path, problem, meant } }) => ({
        at: `${index} ${formatPath(path)}`,
        code,
        says: `${problem}${meant === undefined ? '' : ` (${meant}?)`}`,
      })),
      unchecked,
    }
  }
