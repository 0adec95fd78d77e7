import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createHttpServer, MAX_CONNECTIONS_PER_ADDRESS } from '../../src/function/http-server.ts'
import { createMetrics } from '../../src/function/metrics.ts'

const HERE = '127.0.0.1'
const serving = () => true
// By default Node checks its connections only twice a minute.
const soon = { timeout: 20_000 }

/** Until the test ends. */
async function start(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, HERE, resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

function open(port: number, localAddress = HERE): Socket {
  const socket = connect({ port, host: HERE, localAddress })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}
const closed = (socket: Socket) => new Promise<void>(resolve => socket.once('close', () => resolve()))
const get = (port: number, path: string, options: RequestInit = {}) =>
  fetch(`http://${HERE}:${port}${path}`, options).then(response => response.text())

test('reuses the metrics text for scrapes within one second', async () => {
  const metrics = createMetrics()
  const made = vi.spyOn(metrics.registry, 'metrics')
  let nowMs = 0
  const port = await start(createHttpServer(metrics, serving, () => nowMs))
  const scrape = () => get(port, '/metrics')
  const [first, second] = await Promise.all([scrape(), scrape()])
  metrics.calls.inc({ result: 'ok' })
  nowMs = 999
  expect([second, await scrape()]).toEqual([first, first])
  expect(made).toHaveBeenCalledTimes(1)
  nowMs = 1000
  expect(await scrape()).toMatch(/^function_calls_total\{result="ok"\} 1$/m)
  expect(made).toHaveBeenCalledTimes(2)
})

test('limits the open connections of one address', async () => {
  const port = await start(createHttpServer(createMetrics(), serving))
  const sockets = Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS + 3 }, () => open(port))
  let gone = 0
  for (const socket of sockets) socket.once('close', () => gone++)
  await expect.poll(() => gone, soon).toBe(3)
  // Connections are accepted in any order, so the first may be one that was closed.
  const held = sockets.find(socket => !socket.destroyed)
  if (held === undefined) throw new Error('no connection is held')
  held.destroy()
  // The server may see that connection close after the request, and fetch never returns if the new one is refused meanwhile.
  const askAgain = () => get(port, '/healthz', { signal: AbortSignal.timeout(1_000) }).catch(() => '')
  await expect.poll(askAgain, soon).toBe('ok\n')
})

// Only Linux answers on 127.0.0.2 without configuration.
test.runIf(process.platform === 'linux')('a client with the maximum number of connections does not lock out others', async () => {
  const server = createHttpServer(createMetrics(), serving)
  const port = await start(server)
  const sockets = Array.from({ length: 10 * MAX_CONNECTIONS_PER_ADDRESS }, () => open(port, '127.0.0.2'))
  let gone = 0
  for (const socket of sockets) socket.once('close', () => gone++)
  await expect.poll(() => gone, soon).toBe(9 * MAX_CONNECTIONS_PER_ADDRESS)
  expect(await get(port, '/healthz')).toBe('ok\n')
})

test.each([
  { title: 'sends nothing', text: '' },
  { title: 'never completes its request', text: 'GET /healthz HTTP/1.1\r\nhost: a\r\n' },
  { title: 'has its answer', text: 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n' },
])('closes the connection of a client that $title', soon, async ({ text }) => {
  const port = await start(createHttpServer(createMetrics(), serving))
  const socket = open(port)
  socket.resume().write(text)
  await closed(socket)
})

test('answers one of many pipelined requests', async () => {
  const metrics = createMetrics()
  const port = await start(createHttpServer(metrics, serving))
  const socket = open(port)
  let answers = ''
  socket.on('data', data => {
    answers += data
  })
  socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(100))
  await closed(socket)
  expect(answers.match(/HTTP\/1\.1/g) ?? []).toHaveLength(1)
})
