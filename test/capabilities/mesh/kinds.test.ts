// What each kind of the mesh says, for the fields that the examples leave at their defaults.
import { describe, expect, test } from 'vitest'
import { findKind } from '../../../src/capabilities/index.ts'
import { routeReadiness } from '../../../src/capabilities/mesh/gateway-api.ts'
import { mesh } from '../../../src/capabilities/mesh/index.ts'
import { istioReadiness } from '../../../src/capabilities/mesh/kinds.ts'
import { at, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { MeshPlatform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { fullMesh, gateways, meshClaim, withMesh } from '../../fixtures/mesh.ts'

interface Given {
  readonly mesh?: JsonObject
  readonly spec?: JsonObject
  readonly platform?: Partial<MeshPlatform>
}

function rendered({ mesh: asked = {}, spec = {}, platform: own }: Given) {
  const platform = withMesh(own)
  const { resources } = compose(meshClaim(asked, spec, platform), platform, {})
  return Object.fromEntries(resources.map(({ key, manifest }) => [key, manifest]))
}

const web = { callers: [{ name: 'web' }] }
const principal = (of: string) => ({ from: [{ source: { principals: [of] } }] })
const jwt = { issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys' }
const triggers = { eventing: { triggers: [{ name: 'created' }] } }
const knative = { runtime: 'Knative', nats: undefined }
const out = (...external: JsonObject[]): Given => ({ mesh: { external } })
const GATEWAY = 'cluster.local/ns/istio-ingress/sa/istio-ingressgateway'
const EVENTING = 'cluster.local/ns/knative-eventing/sa/mt-broker-filter'

test.each<{ says: string; given: Given; key: string; path: readonly (string | number)[]; is: Json | undefined }>([
  {
    says: 'mutual TLS as the claim asks',
    given: { mesh: { mtls: 'PERMISSIVE' } },
    key: 'mesh-peer-authentication',
    path: ['mtls', 'mode'],
    is: 'PERMISSIVE',
  },
  {
    says: 'plain text in development',
    given: { spec: { environment: 'development' } },
    key: 'mesh-peer-authentication',
    path: ['mtls', 'mode'],
    is: 'PERMISSIVE',
  },

  {
    says: 'a caller of the same namespace',
    given: { mesh: web },
    key: 'mesh-callers',
    path: ['rules'],
    is: [principal('cluster.local/ns/shop/sa/web')],
  },
  {
    says: 'what a caller may do',
    given: {
      mesh: { callers: [{ serviceAccount: 'batch', namespace: 'finance', methods: ['GET'], paths: ['/v1/*'] }] },
      platform: { trustDomain: 'acme.example' },
    },
    key: 'mesh-callers',
    path: ['rules'],
    is: [{ ...principal('acme.example/ns/finance/sa/batch'), to: [{ operation: { methods: ['GET'], paths: ['/v1/*'] } }] }],
  },
  { says: 'nobody', given: { mesh: { callers: [] } }, key: 'mesh-callers', path: ['rules'], is: undefined },
  {
    says: 'the gateway, if there are hosts',
    given: { mesh: { callers: [], hosts: ['a.example.com'] } },
    key: 'mesh-callers',
    path: ['rules'],
    is: [principal(GATEWAY)],
  },
  {
    says: 'the gateway of the Gateway API',
    given: { mesh: { callers: [], hosts: ['a.example.com'] }, platform: { gateway: gateways.GatewayAPI } },
    key: 'mesh-callers',
    path: ['rules'],
    is: [principal('cluster.local/ns/istio-ingress/sa/public-istio')],
  },
  {
    says: 'a gateway with a service account of its own',
    given: { mesh: { callers: [], hosts: ['a.example.com'] }, platform: { gateway: { ...gateways.Istio, serviceAccount: 'edge' } } },
    key: 'mesh-callers',
    path: ['rules'],
    is: [principal('cluster.local/ns/istio-ingress/sa/edge')],
  },
  {
    says: 'Knative Eventing, if there are triggers',
    given: { mesh: { callers: [] }, spec: triggers },
    key: 'mesh-callers',
    path: ['rules'],
    is: [principal(EVENTING)],
  },

  {
    says: 'the issuer and its keys',
    given: { mesh: { jwt } },
    key: 'mesh-request-authentication',
    path: ['jwtRules'],
    is: [{ ...jwt, forwardOriginalToken: true }],
  },
  {
    says: 'a missing token, but for probes and public paths',
    given: { mesh: { jwt: { ...jwt, publicPaths: ['/docs/*'] } }, spec: { httpPort: 3000 } },
    key: 'mesh-jwt-required',
    path: ['rules'],
    is: [
      {
        from: [{ source: { notRequestPrincipals: ['*'] } }],
        to: [{ operation: { notPaths: ['/health', '/ready', '/docs/*'], ports: ['3000'] } }],
      },
    ],
  },
  {
    says: 'a missing token at the path of a probe that Istio would take for a pattern',
    given: { mesh: { jwt }, spec: { probes: { liveness: { path: '/a*' }, readiness: { path: '/{b}' } } } },
    key: 'mesh-jwt-required',
    path: ['rules', 0, 'to', 0, 'operation'],
    is: { ports: ['8080'] },
  },
  {
    says: 'no event for its missing token',
    given: { mesh: { jwt }, spec: triggers },
    key: 'mesh-jwt-required',
    path: ['rules', 0, 'from', 0, 'source'],
    is: { notRequestPrincipals: ['*'], notPrincipals: [EVENTING] },
  },
  {
    says: 'a missing token at the ports of Knative',
    given: { mesh: { jwt }, spec: knative },
    key: 'mesh-jwt-required',
    path: ['rules', 0, 'to', 0, 'operation'],
    is: { notPaths: ['/health', '/ready', '/healthz'], ports: ['8080', '8012', '8013', '8112'] },
  },

  {
    says: 'no retry',
    given: { mesh: { retries: { enabled: false } } },
    key: 'mesh-virtual-service',
    path: ['http', 0, 'retries'],
    is: { attempts: 0 },
  },
  {
    says: 'a shorter attempt if the claim has a shorter timeout',
    given: { mesh: { timeout: '5s' } },
    key: 'mesh-virtual-service',
    path: ['http', 0, 'retries', 'perTryTimeout'],
    is: '5s',
  },
  {
    says: 'a longer timeout if the claim has a longer attempt',
    given: { mesh: { retries: { perTryTimeout: '2m' } } },
    key: 'mesh-virtual-service',
    path: ['http', 0, 'timeout'],
    is: '120s',
  },
  {
    says: 'any origin',
    given: { mesh: { cors: { origins: ['*'], methods: ['GET'] } } },
    key: 'mesh-virtual-service',
    path: ['http', 0, 'corsPolicy'],
    is: { allowOrigins: [{ regex: '.*' }], allowMethods: ['GET'], maxAge: '86400s' },
  },
  {
    says: 'origins with credentials',
    given: { mesh: { cors: fullMesh.cors as JsonObject } },
    key: 'mesh-virtual-service',
    path: ['http', 0, 'corsPolicy'],
    is: {
      allowOrigins: [{ exact: 'https://shop.example.com' }],
      allowMethods: ['GET'],
      allowHeaders: ['content-type'],
      allowCredentials: true,
      maxAge: '86400s',
    },
  },
  {
    says: 'the same by the Gateway API',
    given: { mesh: { hosts: ['a.example.com'], cors: fullMesh.cors as JsonObject }, platform: { gateway: gateways.GatewayAPI } },
    key: 'mesh-http-route',
    path: ['rules', 0, 'filters', 0, 'cors'],
    is: {
      allowOrigins: ['https://shop.example.com'],
      allowMethods: ['GET'],
      allowHeaders: ['content-type'],
      allowCredentials: true,
      maxAge: 86_400,
    },
  },
  { says: 'callers in the mesh only', given: {}, key: 'mesh-virtual-service', path: ['gateways'], is: ['mesh'] },

  {
    says: 'the secret that the claim names',
    given: { mesh: { hosts: ['a.example.com'], tlsSecret: 'own' } },
    key: 'mesh-gateway',
    path: ['servers', 0, 'tls', 'credentialName'],
    is: 'own',
  },
  {
    says: 'the pods of the gateway',
    given: { mesh: { hosts: ['a.example.com'] }, platform: { gateway: { ...gateways.Istio, selector: { app: 'edge' } } } },
    key: 'mesh-gateway',
    path: ['selector'],
    is: { app: 'edge' },
  },
  {
    says: 'a listener for each host and scheme',
    given: { mesh: { hosts: ['a.example.com'] }, platform: { gateway: gateways.GatewayAPI } },
    key: 'mesh-listener-set',
    path: ['listeners'],
    is: [
      {
        name: 'https.a.example.com',
        hostname: 'a.example.com',
        port: 443,
        protocol: 'HTTPS',
        tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'orders-tls' }] },
      },
      { name: 'http.a.example.com', hostname: 'a.example.com', port: 80, protocol: 'HTTP' },
    ],
  },

  {
    says: 'what the claim changes of a circuit breaker',
    given: { mesh: { circuitBreaker: { errors: 9, ejection: '1m' } } },
    key: 'mesh-destination-rule',
    path: ['trafficPolicy', 'outlierDetection'],
    is: { consecutive5xxErrors: 9, interval: '30s', baseEjectionTime: '60s', maxEjectionPercent: 50 },
  },

  {
    says: 'TLS of the container',
    given: out({ host: 'a.example.org' }),
    key: 'mesh-external-a.example.org',
    path: ['ports'],
    is: [{ number: 443, name: 'tls-443', protocol: 'TLS' }],
  },
  {
    says: 'all ports of a host',
    given: out({ host: 'a.example.org', port: 8443, tls: 'originate' }, { host: 'a.example.org', port: 8080, tls: 'none' }),
    key: 'mesh-external-a.example.org',
    path: ['ports'],
    is: [
      { number: 80, name: 'http-80', protocol: 'HTTP', targetPort: 8443 },
      { number: 8080, name: 'http-8080', protocol: 'HTTP' },
    ],
  },
  {
    says: 'TLS of the sidecar for one of two ports',
    given: out(
      { host: 'a.example.org', tls: 'originate', circuitBreaker: { enabled: false } },
      { host: 'a.example.org', port: 8080, tls: 'none', circuitBreaker: { enabled: false } },
    ),
    key: 'mesh-external-rule-a.example.org',
    path: ['trafficPolicy'],
    is: {
      portLevelSettings: [
        {
          port: { number: 80 },
          tls: { mode: 'SIMPLE', sni: 'a.example.org', subjectAltNames: ['a.example.org'], caCertificates: 'system' },
        },
      ],
    },
  },

  {
    says: 'the hosts of the platform and its own',
    given: { mesh: { egress: 'REGISTRY_ONLY' }, platform: { egressHosts: ['nats/*'] } },
    key: 'mesh-sidecar',
    path: ['egress', 0, 'hosts'],
    is: ['./*', 'nats/*'],
  },
  {
    says: 'no traces without a provider',
    given: { platform: { tracingProvider: undefined } as never },
    key: 'mesh-telemetry',
    path: ['tracing'],
    is: undefined,
  },
  {
    says: "Istio's own access logs",
    given: { platform: { accessLogProvider: undefined } as never },
    key: 'mesh-telemetry',
    path: ['accessLogging'],
    is: [{ providers: [{ name: 'envoy' }] }],
  },
  {
    says: 'a bucket that is filled as a whole',
    given: { mesh: { rateLimit: { requests: 600, per: '1m' } } },
    key: 'mesh-rate-limit',
    path: ['configPatches', 0, 'patch', 'value', 'typed_config', 'token_bucket'],
    is: { max_tokens: 600, tokens_per_fill: 600, fill_interval: '60s' },
  },
])('$key says $says', ({ given, key, path, is }) => {
  expect(at(rendered(given)[key], 'spec', ...path)).toEqual(is)
})

