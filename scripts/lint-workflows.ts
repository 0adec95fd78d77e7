// npm run lint:workflows: actionlint, pinned in test/e2e/actionlint, over .github/workflows and what they run.
import { spawnSync } from 'node:child_process'
import { goTool } from '../test/e2e/go-tools.ts'

try {
  const { status } = spawnSync(await goTool('actionlint'), ['-color'], { cwd: new URL('..', import.meta.url), stdio: 'inherit' })
  process.exitCode = status ?? 2
} catch (error) {
  console.error(`lint:workflows: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
