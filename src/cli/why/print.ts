import { printTable, publish } from '../doctor/print.ts'
import type { Output } from '../io.ts'
import { type Investigation, shortRow } from './investigate.ts'

/** The verdict; below it every check, unless the claim is well. */
export function printInvestigation({ named, verdict, checks }: Investigation, out: Output): string {
  const top = printTable([verdict], out)
  if (verdict.state === 'well' || checks.length < 2) return top
  const rows = checks.map(({ fix, ...check }) => ({
    ...check,
    name: shortRow(check.name, named),
    // The command of the first cause is on top.
    ...(fix !== undefined && fix !== verdict.fix && { fix }),
  }))
  return `${top}\n${printTable(rows, out)}`
}

/** The investigation as `-o json` prints it. Scripts read these fields, so they keep their names. */
export function publishInvestigation({ named: { namespace, name }, verdict, checks, pods, queue }: Investigation): object {
  const { name: _, ...top } = publish(verdict)
  return {
    claim: { namespace, name },
    ...top,
    ...(pods && { pods }),
    ...(queue && { queue }),
    checks: checks.map(publish),
  }
}
