// npm run generate [-- --check]: generates the files derived from apis/definition.yaml, then those derived from the examples.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { inlined } from '../../src/claim/schema.ts'
import { claimSchema, closed } from './claim-schema.ts'
import { generated, readComposition, readDefinition, specOf, statusOf } from './definition.ts'
import { inputCrd, inputProperties, inputSchema } from './input.ts'
import { namespacedComposition, namespacedDefinition } from './namespaced.ts'
import { reference } from './reference.ts'
import { typesSource } from './types.ts'
import { versions } from './versions.ts'
import { workerApi } from './worker-api.ts'

const definition = readDefinition()
const spec = specOf(definition)
const input = inputProperties(spec)

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
const yaml = (value: object) => `# ${generated}\n${stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })}`

const check = process.argv.includes('--check')
const changed: string[] = []
let count = 0

update({
  'schemas/eventdrivenservice.schema.json': json(claimSchema(definition)),
  'schemas/input.schema.json': json(inputSchema(input, closed)),
  'src/claim/generated/types.ts': typesSource(spec, statusOf(definition)),
  'apis/namespaced/definition.yaml': yaml(namespacedDefinition(definition)),
  'apis/namespaced/composition.yaml': yaml(namespacedComposition(readComposition(), definition)),
  'package/function/input/inputs.yaml': yaml(inputCrd(input)),
  'docs/versions.md': versions(),
  'docs/worker-api.md': workerApi(),
  'docs/reference.md': reference(claimSchema(definition), inlined(inputSchema(input, closed))),
})
// Imported after the schemas are written, because the core reads them on import.
const { shipped, shippedFolders } = await import('./shipped.ts')
const outputs = shipped()
update(outputs)
for (const folder of shippedFolders) removeOthers(folder, Object.keys(outputs))

if (check && changed.length > 0) {
  console.error(`Not up to date: ${changed.join(', ')}\nRun: npm run generate`)
  process.exitCode = 1
} else {
  console.log(changed.length === 0 ? `${count} generated files are up to date` : `wrote ${changed.join(', ')}`)
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

/** Writes outdated files; with --check only records them. */
function update(expected: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(expected)) {
    count++
    if (read(fileOf(name)) === content) continue
    changed.push(name)
    if (check) continue
    mkdirSync(dirname(fileOf(name)), { recursive: true })
    writeFileSync(fileOf(name), content)
  }
}

/** Removes files that are no longer generated. */
function removeOthers(folder: string, expected: readonly string[]): void {
  for (const entry of readdirSync(fileOf(folder), { recursive: true, withFileTypes: true })) {
    const name = `${folder}${`${entry.parentPath}/${entry.name}`.slice(fileOf(folder).length)}`
    if (!entry.isFile() || expected.includes(name)) continue
    changed.push(name)
    if (!check) rmSync(fileOf(name))
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
