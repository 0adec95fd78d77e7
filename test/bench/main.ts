// npm run bench: figures, not verdicts. Compare ratios; absolute numbers belong to the machine.
import { once } from 'node:events'
import { cpus } from 'node:os'
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/claim/platform.ts'
import { compose } from '../../src/compose.ts'
import type { JsonObject } from '../../src/json.ts'
import { benchExamples, benchGrowth, encoded, examples } from './core.ts'
import { load, megabytes, start } from './process.ts'

const CALLS = 4000

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`)
console.log('The core in process, one call:')
console.table(benchExamples())
console.log('How the cost grows:')
console.table(benchGrowth())

const claim = examples().find(({ name }) => name === 'full')?.claim ?? {}
const running = await start()
const first = encoded(claim)
const parsed = parseClaim(claim, builtInPlatform)
const observed = parsed.ok ? compose(parsed.claim, builtInPlatform, {}).resources : []
// The call that Crossplane makes again and again: the same spec, and a ScaledObject whose status has moved on.
const steady = Array.from({ length: 100 }, (_, index) =>
  encoded(
    claim,
    Object.fromEntries(
      observed.map(({ key, manifest }): [string, JsonObject] => [
        key,
        key === 'scaledobject' ? { ...manifest, status: { lastActiveTime: `2026-01-01T00:00:${index}Z` } } : manifest,
      ]),
    ),
  ),
)
const table: Record<string, object> = {}
for (const inFlight of [1, 8, 64]) {
  table[`first call, ${inFlight} in flight`] = await load(running, [first], inFlight, CALLS)
  table[`steady call, ${inFlight} in flight`] = await load(running, steady, inFlight, CALLS)
}
console.log('The function as a process, the full example over loopback, without TLS:')
console.table(table)
console.log(`start to serving: ${running.startMs.toFixed(0)} ms; bundle: ${megabytes('dist/function.js').toFixed(2)} MB`)
running.child.kill('SIGTERM')
await once(running.child, 'exit')
