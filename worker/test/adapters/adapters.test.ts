import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, describe, expect, test } from 'vitest'
import { cloudEvents as expressEvents } from '../../src/adapters/express.ts'
import { cloudEvents as fastifyEvents } from '../../src/adapters/fastify.ts'
import { cloudEvents as honoEvents } from '../../src/adapters/hono.ts'
import type { EventHandler } from '../../src/adapters/respond.ts'
import { createEvent, parseHttp, serializeHttp, serializeHttpBatch } from '../../src/cloudevents/index.ts'

const handler: EventHandler<unknown> = ({ type, data }) => {
  if (type === 'fails') throw new Error('the handler fails')
  return type === 'asks' ? createEvent({ type: 'answers', source: '/adapter', data }) : undefined
}

const closing: (() => unknown)[] = []
afterAll(async () => {
  for (const close of closing) await close()
})

/** Sends a request to the framework. */
type Send = (request: { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }) => Promise<Response>

const post =
  (url: string): Send =>
  ({ headers, body }) =>
    fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })

const frameworks: Readonly<Record<string, () => Promise<Send>>> = {
  express: async () => {
    const app = express()
    app.post('/', expressEvents(handler))
    const server = app.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    closing.push(() => server.close())
    return post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  },
  'express with express.raw()': async () => {
    const app = express()
    app.post('/', express.raw({ type: () => true }), expressEvents(handler))
    const server = app.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    closing.push(() => server.close())
    return post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  },
  fastify: async () => {
    const app = fastify()
    await app.register(fastifyEvents, { url: '/', handler })
    closing.push(() => app.close())
    return post(`${await app.listen({ port: 0, host: '127.0.0.1' })}/`)
  },
  hono: async () => {
    const app = new Hono().onError((_, context) => context.body(null, 500))
    app.post('/', honoEvents(handler))
    return async ({ headers, body }) => app.request('/', { method: 'POST', headers, body: new Uint8Array(body) })
  },
}

describe.each(Object.entries(frameworks))('%s', (_, start) => {
  const sent = createEvent({ type: 'asks', source: '/test', subject: 'Euro €', data: { total: 9007199254740993n } })

  test.each(['binary', 'structured'] as const)('answers an event in %s mode with the event that the handler returns', async mode => {
    const send = await start()
    const response = await send(serializeHttp(sent, { mode }))
    expect(response.status).toBe(200)
    const answer = parseHttp({ headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) })
    expect(answer).toMatchObject({ type: 'answers', data: { total: 9007199254740993n } })
  })

  test.each([
    { says: '204 without an answer', request: serializeHttp(createEvent({ type: 'tells', source: '/test', data: 'x' })), status: 204 },
    { says: '204 without data', request: serializeHttp(createEvent({ type: 'tells', source: '/test' })), status: 204 },
    { says: '200 for a batch', request: serializeHttpBatch([sent, sent]), status: 200 },
    { says: '204 for an empty batch', request: serializeHttpBatch([]), status: 204 },
    {
      says: '400 for no event',
      request: { headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode('{}') },
      status: 400,
    },
    {
      says: '415 for an unknown format',
      request: { headers: { 'content-type': 'application/cloudevents+avro' }, body: new Uint8Array() },
      status: 415,
    },
    { says: '500 if the handler throws', request: serializeHttp(createEvent({ type: 'fails', source: '/test' })), status: 500 },
  ])('answers $says', async ({ request, status }) => {
    const send = await start()
    expect((await send(request)).status).toBe(status)
  })
})

test('express says which body parser is in the way', async () => {
  const app = express()
  const errors: string[] = []
  app.use(express.json())
  app.post('/', expressEvents(handler))
  app.use((error: Error, _request: unknown, response: { sendStatus(status: number): unknown }, _next: unknown) => {
    errors.push(error.message)
    response.sendStatus(500)
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  closing.push(() => server.close())
  await post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)(
    serializeHttp(createEvent({ type: 't', source: '/', data: {} })),
  )
  expect(errors).toEqual([expect.stringContaining('express.raw')])
})
