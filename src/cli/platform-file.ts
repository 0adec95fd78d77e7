import type { Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, textOf } from '../kubernetes/json.ts'
import { builtInPlatform, type Platform, parsePlatform } from '../platform/platform.ts'
import { GROUP } from './claim-documents.ts'
import { readWholeDocuments } from './documents.ts'
import type { Io } from './io.ts'
import { printFindings } from './print/findings.ts'
import { CommandError, fail } from './stderr.ts'
import { locateFindings, type SourceDocument } from './yaml/source.ts'

/** The platform that a file describes; ends the command if the file is wrong. */
export async function readPlatform(file: string | undefined, io: Io): Promise<Platform> {
  if (file === undefined) return builtInPlatform
  const documents = await readWholeDocuments([file], io)
  const input = documents.map(inputOf).find(found => found !== undefined)
  if (input === undefined) return fail(`eds: ${file}`, 'contains neither a function input nor a Composition with one')
  const { document, path } = input
  const parsed = parsePlatform(at(document.value, ...path))
  if (parsed.ok) return parsed.platform
  const located = locateFindings(
    document,
    parsed.findings.map(finding => ({ ...finding, path: [...path, ...finding.path] })),
  )
  io.stderr.write(printFindings(located, io.stderr))
  throw new CommandError(1)
}

/** Whether the value is an input of the function. */
export const isInput = (value: Json | undefined): boolean => textOf(at(value, 'apiVersion')).startsWith(`fn.${GROUP}/`)

/** Finds an Input that is a document of its own, or part of a step of a Composition. */
function inputOf(document: SourceDocument): { document: SourceDocument; path: (string | number)[] } | undefined {
  const { value } = document
  if (!isObject(value)) return undefined
  if (isInput(value)) return { document, path: [] }
  const index = items(at(value, 'spec', 'pipeline')).findIndex(step => isInput(at(step, 'input')))
  return index === -1 ? undefined : { document, path: ['spec', 'pipeline', index, 'input'] satisfies Path }
}
