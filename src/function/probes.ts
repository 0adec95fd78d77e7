import { createServer, type Server } from 'node:http'
import type { Metrics } from './metrics.ts'

/**
 * Plain HTTP for the kubelet and Prometheus. The kubelet's own gRPC probe has no client certificate to show,
 * so on the gRPC port it would be turned away like everyone else.
 */
export function createProbes(metrics: Metrics, serving: () => boolean): Server {
  return createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, async (request, response) => {
    const say = (code: number, text: string) => response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'GET only\n')
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return say(200, 'ok\n')
      case '/readyz':
        return serving() ? say(200, 'ok\n') : say(503, 'shutting down\n')
      case '/metrics':
        return response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(await metrics.registry.metrics())
      default:
        return say(404, 'try /metrics, /healthz or /readyz\n')
    }
  })
}
