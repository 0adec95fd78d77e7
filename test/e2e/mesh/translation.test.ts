// Reads in the Envoy configuration that istiod sends to each proxy what every field of spec.mesh becomes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, isObject, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { claim } from '../../fixtures/claims.ts'
import { fullMesh, gateways, withMesh } from '../../fixtures/mesh.ts'
import { startIdentityProvider } from './identity-provider.ts'
import { type Configuration, translate } from './witness.ts'
import { clusterOf, meshConfig, settled } from './world.ts'

const PORT = 3000
const provider = await startIdentityProvider()
afterAll(() => provider.stop())

const jwt: JsonObject = {
  issuer: 'https://id.example.com',
  jwksUri: provider.jwksUri,
  audiences: ['orders'],
  publicPaths: ['/docs/*'],
}

const asked: JsonObject = {
  hosts: ['orders.example.com'],
  timeout: '20s',
  retries: { attempts: 2, perTryTimeout: '5s', retryOn: ['connect-failure', '503'] },
  cors: { origins: ['https://shop.example.com'], methods: ['GET', 'POST'], headers: ['x-id'], credentials: true, maxAge: '1h' },
  canary: { image: 'ghcr.io/acme/orders:2', weight: 30, match: [{ header: 'X-Beta', value: 'true' }] },
  circuitBreaker: {
    ...{ maxConnections: 11, maxPending: 12, maxRequests: 13, errors: 4, interval: '14s', ejection: '15s', maxEjectionPercent: 16 },
  },
  callers: [{ name: 'web', methods: ['GET'], paths: ['/v1/*'] }],
  jwt,
  external: [
    { host: 'bank.example.org' },
    { host: 'rates.example.org', tls: 'originate', circuitBreaker: { errors: 7, ejection: '17s' } },
    { host: 'plain.example.org', port: 8081, tls: 'none', circuitBreaker: { enabled: false } },
  ],
  egress: 'REGISTRY_ONLY',
  tracing: { sampling: 7 },
  rateLimit: { requests: 9, per: '1m' },
}
const opposite: JsonObject = {
  mtls: 'PERMISSIVE',
  retries: { enabled: false },
  circuitBreaker: { enabled: false },
  callers: [],
  jwt: { ...jwt, required: false },
  egress: 'ALLOW_ANY',
  tracing: { sampling: 0 },
  accessLogs: false,
}

const platforms = { Istio: withMesh(), GatewayAPI: withMesh({ gateway: gateways.GatewayAPI }) }
const questionOf = (mesh: JsonObject, style: keyof typeof platforms, spec: JsonObject = {}) => ({
  manifests: clusterOf({
    platform: platforms[style],
    manifests: settled(
      claim({ nats: undefined, ...(spec.runtime !== 'Knative' && { httpPort: PORT }), mesh, ...spec }, { name: 'orders' }),
      platforms[style],
    ),
  }),
  mesh: meshConfig,
  proxies: [
    { pod: 'orders-0', namespace: 'shop', gateway: false },
    { pod: style === 'Istio' ? 'istio-ingressgateway-0' : 'public-istio-0', namespace: 'istio-ingress', gateway: true },
  ],
})

const questions = {
  asked: questionOf(asked, 'Istio'),
  opposite: questionOf(opposite, 'Istio'),
  'Gateway API': questionOf({ hosts: ['orders.example.com'], timeout: '20s', canary: asked.canary ?? {} }, 'GatewayAPI'),
  production: questionOf({ hosts: ['orders.example.com'], tlsSecret: 'own-tls' }, 'Istio', { environment: 'production' }),
}

type World = keyof typeof questions
interface Seen {
  readonly sidecar: Configuration
  readonly gateway: Configuration
}
const seen: Partial<Record<World, Seen>> = {}

const none: Configuration = { listeners: [], routes: [], clusters: [], endpoints: [] }

