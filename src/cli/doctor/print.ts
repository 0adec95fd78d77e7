import { printable } from '../../text/printable.ts'
import type { Output } from '../io.ts'
import { painter } from '../print/color.ts'
import type { Check } from './check.ts'

const signs = {
  well: { sign: '✓', style: 'green' },
  wrong: { sign: '✗', style: 'red' },
  unknown: { sign: '–', style: 'yellow' },
  unneeded: { sign: '–', style: 'dim' },
} as const satisfies Record<Check['state'], { sign: string; style: string }>

/** A line for each check, followed by the command that fixes it and by what it quotes. */
export function printTable(checks: readonly Check[], out: Output): string {
  const paint = painter(out)
  const width = Math.max(...checks.map(({ name }) => printable(name).length))
  return checks
    .map(({ name, state, message, fix, quotes = [] }) => {
      const { sign, style } = signs[state]
      const text = `${paint(style, sign)} ${printable(name).padEnd(width)}  ${state === 'unneeded' ? paint('dim', printable(message)) : printable(message)}\n`
      const below = [
        ...(fix === undefined ? [] : [paint('cyan', `→ ${printable(fix)}`)]),
        ...quotes.map(quote => paint('dim', `│ ${printable(quote)}`)),
      ]
      return text + below.map(line => `${' '.repeat(width + 4)}${line}\n`).join('')
    })
    .join('')
}

/** A check as `-o json` prints it. Scripts read these fields, so they keep their names. */
export interface PublishedCheck {
  readonly name: string
  readonly state: Check['state']
  readonly says: string
  readonly mend?: string
  readonly quotes?: readonly string[]
}

export const publish = ({ name, state, message, fix, quotes }: Check): PublishedCheck => ({
  name,
  state,
  says: message,
  ...(fix !== undefined && { mend: fix }),
  ...(quotes !== undefined && { quotes }),
})

export const printChecks = (checks: readonly Check[]): string => `${JSON.stringify({ checks: checks.map(publish) }, null, 2)}\n`

export function summary(checks: readonly Check[]): string {
  const count = (state: Check['state']) => checks.filter(check => check.state === state).length
  const [wrong, unknown] = [count('wrong'), count('unknown')]
  const found = wrong === 0 ? 'no problems found' : `${wrong} ${wrong === 1 ? 'problem' : 'problems'} found`
  return `${found}${unknown === 0 ? '' : `; ${unknown} ${unknown === 1 ? 'check' : 'checks'} could not be completed`}\n`
}
