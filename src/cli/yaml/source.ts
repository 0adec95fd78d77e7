// Reads text into documents as kubectl would send them. Positions are computed only for findings.
import type { Finding, Path } from '../../claim/findings.ts'
import { at, isObject, textOf } from '../../kubernetes/json.ts'
import { type Lines, linesOf, type Position } from './lines.ts'
import type { EntryOffsets } from './offsets.ts'
import { readSegment, type SegmentRead } from './read.ts'
import { splitDocuments } from './split.ts'

export type { Position }

export interface SourceDocument {
  readonly file: string
  /** The position among the documents of the file, from 0; items of a List count as documents. */
  readonly index: number
  /** As kubectl would send it, nulls included. */
  readonly value: unknown
  /** The position of the key or the value at a path or, if it does not exist, of the key of its deepest existing ancestor. */
  locate(path: Path, at: 'key' | 'value'): Position
  lineText(line: number): string
  /** The spelling of the value at a path if a plain word became a boolean or a number, for a hint to quote it. */
  plainWord(path: Path): string | undefined
}

export type LocatedFinding = Finding &
  Position & {
    readonly file: string
    /** The line of the finding or, if it is as long as JSON without breaks, the part around the column. */
    readonly source: string
    /** The number of characters left out before that part. */
    readonly cut?: number
    /** How YAML read the value, if that needs an explanation. */
    readonly hint?: string
  }

export interface Source {
  readonly documents: readonly SourceDocument[]
  readonly findings: readonly LocatedFinding[]
}

export interface Reading {
  /** The number of the first line, for a part of a file. */
  readonly firstLine?: number
  /** Whether to read a piece of the text, which has one or more documents. */
  readonly wanted?: (text: string) => boolean
}

export function readSource(file: string, text: string, { firstLine = 1, wanted = () => true }: Reading = {}): Source {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text
  const lines = linesOf(content, firstLine)
  const documents: SourceDocument[] = []
  const findings: LocatedFinding[] = []
  const segments = splitDocuments(content).filter(chunk => wanted(chunk.text))
  for (const chunk of segments.flatMap(readSegment)) {
    for (const finding of findingsOf(file, lines, chunk)) findings.push(finding)
    for (const [root, value] of chunk.values.entries())
      for (const item of listItems(value, [])) documents.push(documentOf(file, lines, chunk, { ...item, root, index: documents.length }))
  }
  return { documents, findings }
}

interface Item {
  readonly value: unknown
  /** The path in its document: an item of a List is not at the root. */
  readonly prefix: Path
}

/** Leaves out empty documents and unwraps lists, as kubectl does. */
function listItems(value: unknown, prefix: Path): Item[] {
  if (value === null) return []
  const items = isObject(value) && textOf(value.kind).endsWith('List') ? value.items : undefined
  if (!Array.isArray(items)) return [{ value, prefix }]
  return items.flatMap((item: unknown, index) => listItems(item, [...prefix, 'items', index]))
}

interface Origin extends Item {
  readonly index: number
  readonly root: number
}

function documentOf(file: string, lines: Lines, segment: SegmentRead, { index, value, root, prefix }: Origin): SourceDocument {
  return {
    file,
    index,
    value,
    locate(path, which) {
      const { place, complete } = followPath(segment, root, [...prefix, ...path])
      const offset = place === undefined ? segment.recorded().roots[root] : complete ? place[which] : place.key
      return lines.position(segment.start + (offset ?? 0))
    },
    lineText: lines.text,
    plainWord(path) {
      const { place, complete } = followPath(segment, root, [...prefix, ...path])
      return complete ? place?.plain : undefined
    },
  }
}

