import { readFiles, type Unreadable } from './files.ts'
import type { Io } from './io.ts'
import { printFindings } from './print/findings.ts'
import { CommandError, fail, note } from './stderr.ts'
import { type LocatedFinding, readSource, type SourceDocument } from './yaml/source.ts'

export interface Documents {
  readonly documents: readonly SourceDocument[]
  readonly findings: readonly LocatedFinding[]
  /** The files that could not be read, which have been noted. */
  readonly unreadable: readonly Unreadable[]
  readonly complete: boolean
}

/** Reads every document of every named file, in order. */
export async function readDocuments(names: readonly string[], io: Io): Promise<Documents> {
  const documents: SourceDocument[] = []
  const findings: LocatedFinding[] = []
  const unreadable: Unreadable[] = []
  for await (const read of readFiles(names, io.stdin)) {
    if ('reason' in read) {
      unreadable.push(read)
      note(io, `eds: ${read.file}: ${read.reason}`)
      continue
    }
    const source = readSource(read.file, read.text)
    for (const document of source.documents) documents.push(document)
    for (const finding of source.findings) findings.push(finding)
  }
  return { documents, findings, unreadable, complete: unreadable.length === 0 }
}

/** Reads the documents, and ends the command if a file cannot be read or is not YAML. */
export async function readWholeDocuments(names: readonly string[], io: Io): Promise<readonly SourceDocument[]> {
  const { documents, findings, complete } = await readDocuments(names, io)
  endOnFindings(findings, { complete }, io)
  return documents
}

/** Prints findings, and ends the command if there are any or a file could not be read. */
export function endOnFindings(findings: readonly LocatedFinding[], { complete }: Pick<Documents, 'complete'>, io: Io): void {
  io.stderr.write(printFindings(findings, io.stderr))
  if (!complete) throw new CommandError(2)
  if (findings.length > 0) throw new CommandError(1)
}

/** The files to read, or standard input if it is piped. */
export function namesOf(
  operands: readonly string[],
  { stdin }: Io,
  { command, input }: { command: string; input: string },
): readonly string[] {
  if (operands.length > 0) return operands
  return stdin.isTerminal ? fail(`eds ${command}`, `name a file or a directory, or pipe ${input} in`) : ['-']
}
