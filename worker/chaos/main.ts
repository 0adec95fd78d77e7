// npm run chaos -w worker [-- --sigterms 200] [--only NAME]: breaks workers, servers and connections under load, and counts the events
// that were lost, handled twice or became dead letters. Fails if the library breaks its promises.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { headers } from '@nats-io/transport-node'
import { createEvent, serializeNats } from '../src/index.ts'
import {
  buildNats,
  type Client,
  connectClient,
  createConsumer,
  createStream,
  type NatsServer,
  seconds,
  startNats,
} from '../test/fixtures/nats-server.ts'

const { values: flags } = parseArgs({
  options: { sigterms: { type: 'string', default: '200' }, only: { type: 'string' } },
})
const SIGTERMS = Number(flags.sigterms)
/** Other disturbances take longer. */
const FEW = Math.max(2, Math.round(SIGTERMS / 20))

const PAUSE_MS = 8
const QUIET_MS = 120_000
const STREAM = 'CHAOS'
const program = fileURLToPath(new URL('./worker.mjs', import.meta.url))

type Behavior = 'usual' | 'slow' | 'throws' | 'poison' | 'rejects' | 'forever'

interface Scenario {
  readonly name: string
  readonly idempotency: boolean
  readonly replicas?: number
  readonly env?: NodeJS.ProcessEnv
  /** By the number of the event. */
  readonly behavior?: (number: number) => Behavior
  readonly disturb: (world: World) => Promise<void>
  /** Dead letters that are right. */
  readonly deadLetters?: (behaviors: readonly Behavior[]) => number
  /** Whether an event may be handled twice, as at-least-once allows. */
  readonly mayDouble?: boolean
}

interface World {
  readonly server: NatsServer
  readonly client: Client
  readonly workers: ChildProcess[]
  readonly startWorker: () => Promise<ChildProcess>
  readonly cut: () => void
  readonly badExits: (number | string | null)[]
}

interface Counts {
  readonly published: number
  readonly lost: number
  readonly doubled: number
  readonly deadLetters: number
  readonly wanted: number
  readonly badExits: readonly (number | string | null)[]
}

