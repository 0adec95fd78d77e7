import { KIND } from '../claim/parse.ts'
import { command } from './command.ts'
import { readFiles, type Unreadable } from './files.ts'
import type { Io } from './io.ts'
import { fail, note } from './note.ts'
import { readPlatform } from './platform-file.ts'
import type { Severity } from './print/findings.ts'
import { formatNames, formats } from './report/formats.ts'
import { type FileReport, tallying } from './report/report.ts'
import { summary } from './report/text.ts'
import { readSchema } from './schema-file.ts'
import type { Settings } from './validate/judge.ts'
import { PART_LENGTH, type Part, partsOf } from './validate/part.ts'
import { type Job, judgeAll } from './validate/pool.ts'
import { progressOn } from './validate/progress.ts'

export const validate = command({
  name: 'validate',
  summary: 'Say what is wrong with claims, and where: all of it at once, before it reaches a cluster.',
  operands: '[FILE|DIR|GLOB|-]...',
  details:
    'Reads YAML and JSON, many documents a file, and picks out the claims and composite resources; other manifests are skipped.\n' +
    'Without a file it reads standard input. Exit codes: 0 valid, 1 findings, 2 could not run, or there was no claim.',
  examples: [
    'eds validate claim.yaml',
    "eds validate claims/ 'teams/**/*-claim.yaml' --strict",
    'kustomize build overlays/production | eds validate -',
    'eds validate claims/ -o sarif > eds.sarif',
  ],
  options: {
    output: { type: 'string', short: 'o', choices: formatNames, says: 'how to print the findings; the default is text' },
    strict: { type: 'boolean', says: 'deprecated fields and images that are not pinned are errors, not warnings' },
    quiet: { type: 'boolean', short: 'q', says: 'errors only: no warnings, no summary, no progress' },
    schema: { type: 'string', value: 'FILE', says: 'the published schema of another version, to judge by that' },
    input: { type: 'string', value: 'FILE', says: "the platform's input for the function, or a Composition that holds it" },
    'if-present': { type: 'boolean', says: 'having no claim to judge is fine, as for a commit hook' },
  },
  async run({ values, operands }, io) {
    if (operands.length === 0 && io.stdin.isTerminal) return fail(io, 'eds validate', 'name a file or a directory, or pipe a claim in')
    const platform = await readPlatform(values.input, io)
    if (typeof platform === 'number') return platform
    const schema = values.schema === undefined ? undefined : await readSchema(values.schema, io)
    if (typeof schema === 'number') return schema
    const advice = adviceOf(values)
    const settings: Settings = { platform, ...(schema && { schema }), ...(advice && { advice }) }

    const isQuiet = values.quiet === true
    const progress = progressOn(isQuiet ? { ...io.stderr, isTerminal: false } : io.stderr)
    const format = formats(io.stdout)[values.output ?? 'text']
    const reports: FileReport[] = []
    const unreadable: Unreadable[] = []
    const { add, tally } = tallying()
    const jobs = jobsOf(operands.length === 0 ? ['-'] : operands, io, read => {
      unreadable.push(read)
      progress.clear()
      note(io, `eds: ${read.file}: ${read.reason}`)
    })
    for await (const judged of judgeAll(jobs, settings, { script: io.script })) {
      judged.forEach(add)
      if ('all' in format) for (const report of judged) reports.push(report)
      else write(judged.map(format.each).join(''))
      progress.tell(tally().claims)
    }
    progress.clear()
    const { claims, errors } = tally()
    if ('all' in format) io.stdout.write(format.all({ reports, unreadable, tally: tally() }))
    const hasNone = claims + errors + unreadable.length === 0
    if (hasNone && values['if-present'] !== true) return fail(io, 'eds validate', `there is no ${KIND} in what was given`)
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

/** Files that are read, cut or put together to what is worth a step; what cannot be read is handed over at once. */
async function* jobsOf(names: readonly string[], { stdin }: Io, refuse: (read: Unreadable) => void): AsyncGenerator<Job> {
  let job: Part[] = []
  let length = 0
  for await (const read of readFiles(names, stdin)) {
    if ('reason' in read) {
      refuse(read)
      continue
    }
    for (const part of partsOf(read)) {
      job.push(part)
      length += part.text.length
      if (length < PART_LENGTH) continue
      yield job
      job = []
      length = 0
    }
  }
  if (job.length > 0) yield job
}
