// npm run scan:secrets: gitleaks, pinned in test/e2e/gitleaks, over every commit and over the files as they are.
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
