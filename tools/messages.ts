// npm run messages -- PORT STREAM CONSUMER COUNT|drain: adds messages to a stream of a NATS server on this machine, or consumes all.
import { pathToFileURL } from 'node:url'
import { connectNats } from '../test/e2e/cluster/nats.ts'

const USAGE = 'Usage: npm run messages -- PORT STREAM CONSUMER COUNT|drain'

async function main([port = '', stream = '', consumer = '', what = '']: readonly string[]): Promise<void> {
  if (!/^\d+$/.test(port) || stream === '' || consumer === '' || !/^(\d+|drain)$/.test(what)) throw new Error(USAGE)
  const nats = await connectNats(Number(port))
  try {
    await nats.createStream(stream)
    await nats.createConsumer(stream, consumer)
    if (what !== 'drain') await nats.fill(stream, Number(what))
    while (what === 'drain' && (await nats.lag(stream, consumer)) > 0) await nats.take(stream, consumer, 1_000)
    console.log(`${await nats.lag(stream, consumer)} messages wait for ${consumer}`)
  } finally {
    nats.close()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main(process.argv.slice(2)).catch(error => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
