// Workers on a real nats-server.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { AckPolicy } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest'
import { z } from 'zod'
import { testWith } from '../../test/fixtures/require-program.ts'
import { type CloudEvent, createEvent, kv, parseNats, Reject, Retry, serializeNats } from '../src/index.ts'
import { type Client, connectClient, createConsumer, createStream, type NatsServer, seconds, startNats } from './fixtures/nats-server.ts'
import { envOf, start, stopWorkers } from './fixtures/worker.ts'

const test = testWith('nats-server')

let server: NatsServer
let client: Client
beforeAll(async () => {
  server = await startNats().catch(error => {
    if (process.env.CI) throw error
    return undefined as unknown as NatsServer
  })
  if (server) client = await connectClient(server)
})
afterEach(stopWorkers)
afterAll(async () => {
  await client?.nc.close()
  await server?.remove()
})

let streams = 0
/** A new stream for each test. */
async function newStream(consumer: Parameters<typeof createStream>[2] = {}) {
  const name = `S${++streams}`
  await createStream(client, name, consumer)
  return { name, subject: `${name.toLowerCase()}.new`, env: envOf(server, name) }
}

const send = (
  subject: string,
  event: CloudEvent,
  mode: 'binary' | 'structured' = 'binary',
  more: Readonly<Record<string, string>> = {},
) => {
  const message = serializeNats(event, { mode })
  const fields = headers()
  for (const [name, value] of [...message.headers, ...Object.entries(more)]) fields.set(name, value)
  return client.js.publish(subject, message.data, { headers: fields })
}

const order = (id: string, data: unknown = { id }) =>
  createEvent({ type: 'order.placed', source: '/shop', id, data, time: '2026-01-01T00:00:00Z' })

const lag = async (stream: string) => {
  const { num_pending, num_ack_pending, num_redelivered } = await client.jsm.consumers.info(stream, 'workers')
  return { waiting: num_pending, held: num_ack_pending, redelivered: num_redelivered }
}
const done = { waiting: 0, held: 0, redelivered: 0 }

/** Publishes headers that nats.js would not write. */
async function publishRaw(subject: string, head: string, data: string): Promise<void> {
  const socket = connect(server.port, '127.0.0.1')
  socket.write(
    `CONNECT {"verbose":false,"headers":true}\r\nHPUB ${subject} ${head.length} ${head.length + data.length}\r\n${head}${data}\r\nPING\r\n`,
  )
  for await (const chunk of socket) if (String(chunk).includes('PONG')) break
}

async function deadLetters(stream: string) {
  const { state } = await client.jsm.streams.info(`${stream}-DLQ`)
  const stored = await Promise.all(
    Array.from({ length: state.messages }, (_, index) => client.jsm.streams.getMessage(`${stream}-DLQ`, { seq: state.first_seq + index })),
  )
  return stored.flatMap(message =>
    message === null
      ? []
      : [
          {
            subject: message.subject,
            headers: Object.fromEntries([...message.header].map(([name, [value]]) => [name, value])),
            data: message.data,
          },
        ],
  )
}

