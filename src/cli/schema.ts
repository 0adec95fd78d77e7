import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import claimSchema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { type JsonObject, textOf } from '../kubernetes/json.ts'
import { type Names, ownNames, withNames } from '../platform/names.ts'
import { command } from './command.ts'
import type { ExitCode } from './io.ts'
import { packaged } from './packaged.ts'
import { readPlatform } from './platform-file.ts'

export const schema = command({
  name: 'schema',
  summary: "Print the API with the platform's own sizes, environments and priorities.",
  details:
    'Prints the CompositeResourceDefinition to install, or the JSON Schema for editors and CI.\n' +
    'Without --input it prints what is published.',
  examples: [
    'eds schema --input platform.yaml -o xrd | kubectl apply -f -',
    'eds schema --input platform.yaml -o json-schema > schema.json',
  ],
  options: {
    input: { type: 'string', value: 'FILE', description: 'the function input, or a Composition that contains it' },
    output: { type: 'string', short: 'o', choices: ['xrd', 'json-schema'], description: 'output format; default: xrd' },
    namespaced: { type: 'boolean', description: 'print the namespaced API of Crossplane 2, without claims' },
  },
  async run({ values }, io): Promise<ExitCode> {
    const names = ownNames(await readPlatform(values.input, io))
    io.stdout.write(
      values.output === 'json-schema'
        ? `${JSON.stringify(withNames(claimSchema as unknown as JsonObject, names), null, 2)}\n`
        : definition(values.namespaced === true ? 'apis/namespaced/definition.yaml' : 'apis/definition.yaml', names),
    )
    return 0
  },
})

const SPEC = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties']

function definition(file: string, names: Names): string {
  const text = readFileSync(packaged(file), 'utf8')
  const entries = Object.entries(names)
  if (entries.length === 0) return text
  // Quotes names with a meaning in YAML 1.1, which Kubernetes reads.
  const document = parseDocument(text, { merge: true, compat: 'yaml-1.1' })
  for (const [field, values] of entries) {
    document.setIn([...SPEC, field, 'enum'], document.createNode(values, { flow: true }))
    const example = [...SPEC, field, 'example']
    if (!values.includes(textOf(document.getIn(example)))) document.setIn(example, values[0])
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}
