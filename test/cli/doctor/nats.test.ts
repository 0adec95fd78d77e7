// Runs eds doctor against a real nats-server: https://github.com/nats-io/nats-server
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { issueCertificate } from '../../../scripts/certificates.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { connectNats } from '../../e2e/cluster/nats.ts'
import { freePort } from '../../e2e/cluster/ports.ts'
import { claim } from '../../fixtures/claims.ts'
import { authority, type ClusterOptions, changed, examine, paths, startCluster, temporaryFolder } from './cluster.ts'

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

interface Settings {
  readonly more?: (ports: Running) => string
  readonly useHttps?: boolean
}

async function startNats(jetStream: string, { more = () => '', useHttps = false }: Settings = {}): Promise<Running> {
  const ports = { port: await freePort(), monitoring: await freePort() }
  const folder = temporaryFolder()
  const file = join(folder, 'nats.conf')
  const monitoring = `${useHttps ? `${withTls(folder)}\nhttps` : 'http'}: 127.0.0.1:${ports.monitoring}`
  writeFileSync(file, `listen: 127.0.0.1:${ports.port}\n${monitoring}\n${jetStream.replace('STORE', folder)}\n${more(ports)}\n`)
  const child = spawn('nats-server', ['-c', file], { stdio: 'ignore' })
  onTestFinished(() => stop(child))
  await until(async () => (useHttps ? connects(ports.port) : (await fetch(`http://127.0.0.1:${ports.monitoring}/healthz`)).ok))
  return ports
}

/** The certificate is for HTTPS alone: clients of these tests connect without TLS. */
function withTls(folder: string): string {
  const identity = issueCertificate(authority, { usages: ['server'], addresses: ['127.0.0.1'] })
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  writeFileSync(certificate, identity.certificate)
  writeFileSync(key, identity.key)
  return `tls: { cert_file: "${certificate}", key_file: "${key}" }\nallow_non_tls: true`
}

