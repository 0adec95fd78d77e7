// Spans of a worker whose process has the SDK of OpenTelemetry, as a collector receives them.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { JetStreamClient } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { afterAll, expect, vi } from 'vitest'
import { testWith } from '../../test/fixtures/require-program.ts'
import { createEvent, serializeHttp, serializeNats } from '../src/index.ts'
import { connectClient, createStream, startNats } from './fixtures/nats-server.ts'
import { envOf } from './fixtures/worker.ts'

const test = testWith('nats-server')
const program = fileURLToPath(new URL('./programs/traced.mjs', import.meta.url))
const sdk = new URL('./programs/opentelemetry.mjs', import.meta.url).href

interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status: { readonly code?: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly events?: readonly { readonly name: string }[]
}

const [PRODUCER, CONSUMER, ERROR] = [4, 5, 2]
const spans: Span[] = []
const messages: Record<string, unknown>[] = []
const closers: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

/** A collector, a nats-server, and a worker whose process was started with the SDK. */
async function startTraced(): Promise<{ readonly js: JetStreamClient; readonly port: number }> {
  const collector = createServer(async (request, response) => {
    const { resourceSpans } = JSON.parse(await text(request))
    spans.push(...resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: Span[] }[] }) => scopeSpans.flatMap(scope => scope.spans)))
    response.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  closers.push(() => collector.close())
  await once(collector, 'listening')
  const server = await startNats()
  closers.push(server.remove)
  const client = await connectClient(server)
  closers.push(() => client.nc.close())
  await createStream(client, 'T')
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const child = fork(program, {
    env: { ...process.env, ...envOf(server, 'T'), PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    execArgv: ['--import', sdk],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  closers.push(() => child.kill('SIGKILL'))
  child.on('message', message => messages.push(message as Record<string, unknown>))
  await vi.waitUntil(() => messages.length > 0, { timeout: 10_000 })
  return { js: client.js, port: Number(messages[0]?.port) }
}

let started: ReturnType<typeof startTraced> | undefined
const traced = () => (started ??= startTraced())

const trace = (digit: string) => ({ id: digit.repeat(32), header: `00-${digit.repeat(32)}-00f067aa0ba902b7-01` })
const spansOf = (id: string) => spans.filter(({ traceId }) => traceId === id)
const attributesOf = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))

async function publish(type: string, traceparent: string): Promise<void> {
  const { headers: pairs, data } = serializeNats(createEvent({ id: '1', source: '/shop', type, data: { total: 3 } }))
  const fields = headers()
  for (const [name, value] of [...pairs, ['traceparent', traceparent] as const]) fields.set(name, value)
  const { js } = await traced()
  await js.publish(`t.${type}`, data, { headers: fields })
}

test('one trace leads from the sender through the handler and what it publishes to the next worker', async () => {
  const { id, header } = trace('a')
  await publish('order.placed', header)
  await expect.poll(() => spansOf(id)).toHaveLength(4)
  const named = (name: string) => spansOf(id).find(span => span.name === name) as Span
  const [handling, own, publishing, next] = ['process order.placed', 'charge the card', 'publish invoice.due', 'process invoice.due'].map(
    named,
  ) as [Span, Span, Span, Span]
  expect([handling, own, publishing, next].map(({ parentSpanId }) => parentSpanId)).toEqual([
    '00f067aa0ba902b7',
    handling.spanId,
    own.spanId,
    publishing.spanId,
  ])
  expect([handling.kind, publishing.kind]).toEqual([CONSUMER, PRODUCER])
  expect(messages).toContainEqual({ traceparent: `00-${id}-${handling.spanId}-01` })
  expect(attributesOf(handling)).toEqual({
    'messaging.system': 'nats',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 't.order.placed',
    'messaging.consumer.group.name': 'workers',
    'cloudevents.event_id': '1',
    'cloudevents.event_source': '/shop',
    'cloudevents.event_spec_version': '1.0',
    'cloudevents.event_type': 'order.placed',
    'worker.result': 'handled',
  })
  expect(attributesOf(publishing)).toMatchObject({ 'messaging.operation.type': 'send', 'messaging.destination.name': 't.invoices' })
})

test('each attempt that fails is a span with its error', async () => {
  const { id, header } = trace('b')
  await publish('order.broken', header)
  await expect.poll(() => spansOf(id)).toHaveLength(3)
  for (const span of spansOf(id)) {
    expect(span).toMatchObject({ status: { code: ERROR, message: 'no total' }, events: [{ name: 'exception' }] })
    expect(attributesOf(span)).toMatchObject({ 'error.type': 'TypeError', 'worker.result': 'failed' })
  }
  expect(spansOf(id).map(span => attributesOf(span)['messaging.nats.message.delivery_count'])).toEqual([undefined, 2, 3])
})

test('an event over HTTP continues the trace of its request', async () => {
  const { id, header } = trace('c')
  const { port } = await traced()
  const event = serializeHttp(createEvent({ id: '1', source: '/shop', type: 'order.refused', data: { total: 3 } }))
  const { status } = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    headers: { ...event.headers, traceparent: header },
    body: event.body,
  })
  expect(status).toBe(400)
  await expect
    .poll(() => spansOf(id), { timeout: 10_000 })
    .toMatchObject([
      { name: 'process order.refused', parentSpanId: '00f067aa0ba902b7', status: { code: ERROR, message: 'we do not sell this' } },
    ])
  expect(attributesOf(spansOf(id)[0] as Span)).not.toHaveProperty('messaging.system')
})
