// consume() and ack of @nats-io/jetstream, with nothing around it, and the worker with one handler. Reports messages per second.
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { serve } from '../../dist/index.js'

const { HOW, COUNT, NATS_URL, NATS_STREAM_NAME, NATS_CONSUMER_GROUP } = process.env
// The first messages warm up.
const WARM = 5000
let [count, startMs, startCpu] = [0, 0]
const handle = () => {
  count += 1
  if (count === WARM) {
    startMs = performance.now()
    startCpu = process.cpuUsage()
  }
  if (count !== Number(COUNT)) return
  const { user, system } = process.cpuUsage(startCpu)
  process.send({
    perSecond: ((count - WARM) / (performance.now() - startMs)) * 1000,
    cpu: (user + system) / (count - WARM),
    bytes: process.memoryUsage().rss,
  })
}

if (HOW === 'worker') await serve({ handler: handle, env: { ...process.env, PORT: '0' } })
else {
  const nc = await connect({ servers: NATS_URL })
  const consumer = await jetstream(nc).consumers.get(NATS_STREAM_NAME, NATS_CONSUMER_GROUP)
  for await (const message of await consumer.consume()) {
    handle()
    message.ack()
  }
}
