// A worker that logs each order. TAKES_MS makes it slow, so that messages wait and the autoscaler has something to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { kv, Reject, type StandardSchema, serve } from '../../worker/src/index.ts'

interface Order {
  readonly order: string
  readonly total: number
}

/** A schema without a library: anything that follows https://standardschema.dev fits. */
const OrderPlaced: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'example',
    validate: value => {
      const { order, total } = Object(value) as Partial<Order>
      return typeof order === 'string' && typeof total === 'number'
        ? { value: { order, total } }
        : { issues: [{ message: 'must have an order (text) and a total (number)' }] }
    },
  },
}

await serve({
  schemas: { 'order.placed': OrderPlaced },
  handler: async ({ data: { order, total } }, { log, signal }) => {
    if (total === 0) throw new Reject('an order must have a price')
    await sleep(Number(process.env.TAKES_MS ?? 0), undefined, { signal })
    log.info('order placed', { order, total })
  },
  ...(process.env.SEEN_BUCKET && { idempotency: kv(process.env.SEEN_BUCKET, { ttl: '1d' }) }),
})
