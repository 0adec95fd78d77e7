// npm run scan:secrets: runs gitleaks, pinned in test/e2e/gitleaks, on every commit and on the current files.
import { spawnSync } from 'node:child_process'
import { goTool } from '../test/e2e/go-tools.ts'

try {
  const gitleaks = await goTool('gitleaks')
  const run = (what: string) =>
    spawnSync(gitleaks, [what, '.', '--no-banner', '--redact'], { cwd: new URL('..', import.meta.url), stdio: 'inherit' }).status ?? 2
  process.exitCode = Math.max(run('git'), run('dir'))
} catch (error) {
  console.error(`scan:secrets: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
