// Probes, metrics, and CloudEvents over HTTP.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CloudEventError, UnsupportedFormatError } from './cloudevents/cloud-event-error.ts'
import type { CloudEvent } from './cloudevents/event.ts'
import { parseHttpEvents } from './cloudevents/http.ts'
import type { Log } from './log.ts'
import { describeOutcome, type Outcome, type Runner } from './run.ts'

export interface HttpOptions {
  readonly runner: Runner
  readonly log: Log
  /** Why the worker is not alive or not ready; undefined if it is. */
  readonly health: () => string | undefined
  readonly readiness: () => string | undefined
  readonly metrics: () => string
}

export interface HttpInput {
  readonly listen: (port: number) => Promise<number>
  /** Answers events with 503. Each connection ends with its next response. */
  readonly drain: () => void
  readonly close: () => void
}

const MAX_BODY_BYTES = 10 * 1024 * 1024
/** Longer than the idle time of proxies, so that they close the connection, and not we while a request is on its way. */
const KEEP_ALIVE_MS = 75_000
const RETRY_SECONDS = 5

export function createHttpInput({ runner, log, health, readiness, metrics }: HttpOptions): HttpInput {
  let isDraining = false

  const send = (response: ServerResponse, status: number, body = '', headers: Readonly<Record<string, string | number>> = {}) => {
    if (isDraining) response.shouldKeepAlive = false
    response.writeHead(status, { ...headers, ...(body !== '' && { 'content-type': 'text/plain; charset=utf-8' }) })
    response.end(body)
  }

  const probe = (response: ServerResponse, problem: string | undefined) =>
    problem === undefined ? send(response, 200, 'ok\n') : send(response, 503, `${problem}\n`)

  function receive(request: IncomingMessage, response: ServerResponse) {
    const { method, url = '/' } = request
    if (method === 'POST') return readBody(request, response)
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'POST an event\n', { allow: 'POST, GET, HEAD' })
    switch (url.split('?', 1)[0]) {
      case '/health':
        return probe(response, health())
      case '/ready':
        return probe(response, isDraining ? 'the worker stops' : readiness())
      case '/metrics':
        return send(response, 200, metrics())
      default:
        return send(response, 404, 'POST an event, or GET /health, /ready or /metrics\n')
    }
  }

  function readBody(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) chunks.push(chunk)
    })
    request.on('end', () => {
      if (size > MAX_BODY_BYTES) return send(response, 413, `an event has at most ${MAX_BODY_BYTES} bytes\n`)
      const [first] = chunks
      const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
      handle(request, body).then(
        ([status, text, headers]) => send(response, status, text, headers),
        error => {
          log.error('cannot answer a request', { error })
          send(response, 500, 'internal error\n')
        },
      )
    })
    request.on('error', () => undefined)
  }

  type Answer = readonly [status: number, text?: string, headers?: Readonly<Record<string, string | number>>]

  async function handle(request: IncomingMessage, body: Uint8Array): Promise<Answer> {
    if (isDraining) return [503, 'the worker stops\n', { 'retry-after': RETRY_SECONDS }]
    let events: readonly CloudEvent[]
    try {
      events = parseHttpEvents({ headers: request.headers, body })
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw error
      return [error instanceof UnsupportedFormatError ? 415 : 400, `${error.message}\n`]
    }
    const incoming = { attempt: 1, header: (name: string) => request.headers[name]?.toString() }
    const [only] = events
    if (only !== undefined && events.length === 1) return answerOf(only, await runner.run(only, incoming))
    const answers = await Promise.all(events.map(async event => answerOf(event, await runner.run(event, incoming))))
    // The sender repeats the whole batch if one of its events may succeed later.
    return answers.find(([status]) => status >= 500) ?? answers.find(([status]) => status >= 400) ?? [204]
  }

  /** 4xx tells the sender that a retry is in vain, 5xx that it may help. */
  function answerOf(event: CloudEvent, outcome: Outcome): Answer {
    switch (outcome.result) {
      case 'handled':
      case 'duplicate':
        return [204]
      case 'rejected':
        log.error('an event was rejected', { event: event.id, source: event.source, type: event.type, reason: outcome.reason })
        return [400, `${outcome.reason}\n`]
      case 'failed':
        log.warn('the handler failed', { event: event.id, source: event.source, type: event.type, error: outcome.error })
        return outcome.afterMs === undefined
          ? [500, `${describeOutcome(outcome)}\n`]
          : [503, `${describeOutcome(outcome)}\n`, { 'retry-after': Math.ceil(outcome.afterMs / 1000) }]
      case 'abandoned':
        return [503, `${outcome.reason}\n`, { 'retry-after': RETRY_SECONDS }]
      default:
        return outcome satisfies never
    }
  }

  const server: Server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, receive)

  return {
    listen: port =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, () => {
          server.off('error', reject)
          const address = server.address()
          resolve(typeof address === 'object' && address !== null ? address.port : port)
        })
      }),
    drain: () => {
      isDraining = true
      server.closeIdleConnections()
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
