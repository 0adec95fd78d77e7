import type { Schema } from '../claim/schema.ts'
import { compileValidator } from '../claim/validate.ts'
import { isObject } from '../kubernetes/json.ts'
import { readDocuments } from './documents.ts'
import type { Io } from './io.ts'
import { CommandError, fail } from './stderr.ts'

/** The published schema of another version; ends the command if the file is none. */
export async function readSchema(file: string, io: Io): Promise<Schema> {
  const refuse = (problem: string): never => fail(`eds: ${file}`, problem)
  const { documents, findings, complete } = await readDocuments([file], io)
  if (!complete) throw new CommandError(2)
  const [first] = findings
  if (first !== undefined) return refuse(`is no JSON: line ${first.line}: ${first.problem}`)
  const value = documents[0]?.value
  const isSchema = documents.length === 1 && isObject(value) && isObject(value.properties) && isObject(value.properties.spec)
  if (!isSchema)
    return refuse('is not a schema of an EventDrivenService: it has no properties.spec (npm run generate writes one to schemas/)')
  const schema = value as Schema
  try {
    compileValidator(schema)
  } catch (error) {
    // Neither ajv nor CEL says what it throws; that file is all they were given.
    return refuse(`is no schema: ${error instanceof Error ? error.message : error}`)
  }
  return schema
}
