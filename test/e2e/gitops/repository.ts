// A local git repository with the folders of the project that package/gitops deploys.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../fixtures/claim-files.ts'

/** The address in the files of package/gitops. */
export const PUBLISHED = 'https://github.com/bizmatters/event-driven-service'

const FOLDERS = ['examples/environments', 'package/gitops', 'package/runtime'] as const

/** Commits these files; undefined removes one. */
export type Commit = (files: Readonly<Record<string, string | undefined>>) => void

/** Creates it with the folders and these files, which replace those of the folders. */
export function createRepository(folder: string, first: Readonly<Record<string, string>> = {}): Commit {
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=tests', '-c', 'user.email=tests@example.com']
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    execFileSync('git', [...identity, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  mkdirSync(folder)
  git('init', '--quiet', '--initial-branch=main')
  for (const name of FOLDERS) cpSync(join(root, name), join(folder, name), { recursive: true })
  const commit: Commit = files => {
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder, name)
      mkdirSync(dirname(file), { recursive: true })
      if (content === undefined) rmSync(file)
      else writeFileSync(file, content)
    }
    git('add', '--all')
    git('commit', '--quiet', '--message', 'change')
  }
  commit(first)
  return commit
}
