// CloudEvents for fastify: app.register(cloudEvents, { url: '/', handler: async event => { … } })
import type { IncomingHttpHeaders } from 'node:http'
import { type EventHandler, respond } from './respond.ts'

export type { EventHandler } from './respond.ts'

/** What the adapter needs of a request of fastify. */
export interface FastifyRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** What the adapter needs of a reply of fastify. */
export interface FastifyReply {
  code(status: number): FastifyReply
  headers(headers: Record<string, string>): FastifyReply
  send(body: unknown): FastifyReply
}

/** What the adapter needs of fastify. */
export interface FastifyInstance {
  removeAllContentTypeParsers(): unknown
  /** Fastify's many overloads fit no single signature. */
  readonly addContentTypeParser: unknown
  post(url: string, handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): unknown
}

type AddParser = (
  type: string,
  options: { readonly parseAs: 'buffer' },
  parse: (request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => void,
) => unknown

/** The options of the plugin. */
export interface CloudEventsOptions {
  /** / by default. */
  readonly url?: string
  readonly handler: EventHandler<FastifyRequest>
}

/** A plugin with one route. Its content type parser applies only to this route. */
export async function cloudEvents(app: FastifyInstance, { url = '/', handler }: CloudEventsOptions): Promise<void> {
  app.removeAllContentTypeParsers()
  const addParser = app.addContentTypeParser as AddParser
  addParser.call(app, '*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.post(url, async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : undefined
    const answer = await respond({ headers: request.headers, body }, handler, request)
    // fastify writes a Buffer as it is, and other views as JSON in old versions.
    return reply
      .code(answer.status)
      .headers({ ...answer.headers })
      .send(answer.status === 204 ? undefined : Buffer.from(answer.body))
  })
}
