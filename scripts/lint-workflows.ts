// npm run lint:workflows: runs actionlint, pinned in test/e2e/actionlint, on .github/workflows and their shell scripts.
import { spawnSync } from 'node:child_process'
import { goTool } from '../test/e2e/go-tools.ts'

try {
  const { status } = spawnSync(await goTool('actionlint'), ['-color'], { cwd: new URL('..', import.meta.url), stdio: 'inherit' })
  process.exitCode = status ?? 2
} catch (error) {
  console.error(`lint:workflows: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