describe('a message', () => {
  test.each(['binary', 'structured'] as const)('in %s mode reaches the handler as an event', async mode => {
    const { name, subject, env } = await newStream()
    const seen: CloudEvent[] = []
    await start({ env, handler: event => void seen.push(event) })
    await send(subject, order('1'), mode)
    await expect.poll(() => seen).toEqual([order('1')])
    await expect.poll(() => lag(name)).toEqual(done)
  })

  test.each([
    { says: 'JSON', data: '{"a":1}', is: { datacontenttype: 'application/json', data: { a: 1 } } },
    { says: 'text', data: 'hello', is: { datacontenttype: 'text/plain', data: 'hello' } },
    { says: 'nothing', data: '', is: {} },
  ])('that is no event but $says becomes one', async ({ data, is }) => {
    const { name, subject, env } = await newStream()
    const seen: CloudEvent[] = []
    await start({ env, plainType: 'order.raw', handler: event => void seen.push(event) })
    await client.js.publish(subject, data)
    await expect
      .poll(() => seen)
      .toEqual([expect.objectContaining({ type: 'order.raw', source: `/nats/${name}`, id: '1', subject, ...is })])
    await expect.poll(() => lag(name)).toEqual(done)
  })

  test('is retried after a delay, and counts its attempts', async () => {
    const { name, subject, env } = await newStream()
    const attempts: number[] = []
    const { lines } = await start({
      env,
      retry: { backoff: () => '50ms' },
      handler: (_, { attempt }) => {
        attempts.push(attempt)
        if (attempt < 3) throw new Error('not yet')
      },
    })
    await send(subject, order('1'))
    await expect.poll(() => attempts).toEqual([1, 2, 3])
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
    expect(await deadLetters(name)).toEqual([])
    expect(lines).toContainEqual(expect.objectContaining({ message: 'the handler failed', event: '1', attempt: 1, retry_after_ms: 50 }))
  })

  test('is retried when the handler says', async () => {
    const { name, subject, env } = await newStream()
    const times: number[] = []
    await start({
      env,
      retry: { backoff: () => '1h' },
      handler: (_, { attempt }) => {
        times.push(performance.now())
        if (attempt === 1) throw new Retry('300ms')
      },
    })
    await send(subject, order('1'))
    await expect.poll(() => times).toHaveLength(2)
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(290)
  })

  test('becomes a dead letter at max_deliver, with all headers and why', async () => {
    const { name, subject, env } = await newStream({ max_deliver: 2 })
    await start({
      env,
      retry: { backoff: () => 10 },
      handler: () => {
        throw new Error('always fails: ü')
      },
    })
    await send(subject, order('1'), 'binary', {
      traceparent: '00-73df58d7c1383e17dabe515dfd68d05a-b00799e628f49cbe-01',
      'Nats-Msg-Id': 'first',
    })
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
    const [letter] = await deadLetters(name)
    expect(letter?.subject).toBe(`dlq.${subject}`)
    expect(letter?.headers).toMatchObject({
      'Nats-Msg-Id': `${name}:1`,
      'eds-deliveries': '2',
      'eds-error': 'always%20fails:%20%C3%BC',
      traceparent: '00-73df58d7c1383e17dabe515dfd68d05a-b00799e628f49cbe-01',
    })
    expect(
      letter && parseNats({ headers: Object.entries(letter.headers).map(([key, value]) => [key, [String(value)]]), data: letter.data }),
    ).toEqual(order('1'))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
  })

  test.each([
    {
      says: 'the handler rejects',
      event: order('1'),
      handler: () => {
        throw new Reject('unknown customer')
      },
      reason: 'unknown%20customer',
    },
    {
      says: 'does not fit its schema',
      event: order('1', { total: 'three' }),
      handler: () => {},
      reason: expect.stringMatching(/does%20not%20fit%20the%20schema.*total/),
    },
    {
      says: 'has no schema',
      event: createEvent({ type: 'order.lost', source: '/' }),
      handler: () => {},
      reason: expect.stringContaining('no%20schema'),
    },
  ])('that $says becomes a dead letter at once', async ({ event, handler, reason }) => {
    const { name, subject, env } = await newStream()
    await start({ env, schemas: { 'order.placed': z.object({ total: z.number().optional() }) }, handler })
    await send(subject, event)
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
    expect((await deadLetters(name))[0]?.headers).toMatchObject({ 'eds-error': reason, 'eds-deliveries': '1' })
    await expect.poll(() => lag(name)).toEqual(done)
  })

  test('that is a broken event becomes a dead letter', async () => {
    const { name, subject, env } = await newStream()
    const { get } = await start({ env, handler: () => undefined })
    const fields = headers()
    fields.set('ce-id', '1')
    await client.js.publish(subject, 'x', { headers: fields })
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
    expect((await deadLetters(name))[0]?.headers['eds-error']).toContain('specversion:%20is%20missing')
    expect((await get('/metrics')).text).toContain('worker_dead_lettered_total 1')
  })

  test('whose headers cannot be read becomes a dead letter without them', async () => {
    const { name, subject, env } = await newStream()
    await publishRaw(subject, 'NATS/1.0\r\nMy Header: x\r\n\r\n', 'data')
    await start({ env, handler: () => undefined })
    await expect.poll(() => deadLetters(name)).toMatchObject([{ headers: { 'eds-error': expect.stringContaining('headers') } }])
    await expect.poll(() => lag(name)).toEqual(done)
  })

  test('of which nobody answered the last delivery becomes a dead letter', async () => {
    const { name, subject, env } = await newStream({ ack_wait: seconds(1), max_deliver: 1 })
    await send(subject, order('1'))
    // Another client takes the message and is killed.
    const consumer = await client.js.consumers.get(name, 'workers')
    await consumer.next({ expires: 1000 })
    await start({ env, handler: () => undefined })
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
    expect((await deadLetters(name))[0]?.headers).toMatchObject({ 'Nats-Msg-Id': `${name}:1`, 'ce-id': '1' })
  })

  test('is handled once after the stream of dead letters was missing', async () => {
    const { name, subject, env } = await newStream()
    await client.jsm.streams.delete(`${name}-DLQ`)
    const { worker } = await start({
      env,
      handler: () => {
        throw new Reject('no')
      },
    })
    await expect.poll(() => worker.problem()).toMatch(/no stream takes dead letters.*dlq\.s\d+\.>.*retry\.deadLetter/)
    await send(subject, order('1'))
    await client.jsm.streams.add({ name: `${name}-DLQ`, subjects: [`dlq.${name.toLowerCase()}.>`] })
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
  })

  test('is only logged without dead letters', async () => {
    const { name, subject, env } = await newStream()
    const { lines } = await start({
      env,
      retry: { deadLetter: false },
      handler: () => {
        throw new Reject('no')
      },
    })
    await send(subject, order('1'))
    await expect
      .poll(() => lines)
      .toContainEqual(expect.objectContaining({ level: 'error', message: expect.stringContaining('given up'), reason: 'no' }))
    await expect.poll(() => lag(name)).toEqual(done)
  })
})

