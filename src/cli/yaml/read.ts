// Two parsers: js-yaml reads and writes, and the yaml package only explains errors, because js-yaml has no error codes. With the
// yaml package alone `eds validate` takes 3.3 s of user CPU time instead of 1.8 s for 10,000 claims that the fast path cannot
// read (Node 20, minimum of seven alternated runs). js-yaml is 7 % of the bundle, the yaml package 14 %.
import { type Event, parseEvents, YAMLException } from 'js-yaml'
import { type Constructed, construct, type Recording } from './construct.ts'
import { explainSyntax, type SyntaxProblem } from './explain-syntax.ts'
import { readPlainYaml } from './fast-path.ts'
import { joinFlowLines } from './flow.ts'
import { MAX_LEVELS } from './limits.ts'
import { type Segment, splitJsonStream } from './split.ts'

/** The values of a segment. Positions are computed on the first call of `recorded`. */
export interface SegmentRead extends Constructed {
  readonly start: number
  readonly problem: SyntaxProblem | undefined
  readonly recorded: () => Recorded
}

export interface Recorded extends Recording {
  readonly values: readonly unknown[]
}

export function readSegment(segment: Segment): SegmentRead[] {
  const read = readWhole(segment)
  const stream = read.problem !== undefined && segment.text.trimStart().startsWith('{') ? splitJsonStream(segment) : undefined
  return stream?.map(readWhole) ?? [read]
}

/** Ten thousand claims stay far below; each entry takes a thousand times its length in memory. */
const MAX_ENTRIES = 1_000_000
const ENTRY = /[\n\r,[{]/g

function hasTooMuch(text: string): boolean {
  if (text.length <= MAX_ENTRIES) return false
  let entries = 0
  for (const _ of text.matchAll(ENTRY)) if (++entries > MAX_ENTRIES) return true
  return false
}

function readWhole({ text, start }: Segment): SegmentRead {
  let known: Recorded | undefined
  const recorded = () => (known ??= record(text))
  const failed = (problem: SyntaxProblem): SegmentRead => ({ start, values: [], hasDuplicates: false, problem, recorded })
  const quick = hasTooMuch(text) ? undefined : readPlainYaml(text)
  if (quick !== undefined) return { start, values: [quick.value], hasDuplicates: false, problem: undefined, recorded }
  const refused = refusedAtOnce(text)
  if (refused !== undefined) return failed(refused)
  const parsed = attempt(() => parse(text))
  if (parsed instanceof YAMLException) return failed(explainSyntax(text, parsed))
  const constructed = attempt(() => construct(parsed.text, parsed.events))
  if (constructed instanceof YAMLException) return failed({ offset: constructed.mark?.position ?? 0, problem: constructed.reason })
  if (constructed.values.length > 1) return failed({ offset: recorded().roots[1] ?? 0, problem: SECOND })
  return { start, ...constructed, problem: undefined, recorded }
}

const SECOND = "kubectl ignores everything after '...': start the next document with '---'"
const MARKER = /^---[ \t]*([^\s#])/
const DIRECTIVE = /^(?:[ \t]*(?:#[^\n]*)?\n)*%/
// All control characters except tab, line breaks and NEL.
const CONTROL = /[^\P{Cc}\t\n\r\u0085]|[\p{Cs}\uFFFE\uFFFF]/u

/** Finds problems that need no parser. */
function refusedAtOnce(text: string): SyntaxProblem | undefined {
  if (hasTooMuch(text)) return { offset: 0, problem: `must have at most ${MAX_ENTRIES} lines and entries: split the document` }
  const control = text.search(CONTROL)
  if (control >= 0) return { offset: control, problem: 'control character: write it as an escape in double quotes, such as "\\x07"' }
  const marker = MARKER.exec(text)
  if (marker !== null) return { offset: marker[0].length - 1, problem: "kubectl accepts only a comment after '---': start a new line" }
  const directive = DIRECTIVE.exec(text)
  if (directive !== null) return { offset: directive[0].length - 1, problem: 'kubectl rejects YAML directives: remove this line' }
  return undefined
}

interface Parsed {
  /** The text that the offsets of the events refer to. */
  readonly text: string
  readonly events: readonly Event[]
}

function parse(text: string): Parsed {
  const events = attempt(() => parseEvents(text, LIMITS))
  if (!(events instanceof YAMLException)) return { text, events }
  const joined = joinFlowLines(text)
  const again = joined === text ? events : attempt(() => parseEvents(joined, LIMITS))
  if (again instanceof YAMLException) throw events
  return { text: joined, events: again }
}

const LIMITS = { maxDepth: MAX_LEVELS }

function attempt<T extends Constructed | Parsed | Event[]>(read: () => T): T | YAMLException {
  try {
    return read()
  } catch (error) {
    if (error instanceof YAMLException) return error
    throw error
  }
}

function record(text: string): Recorded {
  const recording: Recording = { offsets: new Map(), duplicates: [], roots: [] }
  const parsed = parse(text)
  return { ...recording, values: construct(parsed.text, parsed.events, recording).values }
}
