import { readFiles } from './files.ts'
import type { Io } from './io.ts'
import { note } from './note.ts'
import { type LocatedFinding, readSource, type SourceDocument } from './source.ts'

export interface Documents {
  readonly documents: readonly SourceDocument[]
  readonly findings: readonly LocatedFinding[]
  /** Whether each file could be read at all. Which could not has been said. */
  readonly complete: boolean
}

/** Every document of every file that is named, in order. */
export async function readDocuments(names: readonly string[], io: Io): Promise<Documents> {
  const documents: SourceDocument[] = []
  const findings: LocatedFinding[] = []
  let complete = true
  for await (const read of readFiles(names, io.stdin)) {
    if ('reason' in read) {
      complete = false
      note(io, `eds: ${read.file}: ${read.reason}`)
      continue
    }
    const source = readSource(read.file, read.text)
    for (const document of source.documents) documents.push(document)
    for (const finding of source.findings) findings.push(finding)
  }
  return { documents, findings, complete }
}
