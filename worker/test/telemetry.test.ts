// What serve() does with an SDK of OpenTelemetry in its process.
import { context, type SpanContext, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createEvent } from '../src/cloudevents/index.ts'
import { createLog } from '../src/log.ts'
import type { Incoming } from '../src/run.ts'
import { findTelemetry, type Telemetry } from '../src/telemetry.ts'
import { start, stopWorkers } from './fixtures/worker.ts'

const exporter = new InMemorySpanExporter()
const throwing: Partial<Record<'onStart' | 'onEnd' | 'forceFlush', boolean>> = {}
let flushes = 0
const fail = (step: keyof typeof throwing) => {
  if (throwing[step]) throw new Error(`${step} fails`)
}
const hostile: SpanProcessor = {
  onStart: () => fail('onStart'),
  onEnd: () => fail('onEnd'),
  forceFlush: async () => {
    flushes += 1
    fail('forceFlush')
  },
  shutdown: async () => undefined,
}

const lines: string[] = []
let telemetry: Telemetry | undefined
beforeAll(async () => {
  expect(await findTelemetry(createLog({}, 'debug', line => lines.push(line)))).toBeUndefined()
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter), hostile] }).register()
  telemetry = await findTelemetry(createLog({}, 'debug', line => lines.push(line)))
})
afterEach(async () => {
  for (const step of Object.keys(throwing)) delete throwing[step as keyof typeof throwing]
  await stopWorkers()
  exporter.reset()
})
afterAll(() => trace.disable())

const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
const event = createEvent({ id: '1', source: '/shop', type: 'order.placed' })
const [a, b] = ['a', 'b'].map(digit => digit.repeat(32)) as [string, string]
const parentOf = (traceId: string, flags = '01') => `00-${traceId}-00f067aa0ba902b7-${flags}`

const over = (kind: 'http' | 'nats', headers: Readonly<Record<string, string>> = {}): Incoming => ({
  attempt: 1,
  header: name => headers[name],
  ...(kind === 'nats' && { subject: 'orders.new', consumer: 'workers' }),
})

/** Starts and ends the span of an event, and gives what its handler saw. */
function handle(incoming: Incoming, from = event) {
  const span = telemetry?.start(from, incoming)
  span?.end({ result: 'handled' })
  return span?.trace
}

