import type { Schema } from '../claim/schema.ts'
import { compileValidator } from '../claim/validate.ts'
import { isObject } from '../kubernetes/json.ts'
import { readDocuments } from './documents.ts'
import type { Io } from './io.ts'
import { CommandError, fail } from './stderr.ts'

/** Reads the published schema of another version, and ends the command if the file is not one. */
export async function readSchema(file: string, io: Io): Promise<Schema> {
  const refuse = (problem: string): never => fail(`eds: ${file}`, problem)
  const { documents, findings, complete } = await readDocuments([file], io)
  if (!complete) throw new CommandError(2)
  const [first] = findings
  if (first !== undefined) return refuse(`is not valid JSON: line ${first.line}: ${first.problem}`)
  const value = documents[0]?.value
  const isSchema = documents.length === 1 && isObject(value) && isObject(value.properties) && isObject(value.properties.spec)
  if (!isSchema) return refuse('is not an EventDrivenService schema: it has no properties.spec (npm run generate writes one to schemas/)')
  const schema = value as Schema
  try {
    compileValidator(schema)
  } catch (error) {
    // ajv and CEL throw only because of this file, and they document no error types.
    return refuse(`is not a valid schema: ${error instanceof Error ? error.message : error}`)
  }
  return schema
}
