// The project that eds new writes, from an empty folder with the packed library.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { testWith } from '../../test/fixtures/require-program.ts'
import { freePort, startNats } from './fixtures/nats-server.ts'

const test = testWith('nats-server')

const root = fileURLToPath(new URL('../..', import.meta.url))
const parent = mkdtempSync(join(tmpdir(), 'project-'))
const project = join(parent, 'orders-worker')
afterAll(() => rmSync(parent, { recursive: true, force: true }))

const run = (cwd: string, program: string, ...args: readonly string[]): string => {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')} fails:\n${stdout}\n${stderr}`)
  }
}

test('installs, compiles, passes its test, and handles an event of a local server', { timeout: 300_000 }, async () => {
  run(
    parent,
    process.execPath,
    '--import',
    join(root, 'node_modules/tsx/dist/loader.mjs'),
    join(root, 'src/cli/main.ts'),
    'new',
    'worker',
    'orders-worker',
  )
  const [packed] = Object.values(
    JSON.parse(run(root, 'npm', 'pack', '-w', 'worker', '--ignore-scripts', '--json', '--silent', '--pack-destination', parent)),
  ) as [{ filename: string; files: { path: string }[] }]
  expect(
    packed.files.map(({ path }) => path).filter(path => !/^(dist\/.*\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path)),
  ).toEqual([])
  run(project, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', join(parent, packed.filename))
  run(project, 'npx', 'tsc', '--noEmit', '--skipLibCheck', 'false')
  expect(run(project, 'npm', 'test')).toMatch(/pass 2/)

  const server = await startNats()
  const port = await freePort()
  const file = join(project, 'local.env')
  writeFileSync(file, readFileSync(file, 'utf8').replace('nats://127.0.0.1:4222', server.url).replace('8080', String(port)))
  // npm does not pass a signal on.
  const child = spawn(process.execPath, ['--env-file=local.env', 'dist/dev/start.js'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  try {
    await expect.poll(() => output).toContain('receiving messages')
    expect(run(project, 'npm', 'run', 'send')).toContain('published')
    await expect.poll(() => output).toContain('"message":"order placed"')
    const ready = await fetch(`http://127.0.0.1:${port}/ready`)
    expect(ready.status).toBe(200)
  } finally {
    child.kill('SIGTERM')
    await new Promise(resolve => child.once('exit', resolve))
    await server.remove()
  }
  expect(child.exitCode).toBe(0)
})
