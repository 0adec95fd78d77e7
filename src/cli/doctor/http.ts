// Sends one HTTP request, and reports every failure as a value.
import { type Agent, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { addAbortSignal } from 'node:stream'
import { at, type Json, type JsonObject } from '../../kubernetes/json.ts'

export type Answer = { readonly ok: true; readonly body: Json } | Failed

export interface Failed {
  readonly ok: false
  /** Undefined if no response arrived. */
  readonly status: number | undefined
  readonly reason: string
  readonly body?: Json
}

export interface RequestOptions {
  readonly agent?: Agent
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly body?: JsonObject
  /** Whether the response is text, which becomes the body as it is. */
  readonly isText?: boolean
  /** POST if there is a body, else GET. */
  readonly method?: 'PATCH'
  readonly contentType?: string
}

const MAX_BYTES = 64 * 1024 * 1024

export function sendRequest(
  address: string,
  { agent, headers, timeoutMs, body, isText = false, method, contentType }: RequestOptions,
): Promise<Answer> {
  const content = body === undefined ? {} : { 'content-type': contentType ?? 'application/json' }
  return new Promise<Answer>((resolve, fail) => {
    const url = new URL(address)
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = request(url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { accept: isText ? '*/*' : 'application/json', ...content, ...headers },
      ...(agent && { agent }),
    })
    // Limits the whole response, but not the wait for a free connection.
    outgoing.once('socket', () => addAbortSignal(AbortSignal.timeout(timeoutMs), outgoing))
    outgoing.on('error', fail)
    // An unrequested protocol upgrade emits neither a response nor an error.
    outgoing.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy()
      resolve(toAnswer(statusCode, ''))
    })
    outgoing.on('response', response => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > MAX_BYTES) outgoing.destroy(new Error('the response is too long'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => resolve(toAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), isText)))
    })
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    // Also catches what is thrown for an invalid address, or for a token that is not a valid header.
  }).catch((error: Error) => ({ ok: false, status: undefined, reason: explain(error, timeoutMs) }))
}

const MAX_REASON_LENGTH = 300

function toAnswer(status: number, text: string, isText = false): Answer {
  const isFine = status >= 200 && status < 300
  if (isFine && isText) return { ok: true, body: text }
  const body = parse(text)
  if (isFine && body !== undefined) return { ok: true, body }
  if (isFine) return { ok: false, status, reason: 'the response is not JSON' }
  const message = at(body, 'message') ?? at(body, 'error')
  const reason = typeof message === 'string' ? message : text.trim().slice(0, MAX_REASON_LENGTH)
  return { ok: false, status, reason: reason === '' ? `HTTP ${status}` : reason, ...(body !== undefined && { body }) }
}

function parse(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** The message of an error; Node's error for several addresses has none of its own. */
function explain(error: Error, timeoutMs: number): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no response within ${timeoutMs / 1000} seconds`
  const [first] = error instanceof AggregateError ? error.errors : []
  // Messages of OpenSSL end in a line break.
  return (first instanceof Error ? first.message : error.message).trim()
}
