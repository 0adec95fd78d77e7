// Runs a command where a real node can start: node --import tsx test/e2e/node/run.ts [--knative] COMMAND [ARGUMENT …]
// With --knative, Knative can be installed as well.
import { createProgress } from '../cluster/progress.ts'
import { enterNamespaces } from './enter.ts'

const given = process.argv.slice(2)
const knative = given[0] === '--knative'
try {
  process.exitCode = await enterNamespaces(knative ? given.slice(1) : given, createProgress(process.stderr), { knative })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
