// A fresh clone: npm ci warns of nothing, so that the first thing a reader sees is the demo.
import { spawnSync } from 'node:child_process'
import { devNull } from 'node:os'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import lock from '../../package-lock.json' with { type: 'json' }
import { root } from '../fixtures/claim-files.ts'

test('npm ci finds every package fit for this Node', () => {
  // Without the user's npm settings, which may warn of something else.
  const env = { ...process.env, npm_config_userconfig: devNull, npm_config_loglevel: 'warn' }
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', args, { cwd: root, env, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  expect(stderr).not.toContain('EBADENGINE')
})

test('package.json decides about every install script, and about no other', () => {
  const name = (path: string) => path.replace(/^.*node_modules\//, '')
  const withScript = Object.entries(lock.packages).flatMap(([path, entry]) => ('hasInstallScript' in entry ? [name(path)] : []))
  expect(Object.keys(manifest.allowScripts)).toEqual(withScript.sort())
})
