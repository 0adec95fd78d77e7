// A worker as users run it: on the built package, configured by variables. It tells its parent what it does.
import { kv, serve } from '../../dist/index.js'

const { TAKES_MS = '0', IDEMPOTENCY } = process.env

const report = message => process.send?.(message)

const worker = await serve({
  handler: async ({ data, id }) => {
    report({ started: data ?? id })
    if (TAKES_MS !== '0') await new Promise(resolve => setTimeout(resolve, Number(TAKES_MS)))
    report({ finished: data ?? id })
  },
  retry: { backoff: () => '100ms' },
  ...(IDEMPOTENCY && { idempotency: kv(IDEMPOTENCY, { ttl: '1h' }) }),
})
report({ port: worker.port })
