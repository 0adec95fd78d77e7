// The worker itself, without a cluster: whatever the tests on real pods count as lost was lost by something else.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { freePort } from '../cluster/ports.ts'
import { until } from '../cluster/until.ts'
import { processed, publishMessages, sendRequests } from './load.ts'
import { bundleWorker } from './worker/image.ts'

const STOPS = 20
const folder = mkdtempSync(join(tmpdir(), 'worker-'))
const file = join(folder, 'worker.mjs')
const running: ChildProcess[] = []
let nats: Nats
let port: number

beforeAll(async () => {
  await bundleWorker(file)
  port = await freePort()
  running.push(spawn('nats-server', ['-js', '-sd', join(folder, 'nats'), '-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }))
  nats = await until('NATS', () => connectNats(port))
  for (const stream of ['WORK', 'DONE']) await nats.createStream(stream)
  await nats.createConsumer('WORK', 'workers', { ack_wait: 30e9 })
})
afterAll(() => {
  nats?.close()
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** Starts a worker, and returns when it is ready. */
async function startWorker(variables: Readonly<Record<string, string>> = {}) {
  const own = await freePort()
  const claimed = { NATS_URL: `nats://127.0.0.1:${port}`, NATS_STREAM_NAME: 'WORK', NATS_CONSUMER_GROUP: 'workers', PORT: String(own) }
  const child = spawn(process.execPath, [file], { env: { ...claimed, ...variables }, stdio: ['ignore', 'pipe', 'inherit'] })
  running.push(child)
  let log = ''
  child.stdout.on('data', chunk => (log += chunk))
  const url = `http://127.0.0.1:${own}`
  await until('the worker', async () => (await fetch(`${url}/ready`)).ok, { everyMs: 20 })
  return {
    url,
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      return code as number
    },
  }
}

test(`loses no message over ${STOPS} stops, and none is delivered again`, async () => {
  const variables = { CONCURRENCY: '3', WORK_MS: '20', VERSION: '1' }
  let worker = await startWorker(variables)
  const load = publishMessages(nats, 'WORK', { perSecond: 60 })
  for (let stop = 0; stop < STOPS; stop++) {
    const next = await startWorker(variables)
    expect(await worker.stop()).toBe(0)
    worker = next
  }
  const { ids } = await load.stop()
  await until('all messages are processed', async () => (await nats.lag('WORK', 'workers')) === 0)
  expect(await processed(nats, 'DONE', ids)).toMatchObject({ once: ids.length, twice: [], never: [], redelivered: 0 })
  expect(worker.log()).toContain(`processed ${ids.at(-1)}`)
  await worker.stop()
})

test.each([{ keepAlive: true }, { keepAlive: false }])('answers while it drains (keep-alive $keepAlive)', async ({ keepAlive }) => {
  const worker = await startWorker({ DRAIN_MS: '1000', VERSION: '2' })
  const load = sendRequests(worker.url, { keepAlive })
  await delay(300)
  const stopped = worker.stop()
  await delay(500)
  const { offered, answered, answers } = await load.stop()
  expect(answered).toBe(offered)
  expect(answers).toEqual({ 2: offered })
  expect(await stopped).toBe(0)
})
