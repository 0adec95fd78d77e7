import { COMPOSITE_KIND, KIND } from '../claim/identity.ts'
import { isObject, type JsonObject, nonEmptyText, textOf } from '../kubernetes/json.ts'
import { grouped } from '../lint/grouped.ts'
import { type LintFinding, lint as lintObjects } from '../lint/lint.ts'
import type { Rule } from '../lint/rule.ts'
import { rules } from '../lint/rules.ts'
import { kindAndName } from './claim-documents.ts'
import { command, type Options, type Values } from './command.ts'
import { namesOf, readDocuments } from './documents.ts'
import type { ExitCode, Io } from './io.ts'
import { reportFinding } from './print/findings.ts'
import { type FileReport, tallying } from './report/file-report.ts'
import { formatNames, formats } from './report/formats.ts'
import { summary } from './report/text.ts'
import { fail, note } from './stderr.ts'
import { type LocatedFinding, locateFindings, type SourceDocument } from './yaml/source.ts'

export const lintOptions = {
  output: { type: 'string', short: 'o', choices: formatNames, description: 'output format; default: text' },
  complete: {
    type: 'boolean',
    description: 'the files contain everything of their namespaces: report what they lack',
  },
  namespace: { type: 'string', short: 'n', value: 'NAMESPACE', description: 'namespace of objects that name none; default: default' },
  quiet: { type: 'boolean', short: 'q', description: 'print only findings: no summary' },
} as const satisfies Options

export const lint = command({
  name: 'lint',
  summary: 'Report references between manifests that lead nowhere, and manifests that undo one another, without a cluster.',
  operands: '[FILE|DIR|GLOB|-]...',
  details:
    'Reads YAML and JSON: rendered manifests, or manifests of any origin. Without a file it reads standard input.\n' +
    'Exit codes: 0 no findings, 1 findings, 2 could not run or found no object.',
  examples: [
    'eds render claims/ | eds lint -',
    'kustomize build overlays/production | eds lint - --complete',
    'eds lint manifests/ -o sarif > eds.sarif',
  ],
  options: lintOptions,
  run({ values, operands }, io) {
    const notes = {
      ofClaim: (file: string, claim: JsonObject) => `eds: ${file}: to lint what ${kindAndName(claim)} becomes, render it first: eds render`,
      ofUnchecked: (count: number) =>
        `${count} ${count === 1 ? 'reference leads' : 'references lead'} out of the files; --complete reports what they lack`,
    }
    return lintFiles(operands, values, { command: 'lint', rules, ...notes }, io)
  },
})

/** A command with its rules, and its notes on objects that they cannot see. */
export interface Linter {
  readonly command: 'lint' | 'gitops check'
  readonly rules: readonly Rule[]
  readonly ofClaim?: (file: string, claim: JsonObject) => string
  readonly ofUnchecked: (count: number) => string
}

/** Reads the files, prints what the rules report, and says with the exit code whether there is anything. */
export async function lintFiles(
  operands: readonly string[],
  values: Values<typeof lintOptions>,
  { command, rules, ofClaim, ofUnchecked }: Linter,
  io: Io,
): Promise<ExitCode> {
  const names = namesOf(operands, io, { command, input: 'manifests' })
  const isComplete = values.complete === true
  const { documents, findings: syntax, unreadable } = await readDocuments(names, io)
  const objects = documents.flatMap(document => objectOf(document))
  if (ofClaim !== undefined)
    for (const { document, value } of objects.filter(({ value }) => isClaim(value))) note(io, ofClaim(document.file, value))
  const { findings, unchecked } = lintObjects(
    objects.map(({ value }) => value),
    { namespace: values.namespace ?? 'default', isComplete, rules },
  )

  const reports = reportsOf(objects, findings, syntax)
  const { add, tally } = tallying()
  reports.forEach(add)
  const format = formats(io.stdout)[values.output ?? 'text']
  io.stdout.write(
    'all' in format ? format.all({ command, unit: 'object', reports, unreadable, tally: tally() }) : reports.map(format.each).join(''),
  )
  if (objects.length + syntax.length + unreadable.length === 0) fail(`eds ${command}`, 'the input contains no Kubernetes object')
  if (values.quiet !== true) {
    io.stderr.write(summary(tally(), unreadable.length, 'object'))
    if (unchecked > 0) note(io, ofUnchecked(unchecked))
  }
  return unreadable.length > 0 ? 2 : tally().errors > 0 ? 1 : 0
}

interface LintedDocument {
  readonly document: SourceDocument
  readonly value: JsonObject
}

/** Skips settings and other YAML that is no object. */
function objectOf(document: SourceDocument): LintedDocument[] {
  const { value } = document
  // Kustomize needs neither `kind` nor `apiVersion` in a file of this name.
  if (isObject(value) && value.kind === undefined && /(?:^|[\\/])kustomization\.ya?ml$/.test(document.file))
    return [{ document, value: { ...value, apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' } }]
  const isManifest = isObject(value) && nonEmptyText(value.kind) !== undefined && nonEmptyText(value.apiVersion) !== undefined
  return isManifest ? [{ document, value }] : []
}

const isClaim = ({ kind }: JsonObject) => kind === KIND || kind === COMPOSITE_KIND

function nameOf(value: JsonObject): string {
  const metadata = isObject(value.metadata) ? value.metadata : {}
  const namespace = nonEmptyText(metadata.namespace)
  return `${textOf(value.kind)} ${namespace === undefined ? '' : `${namespace}/`}${textOf(metadata.name ?? '(without a name)')}`
}

/** A report for each file, in the order of the files. */
function reportsOf(objects: readonly LintedDocument[], findings: readonly LintFinding[], syntax: readonly LocatedFinding[]): FileReport[] {
  const byObject = grouped(findings, ({ index }) => index)
  const claims = objects.map(({ document, value }, index) => {
    const own = (byObject.get(index) ?? []).map(({ finding }) => finding)
    return { file: document.file, name: nameOf(value), findings: locateFindings(document, own).map(finding => reportFinding(finding)) }
  })
  const [claimsOf, syntaxOf] = [grouped(claims, ({ file }) => file), grouped(syntax, ({ file }) => file)]
  return [...new Set([...claimsOf.keys(), ...syntaxOf.keys()])].map(file => ({
    file,
    claims: claimsOf.get(file) ?? [],
    findings: (syntaxOf.get(file) ?? []).map(finding => reportFinding(finding)),
  }))
}
