// eds-worker: a repository that only exports a handler.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { testWith } from '../../test/fixtures/require-program.ts'
import { connectClient, createStream, startNats } from './fixtures/nats-server.ts'
import { envOf } from './fixtures/worker.ts'

const program = fileURLToPath(new URL('../dist/run-file.js', import.meta.url))
const folderOf = (name: string) => fileURLToPath(new URL(`./programs/functions/${name}`, import.meta.url))

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function start(folder: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [program, ...args], { cwd: folderOf(folder), env: { ...process.env, PORT: '0', ...env } })
  running.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk
    })
  const lines = () => output.trim().split('\n')
  return { child, output: () => output, started: () => JSON.parse(lines().find(line => line.includes('"started"')) ?? '{}') }
}

describe('a module', () => {
  test.each([
    { folder: 'esm', args: [], concurrency: 3 },
    { folder: 'cjs', args: [], concurrency: 2 },
    { folder: 'default', args: ['index.mjs'], concurrency: 1 },
  ])('of $folder is served with its options', async ({ folder, args, concurrency }) => {
    const { child, started, output } = start(folder, args)
    await expect.poll(() => started().concurrency, { timeout: 10_000 }).toBe(concurrency)
    const answer = await fetch(`http://127.0.0.1:${started().port}/health`)
    expect(answer.status, output()).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test.each([
    { folder: 'none', args: [], code: 1, says: 'index.js exports no handler: export async function handler(event, context) { … }' },
    { folder: 'broken', args: [], code: 1, says: 'cannot load index.js: Cannot find module' },
    { folder: 'esm', args: ['other.js'], code: 1, says: 'cannot load other.js: Cannot find module' },
    { folder: 'esm', args: ['a.js', 'b.js'], code: 2, says: 'Usage: eds-worker [FILE]' },
    { folder: 'esm', args: ['--help'], code: 0, says: 'Usage: eds-worker [FILE]' },
    { folder: 'esm', args: ['--nope'], code: 2, says: 'Usage: eds-worker [FILE]' },
  ])('of $folder with $args ends with $code: $says', async ({ folder, args, code, says }) => {
    const { child, output } = start(folder, args)
    expect(await once(child, 'exit')).toEqual([code, null])
    expect(output()).toContain(says)
  })
})

testWith('nats-server')('handles a message, and retries it as the module says', async () => {
  const server = await startNats()
  const client = await connectClient(server)
  try {
    await createStream(client, 'F')
    const { output } = start('esm', [], envOf(server, 'F'))
    await client.js.publish('f.new', JSON.stringify({ order: '4711' }))
    await expect.poll(output, { timeout: 10_000 }).toMatch(/"message":"done".*"attempt":2.*"order":"4711"/)
  } finally {
    await client.nc.close()
    await server.remove()
  }
})
