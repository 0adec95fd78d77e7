import type { Code, Path } from '../claim/findings.ts'
import type { Inventory, LintObject } from './inventory.ts'

/** What a rule reports about an object. */
export interface Report {
  readonly object: LintObject
  readonly path: Path
  readonly problem: string
  readonly found?: unknown
  /** What the author most likely meant. */
  readonly meant?: string | undefined
  /** The namespace that lacks what the object names. The report is certain only if the files contain everything of this namespace. */
  readonly absentFrom?: string
}

export interface Rule {
  readonly code: Code
  readonly check: (inventory: Inventory) => readonly Report[]
}

/** A rule that looks at one object at a time. */
export const eachOf =
  (groupKinds: readonly string[], check: (object: LintObject, inventory: Inventory) => readonly Report[]): Rule['check'] =>
  inventory =>
    groupKinds.flatMap(inventory.ofKind).flatMap(object => check(object, inventory))