beforeAll(async () => {
  const answers = await translate(Object.values(questions))
  for (const [index, world] of (Object.keys(questions) as World[]).entries())
    seen[world] = { sidecar: answers[index]?.[0] ?? none, gateway: answers[index]?.[1] ?? none }
})

const typed = (name: string) => (filter: Json) => String(at(filter, 'typedConfig', '@type')).endsWith(name)
const chainsOf = ({ listeners }: Configuration, listener: string, port?: number) =>
  items(listeners.find(({ name }) => name === listener)?.filterChains).filter(
    chain => port === undefined || at(chain, 'filterChainMatch', 'destinationPort') === port,
  )
const managerOf = (chain: Json | undefined) => items(at(chain, 'filters')).find(typed('HttpConnectionManager')) ?? {}
const inboundManager = (configuration: Configuration) => at(managerOf(chainsOf(configuration, 'virtualInbound', PORT)[0]), 'typedConfig')
const filtersOf = (configuration: Configuration, type: string) =>
  items(at(inboundManager(configuration), 'httpFilters'))
    .filter(typed(type))
    .map(filter => at(filter, 'typedConfig') ?? {})
const cluster = ({ clusters }: Configuration, name: string) => clusters.find(one => one.name === name)
const virtualHosts = ({ routes }: Configuration) => routes.flatMap(({ virtualHosts: hosts }) => items(hosts))
const hostOf = (configuration: Configuration, domain: string) =>
  virtualHosts(configuration).filter(host => items(at(host, 'domains')).includes(domain))
const routesOf = (configuration: Configuration, domain = 'orders.example.com') =>
  hostOf(configuration, domain).flatMap(host => items(at(host, 'routes')).filter(route => at(route, 'route') !== undefined))
/** The part of the value that has the fields of the expected one. */
const has = (value: Json | undefined, expected: Json | object) => expect(value).toMatchObject(expected as object)

const STABLE = 'outbound|8080||orders.shop.svc.cluster.local'
const CANARY = 'outbound|8080||orders-canary.shop.svc.cluster.local'
const IN_MESH = 'orders.shop.svc.cluster.local'

interface Row {
  readonly field: string
  readonly world?: World
  readonly says: string
  readonly check: (seen: Seen) => void
}