describe('a worker', () => {
  test('handles as many messages at once as CONCURRENCY says, and holds no more', async () => {
    const { name, subject, env } = await newStream()
    let [now, most] = [0, 0]
    await start({
      env: { ...env, CONCURRENCY: '3' },
      handler: async () => {
        most = Math.max(most, ++now)
        await sleep(200)
        now -= 1
      },
    })
    for (let index = 0; index < 9; index++) await send(subject, order(String(index)))
    await sleep(300)
    expect((await lag(name)).held).toBeLessThanOrEqual(3)
    await expect.poll(() => lag(name)).toEqual(done)
    expect(most).toBe(3)
  })

  test('takes messages ahead when its handler is fast', async () => {
    const { name, subject, env } = await newStream()
    await Promise.all(Array.from({ length: 2000 }, (_, index) => send(subject, order(String(index)))))
    let count = 0
    await start({ env, handler: () => void count++ })
    await expect.poll(() => count).toBe(2000)
    await expect.poll(() => lag(name)).toEqual(done)
  })

  test('puts back what it has taken ahead when its handler becomes slow', async () => {
    const { name, subject, env } = await newStream()
    let [count, isSlow] = [0, false]
    const { worker } = await start({
      env,
      handler: async () => {
        count += 1
        if (isSlow) await sleep(3000)
      },
    })
    await Promise.all(Array.from({ length: 200 }, (_, index) => send(subject, order(`fast-${index}`))))
    await expect.poll(() => count).toBe(200)
    isSlow = true
    await Promise.all(Array.from({ length: 4 }, (_, index) => send(subject, order(`slow-${index}`))))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 4 })
    const others: string[] = []
    await start({ env, handler: ({ id }) => void others.push(id) })
    await expect.poll(() => others).toHaveLength(3)
    expect(await lag(name)).toMatchObject({ waiting: 0, held: 1 })
    await worker.stop()
  })

  test('keeps a message that takes longer than ack_wait', async () => {
    const { name, subject, env } = await newStream({ ack_wait: seconds(1) })
    let calls = 0
    const handler = async () => {
      calls += 1
      await sleep(3500)
    }
    await start({ env, handler })
    // Gets the message if it is delivered again.
    await start({ env, handler })
    await send(subject, order('1'))
    await expect.poll(() => calls).toBe(1)
    await expect.poll(() => lag(name)).toEqual(done)
    expect(calls).toBe(1)
  })

  test('ends a handler after MAX_PROCESSING_SECONDS', async () => {
    const { name, subject, env } = await newStream({ max_deliver: 1 })
    let reason: unknown
    await start({
      env: { ...env, MAX_PROCESSING_SECONDS: '1' },
      handler: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
        })
        return new Promise(() => undefined)
      },
    })
    await send(subject, order('1'))
    await expect.poll(() => deadLetters(name)).toHaveLength(1)
    expect(reason).toMatchObject({ message: expect.stringContaining('spec.processing.maxDuration') })
  })

  test.each([
    { says: 'the stream', change: { NATS_STREAM_NAME: 'NONE' }, problem: /stream NONE does not exist.*spec\.nats\.stream/ },
    {
      says: 'the consumer',
      change: { NATS_CONSUMER_GROUP: 'nobody' },
      problem: /consumer nobody of stream S\d+ does not exist.*spec\.nats\.consumer/,
    },
    {
      says: 'the server',
      change: { NATS_URL: 'nats://127.0.0.1:1' },
      problem: /cannot connect to NATS at nats:\/\/127\.0\.0\.1:1.*spec\.nats\.url/,
    },
  ])('is not ready without $says, and names the field', async ({ change, problem }) => {
    const { env } = await newStream()
    const { worker, get, lines } = await start({ env: { ...env, ...change }, handler: () => undefined })
    await expect.poll(() => worker.problem()).toMatch(problem)
    expect(await get('/ready')).toEqual({ status: 503, text: expect.stringMatching(problem) })
    expect(await get('/health')).toEqual({ status: 200, text: 'ok\n' })
    expect(lines.filter(({ message }) => problem.test(String(message)))).toHaveLength(1)
  })

  test('is not ready with a push consumer or without explicit acks', async () => {
    const { name, env } = await newStream()
    await client.jsm.consumers.add(name, { durable_name: 'push', deliver_subject: 'x', ack_policy: AckPolicy.Explicit })
    await client.jsm.consumers.add(name, { durable_name: 'all', ack_policy: AckPolicy.All })
    const push = await start({ env: { ...env, NATS_CONSUMER_GROUP: 'push' }, handler: () => undefined })
    const all = await start({ env: { ...env, NATS_CONSUMER_GROUP: 'all' }, handler: () => undefined })
    await expect.poll(() => push.worker.problem()).toMatch(/is a push consumer/)
    await expect.poll(() => all.worker.problem()).toMatch(/ack policy all: it must be explicit/)
  })

  test('starts as soon as the consumer exists, and again after it was deleted', async () => {
    const { name, subject, env } = await newStream()
    await client.jsm.consumers.delete(name, 'workers')
    const seen: string[] = []
    const { worker } = await start({ env, handler: ({ id }) => void seen.push(id) })
    await expect.poll(() => worker.problem()).toMatch(/does not exist/)
    await createConsumer(client.jsm, name)
    await expect.poll(() => worker.problem()).toBeUndefined()
    await send(subject, order('1'))
    await expect.poll(() => seen).toEqual(['1'])
    await client.jsm.consumers.delete(name, 'workers')
    await expect.poll(() => worker.problem()).toMatch(/does not exist/)
    await createConsumer(client.jsm, name)
    await send(subject, order('2'))
    // The new consumer starts from the beginning of the stream.
    await expect.poll(() => seen).toEqual(['1', '1', '2'])
  })

  test('finds the trace whatever the case of its header', async () => {
    const { subject, env } = await newStream()
    const seen: string[] = []
    await start({ env, handler: (_, { traceparent }) => void seen.push(traceparent.slice(3, 35)) })
    await send(subject, order('1'), 'binary', { Traceparent: '00-73df58d7c1383e17dabe515dfd68d05a-b00799e628f49cbe-01' })
    await expect.poll(() => seen).toEqual(['73df58d7c1383e17dabe515dfd68d05a'])
  })

  test('continues the trace of a message, and passes it on', async () => {
    const { subject, env } = await newStream()
    const seen: string[] = []
    const { lines } = await start({
      env,
      handler: (_, { traceparent, log }) => {
        seen.push(traceparent)
        log.info('seen', { more: 1n })
      },
    })
    await send(subject, order('1'), 'binary', { traceparent: '00-73df58d7c1383e17dabe515dfd68d05a-b00799e628f49cbe-01' })
    await expect
      .poll(() => seen)
      .toEqual([expect.stringMatching(/^00-73df58d7c1383e17dabe515dfd68d05a-(?!b00799e628f49cbe)[0-9a-f]{16}-01$/)])
    expect(lines).toContainEqual(
      expect.objectContaining({
        message: 'seen',
        service: 'orders',
        event: '1',
        type: 'order.placed',
        trace_id: '73df58d7c1383e17dabe515dfd68d05a',
        more: '1',
      }),
    )
  })

  test('publishes events whose ids a replay repeats', async () => {
    const { name, subject, env } = await newStream()
    const out = await newStream()
    await start({
      env,
      retry: { backoff: () => 10 },
      handler: async (event, { publish, attempt }) => {
        await publish(out.subject, { type: 'invoice.sent', data: event.data })
        await publish(out.subject, { type: 'invoice.sent', data: 2 })
        if (attempt === 1) throw new Error('after publishing')
      },
    })
    await send(subject, order('1'))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
    await expect.poll(async () => (await client.jsm.streams.info(out.name)).state.messages).toBe(2)
    const stored = await client.jsm.streams.getMessage(out.name, { seq: 1 })
    expect(stored && parseNats({ headers: stored.header, data: stored.data })).toMatchObject({
      type: 'invoice.sent',
      source: '/orders',
      data: { id: '1' },
    })
    expect(stored?.header.get('traceparent')).toMatch(/^00-/)
  })
})

