import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { FunctionRunnerServiceService, Severity } from '@crossplane-org/function-sdk-typescript'
import { status } from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Handler } from '../../src/function/handler.ts'
import { serviceNames } from '../../src/function/runner-service.ts'
import { MAX_CONNECTIONS_PER_ADDRESS } from '../../src/function/server.ts'
import { ask, call, connectClient, counted, echo, MEBIBYTE, openCall, pathOf, send, serve, throwAt } from './serving.ts'

const { requestSerialize } = FunctionRunnerServiceService.runFunction

const composite = (resource: Record<string, unknown>) => ({
  observed: { composite: { resource, connectionDetails: {}, ready: 0 }, resources: {} },
})
const claimed = composite({
  metadata: { name: 'worker-x7k2p' },
  spec: { claimRef: { namespace: 'shop', name: 'worker' }, env: [{ name: 'PASSWORD', value: 'hunter2' }] },
})
const tagged = (tag: string) => ({ meta: { tag, capabilities: [] } })

const refusing: Handler = (...question) => ({
  ...echo(...question),
  results: [{ severity: Severity.SEVERITY_FATAL, message: 'spec.size: hunter2' }],
})
const throwing: Handler = () => {
  throw new Error('while looking at\n    at hunter2 (secret.ts:1:1)')
}
const unencodable: Handler = (...question) => ({ ...echo(...question), context: { quota: 1n } })

test.each(serviceNames)('answers as %s', async service => {
  const { port } = await serve()
  const { response } = await call(connectClient(port), tagged('abc'), service)
  expect(response?.meta?.tag).toBe('abc')
})

test('answers UNIMPLEMENTED for an unknown method', async () => {
  const { port } = await serve()
  const { error } = await call(connectClient(port), {}, 'apiextensions.fn.proto.v2.FunctionRunnerService')
  expect(error?.code).toBe(status.UNIMPLEMENTED)
})

describe('a handler that throws', () => {
  test.each([
    { title: 'an error', handler: throwing, name: 'Error' },
    { title: 'an error for a response that cannot be encoded', handler: unencodable, name: 'Error' },
    {
      title: 'a value that is not an Error',
      handler: () => {
        throw 'hunter2'
      },
      name: 'string',
    },
    {
      title: 'a stack overflow',
      handler: function deeper(request): ReturnType<Handler> {
        return { ...deeper(request) }
      } as Handler,
      name: 'RangeError',
    },
  ])('$title is a fatal result with an id that the log has too', async ({ handler, name }) => {
    const serving = await serve({}, handler)
    const client = connectClient(serving.port)
    const { response } = await call(client, { ...tagged('t1'), ...claimed })
    const [result] = response?.results ?? []
    expect(result?.severity).toBe(Severity.SEVERITY_FATAL)
    const [, id] = /^internal error ([0-9a-f]{8}): /.exec(result?.message ?? '') ?? []
    expect(serving.lines).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'call failed', id, error: name, tag: 't1', namespace: 'shop', name: 'worker' }),
    )
    expect(JSON.stringify([response, serving.lines])).not.toContain('hunter2')
    expect(response?.meta?.tag).toBe('t1')
    expect(await counted(serving, 'function_calls_total', { result: 'error' })).toBe(1)
  })

  test('answers the same failure with the same message, so that events do not accumulate', async () => {
    const { port } = await serve({}, throwing)
    const client = connectClient(port)
    expect(await call(client)).toEqual(await call(client))
  })
})

describe('log and metrics', () => {
  test.each([
    { handler: echo, result: 'ok', level: 'debug', msg: 'call answered' },
    { handler: refusing, result: 'refused', level: 'info', msg: 'call refused' },
    { handler: throwing, result: 'error', level: 'error', msg: 'call failed' },
  ])('$result', async ({ handler, result, level, msg }) => {
    const serving = await serve({}, handler)
    await call(connectClient(serving.port), { ...tagged('t1'), ...claimed })
    expect(serving.lines).toContainEqual(
      expect.objectContaining({ level, msg, result, tag: 't1', namespace: 'shop', name: 'worker', durationMs: expect.any(Number) }),
    )
    expect(JSON.stringify(serving.lines)).not.toContain('hunter2')
    expect(await counted(serving, 'function_calls_total', { result })).toBe(1)
    expect(await serving.metrics.registry.metrics()).toContain('function_call_duration_seconds_count 1')
  })

  test('logs the name of the composite when it has no claim', async () => {
    const { port, lines } = await serve()
    await call(connectClient(port), composite({ metadata: { namespace: 'shop', name: 'worker' } }))
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'call answered', namespace: 'shop', name: 'worker' }))
  })

  test('counts a call as in flight from its headers to its end', async () => {
    const serving = await serve()
    const { finish } = openCall(connectClient(serving.port))
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(1)
    expect((await finish()).response?.meta?.tag).toBe('slow')
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(0)
  })

  test('counts a call that the client cancels as an error', async () => {
    const serving = await serve()
    const { cancel, reply } = openCall(connectClient(serving.port))
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(1)
    cancel()
    expect((await reply).error?.code).toBe(status.CANCELLED)
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(0)
    expect(await counted(serving, 'function_calls_total', { result: 'error' })).toBe(1)
  })
})

describe('size', () => {
  const padded = (bytes: number) => composite({ spec: { note: 'x'.repeat(bytes) } })

  test('refuses a call above the limit and answers the next one', async () => {
    const serving = await serve({ maxReceiveBytes: MEBIBYTE })
    const client = connectClient(serving.port)
    expect((await call(client, padded(MEBIBYTE))).error?.code).toBe(status.RESOURCE_EXHAUSTED)
    await expect.poll(() => counted(serving, 'function_calls_total', { result: 'error' })).toBe(1)
    expect((await call(client, padded(MEBIBYTE / 2))).error).toBeUndefined()
  })

  test('answers a composite of 10 MB if the limit allows it', async () => {
    const { port } = await serve({ maxReceiveBytes: 16 * MEBIBYTE })
    expect((await call(connectClient(port), padded(10 * MEBIBYTE))).error).toBeUndefined()
  })
})