const rows: readonly Row[] = [
  {
    field: 'mtls',
    says: 'STRICT: every way in asks for a certificate',
    check: ({ sidecar }) => {
      const chains = chainsOf(sidecar, 'virtualInbound', PORT)
      expect(chains.map(chain => at(chain, 'transportSocket', 'typedConfig', 'requireClientCertificate'))).toEqual([true])
    },
  },
  {
    field: 'mtls',
    world: 'opposite',
    says: 'PERMISSIVE: plain text has a way in too',
    check: ({ sidecar }) => {
      const protocols = chainsOf(sidecar, 'virtualInbound', PORT).map(chain => at(chain, 'filterChainMatch', 'transportProtocol'))
      expect(protocols).toContain('raw_buffer')
    },
  },
  {
    field: 'hosts',
    says: 'the gateway has their certificate, and redirects plain HTTP',
    check: ({ gateway }) => {
      const [chain] = chainsOf(gateway, '0.0.0.0_8443')
      expect(at(chain, 'filterChainMatch', 'serverNames')).toEqual(['orders.example.com'])
      expect(JSON.stringify(at(chain, 'transportSocket'))).toContain('"name":"kubernetes://shop-orders-tls"')
      expect(hostOf(gateway, 'orders.example.com').map(host => at(host, 'requireTls'))).toContain('ALL')
    },
  },
  {
    field: 'tlsSecret',
    world: 'production',
    says: 'the gateway has the certificate of this name',
    check: ({ gateway }) => expect(JSON.stringify(chainsOf(gateway, '0.0.0.0_8443'))).toContain('"name":"kubernetes://own-tls"'),
  },
  {
    field: 'timeout',
    says: 'on every route, at the gateway and in the mesh',
    check: ({ gateway, sidecar }) => {
      const routes = [...routesOf(gateway), ...routesOf(sidecar, IN_MESH)]
      expect(routes.length).toBeGreaterThanOrEqual(4)
      expect(new Set(routes.map(route => at(route, 'route', 'timeout')))).toEqual(new Set(['20s']))
    },
  },
  {
    field: 'retries',
    says: 'on every route',
    check: ({ gateway, sidecar }) => {
      for (const route of [...routesOf(gateway), ...routesOf(sidecar, IN_MESH)])
        has(at(route, 'route', 'retryPolicy'), {
          numRetries: 2,
          perTryTimeout: '5s',
          retryOn: 'connect-failure,retriable-status-codes',
          retriableStatusCodes: [503],
        })
    },
  },
  {
    field: 'retries',
    world: 'opposite',
    says: 'none',
    check: ({ sidecar }) => {
      const routes = routesOf(sidecar, IN_MESH)
      expect(routes.length).toBeGreaterThan(0)
      for (const route of routes) expect(at(route, 'route', 'retryPolicy')).toBeUndefined()
    },
  },
  {
    field: 'cors',
    says: 'on every route',
    check: ({ gateway }) => {
      for (const route of routesOf(gateway))
        has(at(route, 'typedPerFilterConfig', 'envoy.filters.http.cors'), {
          allowOriginStringMatch: [{ exact: 'https://shop.example.com' }],
          ...{ allowMethods: 'GET,POST', allowHeaders: 'x-id', allowCredentials: true, maxAge: '3600' },
        })
    },
  },
  {
    field: 'canary.weight',
    says: '30 of 100 at the gateway and in the mesh',
    check: ({ gateway, sidecar }) => {
      for (const routes of [routesOf(gateway), routesOf(sidecar, IN_MESH)])
        expect(
          items(at(routes.at(-1), 'route', 'weightedClusters', 'clusters')).map(share => [at(share, 'name'), at(share, 'weight')]),
        ).toEqual([
          [STABLE, 70],
          [CANARY, 30],
        ])
    },
  },
  {
    field: 'canary.match',
    says: 'the header leads to the canary before any weight',
    check: ({ gateway, sidecar }) => {
      for (const [route] of [routesOf(gateway), routesOf(sidecar, IN_MESH)]) {
        expect(at(route, 'route', 'cluster')).toBe(CANARY)
        has(at(route, 'match', 'headers'), [{ name: 'x-beta', stringMatch: { exact: 'true' } }])
      }
    },
  },
  {
    field: 'circuitBreaker',
    says: 'for the stable version and the canary',
    check: ({ gateway }) => {
      for (const name of [STABLE, CANARY])
        has(cluster(gateway, name), {
          lbPolicy: 'LEAST_REQUEST',
          circuitBreakers: { thresholds: [{ maxConnections: 11, maxPendingRequests: 12, maxRequests: 13 }] },
          outlierDetection: { consecutive5xx: 4, interval: '14s', baseEjectionTime: '15s', maxEjectionPercent: 16 },
        })
    },
  },
  {
    field: 'circuitBreaker',
    world: 'opposite',
    says: 'none',
    check: ({ sidecar }) => {
      expect(cluster(sidecar, STABLE)).toBeDefined()
      expect(cluster(sidecar, STABLE)?.outlierDetection).toBeUndefined()
    },
  },
  {
    field: 'callers',
    says: 'an ALLOW filter with their principals, methods and paths, and the gateway',
    check: ({ sidecar }) => {
      const allow = filtersOf(sidecar, '.RBAC').find(filter => at(filter, 'rules', 'action') !== 'DENY')
      const policies = Object.values(at(allow, 'rules', 'policies') ?? {}).map(policy => JSON.stringify(policy))
      expect(policies).toHaveLength(2)
      for (const word of ['spiffe://cluster.local/ns/shop/sa/web', '"exact":"GET"', '"prefix":"/v1/"']) expect(policies[0]).toContain(word)
      expect(policies[1]).toContain('spiffe://cluster.local/ns/istio-ingress/sa/istio-ingressgateway')
    },
  },
  {
    field: 'callers',
    world: 'opposite',
    says: '[] lets nobody in',
    check: ({ sidecar }) => {
      const allow = filtersOf(sidecar, '.RBAC').find(filter => at(filter, 'rules', 'action') !== 'DENY')
      expect(JSON.stringify(at(allow, 'rules', 'policies'))).toContain('"notId":{"any":true}')
    },
  },
  {
    field: 'jwt',
    says: 'the issuer and its audience, and the container gets the token',
    check: ({ sidecar }) => {
      const [filter] = filtersOf(sidecar, '.JwtAuthentication')
      has(Object.values(at(filter, 'providers') ?? {}), [{ issuer: 'https://id.example.com', audiences: ['orders'], forward: true }])
    },
  },
  {
    field: 'jwt.required',
    says: 'a DENY filter for the port, before the callers, with the public paths',
    check: ({ sidecar }) => {
      const [deny, allow] = filtersOf(sidecar, '.RBAC')
      expect([at(deny, 'rules', 'action'), at(allow, 'rules', 'action')]).toEqual(['DENY', undefined])
      const policy = JSON.stringify(at(deny, 'rules', 'policies'))
      for (const word of [`"destinationPort":${PORT}`, '"exact":"/health"', '"exact":"/ready"', '"prefix":"/docs/"'])
        expect(policy).toContain(word)
    },
  },
  {
    field: 'jwt.required',
    world: 'opposite',
    says: 'false: no DENY filter',
    check: ({ sidecar }) => {
      expect(filtersOf(sidecar, '.JwtAuthentication')).toHaveLength(1)
      expect(filtersOf(sidecar, '.RBAC').map(filter => at(filter, 'rules', 'action'))).not.toContain('DENY')
    },
  },
  {
    field: 'external',
    says: 'passthrough: the connection is passed on',
    check: ({ sidecar }) => {
      has(cluster(sidecar, 'outbound|443||bank.example.org'), {
        outlierDetection: { consecutive5xx: 3, interval: '30s', baseEjectionTime: '60s' },
      })
      expect(cluster(sidecar, 'outbound|443||bank.example.org')?.transportSocket).toBeUndefined()
    },
  },
  {
    field: 'external',
    says: 'originate: port 80 of the container becomes TLS to port 443',
    check: ({ sidecar }) => {
      const found = cluster(sidecar, 'outbound|80||rates.example.org')
      const context = at(found, 'transportSocket', 'typedConfig')
      expect([at(context, 'sni'), JSON.stringify(at(found, 'loadAssignment')).includes('"portValue":443')]).toEqual([
        'rates.example.org',
        true,
      ])
      expect(JSON.stringify(context)).toContain('"exact":"rates.example.org"')
      has(at(found, 'outlierDetection'), { consecutive5xx: 7, baseEjectionTime: '17s' })
    },
  },
  {
    field: 'external',
    says: 'none: plain HTTP without a circuit breaker',
    check: ({ sidecar }) => {
      const found = cluster(sidecar, 'outbound|8081||plain.example.org')
      expect([found === undefined, found?.outlierDetection, found?.transportSocket]).toEqual([false, undefined, undefined])
      expect(routesOf(sidecar, 'plain.example.org')).not.toEqual([])
    },
  },
  {
    field: 'external',
    says: 'the gateway does not see it',
    check: ({ gateway }) => expect(JSON.stringify(gateway.clusters)).not.toContain('example.org'),
  },
  {
    field: 'egress',
    says: 'REGISTRY_ONLY: BlackHoleCluster',
    check: ({ sidecar }) => {
      const listener = sidecar.listeners.find(({ name }) => name === 'virtualOutbound')
      expect(JSON.stringify(listener?.defaultFilterChain ?? listener?.filterChains)).toContain('"cluster":"BlackHoleCluster"')
      const names = new Set(virtualHosts(sidecar).map(host => at(host, 'name')))
      expect([names.has('block_all'), names.has('allow_any')]).toEqual([true, false])
    },
  },
  {
    field: 'egress',
    world: 'opposite',
    says: 'ALLOW_ANY: PassthroughCluster',
    check: ({ sidecar }) => {
      const names = new Set(virtualHosts(sidecar).map(host => at(host, 'name')))
      expect([names.has('block_all'), names.has('allow_any')]).toEqual([false, true])
    },
  },
  {
    field: 'egress',
    world: 'production',
    says: 'REGISTRY_ONLY by default in production',
    check: ({ sidecar }) => expect(virtualHosts(sidecar).map(host => at(host, 'name'))).toContain('block_all'),
  },
  {
    field: 'tracing.sampling',
    says: 'the share, and the provider',
    check: ({ sidecar }) => {
      const tracing = at(inboundManager(sidecar), 'tracing')
      expect(at(tracing, 'randomSampling', 'value')).toBe(7)
      expect(JSON.stringify(at(tracing, 'provider'))).toContain('otel.istio-system.svc.cluster.local')
    },
  },
  {
    field: 'tracing.sampling',
    world: 'opposite',
    says: '0: no trace begins here',
    check: ({ sidecar }) => expect(at(inboundManager(sidecar), 'tracing', 'randomSampling', 'value') ?? 0).toBe(0),
  },
  {
    field: 'accessLogs',
    says: 'in JSON by default',
    check: ({ sidecar }) =>
      has(at(inboundManager(sidecar), 'accessLog', 0, 'typedConfig', 'logFormat'), { jsonFormat: { path: expect.any(String) } }),
  },
  {
    field: 'accessLogs',
    world: 'opposite',
    says: 'false: none',
    check: ({ sidecar }) => expect(at(inboundManager(sidecar), 'accessLog')).toBeUndefined(),
  },
  {
    field: 'rateLimit',
    says: 'the first filter of the way in',
    check: ({ sidecar }) => {
      const first = at(inboundManager(sidecar), 'httpFilters', 0)
      expect(at(first, 'name')).toBe('envoy.filters.http.local_ratelimit')
      has(at(first, 'typedConfig', 'tokenBucket'), { maxTokens: 9, tokensPerFill: 9, fillInterval: '60s' })
    },
  },
  {
    field: 'hosts',
    world: 'Gateway API',
    says: 'the same shares, timeout and header, without Istio kinds',
    check: ({ gateway }) => {
      const routes = routesOf(gateway)
      expect(at(routes[0], 'route', 'cluster')).toBe(CANARY)
      expect(items(at(routes.at(-1), 'route', 'weightedClusters', 'clusters')).map(share => at(share, 'weight'))).toEqual([70, 30])
      for (const route of routes) expect(at(route, 'route', 'timeout')).toBe('20s')
      const redirects = hostOf(gateway, 'orders.example.com').flatMap(host =>
        items(at(host, 'routes')).filter(route => isObject(at(route, 'redirect'))),
      )
      // 301, the first code of Envoy, is left out.
      expect(redirects.map(route => [at(route, 'redirect', 'schemeRedirect'), at(route, 'redirect', 'responseCode')])).toEqual([
        ['https', undefined],
      ])
    },
  },
]

describe('istiod translates', () => {
  test.each(rows)('$field: $says', ({ world = 'asked', check }) => {
    const found = seen[world]
    if (found === undefined) throw new Error(`no answer for ${world}`)
    check(found)
  })

  test('every field of spec.mesh', () => {
    expect(Object.keys(fullMesh).filter(field => !rows.some(row => row.field.split('.')[0] === field))).toEqual([])
  })
})
