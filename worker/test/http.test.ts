// Workers without NATS, as on Knative.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type CloudEvent, createEvent, Reject, Retry, type SerializedHttp, serializeHttp, serializeHttpBatch } from '../src/index.ts'
import { start, stopWorkers } from './fixtures/worker.ts'

afterEach(stopWorkers)

const order = createEvent({ type: 'order.placed', source: '/shop', id: '1', data: { total: 3 } })

const post = (port: number, { headers, body }: SerializedHttp, more: Readonly<Record<string, string>> = {}) =>
  fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { ...headers, ...more }, body: new Uint8Array(body) })

test.each(['binary', 'structured'] as const)('an event in %s mode reaches the handler', async mode => {
  const seen: CloudEvent[] = []
  const { worker } = await start({ handler: event => void seen.push(event) })
  const response = await post(worker.port, serializeHttp(order, { mode }))
  expect(response.status).toBe(204)
  expect(seen).toEqual([order])
})

test('each event of a batch reaches the handler', async () => {
  const seen: CloudEvent[] = []
  const { worker } = await start({ handler: event => void seen.push(event) })
  expect((await post(worker.port, serializeHttpBatch([order, { ...order, id: '2' }]))).status).toBe(204)
  expect(seen.map(({ id }) => id)).toEqual(['1', '2'])
})

describe('answers', () => {
  const fails = createEvent({ type: 'order.placed', source: '/shop', id: 'fails', data: { total: 1 } })
  test.each([
    { says: '500 if the handler throws', error: new Error('boom'), status: 500, text: 'boom\n' },
    { says: '503 if it asks for a retry', error: new Retry('1500ms'), status: 503, text: 'the handler asked for a retry\n', retry: '2' },
    { says: '400 if it rejects', error: new Reject('unknown customer'), status: 400, text: 'unknown customer\n' },
  ])('$says', async ({ error, status, text, retry = null }) => {
    const { worker } = await start({
      handler: () => {
        throw error
      },
    })
    const response = await post(worker.port, serializeHttp(order))
    expect({ status: response.status, text: await response.text(), retry: response.headers.get('retry-after') }).toEqual({
      status,
      text,
      retry,
    })
  })

  test.each([
    { says: '400 for no event', request: { headers: {}, body: new TextEncoder().encode('{}') }, status: 400 },
    {
      says: '415 for an unknown format',
      request: { headers: { 'content-type': 'application/cloudevents+avro' }, body: new Uint8Array() },
      status: 415,
    },
    {
      says: '400 for data that does not fit',
      request: serializeHttp(createEvent({ type: 'order.placed', source: '/', data: {} })),
      status: 400,
    },
    { says: '400 for a type without schema', request: serializeHttp(createEvent({ type: 'other', source: '/' })), status: 400 },
    { says: '204 for an empty batch', request: serializeHttpBatch([]), status: 204 },
    { says: '500 for a batch in which one event fails', request: serializeHttpBatch([order, fails]), status: 500 },
    {
      says: '413 for an event over 10 MiB',
      request: serializeHttp(createEvent({ type: 't', source: '/', data: new Uint8Array(10 * 1024 * 1024 + 1) })),
      status: 413,
    },
  ])('$says', async ({ request, status }) => {
    const { worker } = await start({
      schemas: { 'order.placed': z.object({ total: z.number() }) },
      handler: ({ id, data }) => {
        // The schema gives the type.
        if (data.total.toFixed() === '' || id === 'fails') throw new Error('no')
      },
    })
    expect((await post(worker.port, request)).status).toBe(status)
  })

  test.each([
    { method: 'GET', path: '/', status: 404 },
    { method: 'PUT', path: '/', status: 405 },
    { method: 'HEAD', path: '/health', status: 200 },
    { method: 'GET', path: '/ready?x', status: 200 },
  ])('$status to $method $path', async ({ method, path, status }) => {
    const { worker } = await start({ handler: () => undefined })
    expect((await fetch(`http://127.0.0.1:${worker.port}${path}`, { method })).status).toBe(status)
  })
})

test('counts events by type and result', async () => {
  const { worker, get } = await start({
    handler: ({ id }) => {
      if (id === '2') throw new Error('no')
    },
  })
  for (const id of ['1', '2', '3']) await post(worker.port, serializeHttp({ ...order, id }))
  const { text } = await get('/metrics')
  expect(text).toContain('worker_handled_total{type="order.placed",result="handled"} 2')
  expect(text).toContain('worker_handled_total{type="order.placed",result="failed"} 1')
  expect(text).toContain('worker_duration_seconds_bucket{le="+Inf"} 3')
  expect(text).toContain('worker_in_flight 0')
})

test('senders cannot fill the memory with types', async () => {
  const { worker, get } = await start({ handler: () => undefined })
  await post(worker.port, serializeHttpBatch(Array.from({ length: 300 }, (_, index) => ({ ...order, type: `t${index}` }))))
  const { text } = await get('/metrics')
  expect(text.match(/^worker_handled_total\{/gm)).toHaveLength(101)
  expect(text).toContain('worker_handled_total{type="other",result="handled"} 200')
})

test('takes the trace from the header, else from the extension', async () => {
  const seen: string[] = []
  const { worker } = await start({ handler: (_, { traceparent }) => void seen.push(traceparent.slice(3, 35)) })
  const [a, b] = ['a', 'b'].map(letter => letter.repeat(32))
  await post(worker.port, serializeHttp(order), { traceparent: `00-${a}-00f067aa0ba902b7-01` })
  await post(worker.port, serializeHttp({ ...order, extensions: { traceparent: `00-${b}-00f067aa0ba902b7-00` } }))
  await post(worker.port, serializeHttp(order), { traceparent: 'broken' })
  expect(seen).toEqual([a, b, expect.stringMatching(/^[0-9a-f]{32}$/)])
})

test('publish says what it needs', async () => {
  const { worker } = await start({ handler: (_, { publish }) => publish('a', { type: 't' }) })
  expect(await (await post(worker.port, serializeHttp(order))).text()).toBe('publish needs NATS: set spec.nats of the claim\n')
})

test('a stop finishes requests, and refuses new ones', async () => {
  let finish = () => {}
  const { worker } = await start({ handler: () => new Promise<void>(resolve => (finish = resolve)) })
  const first = post(worker.port, serializeHttp(order))
  await sleep(100)
  const stopped = worker.stop()
  const ready = await fetch(`http://127.0.0.1:${worker.port}/ready`)
  const second = await post(worker.port, serializeHttp(order))
  expect([ready.status, second.status, second.headers.get('connection')]).toEqual([503, 503, 'close'])
  finish()
  expect((await first).status).toBe(204)
  await stopped
  await expect(post(worker.port, serializeHttp(order))).rejects.toThrow()
})