function nested(depth: number): Record<string, unknown> {
  let object: Record<string, unknown> = {}
  for (let level = 0; level < depth; level++) object = { a: object }
  return object
}

/** Encodes a harmless key of the same length and replaces it, because no encoder would send the real one. */
function renamed(bytes: Buffer, to: string): Buffer {
  const from = 'x'.repeat(to.length)
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')
}

describe('any bytes', () => {
  test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])('the key %s changes nothing', async key => {
    const { port, lines } = await serve()
    const client = connectClient(port)
    const x = 'x'.repeat(key.length)
    const poison = { polluted: true, [x]: { polluted: true } }
    const resource = { resource: poison, connectionDetails: { [x]: Buffer.from('a') }, ready: 0 }
    const request = requestSerialize(
      ask({
        observed: { composite: { ...resource, resource: { [x]: poison, spec: { [x]: poison } } }, resources: { [x]: resource } },
        desired: { composite: undefined, resources: { [x]: resource, kept: resource } },
        context: { [x]: poison },
        input: { [x]: poison },
        credentials: { [x]: { credentialData: { data: { [x]: Buffer.from('a') } } } },
        extraResources: { [x]: { items: [resource] } },
        requiredResources: { [x]: { items: [resource] } },
      }),
    )
    const { response, error } = await send(client, renamed(request, key))
    expect(error).toBeUndefined()
    expect(response?.desired?.resources).toHaveProperty('kept')
    expect(Object.prototype).not.toHaveProperty('polluted')
    expect({}).not.toHaveProperty('polluted')
    expect(lines.at(-1)).toMatchObject({ msg: 'call answered' })
    expect((await call(client)).error).toBeUndefined()
  })

  test.each([10, 100, 1000])('%i levels deep is answered or refused, and the next call answered', async depth => {
    const { port } = await serve()
    const client = connectClient(port)
    const { response, error } = await call(client, composite(nested(depth)))
    expect(response !== undefined || error?.code === status.INTERNAL).toBe(true)
    expect((await call(client)).error).toBeUndefined()
  })

  test.each([
    { title: 'a length beyond the end', bytes: Buffer.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f) },
    { title: 'an endless number', bytes: Buffer.alloc(64, 0xff) },
    { title: 'text', bytes: Buffer.from('{"meta":{"tag":"x"}}') },
    { title: 'an end of a group without its start', bytes: Buffer.of(0x14) },
    { title: 'text that is not UTF-8', bytes: Buffer.of(0x0a, 4, 0x0a, 2, 0xc3, 0x28) },
    { title: 'nothing', bytes: Buffer.alloc(0) },
  ])('$title is answered or refused, and the next call answered', async ({ bytes }) => {
    const { port } = await serve()
    const client = connectClient(port)
    const { response, error } = await send(client, bytes)
    expect(response !== undefined || error?.code === status.INTERNAL).toBe(true)
    expect((await call(client)).error).toBeUndefined()
  })

  test('closes a plaintext connection that sends garbage', async () => {
    const { port } = await serve()
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    const oversizedFrame = Buffer.of(0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff)
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(70_000, 0xa5), Buffer.concat([preface, oversizedFrame])]) {
      await throwAt(port, bytes)
    }
    expect((await call(connectClient(port))).error).toBeUndefined()
  })

  // Only Linux answers on 127.0.0.2 without configuration.
  test.runIf(process.platform === 'linux')(
    'limits the connections of one address without locking out others',
    async () => {
      const { port } = await serve()
      let gone = 0
      for (let opened = 0; opened < MAX_CONNECTIONS_PER_ADDRESS + 3; opened++) {
        const socket = connectTcp({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).resume()
        socket.on('error', () => {}).once('close', () => gone++)
        onTestFinished(() => void socket.destroy())
      }
      await expect.poll(() => gone, { timeout: 20_000 }).toBe(3)
      expect((await call(connectClient(port))).error).toBeUndefined()
    },
    30_000,
  )

  test.each([
    { title: 'a message cut off', body: Buffer.of(0, 0, 0, 0, 9, 1) },
    { title: 'an unknown compression', body: Buffer.of(1, 0, 0, 0, 1, 1), headers: { 'grpc-encoding': 'br' } },
    { title: 'a broken compression', body: Buffer.of(1, 0, 0, 0, 1, 1), headers: { 'grpc-encoding': 'gzip' } },
    { title: 'two messages', body: Buffer.alloc(10) },
    { title: 'no message', body: Buffer.alloc(0) },
    { title: 'another content type', body: Buffer.alloc(5), headers: { 'content-type': 'text/html' } },
    { title: 'a deadline in words', body: Buffer.alloc(5), headers: { 'grpc-timeout': 'soon' } },
  ])('$title ends the call, not the process', async ({ body, headers }) => {
    const serving = await serve()
    const session = connect(`http://127.0.0.1:${serving.port}`)
    onTestFinished(() => session.destroy())
    await post(session, body, headers)
    expect((await call(connectClient(serving.port))).error).toBeUndefined()
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(0)
  })
})

function post(session: ClientHttp2Session, body: Buffer, headers: Record<string, string> = {}): Promise<void> {
  return new Promise(resolve => {
    const stream = session.request({
      ':method': 'POST',
      ':path': pathOf(serviceNames[0]),
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    stream.on('error', () => {})
    stream.on('close', () => resolve())
    stream.resume()
    stream.end(body)
  })
}
