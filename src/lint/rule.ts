import type { Code, Path } from '../claim/findings.ts'
import { didYouMean } from '../text/did-you-mean.ts'
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

interface Missing {
  /** The kind as people say it. */
  readonly kind: string
  /** The kinds of which one would do. */
  readonly groupKinds: readonly string[]
  readonly namespace: string
  readonly name: string
}

/** The report of a reference to an object that is not there. */
export function reportMissing(inventory: Inventory, object: LintObject, path: Path, missing: Missing): Report {
  const { kind, groupKinds, namespace, name } = missing
  const others = groupKinds.flatMap(inventory.ofKind).filter(other => other.namespace === namespace)
  const meant = didYouMean(
    name,
    others.map(other => other.name),
  )
  return { object, path, problem: `namespace ${namespace} has no ${kind} ${name}`, absentFrom: namespace, meant }
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
