import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { root } from '../fixtures/claim-files.ts'

test('the built command runs without node in front of it', () => {
  const built = spawnSync('node', ['scripts/build.mjs', 'eds'], { cwd: root, encoding: 'utf8' })
  expect(built.status, built.stderr).toBe(0)
  expect(spawnSync(`${root}${manifest.bin.eds}`, ['--version'], { encoding: 'utf8' }).stdout).toBe(`${manifest.version}\n`)
})
