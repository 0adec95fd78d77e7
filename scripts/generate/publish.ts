// For scripts/publish-schema.sh: writes only the claim's schema, from the XRD or from a CRD on standard input.
import { readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { claimSchema } from './claim-schema.ts'
import { type Definition, readDefinition } from './definition.ts'
import { type CustomResourceDefinition, definitionOf } from './from-crd.ts'

const [source, output = ''] = process.argv.slice(2)

try {
  const schema = claimSchema(source === '--from-crd' ? readCrd() : readDefinition())
  publish(`${JSON.stringify(schema, null, 2)}\n`)
} catch (error) {
  console.error(`publish-schema: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}

function publish(schema: string): void {
  const before = current()
  // A cluster sorts the fields, so ignore their order.
  const same =
    source === '--from-crd' ? before !== undefined && isDeepStrictEqual(JSON.parse(before), JSON.parse(schema)) : before === schema
  if (!same) writeFileSync(output, schema)
  console.log(same ? `${output} is up to date` : `wrote ${output}`)
}

function current(): string | undefined {
  try {
    return readFileSync(output, 'utf8')
  } catch {
    return undefined
  }
}

function readCrd(): Definition {
  const crd = JSON.parse(readFileSync(0, 'utf8')) as Partial<CustomResourceDefinition>
  if (crd.kind !== 'CustomResourceDefinition' || crd.spec === undefined)
    throw new Error(`expected a CustomResourceDefinition, got ${crd.kind ?? 'another kind'}`)
  return definitionOf(crd as CustomResourceDefinition)
}
