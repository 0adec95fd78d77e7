import { printYaml } from '../print/manifests.ts'
import { type Format, findingsOf, type Outcome } from './file-report.ts'

export const json: Format = { all: outcome => `${JSON.stringify(dataOf(outcome), null, 2)}\n` }

export const yaml: Format = { all: outcome => printYaml([dataOf(outcome)]) }

/** Programs read these fields, so fields may be added but never renamed. */
const dataOf = ({ reports, unreadable, unit, tally: { files, claims, validClaims, errors, warnings } }: Outcome) => ({
  summary: {
    files,
    ...(unit === 'claim' ? { claims, validClaims } : { objects: claims, validObjects: validClaims }),
    errors,
    warnings,
  },
  findings: reports.flatMap(findingsOf).map(({ file, line, column, severity, code, path, message }) => ({
    ...{ file, line, column, severity, code, path, message },
  })),
  unreadable: unreadable.map(({ file, reason }) => ({ file, reason })),
})
