// npm run send: publishes one event.
import { createEvent, serializeNats } from '@event-driven-service/worker'
import { jetstream } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { connectLocally, subject } from './streams.ts'

const event = createEvent({ type: 'order.placed', source: '/dev', data: { order: String(Date.now()), total: 42 } })
const message = serializeNats(event)
const fields = headers()
for (const [name, value] of message.headers) fields.set(name, value)

const nc = await connectLocally()
await jetstream(nc).publish(subject, message.data, { headers: fields })
console.log(`published ${event.id} to ${subject}`)
await nc.close()
