import { createServer, type Server } from 'node:http'
import { limitConnectionsPerAddress } from './connection-limit.ts'
import type { Metrics } from './metrics.ts'

/** The kubelet and Prometheus each open one or two connections at a time. */
export const MAX_CONNECTIONS_PER_ADDRESS = 16
// Every pod in the cluster can reach this port, and it shares a thread with the calls.
const timeouts = { headersTimeout: 2_000, requestTimeout: 2_000, connectionsCheckingInterval: 500 }
const FRESH_MS = 1_000

/**
 * Serves plain HTTP to the kubelet and Prometheus. The kubelet's gRPC probe has no client certificate, so the gRPC port
 * would reject it.
 */
export function createHttpServer(metrics: Metrics, serving: () => boolean, now = () => performance.now()): Server {
  const scrape = cacheBriefly(() => metrics.registry.metrics(), now)
  const server = createServer(timeouts, async (request, response) => {
    const say = (code: number, text: string) => response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'GET only\n')
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return say(200, 'ok\n')
      case '/readyz':
        return serving() ? say(200, 'ok\n') : say(503, 'shutting down\n')
      case '/metrics':
        return response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(await scrape())
      default:
        return say(404, 'try /metrics, /healthz or /readyz\n')
    }
  })
  // Otherwise a thousand pipelined requests on one connection would all be answered before the next call.
  server.maxRequestsPerSocket = 1
  server.on('dropRequest', (_request, socket) => socket.destroy())
  limitConnectionsPerAddress(server, MAX_CONNECTIONS_PER_ADDRESS)
  return server
}

/** Calls `make` again only when its last result is older than FRESH_MS. */
function cacheBriefly<T>(make: () => Promise<T>, now: () => number): () => Promise<T> {
  let cached: { readonly value: Promise<T>; readonly atMs: number } | undefined
  return () => {
    const atMs = now()
    if (cached === undefined || atMs - cached.atMs >= FRESH_MS) cached = { value: make(), atMs }
    return cached.value
  }
}
