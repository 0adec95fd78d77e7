// npm run bench -w worker [-- --seconds 5]: the worker beside @google-cloud/functions-framework and faas-js-runtime over HTTP, and beside
// a bare consume() of @nats-io/jetstream, in one run on one machine. Installs the peers into a cache outside the tree.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { headers } from '@nats-io/transport-node'
import { createEvent, serializeHttp, serializeNats } from '../src/index.ts'
import { buildNats, connectClient, createStream, freePort, startNats } from '../test/fixtures/nats-server.ts'

const { values: flags } = parseArgs({ options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } } })
const SECONDS = Number(flags.seconds)
const ROUNDS = Number(flags.rounds)
const CONNECTIONS = 32
const MESSAGES = 40_000
/** Of the fastest peer's requests, and of the messages of a bare consume(). */
const BARS = { requests: 2, messages: 0.8, megabytes: 70 }

const here = fileURLToPath(new URL('./peers/', import.meta.url))

function installPeers(): string {
  const manifest = readFileSync(join(here, 'package.json'))
  const hash = createHash('sha256').update(manifest).digest('hex').slice(0, 16)
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'event-driven-service', `worker-bench-${hash}`)
  mkdirSync(folder, { recursive: true })
  cpSync(here, folder, { recursive: true })
  if (!existsSync(join(folder, 'node_modules')))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: 'inherit' })
  return folder
}

const peers = installPeers()

interface Server {
  readonly name: string
  readonly program: string
  readonly args?: readonly string[]
}

const servers: readonly Server[] = [
  { name: 'worker', program: join(here, 'worker.mjs') },
  {
    name: '@google-cloud/functions-framework',
    program: join(peers, 'node_modules/@google-cloud/functions-framework/build/src/main.js'),
    args: ['--target=handle', `--source=${join(peers, 'functions-framework.cjs')}`, '--signature-type=cloudevent'],
  },
  { name: 'faas-js-runtime', program: join(peers, 'faas-js-runtime.cjs') },
  { name: 'node:http, 20 lines', program: join(here, 'plain.mjs') },
]

const message = serializeHttp(createEvent({ type: 'order.placed', source: '/shop', data: { order: '4711', total: 42 } }))

async function startServer({ program, args = [] }: Server, env: NodeJS.ProcessEnv) {
  const port = await freePort()
  const child = fork(program, [...args], {
    env: { ...process.env, LOG_LEVEL: 'error', ...env, PORT: String(port) },
    execArgv: ['--max-semi-space-size=4'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  for (let tries = 0; tries < 400; tries++) {
    const status = await post(port, 'warm-up').catch(() => 0)
    if (status >= 200 && status < 300) return { child, port }
    await sleep(50)
  }
  throw new Error(`${program} does not answer`)
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })

/** The status, or an error if the connection ends before. */
function post(port: number, id: string, one = agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        agent: one,
        headers: { ...message.headers, 'ce-id': id, 'content-length': message.body.length },
      },
      response => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(message.body)
  })
}

async function load(port: number, seconds: number): Promise<number[]> {
  const times: number[] = []
  const endMs = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < endMs) {
        const startMs = performance.now()
        await post(port, '1')
        times.push(performance.now() - startMs)
      }
    }),
  )
  return times
}

const residentBytes = ({ pid }: ChildProcess) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

/** Processor time that the process has used. Unlike requests per second it does not depend on what else the machine does. */
function cpuMicroseconds({ pid }: ChildProcess): number {
  const [user = 0, system = 0] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '').split(' ').slice(11, 13).map(Number)
  return (user + system) * 10_000
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function measureHttp(server: Server) {
  const { child, port } = await startServer(server, {})
  await load(port, 1)
  const before = cpuMicroseconds(child)
  const times = (await load(port, SECONDS)).sort((a, b) => a - b)
  const cpu = (cpuMicroseconds(child) - before) / times.length
  const bytes = residentBytes(child)
  await end(child)
  return { perSecond: times.length / SECONDS, cpu, p99: times[Math.floor(times.length * 0.99)] ?? 0, bytes }
}

/** Events whose handler had started when SIGTERM arrived, and whose sender got no 2xx. */
async function measureLoss(server: Server) {
  const { child, port } = await startServer(server, { TAKES_MS: '500' })
  const started = new Set<string>()
  child.on('message', ({ started: id }: { started?: string }) => id !== undefined && started.add(id))
  const own = new Agent({ keepAlive: true })
  const answers = Array.from({ length: 20 }, (_, index) =>
    post(port, `term-${index}`, own).then(
      status => ({ id: `term-${index}`, ok: status >= 200 && status < 300 }),
      () => ({ id: `term-${index}`, ok: false }),
    ),
  )
  await sleep(250)
  child.kill('SIGTERM')
  const lost = (await Promise.all(answers)).filter(({ id, ok }) => started.has(id) && !ok)
  await end(child)
  return { started: [...started].filter(id => id.startsWith('term-')).length, lost: lost.length }
}

