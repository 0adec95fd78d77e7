// Runs a command where a real node can start: node --import tsx test/e2e/node/run.ts COMMAND [ARGUMENT …]
import { createProgress } from '../cluster/progress.ts'
import { enterNamespaces } from './enter.ts'

try {
  process.exitCode = await enterNamespaces(process.argv.slice(2), createProgress(process.stderr))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