describe('idempotency', () => {
  test('handles two messages with one event once', async () => {
    const { name, subject, env } = await newStream()
    const seen: string[] = []
    const { get } = await start({ env, idempotency: kv('seen-1', { ttl: '1m' }), handler: ({ id }) => void seen.push(id) })
    await send(subject, order('1'))
    await send(subject, order('1'), 'structured')
    await send(subject, order('2'))
    await expect.poll(() => lag(name)).toEqual(done)
    expect(seen).toEqual(['1', '2'])
    expect((await get('/metrics')).text).toContain('worker_handled_total{type="order.placed",result="duplicate"} 1')
  })

  test('lets a failed event be retried', async () => {
    const { name, subject, env } = await newStream()
    const attempts: number[] = []
    await start({
      env,
      idempotency: kv('seen-2'),
      retry: { backoff: () => 10 },
      handler: (_, { attempt }) => {
        attempts.push(attempt)
        if (attempt < 2) throw new Error('no')
      },
    })
    await send(subject, order('1'))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
    expect(attempts).toEqual([1, 2])
  })

  test('waits while another worker handles the event', async () => {
    const { name, subject, env } = await newStream()
    let [running, most, calls] = [0, 0, 0]
    const handler = async () => {
      calls += 1
      most = Math.max(most, ++running)
      await sleep(700)
      running -= 1
    }
    await start({ env, idempotency: kv('seen-3'), handler })
    await start({ env, idempotency: kv('seen-3'), handler })
    await send(subject, order('1'))
    await send(subject, order('1'))
    await expect.poll(() => lag(name)).toEqual(done)
    expect({ most, calls }).toEqual({ most: 1, calls: 1 })
  })

  test('refuses names that are no bucket', () => expect(() => kv('a b')).toThrow(/name of a bucket/))
})

