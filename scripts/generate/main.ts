// npm run generate [-- --check]: everything that follows from apis/definition.yaml.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { claimSchema, closed } from './claim-schema.ts'
import { generated, readComposition, readDefinition, specOf } from './definition.ts'
import { inputCrd, inputProperties, inputSchema } from './input.ts'
import { namespacedComposition, namespacedDefinition } from './namespaced.ts'
import { reference } from './reference.ts'
import { typesSource } from './types.ts'

const definition = readDefinition()
const spec = specOf(definition)
const input = inputProperties(spec)

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
const yaml = (value: object) => `# ${generated}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`

const outputs: Record<string, string> = {
  'schemas/eventdrivenservice.schema.json': json(claimSchema(definition)),
  'schemas/input.schema.json': json(inputSchema(input, closed)),
  'src/claim/generated/types.ts': typesSource(spec),
  'apis/namespaced/definition.yaml': yaml(namespacedDefinition(definition)),
  'apis/namespaced/composition.yaml': yaml(namespacedComposition(readComposition(), definition)),
  'package/function/input/inputs.yaml': yaml(inputCrd(input)),
  'docs/reference.md': reference(claimSchema(definition), inputSchema(input, closed)),
}

const check = process.argv.includes('--check')
const drifted: string[] = []
for (const [name, content] of Object.entries(outputs)) {
  const file = fileURLToPath(new URL(`../../${name}`, import.meta.url))
  if (read(file) === content) continue
  drifted.push(name)
  if (check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

if (check && drifted.length > 0) {
  console.error(`Not what apis/definition.yaml says any more: ${drifted.join(', ')}\nRun: npm run generate`)
  process.exitCode = 1
} else {
  console.log(drifted.length === 0 ? `${Object.keys(outputs).length} generated files are up to date` : `wrote ${drifted.join(', ')}`)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
