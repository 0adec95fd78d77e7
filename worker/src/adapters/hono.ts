// CloudEvents for hono: app.post('/', cloudEvents(async event => { … }))
import { type EventHandler, respond } from './respond.ts'

export type { EventHandler } from './respond.ts'

/** What the adapter needs of a context of hono. */
export interface HonoContext {
  readonly req: { readonly raw: Request }
}

/** Makes a handler of a route. */
export function cloudEvents<Context extends HonoContext>(handler: EventHandler<Context>) {
  return async (context: Context): Promise<Response> => {
    const { raw } = context.req
    const { status, headers, body } = await respond(
      { headers: raw.headers, body: new Uint8Array(await raw.arrayBuffer()) },
      handler,
      context,
    )
    return new Response(status === 204 ? null : new Uint8Array(body), { status, headers })
  }
}
