// npm run picture: measures one real scaling run in docs/scaling.json and draws docs/scaling.svg from it.
// KEDA, the HPA and NATS are real. KWOK simulates the pods, so this program consumes the messages in their place.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { flags } from '../scripts/flags.ts'
import { createNamespace, ready, replicasOf, worker } from '../test/e2e/cluster/claim.ts'
import { startCluster, startNats } from '../test/e2e/cluster/cluster.ts'
import { install, publish } from '../test/e2e/cluster/install.ts'
import { connectNats } from '../test/e2e/cluster/nats.ts'
import { versions } from '../test/e2e/cluster/programs.ts'
import { createProgress } from '../test/e2e/cluster/progress.ts'
import { root } from '../test/fixtures/claim-files.ts'
import { draw, type Sample } from './draw.ts'

const STREAM = 'ORDERS'
const PER_REPLICA = 5
const EVERY_MS = 500
const END_SECONDS = 60
// Incoming messages a second, by time range in seconds.
const inflow = [
  { from: 5, to: 25, rate: 10 },
  { from: 35, to: 45, rate: 3 },
]
const TAKEN_PER_REPLICA_AND_SECOND = 1

flags('npm run picture', {})
const progress = createProgress(process.stderr)
const cluster = await startCluster(progress)
try {
  const server = await startNats(cluster, 'nats')
  await publish(cluster)
  await install(cluster, 'claims')
  progress.begin('recording')
  const nats = await connectNats(server.port)
  const claim = worker('shop', 'orders-worker', STREAM, {
    scaling: { minReplicas: 0, maxReplicas: 10, lagThreshold: PER_REPLICA, pollingInterval: 1, cooldownPeriod: 5 },
  })
  await createNamespace(cluster, 'shop')
  await nats.createStream(STREAM)
  await nats.createConsumer(STREAM, 'orders-worker')
  await cluster.api.apply(claim)
  await ready(cluster, claim)
  await cluster.until('it sleeps', async () => (await replicasOf(cluster, claim)) === 0)

  const samples: Sample[] = []
  const began = Date.now()
  let came = 0
  let taken = 0
  for (let now = 0; now <= END_SECONDS; now = (Date.now() - began) / 1000) {
    const due = inflow.reduce((sum, { from, to, rate }) => sum + rate * Math.max(0, Math.min(now, to) - from), 0)
    await nats.fill(STREAM, Math.floor(due) - came)
    came = Math.floor(due)
    const replicas = (await replicasOf(cluster, claim)) ?? 0
    taken += (replicas * TAKEN_PER_REPLICA_AND_SECOND * EVERY_MS) / 1000
    const whole = Math.floor(taken)
    if (whole > 0) await nats.take(STREAM, 'orders-worker', whole)
    taken -= whole
    samples.push({ second: Math.min(END_SECONDS, Number(now.toFixed(1))), lag: await nats.lag(STREAM, 'orders-worker'), replicas })
    await delay(Math.max(0, began + samples.length * EVERY_MS - Date.now()))
  }
  nats.close()
  const { crossplane, keda } = versions()
  const caption = `lagThreshold ${PER_REPLICA}, 0 to 10 replicas; Crossplane ${crossplane}, KEDA ${keda}; each replica takes one message a second.`
  const lines = samples
    .map(({ second, lag, replicas }) => `    { "second": ${second}, "lag": ${lag}, "replicas": ${replicas} }`)
    .join(',\n')
  writeFileSync(join(root, 'docs/scaling.json'), `{\n  "caption": ${JSON.stringify(caption)},\n  "samples": [\n${lines}\n  ]\n}\n`)
  writeFileSync(join(root, 'docs/scaling.svg'), draw(samples, caption))
  progress.say('wrote docs/scaling.json and docs/scaling.svg')
} finally {
  progress.end()
  await cluster.stop()
}
