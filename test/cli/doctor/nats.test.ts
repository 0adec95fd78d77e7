// Runs eds doctor against a real nats-server: https://github.com/nats-io/nats-server
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { connectNats } from '../../e2e/cluster/nats.ts'
import { freePort } from '../../e2e/cluster/ports.ts'
import { type ClusterOptions, changed, examine, paths, startCluster, temporaryFolder } from './cluster.ts'

const isHere = (() => {
  try {
    execFileSync('nats-server', ['--version'])
    return true
  } catch {
    return false
  }
})()
// In CI a missing nats-server must fail the tests instead of skipping them.
const natsTest = isHere || process.env.CI ? test : test.skip
if (!isHere) process.stderr.write('nats-server is not on PATH: the tests of eds doctor against a real one are skipped\n')

interface Running {
  readonly port: number
  readonly monitoring: number
}

async function startNats(jetStream: string, more: (ports: Running) => string = () => ''): Promise<Running> {
  const ports = { port: await freePort(), monitoring: await freePort() }
  const folder = temporaryFolder()
  const file = join(folder, 'nats.conf')
  writeFileSync(
    file,
    `listen: 127.0.0.1:${ports.port}\nhttp: 127.0.0.1:${ports.monitoring}\n${jetStream.replace('STORE', folder)}\n${more(ports)}\n`,
  )
  const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' })
  onTestFinished(() => stop(child))
  await until(async () => (await fetch(`http://127.0.0.1:${ports.monitoring}/healthz`)).ok)
  return ports
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const PATIENCE_MS = 20_000
const PAUSE_MS = 50

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS
  for (;;) {
    if (await holds().catch(() => false)) return
    if (Date.now() > endMs) throw new Error('nats-server does not come up')
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
}

const ON = 'jetstream: { store_dir: STORE, max_mem: 16MB, max_file: 16MB }'
const ROW = 'Stream of shop/orders-worker'

/** Creates streams and consumers through the client port. */
async function fill({ port }: Running, ...consumers: string[]): Promise<void> {
  const nats = await connectNats(port)
  await nats.createStream('ORDERS')
  for (const consumer of consumers) await nats.createConsumer('ORDERS', consumer)
  nats.close()
}

/** The recorded claim, with this server as its endpoint. */
async function runDoctor(endpoint: string, options: ClusterOptions = {}) {
  const claim = changed(paths.claim, text => text.replace('127.0.0.1:8222', endpoint))
  const { checks } = await examine(await startCluster({ ...options, answers: { ...claim, ...options.answers } }), 'shop/orders-worker')
  return { nats: checks.NATS, stream: checks[ROW] }
}

natsTest('finds the stream and the consumer', async () => {
  const server = await startNats(ON)
  await fill(server, 'orders-workers')
  const { nats, stream } = await runDoctor(`127.0.0.1:${server.monitoring}`)
  expect(nats).toEqual({ state: 'well', message: `127.0.0.1:${server.monitoring} has JetStream enabled (reached from this machine)` })
  expect(stream).toEqual({ state: 'well', message: "account '$G' has stream 'ORDERS' with consumer 'orders-workers'" })
})

natsTest('finds them through the API server', async () => {
  const server = await startNats(ON)
  await fill(server, 'orders-workers')
  const service: JsonObject = { spec: { clusterIP: 'None', ports: [{ port: 4222 }, { port: 8222 }] } }
  const { nats, stream } = await runDoctor('nats-headless.nats.svc.cluster.local:8222', {
    answers: { [paths.service('nats-headless')]: service },
    proxies: { 'services/nats-headless:8222': server.monitoring },
  })
  expect(nats?.message).toMatch(/has JetStream enabled \(reached through the API server\)/)
  expect(stream?.state).toBe('well')
})

natsTest('reaches the pods of a headless Service on any port', async () => {
  const server = await startNats(ON)
  await fill(server, 'orders-workers')
  const { stream } = await runDoctor('nats-headless.nats.svc:8222', {
    answers: {
      [paths.service('nats-headless')]: { spec: { clusterIP: 'None', ports: [{ port: 4222 }] } },
      '/api/v1/namespaces/nats/endpoints/nats-headless': { subsets: [{ addresses: [{ targetRef: { name: 'nats-0' } }] }] },
    },
    proxies: { 'pods/nats-0:8222': server.monitoring },
  })
  expect(stream?.state).toBe('well')
})

natsTest('reports a missing stream', async () => {
  const server = await startNats(ON)
  const { nats, stream } = await runDoctor(`127.0.0.1:${server.monitoring}`)
  expect(nats?.state).toBe('well')
  expect(stream).toMatchObject({
    state: 'wrong',
    message: "account '$G' has no stream 'ORDERS'; its streams: none",
    fix: 'nats stream add -- ORDERS',
  })
})

natsTest('suggests an existing consumer', async () => {
  const server = await startNats(ON)
  await fill(server, 'order-workers')
  const { stream } = await runDoctor(`127.0.0.1:${server.monitoring}`)
  expect(stream).toMatchObject({
    state: 'wrong',
    message: expect.stringMatching(/no consumer 'orders-workers' \(did you mean 'order-workers'\?\)/),
  })
})

natsTest('finds the stream in another account', async () => {
  const accounts = 'accounts: { SHOP: { jetstream: enabled, users: [{ user: shop, password: shop }] } }\nno_auth_user: shop'
  const server = await startNats(ON, () => accounts)
  await fill(server, 'orders-workers')
  const { stream } = await runDoctor(`127.0.0.1:${server.monitoring}`)
  expect(stream).toMatchObject({ state: 'wrong', message: "stream 'ORDERS' is in account 'SHOP', not in account '$G'" })
  expect(stream?.fix).toContain('"account":"SHOP"')
})

natsTest('reports disabled JetStream', async () => {
  const server = await startNats('')
  const { nats, stream } = await runDoctor(`127.0.0.1:${server.monitoring}`)
  expect(nats).toMatchObject({ state: 'wrong', message: expect.stringMatching(/has JetStream disabled \(/) })
  expect(stream?.state).toBe('unknown')
})

natsTest('reports the client port', async () => {
  const server = await startNats(ON)
  const { nats } = await runDoctor(`127.0.0.1:${server.port}`)
  expect(nats).toMatchObject({ state: 'wrong', message: expect.stringMatching(/does not speak HTTP, so it is probably the client port/) })
})

natsTest('finds the stream on one of three servers', async () => {
  const routes = [await freePort(), await freePort(), await freePort()]
  const servers = await Promise.all(
    routes.map((route, index) =>
      startNats(
        ON,
        () =>
          `server_name: nats-${index}\ncluster: { name: C, listen: "127.0.0.1:${route}", routes: [${routes.map(other => `"nats://127.0.0.1:${other}"`).join(', ')}] }`,
      ),
    ),
  )
  const [first] = servers
  if (first === undefined) throw new Error('no server')
  await until(() => fill(first, 'orders-workers').then(() => true))
  const holds = await Promise.all(
    servers.map(async ({ monitoring }) =>
      (await (await fetch(`http://127.0.0.1:${monitoring}/jsz?acc=$G&streams=true`)).text()).includes('"ORDERS"'),
    ),
  )
  expect(holds.filter(one => one)).toHaveLength(1)
  // The Service leads to a server that does not have the stream.
  const pods = servers.map(({ monitoring }, index) => [`pods/nats-${index}:8222`, monitoring] as const)
  const { stream } = await runDoctor('nats-headless.nats.svc:8222', {
    answers: {
      [paths.service('nats-headless')]: { spec: { clusterIP: 'None', ports: [{ port: 8222 }] } },
      '/api/v1/namespaces/nats/endpoints/nats-headless': {
        subsets: [{ addresses: servers.map((_, index) => ({ targetRef: { name: `nats-${index}` } })) }],
      },
    },
    proxies: { ...Object.fromEntries(pods), 'services/nats-headless:8222': servers[holds.indexOf(false)]?.monitoring ?? 0 },
  })
  expect(stream?.state).toBe('well')
})
