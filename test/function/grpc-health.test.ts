import { type Client, status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { healthDefinition, Serving } from '../../src/function/grpc-health.ts'
import { serviceNames } from '../../src/function/runner-service.ts'
import { call, connectClient, counted, openCall, serve } from './serving.ts'

const { check, watch } = healthDefinition

const checkHealth = (client: Client, service: string): Promise<number | undefined> =>
  new Promise(resolve => {
    client.makeUnaryRequest(check.path, check.requestSerialize, check.responseDeserialize, { service }, (error, serving) =>
      resolve(error?.code ?? serving),
    )
  })

function watchHealth(client: Client, service: string) {
  const seen: Serving[] = []
  const stream = client.makeServerStreamRequest(watch.path, watch.requestSerialize, watch.responseDeserialize, { service })
  stream.on('data', serving => seen.push(serving))
  stream.on('error', () => {})
  const ended = new Promise<void>(resolve => stream.on('end', resolve))
  return { seen, ended, stream }
}

describe('gRPC health', () => {
  test.each(['', ...serviceNames])("'%s' is serving", async service => {
    const { port } = await serve()
    expect(await checkHealth(connectClient(port), service)).toBe(Serving.SERVING)
  })

  test('answers NOT_FOUND for an unknown service', async () => {
    const { port } = await serve()
    expect(await checkHealth(connectClient(port), 'unknown')).toBe(status.NOT_FOUND)
  })

  test('notifies a watch of the shutdown, which does not wait for it', async () => {
    const { port, stop } = await serve()
    const known = watchHealth(connectClient(port), '')
    const unknown = watchHealth(connectClient(port), 'unknown')
    await expect.poll(() => [known.seen, unknown.seen]).toEqual([[Serving.SERVING], [Serving.SERVICE_UNKNOWN]])
    expect(await stop(60_000)).toBe('finished')
    await Promise.all([known.ended, unknown.ended])
    expect([known.seen, unknown.seen]).toEqual([[Serving.SERVING, Serving.NOT_SERVING], [Serving.SERVICE_UNKNOWN]])
  })
})

describe('HTTP', () => {
  const local = { host: '127.0.0.1', port: 0 }

  test.each([
    { method: 'GET', path: '/healthz', code: 200, text: /^ok$/ },
    { method: 'GET', path: '/readyz', code: 200, text: /^ok$/ },
    { method: 'GET', path: '/readyz?verbose', code: 200, text: /^ok$/ },
    { method: 'GET', path: '/metrics', code: 200, text: /^function_calls_total\{result="ok"\} 0$/m },
    { method: 'GET', path: '/', code: 404, text: /\/metrics/ },
    { method: 'POST', path: '/metrics', code: 405, text: /GET/ },
  ])('$method $path: $code', async ({ method, path, code, text }) => {
    const { metricsPort } = await serve({ metricsAddress: local })
    const response = await fetch(`http://127.0.0.1:${metricsPort}${path}`, { method })
    expect([response.status, (await response.text()).trim()]).toEqual([code, expect.stringMatching(text)])
  })

  test('reports the pod as alive and not ready while the last call finishes', async () => {
    const { port, metricsPort, stop } = await serve({ metricsAddress: local })
    const client = connectClient(port)
    await call(client)
    const { finish } = openCall(client)
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).status
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()).toMatch(/^function_calls_in_flight 1$/m)

    const stopped = stop(60_000)
    expect([await status('/readyz'), await status('/healthz')]).toEqual([503, 200])
    expect((await finish()).response?.meta?.tag).toBe('slow')
    expect(await stopped).toBe('finished')
    await expect(status('/healthz')).rejects.toThrow()
  })

  test('cuts an endless call short after the grace time', async () => {
    const serving = await serve()
    const { reply } = openCall(connectClient(serving.port))
    await expect.poll(() => counted(serving, 'function_calls_in_flight')).toBe(1)
    expect(await serving.stop(10)).toBe('cut short')
    expect((await reply).error).toBeDefined()
  })
})
