// On your machine: the streams and the consumer that a cluster provides.
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

const { NATS_URL: url = '', NATS_STREAM_NAME: stream = '', NATS_CONSUMER_GROUP: consumer = '' } = process.env

export const subject = `${stream.toLowerCase()}.placed`

export async function connectLocally() {
  try {
    return await connect({ servers: url, reconnect: false })
  } catch {
    console.error(`No NATS at ${url}. Start it first: nats-server -js`)
    process.exit(1)
  }
}

export async function createStreams(): Promise<void> {
  const nc = await connectLocally()
  const jsm = await jetstreamManager(nc)
  const subjects = `${stream.toLowerCase()}.>`
  await jsm.streams.add({ name: stream, subjects: [subjects] })
  await jsm.streams.add({ name: `${stream}-DLQ`, subjects: [`dlq.${subjects}`] })
  await jsm.consumers.add(stream, { durable_name: consumer, ack_policy: AckPolicy.Explicit, max_deliver: 5 })
  await nc.close()
}