test.each<{ says: string; given: Given; without: readonly string[] }>([
  { says: 'a token that is not required', given: { mesh: { jwt: { ...jwt, required: false } } }, without: ['mesh-jwt-required'] },
  { says: 'no circuit breaker', given: { mesh: { circuitBreaker: { enabled: false } } }, without: ['mesh-destination-rule'] },
  { says: 'any egress', given: {}, without: ['mesh-sidecar'] },
  { says: 'no hosts', given: {}, without: ['mesh-gateway', 'mesh-listener-set', 'mesh-http-route'] },
  { says: 'runtime Knative', given: { spec: knative }, without: ['mesh-virtual-service', 'mesh-destination-rule'] },
  {
    says: 'a host without TLS and circuit breaker',
    given: out({ host: 'a.example.org', tls: 'none', circuitBreaker: { enabled: false } }),
    without: ['mesh-external-rule-a.example.org'],
  },
])('$says renders no $without', ({ given, without }) => {
  expect(Object.keys(rendered(given)).filter(key => without.includes(key))).toEqual([])
})

test('a setting of the claim turns on what the platform has turned off', () => {
  const platform = { ...withMesh(), defaults: { mesh: { retries: { enabled: false }, circuitBreaker: { enabled: false } } } }
  const claimed = (mesh: JsonObject) => meshClaim(mesh, {}, platform).mesh
  expect(claimed({})).toMatchObject({ timeout: 30 })
  expect([claimed({})?.retries, claimed({})?.circuitBreaker]).toEqual([undefined, undefined])
  expect(claimed({ retries: { attempts: 1 } })?.retries?.attempts).toBe(1)
  expect(claimed({ circuitBreaker: { errors: 2 } })?.circuitBreaker?.errors).toBe(2)
})

