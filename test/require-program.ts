// Tests that need a program which is not part of npm ci.
import { spawnSync } from 'node:child_process'
import { test } from 'vitest'

const commands = {
  go: { args: ['version'], url: 'https://go.dev/dl' },
  kubectl: { args: ['version', '--client'], url: 'https://kubernetes.io/docs/tasks/tools' },
} as const

interface Missing {
  readonly skip: (reason: string) => void
  readonly env?: NodeJS.ProcessEnv
}

/** Skips with the reason; in CI it fails, because a test that CI always skips shows nothing. */
export function handleMissing(program: string, url: string, { skip, env = process.env }: Missing): void {
  const reason = `${program} is missing: ${url}`
  if (env.CI) throw new Error(reason)
  skip(reason)
}

/** Like `test`, but only where the program is installed. */
export const testWith = (program: keyof typeof commands) => {
  const { args, url } = commands[program]
  const isInstalled = spawnSync(program, args, { stdio: 'ignore' }).status === 0
  // The default reporter counts skipped tests, but prints no reason.
  if (!isInstalled) process.stderr.write(`${program} is missing, so its tests are skipped or, in CI, fail: ${url}\n`)
  return test.extend<{ installed: boolean }>({
    installed: [
      async ({ skip }, use) => {
        if (!isInstalled) handleMissing(program, url, { skip })
        await use(isInstalled)
      },
      { auto: true },
    ],
  })
}
