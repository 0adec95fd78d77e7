// The worker of the chaos suite. It writes the number of each event that it has finished into a file, because a file survives any end.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { kv, Reject, serve } from '../dist/index.js'

const { FINISHED, BUCKET, NATS_URL } = process.env

const behaviors = {
  usual: () => sleep(20),
  slow: () => sleep(1500),
  throws: attempt => {
    if (attempt < 3) throw new Error('not yet')
  },
  poison: () => {
    throw new Error('never')
  },
  rejects: () => {
    throw new Reject('no')
  },
  forever: () => new Promise(() => undefined),
}

await serve({
  env: { ...process.env, NATS_URL },
  handler: async ({ data: { number, behavior } }, { attempt }) => {
    await behaviors[behavior](attempt)
    appendFileSync(FINISHED, `${number}\n`)
  },
  retry: { backoff: () => '100ms' },
  ...(BUCKET && { idempotency: kv(BUCKET, { ttl: '1h' }) }),
})
process.send?.('started')
