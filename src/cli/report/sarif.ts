// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, the format of GitHub code scanning and others.
import { pathToFileURL } from 'node:url'
import manifest from '../../../package.json' with { type: 'json' }
import { codes } from '../../claim/findings.ts'
import { printable } from '../../text/printable.ts'
import type { ReportedFinding } from '../print/findings.ts'
import { type Format, findingsOf, type Outcome } from './file-report.ts'

export const sarif: Format = { all: outcome => `${JSON.stringify(logOf(outcome), null, 2)}\n` }

const ids = Object.keys(codes)
const rules = Object.entries(codes).map(([id, text]) => ({ id, shortDescription: { text }, fullDescription: { text } }))

const logOf = ({ reports, unreadable }: Outcome) => ({
  $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'eds', semanticVersion: manifest.version, rules } },
      columnKind: 'utf16CodeUnits',
      invocations: [
        {
          executionSuccessful: unreadable.length === 0,
          toolExecutionNotifications: unreadable.map(({ file, reason }) => ({
            level: 'error',
            message: { text: printable(`${file}: ${reason}`) },
          })),
        },
      ],
      results: reports.flatMap(findingsOf).map(result),
    },
  ],
})

const result = ({ file, line, column, code, path, message, severity }: ReportedFinding) => ({
  ruleId: code,
  ruleIndex: ids.indexOf(code),
  level: severity,
  message: { text: printable(message) },
  locations: [
    {
      physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, startColumn: column } },
      ...(path !== '' && { logicalLocations: [{ fullyQualifiedName: path }] }),
    },
  ],
})

/** Keeps relative paths relative, because consumers resolve them against the checkout. */
const uriOf = (file: string) => {
  if (/^(?:\/|[A-Za-z]:[\\/])/.test(file)) return pathToFileURL(file).href
  return file
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/)+/, '')
    .split('/')
    .map(encodeURIComponent)
    .join('/')
}
