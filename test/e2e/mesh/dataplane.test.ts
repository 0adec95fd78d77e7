// Sends requests through real Envoys that run what istiod makes of rendered claims: see envoy.ts. Everything is on loopback.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority, type Identity, issueCertificate } from '../../../scripts/certificates.ts'
import { at, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { claim } from '../../fixtures/claims.ts'
import { withMesh } from '../../fixtures/mesh.ts'
import { createProcesses } from '../cluster/processes.ts'
import { until } from '../cluster/until.ts'
import { type Door, type Envoy, type Files, inbound, listenerOf, type Place, type Places, startEnvoy } from './envoy.ts'
import { type IdentityProvider, ISSUER, startIdentityProvider } from './identity-provider.ts'
import { type Answered, type App, type Asked, ask, askOften, startApp, stopAsking, tally } from './traffic.ts'
import { type Configuration, translate } from './witness.ts'
import { clusterOf, meshConfig, settled } from './world.ts'

const folder = mkdtempSync(join(tmpdir(), 'mesh-'))
const processes = createProcesses(folder)
const meshAuthority = createAuthority({ commonName: 'mesh' })
const publicAuthority = createAuthority({ commonName: 'internet' })
const principal = (account: string, namespace = 'shop', domain = 'cluster.local') => `spiffe://${domain}/ns/${namespace}/sa/${account}`
const member = (uri: string, authority = meshAuthority): Identity =>
  issueCertificate(authority, { commonName: 'workload', usages: ['server', 'client'], uris: [uri] })
const siteOf = (host: string, authority = publicAuthority): Identity =>
  issueCertificate(authority, { commonName: 'site', usages: ['server'], dnsNames: [host] })

const clients = {
  web: member(principal('web')),
  gateway: member(principal('istio-ingressgateway', 'istio-ingress')),
  stranger: member(principal('stranger')),
  namesake: member(principal('web', 'finance')),
  foreigner: member(principal('web', 'shop', 'other.example.com')),
  forger: member(principal('web'), createAuthority({ commonName: 'mesh' })),
}

function write(name: string, content: string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
const written = (name: string, { certificate, key }: Identity): Files => ({
  chain: write(`${name}.crt`, certificate),
  key: write(`${name}.key`, key),
})

const PORT = 8080
const CANARY_PERCENT = 10
const service = (name: string, mesh: JsonObject) =>
  settled(claim({ nats: undefined, httpPort: PORT, environment: 'production', mesh }, { name }), withMesh())

const worldOf = (jwksUri: string) => [
  ...service('orders', {
    hosts: ['orders.example.com'],
    cors: { origins: ['https://shop.example.com'], methods: ['GET', 'POST'], maxAge: '1h' },
    canary: { image: 'ghcr.io/acme/orders:2', weight: CANARY_PERCENT, match: [{ header: 'X-Beta', value: 'true' }] },
    callers: [{ name: 'web', methods: ['GET'], paths: ['/v1/*'] }],
    jwt: { issuer: ISSUER, jwksUri, audiences: ['orders'], publicPaths: ['/docs/*'] },
  }),
  ...service('limited', { rateLimit: { requests: 10, per: '1h' } }),
  ...service('failing', { hosts: ['failing.example.com'] }),
  ...service('flaky', { hosts: ['flaky.example.com'], retries: { enabled: false } }),
  ...service('slow', { hosts: ['slow.example.com'], timeout: '1s', retries: { enabled: false } }),
  ...service('web', {
    external: ['rates.example.org', 'stranger.example.org', 'namesake.example.org'].map(host => ({ host, tls: 'originate' })),
  }),
]

/** A network of loopback of its own for each run. */
const network = 2 + Math.floor(Math.random() * 250)

const apps: Record<string, App> = {}
const envoys: Record<string, Envoy> = {}
let provider: IdentityProvider

function placeOf(envoy: string, listener: string): Place {
  const running = envoys[envoy]
  if (running === undefined) throw new Error(`no Envoy ${envoy}`)
  return running.place(listener)
}

beforeAll(async () => {
  provider = await startIdentityProvider()
  const pods = ['orders', 'orders-canary', 'limited', 'failing', 'flaky', 'web']
  const ofPods = pods.map(name => ({ pod: `${name}-0`, namespace: 'shop', gateway: false }))
  const proxies = [...ofPods, { pod: 'istio-ingressgateway-0', namespace: 'istio-ingress', gateway: true }]
  const manifests = clusterOf({ platform: withMesh(), manifests: worldOf(provider.jwksUri) })
  const [answers = []] = await translate([{ manifests, mesh: meshConfig, proxies }])
  const configurations = new Map(proxies.map(({ pod }, index) => [pod.replace(/-0$/, ''), answers[index]]))
  const of = (name: string): Configuration => {
    const found = configurations.get(name)
    if (found === undefined) throw new Error(`istiod said nothing of ${name}`)
    return found
  }
  const site = written('site', siteOf('orders.example.com'))
  const authorities = {
    meshAuthority: write('mesh.crt', meshAuthority.certificate),
    publicAuthority: write('public.crt', publicAuthority.certificate),
  }
  const run = async (name: string, workload: string, doors: readonly Door[], addresses: Places) => {
    const identity = written(name, name === 'gateway' ? clients.gateway : member(principal(workload.replace('-canary', ''))))
    envoys[name] = await startEnvoy(processes, folder, name, of(workload), doors, { identity, site, addresses, ...authorities })
  }
  const start = async (name: string, behaviour?: Parameters<typeof startApp>[1]) => {
    apps[name] = await startApp(name, behaviour)
    return apps[name].place
  }

  // The pods: each with its sidecar and its application.
  const running = [
    { name: 'orders', workload: 'orders' },
    { name: 'orders-canary', workload: 'orders-canary' },
    { name: 'limited', workload: 'limited' },
    { name: 'failing', workload: 'failing', behaviour: { status: 503 } },
    { name: 'flaky', workload: 'flaky' },
    { name: 'flaky-broken', workload: 'flaky', behaviour: { status: 503 } },
  ]
  await Promise.all(
    running.map(async ({ name, workload, behaviour }, index) => {
      const app = await start(name, behaviour)
      const place = { address: `127.${network}.0.${index + 1}`, port: PORT }
      await run(name, workload, [inbound(of(workload), place)], new Map([[`inbound:${PORT}`, app]]))
    }),
  )
  const addressOf = (name: string, ordinal: number) => {
    const pod = manifests.find(({ kind, metadata }) => kind === 'Pod' && at(metadata, 'name') === `${name}-${ordinal}`)
    return `${textOf(at(pod, 'status', 'podIP'))}:${PORT}`
  }
  const sidecars = new Map(
    [
      ...['orders', 'orders-canary', 'failing', 'flaky'].map(name => [addressOf(name, 0), name] as const),
      [addressOf('flaky', 1), 'flaky-broken'] as const,
    ].map(([address, name]) => [address, placeOf(name, 'inbound')]),
  )
  await run(
    'gateway',
    'istio-ingressgateway',
    ['0.0.0.0_8080', '0.0.0.0_8443'].map(name => listenerOf(of('istio-ingressgateway'), name)),
    sidecars,
  )
  const outside = new Map([
    ['rates.example.org:443', await start('rates', { certificate: siteOf('rates.example.org') })],
    ['stranger.example.org:443', await start('unknown', { certificate: siteOf('stranger.example.org', createAuthority()) })],
    ['namesake.example.org:443', await start('misnamed', { certificate: siteOf('rates.example.org') })],
  ])
  await run(
    'web',
    'web',
    ['0.0.0.0_8080', '0.0.0.0_80'].map(name => listenerOf(of('web'), name)),
    new Map([...sidecars, ...outside]),
  )
})

const table: { readonly request: string; readonly seen: string }[] = []
const note = (request: string, seen: string) => void table.push({ request, seen })

afterAll(async () => {
  stopAsking()
  for (const app of Object.values(apps)) app.stop()
  provider?.stop()
  await processes.stopAll({ keepLogs: false })
  const width = Math.max(...table.map(({ request }) => request.length))
  console.log(table.map(({ request, seen }) => `${request.padEnd(width)}  ${seen}`).join('\n'))
})

const bearer = (name: keyof IdentityProvider['tokens']) => ({ authorization: `Bearer ${provider.tokens[name]}` })
const said = ({ status, body }: Answered) => (status === 0 ? 'closed' : `${status} ${body}`.trim())

describe('the sidecar of a service with callers and tokens', () => {
  interface Row {
    readonly says: string
    readonly as?: keyof typeof clients | 'nobody' | 'plain'
    readonly method?: string
    readonly path?: string
    readonly token?: keyof IdentityProvider['tokens'] | 'garbage' | 'none'
    readonly status: number
  }
  const CLOSED = 0
  test.each<Row>([
    { says: 'lets a caller with a token in', status: 200 },
    { says: 'closes plain text', as: 'plain', status: CLOSED },
    { says: 'closes TLS without a certificate', as: 'nobody', status: CLOSED },
    { says: 'closes a certificate of another authority', as: 'forger', status: CLOSED },
    { says: 'closes another trust domain', as: 'foreigner', status: CLOSED },
    { says: 'refuses a method that the caller may not use', method: 'DELETE', status: 403 },
    { says: 'refuses a path that the caller may not use', path: '/admin', status: 403 },
    { says: 'refuses the same account of another namespace', as: 'namesake', status: 403 },
    { says: 'refuses a stranger in the mesh, even with a token', as: 'stranger', status: 403 },
    { says: 'refuses a caller without a token', token: 'none', status: 403 },
    { says: 'refuses garbage as a token', token: 'garbage', status: 401 },
    { says: 'refuses a token of another key', token: 'forged', status: 401 },
    { says: 'refuses a token without a signature', token: 'unsigned', status: 401 },
    { says: 'refuses an expired token', token: 'expired', status: 401 },
    { says: 'refuses a token for another audience', token: 'forAnother', status: 403 },
    { says: 'lets the gateway in with a token', as: 'gateway', path: '/anything', status: 200 },
    { says: 'refuses the gateway without a token', as: 'gateway', path: '/anything', token: 'none', status: 403 },
    { says: 'lets probes in without a token', as: 'gateway', path: '/health', token: 'none', status: 200 },
    { says: 'lets public paths in without a token', as: 'gateway', path: '/docs/a', token: 'none', status: 200 },
    ...[
      '/docs/../v1/a',
      '/docs/%2e%2e/v1/a',
      '/health/../v1/a',
      '/docs/..%2fv1/a',
      '/docs/..%5cv1/a',
      '/docs//../../v1/a',
      '/health/',
      '/HEALTH',
      '/health;a',
      '/v1/a?/docs/',
    ].map(
      (path): Row => ({
        says: `refuses ${path}, which only looks public, without a token`,
        as: 'gateway',
        path,
        token: 'none',
        status: 403,
      }),
    ),
  ])('$says', async ({ says, as = 'web', method = 'GET', path = '/v1/orders', token = 'valid', status }) => {
    const headers = token === 'none' ? {} : token === 'garbage' ? { authorization: 'Bearer x.y.z' } : bearer(token)
    const tls = as === 'plain' ? {} : { tls: as === 'nobody' ? {} : { client: clients[as] } }
    const answer = await ask({ place: placeOf('orders', 'inbound'), path, method, headers, ...tls })
    note(`sidecar ${says}`, said(answer))
    expect(answer.status).toBe(status)
  })

  test('writes access logs in JSON', async () => {
    const first = await until('an access log', () =>
      envoys.orders
        ?.output()
        .split('\n')
        .find(line => line.startsWith('{')),
    )
    expect(JSON.parse(first)).toMatchObject({ method: 'GET', path: '/v1/orders', response_code: 200 })
  })
})

test('a rate limit lets its requests in, and answers 429 to the others of a burst', async () => {
  const asked = { place: placeOf('limited', 'inbound'), tls: { client: clients.web } }
  const statuses = tally((await askOften(asked, 15, 15)).map(({ status }) => status))
  note('burst of 15 requests, 10 allowed', JSON.stringify(statuses))
  expect(statuses).toEqual({ 200: 10, 429: 5 })
})

describe('the gateway', () => {
  const https = (asked: Omit<Asked, 'place' | 'tls'> = {}): Asked => ({
    ...asked,
    place: placeOf('gateway', '0.0.0.0_8443'),
    headers: { ...bearer('valid'), ...asked.headers },
    tls: {},
  })

  test('redirects plain HTTP', async () => {
    const answer = await ask({ place: placeOf('gateway', '0.0.0.0_8080'), path: '/v1/a?b=c' })
    note('gateway http://', `${answer.status} ${answer.headers.location}`)
    expect([answer.status, answer.headers.location]).toEqual([301, 'https://orders.example.com/v1/a?b=c'])
  })

  test('closes TLS for a host of nobody', async () => {
    const answer = await ask(https({ host: 'nobody.example.com' }))
    note('gateway, a host of nobody', said(answer))
    expect(answer.status).toBe(0)
  })

  // By chance, one run of 370 is further away.
  test('shares 1,000 requests 90 to 10, within three sigma', { retry: 2 }, async () => {
    const TIMES = 1000
    const answers = await askOften(https(), TIMES, 20)
    const shares = tally(answers.map(said))
    note('gateway, 1,000 requests at 90/10', JSON.stringify(shares))
    const share = CANARY_PERCENT / 100
    const sigma = Math.sqrt(TIMES * share * (1 - share))
    expect(Object.keys(shares).sort()).toEqual(['200 orders', '200 orders-canary'])
    expect(Math.abs((shares['200 orders-canary'] ?? 0) - TIMES * share)).toBeLessThanOrEqual(3 * sigma)
  })

  test.each([
    { says: 'all requests with the header to the canary', value: 'true', seen: ['200 orders-canary'] },
    { says: 'requests with another value of the header by weight', value: 'false', seen: ['200 orders', '200 orders-canary'] },
  ])('sends $says', async ({ value, seen }) => {
    const answers = await askOften(https({ headers: { 'x-beta': value } }), 150, 10)
    const shares = tally(answers.map(said))
    note(`gateway, 150 requests with x-beta: ${value}`, JSON.stringify(shares))
    expect(Object.keys(shares).sort()).toEqual(seen)
  })

  test.each([
    { origin: 'https://shop.example.com', allowed: 'https://shop.example.com', methods: 'GET,POST', age: '3600' },
    { origin: 'https://evil.example.com', allowed: undefined, methods: undefined, age: undefined },
  ])('answers a preflight of $origin', async ({ origin, allowed, methods, age }) => {
    const answer = await ask(https({ method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }))
    const named = (name: string) => answer.headers[`access-control-${name}`]
    note(`gateway, preflight of ${origin}`, `${answer.status} allow-origin ${named('allow-origin') ?? 'missing'}`)
    expect([named('allow-origin'), named('allow-methods'), named('max-age')]).toEqual([allowed, methods, age])
  })

  test('tries a failing service four times', async () => {
    const answer = await ask(https({ host: 'failing.example.com' }))
    note('gateway, a service that answers 503', `${answer.status} after ${apps.failing?.seen.length} tries`)
    expect([answer.status, apps.failing?.seen.length]).toEqual([503, 4])
  })

  test('ejects the broken pod of two after five errors', async () => {
    const statuses = tally((await askOften(https({ host: 'flaky.example.com' }), 200)).map(({ status }) => status))
    const ejections = await envoys.gateway?.statistics('\\|flaky\\.shop.*ejections_active')
    note('gateway, one of two pods answers 503: 200 requests', `${JSON.stringify(statuses)}, ejected: ${Object.values(ejections ?? {})}`)
    expect(statuses).toEqual({ 200: 195, 503: 5 })
    expect(Object.values(ejections ?? {})).toEqual([1])
  })
})

describe('the sidecar of a caller', () => {
  const outbound = (listener: string, asked: Omit<Asked, 'place'>): Asked => ({ ...asked, place: placeOf('web', listener) })

  test('calls another service with its own identity', async () => {
    const asked = { host: 'orders.shop.svc.cluster.local:8080', path: '/v1/orders', headers: bearer('valid') }
    const answer = await ask(outbound('0.0.0.0_8080', asked))
    note('web calls orders through both sidecars', said(answer))
    expect(answer.status).toBe(200)
  })

  test.each([
    { says: 'originates TLS to an external host', host: 'rates.example.org', status: 200 },
    { says: 'refuses an external host with a certificate of an unknown authority', host: 'stranger.example.org', status: 503 },
    { says: 'refuses an external host with a certificate for another name', host: 'namesake.example.org', status: 503 },
    { says: 'refuses a host that is not in external', host: 'unknown.example.org', status: 502 },
  ])('$says', async ({ says, host, status }) => {
    const answer = await ask(outbound('0.0.0.0_80', { host }))
    note(`web's sidecar ${says}`, said(answer).split('\n')[0] ?? '')
    expect(answer.status).toBe(status)
  })
})
