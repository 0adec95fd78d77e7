// The findings of `eds validate`, `eds lint` and `eds gitops check` as plain data, for the report formats.
import type { Unreadable } from '../files.ts'
import { byPosition, type ReportedFinding } from '../print/findings.ts'

/** The findings of one file, or of a part of a large one. */
export interface FileReport {
  readonly file: string
  readonly claims: readonly ClaimReport[]
  /** Findings that belong to no claim, such as syntax errors. */
  readonly findings: readonly ReportedFinding[]
}

export interface ClaimReport {
  /** `shop/orders` */
  readonly name: string
  readonly findings: readonly ReportedFinding[]
}

export interface Tally {
  readonly files: number
  readonly claims: number
  readonly validClaims: number
  readonly errors: number
  readonly warnings: number
  /** Files with errors. */
  readonly faultyFiles: number
}

export interface Tallying {
  readonly add: (report: FileReport) => void
  readonly tally: () => Tally
}

/** Counts reports as they arrive; a large file arrives in several. */
export function tallying(): Tallying {
  const files = new Set<string>()
  const faultyFiles = new Set<string>()
  let [claims, validClaims, errors, warnings] = [0, 0, 0, 0]
  return {
    add(report) {
      const findings = findingsOf(report)
      const wrong = findings.filter(isError).length
      files.add(report.file)
      if (wrong > 0) faultyFiles.add(report.file)
      claims += report.claims.length
      validClaims += report.claims.filter(claim => !claim.findings.some(isError)).length
      errors += wrong
      warnings += findings.length - wrong
    },
    tally: () => ({ files: files.size, faultyFiles: faultyFiles.size, claims, validClaims, errors, warnings }),
  }
}

/** The command that reports, and what it counts: `eds lint` reports on objects of any kind as on claims. */
export interface Reporter {
  readonly command: 'validate' | 'lint' | 'gitops check'
  readonly unit: 'claim' | 'object'
}

export interface Outcome extends Reporter {
  readonly reports: readonly FileReport[]
  readonly unreadable: readonly Unreadable[]
  readonly tally: Tally
}

/** Whether a format prints each file as soon as it is validated, or all files at the end. */
export type Format = { readonly each: (report: FileReport) => string } | { readonly all: (outcome: Outcome) => string }

/** All findings of a file, in the order of its lines. */
export const findingsOf = ({ claims, findings }: FileReport): ReportedFinding[] =>
  [...findings, ...claims.flatMap(claim => claim.findings)].sort(byPosition)

export const isError = ({ severity }: ReportedFinding): boolean => severity === 'error'
