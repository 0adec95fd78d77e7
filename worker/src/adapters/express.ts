// CloudEvents for express: app.post('/', cloudEvents(async event => { … }))
import type { IncomingHttpHeaders } from 'node:http'
import { type EventHandler, respond } from './respond.ts'

export type { EventHandler } from './respond.ts'

/** What the adapter needs of a request of express. */
export interface ExpressRequest extends AsyncIterable<Uint8Array | string> {
  readonly headers: IncomingHttpHeaders
  /** Bytes if express.raw() has read them. */
  readonly body?: unknown
}

/** What the adapter needs of a response of express. */
export interface ExpressResponse {
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body?: Uint8Array): unknown
}

/** Makes a handler of a route. No body parser but express.raw() may run before it. */
export function cloudEvents<Request extends ExpressRequest>(handler: EventHandler<Request>) {
  return async (request: Request, response: ExpressResponse): Promise<void> => {
    const { status, headers, body } = await respond({ headers: request.headers, body: await bodyOf(request) }, handler, request)
    response.writeHead(status, { ...headers })
    response.end(body)
  }
}

async function bodyOf(request: ExpressRequest): Promise<Uint8Array> {
  if (request.body instanceof Uint8Array) return request.body
  if (request.body !== undefined)
    throw new Error(
      'a body parser has read the request: move cloudEvents() before it, or parse this route with express.raw({ type: () => true })',
    )
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  return Buffer.concat(chunks)
}
