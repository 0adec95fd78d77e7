// npm run fuzz -- --runs 100000 --seed 1: runs each target and prints its duration. A failure prints the shrunk input and the seed.
import fc from 'fast-check'
import { flags } from '../../scripts/flags.ts'
import { targets } from './targets.ts'

const values = flags('npm run fuzz', {
  runs: { type: 'string', default: '10000' },
  seed: { type: 'string', default: `${Date.now() % 2 ** 31}` },
})
const [runs, seed] = [Number(values.runs), Number(values.seed)]
console.log(`${runs} runs, seed ${seed}`)

let failed = 0
for (const { name, share, attack } of targets) {
  const began = performance.now()
  const details = await attack(Math.ceil(runs * share), seed)
  const seconds = (performance.now() - began) / 1000
  console.log(`${details.failed ? 'FAILED' : 'passed'}  ${details.numRuns} runs in ${seconds.toFixed(0)} s: ${name}`)
  if (details.failed) {
    failed++
    console.log(fc.defaultReportMessage(details))
  }
}
process.exitCode = failed === 0 ? 0 : 1