describe('the pods', () => {
  const podOf = (given: Given, key = 'deployment') => at(rendered(given)[key], 'spec', 'template', 'metadata')
  const nats = (url: string) => ({ nats: { stream: 'S', consumer: 'C', url } })
  const PORTS = 'traffic.sidecar.istio.io/excludeOutboundPorts'

  test.each<{ says: string; given: Given; path: readonly string[]; is: Json | undefined }>([
    { says: 'ask for a sidecar', given: {}, path: ['labels', 'sidecar.istio.io/inject'], is: 'true' },
    {
      says: 'ask for a sidecar of a revision',
      given: { platform: { revision: 'canary' } },
      path: ['labels', 'istio.io/rev'],
      is: 'canary',
    },
    {
      says: 'ask for one sidecar only',
      given: { platform: { revision: 'canary' } },
      path: ['labels', 'sidecar.istio.io/inject'],
      is: undefined,
    },
    { says: 'reach NATS without the sidecar', given: {}, path: ['annotations', PORTS], is: '4222' },
    {
      says: 'reach several servers so',
      given: { spec: nats('nats://a:4222,tls://b:4223/x,nats://c:4222') },
      path: ['annotations', PORTS],
      is: '4222,4223',
    },
    { says: 'reach WebSockets through the sidecar', given: { spec: nats('wss://a:443') }, path: ['annotations', PORTS], is: undefined },
    {
      says: 'reach NATS through the sidecar if the platform says so',
      given: { platform: { natsBypass: false } },
      path: ['annotations', PORTS],
      is: undefined,
    },
    { says: 'name their metrics to the sidecar', given: {}, path: ['annotations', 'prometheus.io/port'], is: '8080' },
    {
      says: 'name no metrics in plain text',
      given: { mesh: { mtls: 'PERMISSIVE' } },
      path: ['annotations', 'prometheus.io/port'],
      is: undefined,
    },
    {
      says: 'start the sidecar before an init container',
      given: { spec: { initContainer: { command: ['migrate'] } } },
      path: ['annotations', 'sidecar.istio.io/nativeSidecar'],
      is: 'true',
    },
  ])('$says', ({ given, path, is }) => expect(at(podOf(given), ...path)).toBe(is))

  test('of Knative share the label that policies select by, and no other', () => {
    const labels = at(podOf({ spec: knative }, 'knative-service'), 'labels')
    expect(labels).toMatchObject({ 'service.istio.io/canonical-name': 'orders', 'sidecar.istio.io/inject': 'true' })
    expect(at(labels, 'platform.bizmatters.io/runtime')).toBeUndefined()
  })
})

