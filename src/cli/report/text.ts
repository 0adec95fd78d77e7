import type { Output } from '../io.ts'
import { printReported } from '../print/findings.ts'
import { type Format, findingsOf, type Reporter, type Tally } from './file-report.ts'

/** One line for each finding, and on a terminal also the source line. */
export const text = (out: Output): Format => ({
  each: report =>
    findingsOf(report)
      .map(finding => printReported(finding, out))
      .join(''),
})

/** `3 claims valid, 2 findings in 1 file` */
export function summary(tally: Tally, unreadable: number, unit: Reporter['unit'] = 'claim'): string {
  const { files, claims, validClaims, errors, warnings, faultyFiles } = tally
  const valid = validClaims === claims ? `${count(claims, unit)} valid` : `${number(validClaims)} of ${count(claims, unit)} valid`
  const parts = [
    valid,
    errors === 0 ? (files > 1 ? `${count(files, 'file')} read` : '') : `${count(errors, 'finding')} in ${count(faultyFiles, 'file')}`,
    warnings === 0 ? '' : count(warnings, 'warning'),
    unreadable === 0 ? '' : `${count(unreadable, 'file')} not read`,
  ]
  return `${parts.filter(part => part !== '').join(', ')}\n`
}

const number = (value: number) => value.toLocaleString('en')
const count = (value: number, unit: string) => `${number(value)} ${unit}${value === 1 ? '' : 's'}`