describe('stop', () => {
  test('finishes what runs, and puts back what waits', async () => {
    const { name, subject, env } = await newStream()
    const seen: string[] = []
    let isSlow = false
    const { worker } = await start({
      env,
      handler: async ({ id }) => {
        if (isSlow) await sleep(400)
        seen.push(id)
      },
    })
    // The worker learns that its handler is fast, and takes messages ahead.
    await Promise.all(Array.from({ length: 300 }, (_, index) => send(subject, order(`fast-${index}`))))
    await expect.poll(() => seen).toHaveLength(300)
    isSlow = true
    await Promise.all(Array.from({ length: 5 }, (_, index) => send(subject, order(`slow-${index}`))))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 5 })
    // Another worker waits for messages.
    const others: string[] = []
    await start({ env, handler: ({ id }) => void others.push(id) })
    await worker.stop()
    expect(seen.slice(300)).toEqual(['slow-0'])
    expect(worker.problem()).toBe('the worker stops')
    // It gets them long before ack_wait.
    await expect.poll(() => others.toSorted()).toEqual(['slow-1', 'slow-2', 'slow-3', 'slow-4'])
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 0 })
  })

  test('finishes last deliveries that wait, because nobody would get them again', async () => {
    const { name, subject, env } = await newStream({ max_deliver: 1 })
    const seen: string[] = []
    const { worker } = await start({
      env,
      handler: async ({ id }) => {
        if (id.startsWith('slow')) await sleep(200)
        seen.push(id)
      },
    })
    await Promise.all(Array.from({ length: 300 }, (_, index) => send(subject, order(`fast-${index}`))))
    await expect.poll(() => seen).toHaveLength(300)
    await Promise.all(Array.from({ length: 3 }, (_, index) => send(subject, order(`slow-${index}`))))
    await expect.poll(() => lag(name)).toMatchObject({ waiting: 0, held: 3 })
    await worker.stop()
    expect(seen.slice(300).sort()).toEqual(['slow-0', 'slow-1', 'slow-2'])
    expect(await lag(name)).toEqual(done)
  })
})

describe('over a restart of the server', () => {
  test('no message is lost', async () => {
    const own = await startNats()
    const to = await connectClient(own)
    await createStream(to, 'R', { ack_wait: seconds(2), max_deliver: 20 })
    const seen = new Set<string>()
    const { worker } = await start({ env: envOf(own, 'R'), handler: ({ data }) => void seen.add(String(data)) })
    for (let index = 0; index < 50; index++) await to.js.publish('r.new', String(index))
    await own.end()
    await expect.poll(() => worker.problem()).toMatch(/connection to NATS is lost/)
    await own.start()
    for (let index = 50; index < 100; index++) await to.js.publish('r.new', String(index), { retries: 5 })
    await expect.poll(() => seen.size).toBe(100)
    expect(worker.problem()).toBeUndefined()
    await stopWorkers()
    await to.nc.close()
    await own.remove()
  })
})
