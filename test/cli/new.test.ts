import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const start = process.cwd()
const parent = mkdtempSync(join(tmpdir(), 'eds-new-'))
beforeAll(() => process.chdir(parent))
beforeEach(() => rmSync(join(parent, 'orders-worker'), { recursive: true, force: true }))
afterAll(() => {
  process.chdir(start)
  rmSync(parent, { recursive: true, force: true })
})

async function run(...args: readonly string[]) {
  const { io, stdout, stderr } = recorded()
  return { exit: await eds(args, io), stdout: stdout(), stderr: stderr() }
}

const files = () =>
  readdirSync(join(parent, 'orders-worker'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

test('eds new worker writes a project whose claim is valid', async () => {
  expect(await run('new', 'worker', 'orders-worker')).toMatchObject({ exit: 0, stdout: expect.stringContaining('cd orders-worker') })
  expect(await run('validate', '--strict', 'orders-worker/claim.yaml')).toMatchObject({ exit: 0 })
})

test('the project has its name everywhere, a modeline, and the files that npm would leave out', async () => {
  await run('new', 'worker', 'orders-worker')
  const names = files().map(file => file.slice(parent.length + '/orders-worker/'.length))
  expect(names).toEqual(expect.arrayContaining(['.gitignore', '.dockerignore', 'Dockerfile', 'src/handler.test.ts']))
  expect(files().filter(file => readFileSync(file, 'utf8').includes('{{'))).toEqual([])
  const claim = readFileSync('orders-worker/claim.yaml', 'utf8')
  expect(claim).toMatch(/^# yaml-language-server: \$schema=https:/)
  expect(claim).toContain('name: orders-worker')
})

test('its image runs without root on a read-only root file system, as its claim asks', async () => {
  await run('new', 'worker', 'orders-worker')
  const { stdout } = await run('render', 'orders-worker/claim.yaml')
  expect(stdout).toContain('readOnlyRootFilesystem: true')
  expect(readFileSync('orders-worker/Dockerfile', 'utf8')).toMatch(/^USER \d+:\d+$/m)
})

describe('refuses', () => {
  test.each([
    { says: 'nothing to write', args: [], stderr: 'eds new: expects: eds new worker NAME' },
    { says: 'another kind', args: ['function', 'x'], stderr: 'expects: eds new worker NAME' },
    { says: 'two names', args: ['worker', 'a', 'b'], stderr: 'expects: eds new worker NAME' },
    { says: 'a name in upper case', args: ['worker', 'Orders'], stderr: "'Orders' cannot be the name of a claim" },
    { says: 'a path', args: ['worker', '../x'], stderr: "'../x' cannot be the name of a claim" },
    { says: 'a name of Kubernetes', args: ['worker', 'default'], stderr: "'default' cannot be the name of a claim" },
  ])('$says', async ({ args, stderr }) => {
    const result = await run('new', ...args)
    expect(result).toMatchObject({ exit: 2 })
    expect(result.stderr).toContain(stderr)
  })

  test('to overwrite a folder', async () => {
    await run('new', 'worker', 'orders-worker')
    expect(await run('new', 'worker', 'orders-worker')).toMatchObject({ exit: 2, stderr: expect.stringContaining('orders-worker exists') })
  })
})

test('the npm package contains the templates, and not the worker library', () => {
  expect(manifest.files).toContain('templates')
  expect(manifest.files.filter(name => 'worker'.startsWith(name))).toEqual([])
})