/** Passes bytes on, until the connections are cut. */
async function startProxy(port: number) {
  const sockets = new Set<Socket>()
  const proxy = createServer(inner => {
    const outer = connectTcp(port, '127.0.0.1')
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    port: address.port,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    close: () => {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function replace({ workers, startWorker, badExits }: World, signal: NodeJS.Signals): Promise<void> {
  const [oldest] = workers.splice(0, 1)
  if (oldest === undefined) throw new Error('no worker runs')
  const ended = once(oldest, 'exit')
  oldest.kill(signal)
  workers.push(await startWorker())
  const [code, by] = await ended
  if (signal === 'SIGTERM' && code !== 0) badExits.push(code ?? by)
}

const scenarios: readonly Scenario[] = [
  ...[false, true].map(idempotency => ({
    name: `${SIGTERMS} SIGTERMs`,
    idempotency,
    disturb: async (world: World) => {
      for (let count = 0; count < SIGTERMS; count++) await replace(world, 'SIGTERM')
    },
  })),
  {
    name: `${FEW} SIGKILLs`,
    idempotency: false,
    mayDouble: true,
    disturb: async world => {
      for (let count = 0; count < FEW; count++) await replace(world, 'SIGKILL')
    },
  },
  ...[false, true].map(idempotency => ({
    name: `server killed ${FEW} times`,
    idempotency,
    mayDouble: !idempotency,
    disturb: async ({ server }: World) => {
      for (let count = 0; count < FEW; count++) {
        await sleep(1000)
        await server.end()
        await sleep(500)
        await server.start()
      }
      await sleep(1000)
    },
  })),
  ...[false, true].map(idempotency => ({
    name: `connections cut ${FEW * 2} times`,
    idempotency,
    mayDouble: !idempotency,
    disturb: async ({ cut }: World) => {
      for (let count = 0; count < FEW * 2; count++) {
        await sleep(700)
        cut()
      }
    },
  })),
  {
    name: 'slow, throwing, endless and poison',
    idempotency: true,
    replicas: 3,
    env: { MAX_PROCESSING_SECONDS: '4', CONCURRENCY: '8' },
    behavior: number =>
      (['slow', 'throws', 'poison', 'rejects'] as const)[number % 40] ?? (number === 44 || number === 84 ? 'forever' : 'usual'),
    deadLetters: behaviors => behaviors.filter(behavior => ['poison', 'rejects', 'forever'].includes(behavior)).length,
    disturb: () => sleep(8000),
  },
  {
    name: 'consumer deleted in mid-flight',
    idempotency: true,
    disturb: async ({ client }) => {
      for (let count = 0; count < 2; count++) {
        await sleep(1500)
        await client.jsm.consumers.delete(STREAM, 'workers')
        await sleep(500)
        await createConsumer(client.jsm, STREAM, { ack_wait: seconds(5), max_deliver: 5 })
      }
    },
  },
]

async function play({
  idempotency,
  replicas = 2,
  env = {},
  behavior = () => 'usual',
  disturb,
  deadLetters = () => 0,
}: Scenario): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'))
  const finished = join(folder, 'finished')
  writeFileSync(finished, '')
  const server = await startNats({ program: await buildNats() })
  const client = await connectClient(server)
  // A handler that ends nothing may use up deliveries of its neighbours while servers and connections break.
  await createStream(client, STREAM, { ack_wait: seconds(5), max_deliver: 5 })
  const proxy = await startProxy(server.port)
  const everybody: ChildProcess[] = []

  const startWorker = async () => {
    const child = fork(program, {
      env: {
        ...process.env,
        ...{ PORT: '0', CONCURRENCY: '4', LOG_LEVEL: process.env.LOG_LEVEL ?? 'error', FINISHED: finished },
        ...{ NATS_URL: `nats://127.0.0.1:${proxy.port}`, NATS_STREAM_NAME: STREAM, NATS_CONSUMER_GROUP: 'workers' },
        ...(idempotency && { BUCKET: 'seen' }),
        ...env,
      },
      stdio: ['ignore', process.env.LOG_LEVEL ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    })
    everybody.push(child)
    await once(child, 'message')
    return child
  }

  const world: World = { server, client, workers: [], startWorker, cut: proxy.cut, badExits: [] }
  try {
    for (let count = 0; count < replicas; count++) world.workers.push(await startWorker())
    const behaviors: Behavior[] = []
    let isOver = false
    const publishing = (async () => {
      while (!isOver) {
        await publish(client, behaviors.length, behavior(behaviors.length))
        behaviors.push(behavior(behaviors.length))
        await sleep(PAUSE_MS)
      }
    })()
    await disturb(world)
    isOver = true
    await publishing
    await quiet(client)
    const counts = new Map<number, number>()
    for (const line of readFileSync(finished, 'utf8')
      .split('\n')
      .filter(text => text !== ''))
      counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
    const { state } = await client.jsm.streams.info(`${STREAM}-DLQ`)
    const wanted = deadLetters(behaviors)
    const handled = behaviors.filter((_, number) => counts.has(number)).length
    return {
      published: behaviors.length,
      lost: behaviors.length - handled - state.messages,
      doubled: [...counts.values()].filter(count => count > 1).length,
      deadLetters: state.messages,
      wanted,
      badExits: world.badExits,
    }
  } finally {
    for (const child of everybody) child.kill('SIGKILL')
    proxy.close()
    await client.nc.close()
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Publishes until the server has stored it. The ID keeps a second copy out. */
async function publish({ js }: Client, number: number, behavior: Behavior): Promise<void> {
  const message = serializeNats(createEvent({ type: 'chaos', source: '/chaos', id: String(number), data: { number, behavior } }))
  const fields = headers()
  for (const [name, value] of message.headers) fields.set(name, value)
  for (;;)
    try {
      await js.publish('chaos.new', message.data, { headers: fields, msgID: String(number), timeout: 2000 })
      return
    } catch {
      await sleep(100)
    }
}

/** Waits until the consumer has no message left. */
async function quiet({ jsm }: Client): Promise<void> {
  const limit = Date.now() + QUIET_MS
  for (let calm = 0; calm < 3 && Date.now() < limit; await sleep(200)) {
    const { num_pending, num_ack_pending } = await jsm.consumers.info(STREAM, 'workers')
    calm = num_pending + num_ack_pending === 0 ? calm + 1 : 0
  }
}

const broken: string[] = []
console.log('| disturbance | idempotency | events | lost | handled twice | dead letters |\n|---|---|---|---|---|---|')
for (const scenario of scenarios.filter(({ name }) => flags.only === undefined || name.includes(flags.only))) {
  const { published, lost, doubled, deadLetters, wanted, badExits } = await play(scenario)
  console.log(
    `| ${scenario.name} | ${scenario.idempotency ? 'yes' : 'no'} | ${published} | ${lost} | ${doubled} | ${deadLetters}${wanted > 0 ? ` of ${wanted}` : ''} |`,
  )
  const mistakes = [
    ...(lost === 0 ? [] : [`lost ${lost}`]),
    ...(doubled === 0 || scenario.mayDouble ? [] : [`handled ${doubled} twice`]),
    ...(deadLetters === wanted ? [] : [`${deadLetters} dead letters instead of ${wanted}`]),
    ...(badExits.length === 0 ? [] : [`exit codes ${badExits.join(', ')}`]),
  ]
  if (mistakes.length > 0) broken.push(`${scenario.name}: ${mistakes.join('; ')}`)
}
for (const line of broken) console.error(line)
process.exitCode = broken.length > 0 ? 1 : 0
