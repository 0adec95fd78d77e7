// A worker in a process of its own, stopped as Kubernetes stops it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import { testWith } from '../../test/fixtures/require-program.ts'
import { type Client, connectClient, createStream, type NatsServer, startNats } from './fixtures/nats-server.ts'
import { envOf } from './fixtures/worker.ts'

const test = testWith('nats-server')
const program = fileURLToPath(new URL('./programs/worker.mjs', import.meta.url))

let server: NatsServer | undefined
let client: Client | undefined
afterAll(async () => {
  await client?.nc.close()
  await server?.remove()
})

interface Process {
  readonly child: ChildProcess
  readonly messages: readonly Readonly<Record<string, unknown>>[]
  readonly output: () => string
}

function startProcess(env: NodeJS.ProcessEnv): Process {
  const child = fork(program, { env: { ...process.env, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const messages: Record<string, unknown>[] = []
  let output = ''
  child.on('message', message => messages.push(message as Record<string, unknown>))
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      output += chunk
    })
  return { child, messages, output: () => output }
}

test('finishes its message on SIGTERM and exits with 0', async () => {
  server = await startNats()
  client = await connectClient(server)
  await createStream(client, 'P')
  const { child, messages, output } = startProcess({ ...envOf(server, 'P'), TAKES_MS: '700' })
  await client.js.publish('p.new', '1')
  await client.js.publish('p.new', '2')
  await expect.poll(() => messages).toContainEqual({ started: 1 })
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  expect(code, output()).toBe(0)
  expect(messages.slice(1)).toEqual([{ started: 1 }, { finished: 1 }])
  const { num_pending, num_ack_pending } = await client.jsm.consumers.info('P', 'workers')
  expect(num_pending + num_ack_pending).toBe(1)
  expect(
    output()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).message),
  ).toEqual(['started', 'receiving messages', 'stopping: no new work', 'stopped'])
})

test('exits with the reason if the claim lacks a field', async () => {
  const { child, output } = startProcess({ NATS_URL: 'nats://a' })
  const [code] = await once(child, 'exit')
  expect(code).toBe(1)
  expect(output()).toContain('NATS_STREAM_NAME is missing: spec.nats.stream of the claim sets it')
})