describe('readiness', () => {
  const object = (status?: JsonObject): JsonObject => ({
    kind: 'VirtualService',
    metadata: { name: 'orders', generation: 2 },
    ...(status && { status }),
  })
  const message = (level: Json): JsonObject => ({
    validationMessages: [
      { level, type: { code: 'IST0101', name: 'ReferencedResourceNotFound' }, documentationUrl: 'https://istio.io/IST0101' },
    ],
  })

  test.each([
    { says: 'no status', status: undefined, ready: true, reason: 'Created' },
    { says: 'a warning', status: message('WARNING'), ready: true, reason: 'Created' },
    { says: 'an error', status: message('ERROR'), ready: false, reason: 'ReferencedResourceNotFound' },
    { says: 'an error by number', status: message(3), ready: false, reason: 'ReferencedResourceNotFound' },
  ])('of Istio with $says', ({ status, ready, reason }) => expect(istioReadiness(object(status))).toMatchObject({ ready, reason }))

  test('of Istio quotes what Istio finds', () => {
    expect(istioReadiness(object(message('ERROR'))).message).toBe(
      'Istio finds ReferencedResourceNotFound (IST0101) in VirtualService orders. See: https://istio.io/IST0101',
    )
  })

  const parent = (...conditions: JsonObject[]): JsonObject => ({ parents: [{ conditions }] })
  const is = (type: string, status: string, more: JsonObject = {}): JsonObject => ({
    type,
    status,
    reason: 'BackendNotFound',
    message: 'no Service',
    ...more,
  })
  test.each([
    { says: 'no parent', status: undefined, ready: false, reason: 'Waiting' },
    { says: 'an accepted parent', status: parent(is('Accepted', 'True'), is('ResolvedRefs', 'True')), ready: true, reason: 'ResolvedRefs' },
    {
      says: 'a missing backend',
      status: parent(is('Accepted', 'True'), is('ResolvedRefs', 'False')),
      ready: false,
      reason: 'BackendNotFound',
    },
    { says: 'an outdated condition', status: parent(is('Accepted', 'True', { observedGeneration: 1 })), ready: false, reason: 'Waiting' },
    {
      says: 'one of two parents',
      status: { parents: [{ conditions: [is('Accepted', 'True'), is('ResolvedRefs', 'True')] }, {}] },
      ready: false,
      reason: 'Waiting',
    },
  ])('of a route with $says', ({ status, ready, reason }) => expect(routeReadiness(object(status))).toMatchObject({ ready, reason }))
})

