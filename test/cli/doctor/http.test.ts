import { Agent, createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { sendRequest } from '../../../src/cli/doctor/http.ts'
import { listening } from './cluster.ts'

test('starts the timeout when a request is sent, not while it is queued', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const port = await listening(createServer((_, response) => void setTimeout(() => response.end('{}'), 700)))
  const answers = await Promise.all([1, 2, 3].map(() => sendRequest(`http://127.0.0.1:${port}`, { agent, timeoutMs: 1_500 })))
  expect(answers).toEqual([1, 2, 3].map(() => ({ ok: true, body: {} })))
})

test('gives up on a response that never ends', async () => {
  const port = await listening(createServer((_, response) => void response.write('{')))
  expect(await sendRequest(`http://127.0.0.1:${port}`, { timeoutMs: 300 })).toEqual({
    ok: false,
    status: undefined,
    reason: 'no response within 0.3 seconds',
  })
})
