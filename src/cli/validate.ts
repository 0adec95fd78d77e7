import { KIND } from '../claim/identity.ts'
import { command } from './command.ts'
import { namesOf } from './documents.ts'
import { readFiles, type Unreadable } from './files.ts'
import { readPlatform } from './platform-file.ts'
import type { Severity } from './print/findings.ts'
import { type FileReport, tallying } from './report/file-report.ts'
import { formatNames, formats } from './report/formats.ts'
import { summary } from './report/text.ts'
import { readSchema } from './schema-file.ts'
import { fail, note } from './stderr.ts'
import { createFileValidator, type ValidationSettings } from './validate/file-validator.ts'
import { progressOn } from './validate/progress.ts'

export const validate = command({
  name: 'validate',
  summary: 'Report every problem of claims, with file and line, before they reach a cluster.',
  operands: '[FILE|DIR|GLOB|-]...',
  details:
    'Reads YAML and JSON, validates claims and composite resources, and skips other manifests.\n' +
    'Without a file it reads standard input. Exit codes: 0 valid, 1 findings, 2 could not run or found no claim.',
  examples: [
    'eds validate claim.yaml',
    "eds validate claims/ 'teams/**/*-claim.yaml' --strict",
    'kustomize build overlays/production | eds validate -',
    'eds validate claims/ -o sarif > eds.sarif',
  ],
  options: {
    output: { type: 'string', short: 'o', choices: formatNames, description: 'output format; default: text' },
    strict: { type: 'boolean', description: 'treat warnings (deprecated fields, images that are not pinned) as errors' },
    quiet: { type: 'boolean', short: 'q', description: 'print only errors: no warnings, summary or progress' },
    schema: { type: 'string', value: 'FILE', description: 'validate against the published schema of another version' },
    input: { type: 'string', value: 'FILE', description: 'the function input, or a Composition that contains it' },
    'if-present': { type: 'boolean', description: 'succeed if there is no claim, for example in a commit hook' },
  },
  async run({ values, operands }, io) {
    const names = namesOf(operands, io, { command: 'validate', input: 'a claim' })
    const platform = await readPlatform(values.input, io)
    const schema = values.schema === undefined ? undefined : await readSchema(values.schema, io)
    const advice = adviceOf(values)
    const settings: ValidationSettings = { platform, ...(schema && { schema }), ...(advice && { advice }) }

    const isQuiet = values.quiet === true
    const progress = progressOn(isQuiet ? { ...io.stderr, isTerminal: false } : io.stderr)
    const format = formats(io.stdout)[values.output ?? 'text']
    const reports: FileReport[] = []
    const unreadable: Unreadable[] = []
    const { add, tally } = tallying()
    const validateFile = createFileValidator(settings)
    for await (const file of readFiles(names, io.stdin)) {
      if ('reason' in file) {
        unreadable.push(file)
        progress.clear()
        note(io, `eds: ${file.file}: ${file.reason}`)
        continue
      }
      for (const report of validateFile(file)) {
        add(report)
        if ('all' in format) reports.push(report)
        else write(format.each(report))
        progress.show(tally().claims)
      }
    }
    progress.clear()
    const { claims, errors } = tally()
    if ('all' in format) io.stdout.write(format.all({ command: 'validate', unit: 'claim', reports, unreadable, tally: tally() }))
    const hasNone = claims + errors + unreadable.length === 0
    if (hasNone && values['if-present'] !== true) fail('eds validate', `the input contains no ${KIND}`)
    if (!isQuiet) io.stderr.write(summary(tally(), unreadable.length))
    return unreadable.length > 0 ? 2 : errors > 0 ? 1 : 0

    function write(text: string): void {
      if (text === '') return
      progress.clear()
      io.stdout.write(text)
    }
  },
})

const adviceOf = ({ strict, quiet }: { strict?: boolean; quiet?: boolean }): Severity | undefined =>
  strict ? 'error' : quiet ? undefined : 'warning'
