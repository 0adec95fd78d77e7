import type { Row } from '../../convert/compare.ts'
import type { Verdict } from '../../convert/reasons.ts'
import type { Step } from '../../convert/steps.ts'
import type { Json } from '../../kubernetes/json.ts'
import { printable } from '../../text/printable.ts'
import type { Paint } from './color.ts'

const words: Readonly<Record<Verdict, string>> = {
  different: 'different',
  added: 'added',
  unsaid: 'unsupported',
  same: 'same',
}

/** Lists the differences of each object, and counts its equal fields. */
export function printComparison(rows: readonly Row[], paint: Paint): string {
  const objects = [...new Set(rows.map(({ object }) => object))]
  return objects
    .map(object =>
      printObject(
        object,
        rows.filter(row => row.object === object),
        paint,
      ),
    )
    .join('')
}

function printObject(object: string, rows: readonly Row[], paint: Paint): string {
  const same = rows.filter(({ verdict }) => verdict === 'same').length
  const differences = (['different', 'unsaid', 'added'] as const).flatMap(verdict => rows.filter(row => row.verdict === verdict))
  return [
    `${paint('bold', printable(object))}${same === 0 ? '' : paint('dim', `  ${same} ${same === 1 ? 'field' : 'fields'} the same`)}\n`,
    ...differences.map(row => printRow(row, paint)),
  ].join('')
}

const width = Math.max(...Object.values(words).map(word => word.length))

function printRow({ path, verdict, was, is, because }: Row, paint: Paint): string {
  const color = ({ different: 'yellow', unsaid: 'red', added: 'green', same: 'dim' } as const)[verdict]
  const value = path === '' ? '' : verdict === 'different' ? `${show(was)} → ${show(is)}` : show(was ?? is)
  const where = path === '' ? 'the whole object' : printable(path)
  const reason = because === undefined ? '' : paint('dim', `  (${printable(because)})`)
  return `  ${paint(color, words[verdict].padEnd(width))}  ${where}${value === '' ? '' : `: ${value}`}${reason}\n`
}

const MAX_LENGTH = 100

function show(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return printable(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text)
}

export const printSteps = (steps: readonly Step[], paint: Paint): string =>
  steps
    .map(
      ({ says, commands }, index) =>
        `${index + 1}. ${says}\n${commands.map(command => `   ${paint('cyan', printable(command))}\n`).join('')}`,
    )
    .join('')