async function connects(port: number): Promise<boolean> {
  const nats = await connectNats(port)
  nats.close()
  return true
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
const STREAM = 'Stream of shop/orders-worker'
const CONSUMER = 'Consumer of shop/orders-worker'

/** Creates the stream and a consumer through the client port. */
async function fill({ port }: Running, consumer: string, settings: JsonObject = {}): Promise<void> {
  const nats = await connectNats(port)
  await nats.createStream('ORDERS')
  await nats.createConsumer('ORDERS', consumer, settings)
  nats.close()
}

/** The recorded claim, with this server as its endpoint. */
async function runDoctor(endpoint: string, options: ClusterOptions = {}) {
  const claim = changed(paths.claim, text => text.replace('127.0.0.1:8222', endpoint))
  const { checks } = await examine(await startCluster({ ...options, answers: { ...claim, ...options.answers } }), 'shop/orders-worker')
  return { nats: checks.NATS, stream: checks[STREAM] }
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
  const server = await startNats(ON, { more: () => accounts })
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
      startNats(ON, {
        more: () =>
          `server_name: nats-${index}\ncluster: { name: C, listen: "127.0.0.1:${route}", routes: [${routes.map(other => `"nats://127.0.0.1:${other}"`).join(', ')}] }`,
      }),
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

const MINUTE_NS = 60_000_000_000
const EDIT = 'nats consumer edit'
const ENDLESS = 'max_deliver is -1: NATS delivers a message that always fails again for ever, unless the worker terminates it'

interface ConsumerCase {
  readonly title: string
  /** The configuration of the consumer. */
  readonly consumer: JsonObject
  /** The spec of the claim besides its NATS server. */
  readonly spec?: JsonObject
  readonly expected: JsonObject
}

natsTest.each<ConsumerCase>([
  {
    title: 'fits the claim',
    consumer: { ack_wait: 15 * MINUTE_NS, max_ack_pending: 20, max_deliver: 5 },
    spec: { processing: { maxDuration: '15m', concurrency: 2 } },
    expected: { state: 'well', message: 'redelivers after 15m, at most 5 deliveries, at most 20 messages in work' },
  },
  {
    title: 'has an ack_wait that is irrelevant without processing.maxDuration',
    consumer: { ack_wait: 1_500_000_000, max_ack_pending: -1, max_deliver: 5 },
    spec: { processing: { concurrency: 2 } },
    expected: { state: 'well', message: 'redelivers after 1.5s, at most 5 deliveries' },
  },
  {
    title: 'redelivers a message in work, unless the worker reports progress',
    consumer: { max_deliver: 5 },
    spec: { processing: { maxDuration: '50m' } },
    expected: {
      state: 'unknown',
      message:
        'ack_wait is 30s, but a message may take 50m (spec.processing.maxDuration): NATS delivers it again while a replica works on it, unless the worker reports progress more often',
      fix: `${EDIT} --wait=50m -- ORDERS orders-workers`,
    },
  },
  {
    title: 'has a backoff, which replaces ack_wait',
    consumer: { ack_wait: 60 * MINUTE_NS, backoff: [20 * MINUTE_NS, MINUTE_NS, 60 * MINUTE_NS], max_deliver: 5 },
    spec: { processing: { maxDuration: '15m' } },
    expected: {
      state: 'unknown',
      message: expect.stringMatching(/^the shortest backoff is 1m, but a message may take 15m/),
      fix: `${EDIT} --backoff=linear --backoff-steps=3 --backoff-min=15m --backoff-max=30m -- ORDERS orders-workers`,
    },
  },
  {
    title: 'holds messages back from some replicas',
    consumer: { max_ack_pending: 9, max_deliver: 5 },
    expected: {
      state: 'wrong',
      message:
        'max_ack_pending is 9, but the replicas work on up to 10 messages at once (spec.scaling.maxReplicas): NATS holds the others back, so replicas stay idle. Raise it, or lower spec.scaling.maxReplicas',
      fix: `${EDIT} --max-pending=10 -- ORDERS orders-workers`,
    },
  },
  {
    title: 'holds messages back from replicas that work on several',
    consumer: { max_ack_pending: 7, max_deliver: 5 },
    spec: { processing: { concurrency: 4 }, scaling: { maxReplicas: 2 } },
    expected: {
      state: 'wrong',
      message: expect.stringMatching(
        /^max_ack_pending is 7, .* up to 8 messages .* \(spec\.scaling\.maxReplicas × spec\.processing\.concurrency\)/,
      ),
      fix: `${EDIT} --max-pending=8 -- ORDERS orders-workers`,
    },
  },
  {
    title: 'gives no message up',
    consumer: {},
    expected: { state: 'unknown', message: ENDLESS, fix: `${EDIT} --max-deliver=5 -- ORDERS orders-workers` },
  },
  {
    title: 'does everything differently',
    consumer: { max_ack_pending: 1 },
    spec: { processing: { maxDuration: '5m' }, scaling: { maxReplicas: 3 } },
    expected: {
      state: 'wrong',
      message: expect.stringMatching(/^ack_wait is 30s, .*; max_ack_pending is 1, .*; max_deliver is -1: /),
      fix: `${EDIT} --wait=5m --max-pending=3 --max-deliver=5 -- ORDERS orders-workers`,
    },
  },
])('reports a consumer that $title', async ({ consumer, spec = {}, expected }) => {
  const server = await startNats(ON)
  await fill(server, 'orders-workers', consumer)
  const nats = { stream: 'ORDERS', consumer: 'orders-workers', monitoringEndpoint: `127.0.0.1:${server.monitoring}` }
  const { checks } = await examine(await startCluster({ answers: { [paths.claim]: claim({ ...spec, nats }) } }), 'shop/orders-worker')
  expect(checks[CONSUMER]).toEqual(expected)
})

describe('a monitoring endpoint with HTTPS', () => {
  /** A claim that names the platform's server. */
  async function runOn(monitoringEndpoint: string, { useHttps, ...options }: ClusterOptions & { readonly useHttps: boolean }) {
    const natsServers = { main: { url: 'nats://127.0.0.1:4222', monitoringEndpoint, useHttps } }
    const answers = {
      [paths.claim]: claim({ nats: { server: 'main', stream: 'ORDERS', consumer: 'orders-workers' } }),
      ...changed(paths.compositions, text =>
        text.replace('"kind":"Input"', `"kind":"Input",${JSON.stringify({ natsServers }).slice(1, -1)}`),
      ),
      [paths.service('nats')]: { spec: { clusterIP: '10.0.0.9', ports: [{ port: 8222 }] } },
      '/api/v1/namespaces/nats/endpoints/nats': { subsets: [{ addresses: [{ targetRef: { name: 'nats-0' } }] }] },
      ...options.answers,
    }
    const { checks } = await examine(await startCluster({ ...options, answers }), 'shop/orders-worker')
    return { nats: checks.NATS, stream: checks[STREAM], consumer: checks[CONSUMER] }
  }

  natsTest('is read through the API server', async () => {
    const server = await startNats(ON, { useHttps: true })
    await fill(server, 'orders-workers')
    const proxies = { 'services/https:nats:8222': server.monitoring }
    const { nats, stream, consumer } = await runOn('nats.nats.svc:8222', { useHttps: true, proxies })
    expect(nats).toEqual({
      state: 'well',
      message: 'https://nats.nats.svc:8222 has JetStream enabled (reached through the API server, which does not check the certificate)',
    })
    expect(stream?.state).toBe('well')
    expect(consumer?.message).toBe(ENDLESS)
  })

  natsTest('is read from the pods of a headless Service', async () => {
    const server = await startNats(ON, { useHttps: true })
    await fill(server, 'orders-workers')
    const { stream } = await runOn('nats.nats.svc:8222', {
      useHttps: true,
      answers: { [paths.service('nats')]: { spec: { clusterIP: 'None', ports: [{ port: 4222 }] } } },
      proxies: { 'pods/https:nats-0:8222': server.monitoring },
    })
    expect(stream?.state).toBe('well')
  })

  natsTest('is unknown outside the cluster if this machine does not trust its certificate', async () => {
    const server = await startNats(ON, { useHttps: true })
    const { nats } = await runOn(`127.0.0.1:${server.monitoring}`, { useHttps: true })
    expect(nats).toEqual({
      state: 'unknown',
      message: expect.stringMatching(
        /^https:\/\/127\.0\.0\.1:\d+ does not answer from this machine: .*certificate.*KEDA may still reach it$/,
      ),
      fix: expect.stringMatching(/wget -qO- 'https:/),
    })
  })

  natsTest.each([
    { title: 'in the cluster', endpoint: () => 'nats.nats.svc:8222' },
    { title: 'outside the cluster', endpoint: ({ monitoring }: Running) => `127.0.0.1:${monitoring}` },
  ])('is reported $title if the platform expects HTTP', async ({ endpoint }) => {
    const server = await startNats(ON, { useHttps: true })
    const { nats } = await runOn(endpoint(server), { useHttps: false, proxies: { 'services/nats:8222': server.monitoring } })
    expect(nats).toMatchObject({
      state: 'wrong',
      message: `${endpoint(server)} can't be reached: it speaks HTTPS, which needs useHttps: true for it in natsServers of the function's input (spec.nats.server: main)`,
    })
  })

  natsTest('is reported if it speaks HTTP', async () => {
    const server = await startNats(ON)
    const { nats } = await runOn(`127.0.0.1:${server.monitoring}`, { useHttps: true })
    expect(nats).toMatchObject({
      state: 'wrong',
      message: expect.stringMatching(
        /: it does not speak HTTPS, but natsServers in the function's input sets useHttps: true for it \(spec\.nats\.server: main\)$/,
      ),
    })
  })
})
