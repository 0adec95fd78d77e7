import type { Schema } from '../claim/schema.ts'
import { validator } from '../claim/validate.ts'
import { isObject } from '../json.ts'
import { readDocuments } from './documents.ts'
import type { ExitCode, Io } from './io.ts'
import { fail } from './note.ts'

/** The published schema of another version; else, once it has been said what is wrong with the file, the exit code. */
export async function readSchema(file: string, io: Io): Promise<Schema | ExitCode> {
  const refuse = (problem: string) => fail(io, `eds: ${file}`, problem)
  const { documents, findings, complete } = await readDocuments([file], io)
  if (!complete) return 2
  const [first] = findings
  if (first !== undefined) return refuse(`is no JSON: line ${first.line}: ${first.problem}`)
  const value = documents[0]?.value
  const isSchema = documents.length === 1 && isObject(value) && isObject(value.properties) && isObject(value.properties.spec)
  if (!isSchema)
    return refuse('is not a schema of an EventDrivenService: it has no properties.spec (npm run generate writes one to schemas/)')
  return complaint(value as Schema) ?? (value as Schema)

  function complaint(schema: Schema): ExitCode | undefined {
    try {
      validator(schema)
      return undefined
    } catch (error) {
      // Neither ajv nor CEL says what it throws; that file is all they were given.
      return refuse(`is no schema: ${error instanceof Error ? error.message : error}`)
    }
  }
}