interface Messages {
  readonly perSecond: number
  readonly cpu: number
  readonly bytes: number
}

async function measureMessages(how: 'worker' | 'bare'): Promise<Messages> {
  const nats = await startNats({ program: await buildNats() })
  const client = await connectClient(nats)
  await createStream(client, 'B')
  const { headers: pairs, data } = serializeNats(createEvent({ type: 'order.placed', source: '/shop', data: { order: '4711', total: 42 } }))
  const fields = headers()
  for (const [name, value] of pairs) fields.set(name, value)
  for (let sent = 0; sent < MESSAGES; sent += 1000)
    await Promise.all(Array.from({ length: 1000 }, () => client.js.publish('b.new', data, { headers: fields })))
  const env = { HOW: how, COUNT: String(MESSAGES), NATS_URL: nats.url, NATS_STREAM_NAME: 'B', NATS_CONSUMER_GROUP: 'workers' }
  const child = fork(join(here, 'consume.mjs'), {
    env: { ...process.env, LOG_LEVEL: 'error', ...env },
    execArgv: ['--max-semi-space-size=4'],
  })
  const [result] = await once(child, 'message')
  await end(child)
  await client.nc.close()
  await nats.remove()
  return result
}

/** The best of the rounds, because other programs only ever make it slower. */
const best = <T extends { readonly perSecond: number }>(rounds: readonly T[]) =>
  rounds.reduce((a, b) => (b.perSecond > a.perSecond ? b : a))
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)
const rounded = (value: number) => Math.round(value).toLocaleString('en')

const http = new Map<string, Awaited<ReturnType<typeof measureHttp>>[]>()
for (let round = 0; round < ROUNDS; round++)
  for (const server of servers) http.set(server.name, [...(http.get(server.name) ?? []), await measureHttp(server)])

console.log(
  '| binary CloudEvents over HTTP | req/s | CPU µs each | p99 ms | RSS MB | in flight on SIGTERM | lost |\n|---|---|---|---|---|---|---|',
)
for (const server of servers) {
  const { perSecond, cpu, p99, bytes } = best(http.get(server.name) ?? [])
  const { started, lost } = await measureLoss(server)
  console.log(
    `| ${server.name} | ${rounded(perSecond)} | ${rounded(cpu)} | ${p99.toFixed(1)} | ${megabytes(bytes)} | ${started} | ${lost} |`,
  )
}

const messages: Record<'bare' | 'worker', Messages[]> = { bare: [], worker: [] }
for (let round = 0; round < ROUNDS; round++) for (const how of ['bare', 'worker'] as const) messages[how].push(await measureMessages(how))
console.log('\n| messages of JetStream | msg/s | CPU µs each | RSS MB |\n|---|---|---|---|')
const [bare, own] = [best(messages.bare), best(messages.worker)]
console.log(`| bare consume() and ack | ${rounded(bare.perSecond)} | ${rounded(bare.cpu)} | ${megabytes(bare.bytes)} |`)
console.log(`| worker, one handler | ${rounded(own.perSecond)} | ${rounded(own.cpu)} | ${megabytes(own.bytes)} |`)

const processor = (name: string) => Math.min(...(http.get(name) ?? []).map(({ cpu }) => cpu))
const requests = (name: string) => best(http.get(name) ?? []).perSecond
const rivals = ['@google-cloud/functions-framework', 'faas-js-runtime']
const resident = best(http.get('worker') ?? []).bytes
const faster = (requests('worker') / Math.max(...rivals.map(requests))).toFixed(1)
const cheaper = (Math.min(...rivals.map(processor)) / processor('worker')).toFixed(1)
const cpuOf = (how: 'bare' | 'worker') => Math.min(...messages[how].map(({ cpu }) => cpu))
console.log(
  `\nHTTP: ${faster} times the req/s of the faster peer, ${cheaper} times by CPU (bar ${BARS.requests}). ` +
    `JetStream: ${Math.round((own.perSecond / bare.perSecond) * 100)} % of the msg/s of bare, ` +
    `${Math.round((cpuOf('bare') / cpuOf('worker')) * 100)} % by CPU (bar ${BARS.messages * 100} %). ` +
    `RSS: ${megabytes(resident)} MB over HTTP, ${megabytes(own.bytes)} MB with JetStream (bar ${BARS.megabytes}).`,
)
process.exit(0)
