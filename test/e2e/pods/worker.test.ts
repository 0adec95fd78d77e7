// The worker itself, without a cluster: whatever the tests on real pods count as lost was lost by something else.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { connectNats, type Nats } from '../cluster/nats.ts'
import { freePort } from '../cluster/ports.ts'
import { until } from '../cluster/until.ts'
import { openLedger } from './ledger.ts'
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

test(`loses no message over ${STOPS} stops, and processes each once`, async () => {
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
  expect(await processed(nats, 'DONE', ids)).toMatchObject({ once: ids.length, twice: [], never: [] })
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

test('passes events on to the ledger, which decides how often a delivery fails', async () => {
  const ledger = await openLedger('127.0.0.1')
  const worker = await startWorker({ LEDGER: ledger.url, VERSION: '3' })
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-type': 'order.created', 'ce-source': 'test', 'ce-failures': '2' }
  const send = async () => (await fetch(`${worker.url}/events`, { method: 'POST', headers, body: '{}' })).status
  expect([await send(), await send(), await send()]).toEqual([503, 503, 202])
  expect(ledger.deliveries).toHaveLength(3)
  expect(ledger.accepted).toMatchObject([{ version: '3', path: '/events', attributes: { id: 'a', type: 'order.created' } }])
  await worker.stop()
  ledger.close()
})

test('says how many requests it answers at once', async () => {
  const worker = await startWorker()
  const answers = await Promise.all(Array.from({ length: 3 }, async () => (await fetch(`${worker.url}/?ms=200`)).json()))
  expect(Math.max(...answers.map(answer => Number(at(answer as JsonObject, 'concurrent'))))).toBe(3)
  await worker.stop()
})
