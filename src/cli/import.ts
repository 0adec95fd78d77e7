import { sentence } from '../claim/findings.ts'
import { importKnative } from '../convert/import-knative.ts'
import { isObject } from '../kubernetes/json.ts'
import { command } from './command.ts'
import { namesOf, readWholeDocuments } from './documents.ts'
import { readPlatform } from './platform-file.ts'
import { printReported, reportFinding } from './print/findings.ts'
import { printYaml } from './print/manifests.ts'
import { fail, note } from './stderr.ts'
import { type LocatedFinding, locateFinding } from './yaml/source.ts'

export const importClaim = command({
  name: 'import',
  summary: 'Print the claim that renders an existing Knative Service.',
  operands: 'knative [FILE|DIR|GLOB|-]...',
  details:
    'Takes one Knative Service with the ServiceAccount of its pods, and the Broker, Triggers and KafkaSource that send events\n' +
    'to it. Standard error lists what a claim cannot express, with its position. Exit codes: 0 imported, 1 findings, 2 could\n' +
    'not run.',
  examples: [
    'eds import knative service.yaml',
    'kubectl get ksvc,serviceaccount,broker,trigger,kafkasource -n shop -o yaml | eds import knative - > claim.yaml',
  ],
  options: {
    input: { type: 'string', value: 'FILE', description: 'the function input, or a Composition that contains it' },
  },
  async run({ values, operands: [what, ...names] }, io) {
    if (what !== 'knative') fail('eds import', `imports 'knative', got ${what === undefined ? 'nothing' : `'${what}'`}`)
    const platform = await readPlatform(values.input, io)
    const documents = await readWholeDocuments(namesOf(names, io, { command: 'import', input: 'manifests' }), io)
    const manifests = documents.flatMap(document => (isObject(document.value) ? [{ document, value: document.value }] : []))
    const imported = importKnative(
      manifests.map(({ value }) => value),
      platform,
    )
    if (!imported.ok) {
      for (const finding of imported.findings)
        note(io, `eds import: ${imported.claim ? 'the claim would be refused: ' : ''}${sentence(finding)}`)
      return 1
    }
    const unsaid = imported.unsaid.flatMap(({ index, path, problem }): LocatedFinding[] => {
      const document = manifests[index]?.document
      return document === undefined ? [] : [locateFinding(document, { code: 'UNSUPPORTED', path, problem })]
    })
    for (const finding of unsaid) io.stderr.write(printReported(reportFinding(finding, 'warning'), io.stderr))
    io.stdout.write(printYaml([imported.claim]))
    return 0
  },
})
