// Runs a command where a real node can start: node --import tsx test/e2e/node/run.ts COMMAND [ARGUMENT …]
// Builds everything first, because the namespaces have no network to download from.
import { createProgress } from '../cluster/progress.ts'
import { runInNamespaces } from './namespaces.ts'
import { prepare } from './prepare.ts'

const progress = createProgress(process.stderr)
try {
  await prepare(progress)
  progress.end()
  process.exitCode = await runInNamespaces(process.argv.slice(2))
} catch (error) {
  progress.end()
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
