import { type Code, formatPath, sentence } from '../../claim/findings.ts'
import { printable } from '../../text/printable.ts'
import type { Output } from '../io.ts'
import type { LocatedFinding, Position } from '../yaml/source.ts'
import { painter } from './color.ts'

/** A finding as plain data, ready to print. */
export interface ReportedFinding extends Position {
  readonly file: string
  readonly code: Code
  /** Such as `spec.size`. */
  readonly path: string
  /** The whole sentence, path included. */
  readonly message: string
  readonly severity: Severity
  readonly source: string
  readonly cut: number
}

export type Severity = 'error' | 'warning'

export function reportFinding(finding: LocatedFinding, severity: Severity = 'error'): ReportedFinding {
  const { file, line, column, code, path, source, cut = 0, hint } = finding
  const message = sentence(finding) + (hint === undefined ? '' : ` (${hint})`)
  return { file, line, column, code, path: formatPath(path), message, severity, source, cut }
}

/** One line for each finding, from the top of each file down; on a terminal also the line that it points into. */
export const printFindings = (findings: readonly LocatedFinding[], out: Output): string =>
  inOrder(findings)
    .map(finding => printReported(reportFinding(finding), out))
    .join('')

function inOrder(findings: readonly LocatedFinding[]): LocatedFinding[] {
  const files = new Map([...new Set(findings.map(({ file }) => file))].map((file, index) => [file, index]))
  const rank = ({ file }: LocatedFinding) => files.get(file) ?? 0
  return findings.toSorted((a, b) => rank(a) - rank(b) || byPosition(a, b))
}

export const byPosition = (a: Position, b: Position): number => a.line - b.line || a.column - b.column

export function printReported({ file, line, column, code, message, severity, source, cut }: ReportedFinding, out: Output): string {
  const { isTerminal, width } = out
  const paint = painter(out)
  const where = paint('bold', `${printable(file)}:${line}:${column}`)
  const how = severity === 'warning' ? `${paint('yellow', 'warning:')} ` : ''
  const text = `${where}  ${how}${printable(message)}  ${paint('dim', `[${code}]`)}\n`
  if (!isTerminal) return text
  return text + excerpt(source, { line, column: column - cut, width, mark: sign => paint('red', sign), gutter: g => paint('dim', g) })
}

interface View {
  readonly line: number
  readonly column: number
  readonly width: number
  readonly mark: (caret: string) => string
  readonly gutter: (text: string) => string
}

const MIN_WIDTH = 40

/** The line with a caret under the column; a long line is cut around the column. */
function excerpt(source: string, { line, column, width, mark, gutter }: View): string {
  const number = String(line).padStart(5)
  const room = Math.max(MIN_WIDTH, width) - number.length - 4
  const from = column <= room ? 0 : column - 1 - Math.floor(room / 2)
  const shown = source.slice(from, from + room)
  const before = safeWidth(shown.slice(0, column - 1 - from))
  return `${gutter(`${number} |`)} ${safeWidth(shown)}\n${gutter(`${' '.repeat(number.length)} |`)} ${' '.repeat(before.length)}${mark('^')}\n`
}

/** Replaces tabs by spaces to keep the columns. */
const safeWidth = (text: string) => printable(text.replaceAll('\t', ' '))