/** Follows a path to its deepest existing entry. */
function followPath(segment: SegmentRead, root: number, path: Path): { place: EntryOffsets | undefined; complete: boolean } {
  const { values, offsets } = segment.recorded()
  let value = values[root]
  let entry: EntryOffsets | undefined
  for (const step of path) {
    const next = typeof value === 'object' && value !== null ? offsets.get(value)?.get(step) : undefined
    if (next === undefined) return { place: entry, complete: false }
    entry = next
    value = at(value, step)
  }
  return { place: entry, complete: true }
}

function findingsOf(file: string, lines: Lines, { start, problem, hasDuplicates, recorded }: SegmentRead): LocatedFinding[] {
  const located = (finding: Finding, offset: number): LocatedFinding => {
    const position = lines.position(start + offset)
    return { ...finding, file, ...position, ...excerpt(lines.text(position.line), position) }
  }
  if (problem !== undefined) return [located({ code: 'YAML_SYNTAX', path: [], problem: problem.problem }, problem.offset)]
  if (!hasDuplicates) return []
  const { duplicates } = recorded()
  const told = duplicates.slice(0, MAX_FINDINGS).map(({ path, first, second, merged }) => {
    const { line, column } = lines.position(start + first)
    const problem = merged
      ? `this merge overrides the key on line ${line}: put '<<' first, or remove the key`
      : `must not repeat the key at ${line}:${column}: kubectl would keep only this one`
    return located({ code: 'DUPLICATE_KEY', path, problem }, second)
  })
  const left = duplicates.length - told.length
  return left === 0 ? told : [...told, located(tooManyFindings(left), 0)]
}

/** More findings of one document help no reader, and a million would fill the memory. */
const MAX_FINDINGS = 1000

const tooManyFindings = (count: number): Finding => ({
  code: 'TOO_MANY',
  path: [],
  problem: `${count} more findings in this document are not listed`,
})

/** Finds the lines of the findings of a document, and cuts a long list short. */
export function locateFindings(document: SourceDocument, findings: readonly Finding[]): LocatedFinding[] {
  const left = findings.length - MAX_FINDINGS
  const told = left > 0 ? [...findings.slice(0, MAX_FINDINGS), tooManyFindings(left)] : findings
  return told.map(finding => locateFinding(document, finding))
}

const aboutKeys: ReadonlySet<Finding['code']> = new Set(['UNKNOWN_FIELD', 'DUPLICATE_KEY', 'DEPRECATED'])

/** Finds the position of a finding: of the key if it is about the key or about a whole map or list, else of the value. */
export function locateFinding(document: SourceDocument, finding: Finding): LocatedFinding {
  const value = at(document.value, ...finding.path)
  const isScalar = typeof value !== 'object' || value === null
  const position = document.locate(finding.path, isScalar && !aboutKeys.has(finding.code) ? 'value' : 'key')
  const hint = quotingHint(finding, value, document.plainWord(finding.path))
  const located = { ...finding, file: document.file, ...position, ...excerpt(document.lineText(position.line), position) }
  return hint === undefined ? located : { ...located, hint }
}

const LONGEST_SOURCE = 1000

function excerpt(line: string, { column }: Position): Pick<LocatedFinding, 'source' | 'cut'> {
  if (line.length <= LONGEST_SOURCE) return { source: line }
  const cut = Math.max(0, column - 1 - LONGEST_SOURCE / 2)
  return { source: line.slice(cut, cut + LONGEST_SOURCE), ...(cut > 0 && { cut }) }
}

const LONGEST_WORD = 60

/** Explains how YAML 1.1 read a plain word, if its value is unexpected. */
function quotingHint({ code, problem }: Finding, value: unknown, word: string | undefined): string | undefined {
  if (word === undefined || word.length > LONGEST_WORD) return undefined
  const wantsText = code === 'WRONG_TYPE' && /\bstring\b|\btext\b/.test(problem)
  if (wantsText) return `YAML reads the plain word ${word} as ${word === String(value) ? `a ${typeof value}` : value}: quote it`
  return word === String(value) ? undefined : `YAML reads the plain word ${word} as ${value}`
}
