// A worker that is started with `node --import`, as in a process that has the SDK of OpenTelemetry.
import { trace } from '@opentelemetry/api'
import { Reject, serve } from '../../dist/index.js'

const worker = await serve({
  handler: async ({ type, data }, { publish, traceparent }) => {
    if (type === 'order.broken') throw new TypeError('no total')
    if (type === 'order.refused') throw new Reject('we do not sell this')
    if (type !== 'order.placed') return
    await trace.getTracer('shop').startActiveSpan('charge the card', async span => {
      await new Promise(setImmediate)
      await publish('t.invoices', { type: 'invoice.due', data })
      span.end()
    })
    process.send?.({ traceparent })
  },
  retry: { deadLetter: false, backoff: () => '10ms' },
})
process.send?.({ port: worker.port })
