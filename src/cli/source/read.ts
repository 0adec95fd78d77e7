import { type Event, parseEvents, YAMLException } from 'js-yaml'
import { type Chunk, splitJsonStream } from './chunks.ts'
import { type Constructed, construct, type Recording } from './construct.ts'
import { quickRead } from './quick.ts'
import { explainSyntax, type SyntaxProblem } from './syntax.ts'

/** What a chunk says. Where each thing stands is worked out when `recorded` is first called. */
export interface ChunkRead extends Constructed {
  readonly start: number
  readonly problem: SyntaxProblem | undefined
  readonly recorded: () => Recorded
}

export interface Recorded extends Recording {
  readonly values: readonly unknown[]
}

export function readChunk(chunk: Chunk): ChunkRead[] {
  const read = readWhole(chunk)
  const stream = read.problem !== undefined && chunk.text.trimStart().startsWith('{') ? splitJsonStream(chunk) : undefined
  return stream?.map(readWhole) ?? [read]
}

/** Ten thousand claims are well below; each entry takes a thousand times its length in memory. */
const MOST_ENTRIES = 1_000_000
const ENTRY = /[\n\r,[{]/g

function hasTooMuch(text: string): boolean {
  if (text.length <= MOST_ENTRIES) return false
  let entries = 0
  for (const _ of text.matchAll(ENTRY)) if (++entries > MOST_ENTRIES) return true
  return false
}

function readWhole({ text, start }: Chunk): ChunkRead {
  let known: Recorded | undefined
  const recorded = () => (known ??= record(text))
  const failed = (problem: SyntaxProblem): ChunkRead => ({ start, values: [], hasDuplicates: false, problem, recorded })
  if (hasTooMuch(text)) return failed({ offset: 0, problem: `a document of more than ${MOST_ENTRIES} lines and entries: split it` })
  const quick = quickRead(text)
  if (quick !== undefined) return { start, values: [quick.value], hasDuplicates: false, problem: undefined, recorded }
  const events = attempt(() => parseEvents(text, {}))
  if (events instanceof YAMLException) return failed(explainSyntax(text, events))
  const constructed = attempt(() => construct(text, events))
  if (constructed instanceof YAMLException) return failed({ offset: constructed.mark?.position ?? 0, problem: constructed.reason })
  return { start, ...constructed, problem: undefined, recorded }
}

function attempt<T extends Constructed | Event[]>(read: () => T): T | YAMLException {
  try {
    return read()
  } catch (error) {
    if (error instanceof YAMLException) return error
    throw error
  }
}

function record(text: string): Recorded {
  const recording: Recording = { places: new Map(), duplicates: [], roots: [] }
  return { ...recording, values: construct(text, parseEvents(text, {}), recording).values }
}