describe('the parent', () => {
  const active: SpanContext = { traceId: b, spanId: '00000000000000b1', traceFlags: TraceFlags.SAMPLED }
  const within = <T>(work: () => T) => context.with(trace.setSpanContext(context.active(), active), work)

  test.each([
    ['the header', over('nats', { traceparent: parentOf(a) }), a],
    ['the header of a request', over('http', { traceparent: parentOf(a) }), a],
  ])('is that of %s', (_, incoming, traceId) => {
    expect(handle(incoming)).toMatchObject({ traceId })
    expect(spans()[0]?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
  })

  test('is that of the extension if no header has one', () => {
    expect(handle(over('nats'), { ...event, extensions: { traceparent: parentOf(b) } })?.traceId).toBe(b)
  })

  test('takes no field of another trace', () => {
    const mixed = { ...event, extensions: { traceparent: parentOf(b), tracestate: 'vendor=b' } }
    handle(over('nats', { traceparent: parentOf(a) }), mixed)
    expect(spans()[0]?.spanContext().traceState?.serialize()).toBeUndefined()
  })

  test('is the active span over HTTP, and never for a message', () => {
    within(() => handle(over('http', { traceparent: parentOf(a) })))
    within(() => handle(over('nats', { traceparent: parentOf(a) })))
    expect(spans().map(span => span.spanContext().traceId)).toEqual([b, a])
  })

  test('is not the span in which the worker was started', async () => {
    const late = await within(() => findTelemetry(createLog({}, 'debug', () => undefined)))
    within(() => late?.start(event, over('http', { traceparent: parentOf(a) }))?.end({ result: 'handled' }))
    // Another object with the same context is an active span.
    expect(spans()[0]?.spanContext().traceId).toBe(b)
    exporter.reset()
    const span = trace.getTracer('boot').startSpan('boot')
    const inBoot = <T>(work: () => T) => context.with(trace.setSpan(context.active(), span), work)
    const started = await inBoot(() => findTelemetry(createLog({}, 'debug', () => undefined)))
    inBoot(() => started?.start(event, over('http', { traceparent: parentOf(a) }))?.end({ result: 'handled' }))
    expect(spans()[0]?.spanContext().traceId).toBe(a)
  })

  test('decides whether the span is sampled', () => {
    expect(handle(over('nats', { traceparent: parentOf(a, '00') }))?.traceparent).toMatch(/-00$/)
    expect(spans()).toEqual([])
  })
})

describe('what a handler publishes', () => {
  const publish = async (work: () => Promise<unknown>) => {
    let headers: Record<string, string> = {}
    const span = telemetry?.start(event, over('nats', { traceparent: parentOf(a), tracestate: 'vendor=a' }))
    const sent = span?.trace.publish('invoices.new', event, pairs => {
      headers = Object.fromEntries(pairs)
      return work()
    })
    await sent?.catch(() => undefined)
    return { headers, span: spans()[0] }
  }

  test('continues the trace from a span of its own, also outside the context of the handler', async () => {
    const { headers, span } = await publish(async () => undefined)
    expect(headers).toEqual({ traceparent: `00-${a}-${span?.spanContext().spanId}-01`, tracestate: 'vendor=a' })
    expect(span).toMatchObject({ name: 'publish order.placed', attributes: { 'messaging.destination.name': 'invoices.new' } })
  })

  test('has the error if no stream takes it', async () => {
    const { span } = await publish(() => Promise.reject(new RangeError('no stream')))
    expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: 'no stream' }, attributes: { 'error.type': 'RangeError' } })
  })

  test('is sent without headers if the SDK fails', async () => {
    throwing.onStart = true
    const span = telemetry?.start(event, over('nats'))
    expect(span).toBeUndefined()
    expect(lines.filter(line => line.includes('OpenTelemetry fails'))).toHaveLength(1)
  })
})

test.each([
  [{ result: 'rejected', reason: 'no total' } as const, 'rejected', 'no total'],
  [{ result: 'abandoned', reason: 'the worker had to stop' } as const, 'abandoned', 'the worker had to stop'],
  [{ result: 'failed', error: Object.create(null) } as const, '_OTHER', 'an object without a text'],
])('%j is an error', (outcome, type, message) => {
  telemetry?.start(event, over('nats'))?.end(outcome)
  expect(spans()[0]).toMatchObject({
    status: { code: SpanStatusCode.ERROR, message },
    attributes: { 'error.type': type, 'worker.result': outcome.result },
  })
})

describe('a worker', () => {
  const send = (port: number, id: string, traceparent: string) =>
    fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/shop', 'ce-type': 'order.placed', traceparent },
    })

  test('keeps the contexts of events apart that it handles at the same time', async () => {
    const seen: Record<string, string | undefined> = {}
    let release: () => void = () => undefined
    const both = new Promise<void>(resolve => {
      release = resolve
    })
    const { worker } = await start({
      handler: async ({ id }) => {
        if (id === '2') release()
        await both
        seen[id] = trace.getActiveSpan()?.spanContext().traceId
      },
    })
    await Promise.all([send(worker.port, '1', parentOf(a)), send(worker.port, '2', parentOf(b))])
    expect(seen).toEqual({ 1: a, 2: b })
  })

  test.each(['onStart', 'onEnd'] as const)('answers and stops although %s of the SDK throws', async step => {
    throwing[step] = true
    const { worker, get } = await start({ handler: () => undefined })
    expect((await send(worker.port, '1', parentOf(a))).status).toBe(204)
    expect((await get('/metrics')).text).toContain('worker_in_flight 0')
    await worker.stop()
  })

  test.each([false, true])('sends its last spans before it ends, whether or not that fails (%s)', async fails => {
    if (fails) throwing.forceFlush = true
    const before = flushes
    const { worker } = await start({ handler: () => undefined })
    await worker.stop()
    expect(flushes).toBe(before + 1)
  })
})
