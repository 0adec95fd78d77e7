import type { Readiness } from '../../capabilities/readiness.ts'
import { at, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { printable } from '../../text/printable.ts'
import type { Paint } from './color.ts'
import { factsOf } from './facts.ts'

export interface Tree {
  /** Such as `EventDrivenService default/worker`. */
  readonly root: string
  readonly facts: string
  readonly branches: readonly Branch[]
}

export interface Branch {
  readonly key: string
  readonly manifest: JsonObject
  /** Undefined if no objects were observed. */
  readonly readiness?: Readiness | undefined
}

/** The resources of a claim, one a line, with the most requested facts on the right. */
export function printTree({ root, facts, branches }: Tree, paint: Paint): string {
  const rows = branches.map(({ key, manifest, readiness }, index) => ({
    stem: index === branches.length - 1 ? '└─ ' : '├─ ',
    label: printable(`${textOf(manifest.kind)} ${textOf(at(manifest, 'metadata', 'name'))} (${key})`),
    facts: printable(factsOf(manifest)),
    state: readiness === undefined ? '' : stateOf(readiness, paint),
  }))
  const all = [{ stem: '', label: printable(root), facts: printable(facts), state: '' }, ...rows]
  const width = Math.max(...all.map(({ stem, label }) => stem.length + label.length))
  return all
    .map(({ stem, label, facts, state }) => {
      const right = [state, facts && paint('dim', facts)].filter(part => part !== '').join('  ')
      const gap = right === '' ? '' : ' '.repeat(width - stem.length - label.length + 2)
      return `${paint('dim', stem)}${stem === '' ? paint('bold', label) : label}${gap}${right}\n`
    })
    .join('')
}

const stateOf = ({ ready, reason }: Readiness, paint: Paint) => (ready ? paint('green', 'ready') : paint('yellow', printable(reason)))