test('every kind has a one-line summary', () => {
  const all = [fullMesh, { ...fullMesh, canary: undefined } as unknown as JsonObject].flatMap(asked =>
    [gateways.Istio, gateways.GatewayAPI].flatMap(gateway => Object.values(rendered({ mesh: asked, platform: { gateway } }))),
  )
  const lines = all.flatMap(manifest => {
    const kind = findKind(manifest, mesh.kinds)
    return kind?.summarize
      ? [
          `${manifest.kind}: ${kind
            .summarize(manifest)
            .filter(part => part !== undefined && part !== '')
            .join(', ')}`,
        ]
      : []
  })
  expect([...new Set(lines)].sort()).toEqual([
    'AuthorizationPolicy: ALLOW by 2 rules',
    'AuthorizationPolicy: DENY by 1 rule',
    'DestinationRule: api.payments.example.com, with a circuit breaker',
    'DestinationRule: orders-canary.shop.svc.cluster.local, with a circuit breaker',
    'DestinationRule: orders.shop.svc.cluster.local, with a circuit breaker',
    'EnvoyFilter: 100 requests per 1s',
    'Gateway: orders.example.com',
    'HTTPRoute: orders.example.com, orders 100%',
    'HTTPRoute: orders.example.com, orders 100% / orders-canary 0%',
    'HTTPRoute: orders.example.com, to https',
    'ListenerSet: orders.example.com',
    'PeerAuthentication: STRICT mutual TLS',
    'RequestAuthentication: tokens of https://id.example.com',
    'ServiceEntry: api.payments.example.com, 443 TLS',
    'Sidecar: REGISTRY_ONLY',
    'Telemetry: traces 1%, access logs',
    'VirtualService: orders.example.com, orders.shop.svc.cluster.local, orders 100%',
    'VirtualService: orders.example.com, orders.shop.svc.cluster.local, orders 100% / orders-canary 0%',
    'VirtualService: orders.shop.svc.cluster.local, orders 100%',
    'VirtualService: orders.shop.svc.cluster.local, orders 100% / orders-canary 0%',
  ])
})
