// npm run bench: figures, not verdicts. Compare ratios; absolute numbers belong to the machine.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { benchExamples, benchGrowth } from './core.ts'
import { compareAll, type Extent } from './functions.ts'
import { rowOf } from './print.ts'
import { own } from './process.ts'

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`)
if (!options.quick) {
  console.log('The core in process, one call:')
  console.table(benchExamples())
  console.log('How the cost grows:')
  console.table(benchGrowth())
}
const extent: Extent = options.quick
  ? { transports: ['plaintext'], inFlight: [8] }
  : { transports: ['plaintext', 'TLS'], inFlight: [1, 8, 64] }
console.log('The function as a process, over loopback, client and function on the same cores; each figure the median of its rounds:')
console.table(Object.fromEntries(Object.entries(await compareAll([own], extent)).map(([row, measured]) => [row, rowOf(measured)])))
