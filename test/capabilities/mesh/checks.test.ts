// What the schema can't say: rules that need the platform or the namespace, or that meet other fields.
import { describe, expect, test } from 'vitest'
import { sentence } from '../../../src/claim/findings.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type MeshPlatform, type Platform } from '../../../src/platform/platform.ts'
import { validateClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim } from '../../fixtures/claims.ts'
import { withMesh } from '../../fixtures/mesh.ts'

const say = (platform: Platform, spec: JsonObject, metadata: JsonObject = {}) =>
  validateClaim(claim(spec, metadata), platform).findings.map(finding => `${sentence(finding)} [${finding.code}]`)

const knative = (mesh: JsonObject) => ({ runtime: 'Knative', nats: undefined, mesh })
const jwt = { issuer: 'a', jwksUri: 'https://a.example.com' }
const triggers = { triggers: [{ name: 'created' }] }
const image = 'ghcr.io/acme/orders:2'

test.each<{ says: string; spec: JsonObject; finding: string; mesh?: Partial<MeshPlatform> }>([
  {
    says: 'hosts',
    spec: knative({ hosts: ['a.example.com'] }),
    finding: 'spec.mesh.hosts: requires runtime Deployment: Knative has hosts of its own: knative.visibility and a DomainMapping',
  },
  {
    says: 'a canary',
    spec: knative({ canary: { image, weight: 1 } }),
    finding: 'spec.mesh.canary: requires runtime Deployment: set knative.traffic',
  },
  {
    says: 'a timeout',
    spec: knative({ timeout: '1s' }),
    finding: "spec.mesh.timeout: requires runtime Deployment: set knative.timeoutSeconds, got '1s'",
  },
  {
    says: 'retries',
    spec: knative({ retries: {} }),
    finding:
      "spec.mesh.retries: requires runtime Deployment: Knative's activator holds and repeats requests itself, within knative.timeoutSeconds",
  },
  {
    says: 'CORS',
    spec: knative({ cors: { origins: ['*'], methods: ['GET'] } }),
    finding:
      'spec.mesh.cors: requires runtime Deployment: Knative owns the routes, so the container answers CORS itself (knative.visibility)',
  },
  {
    says: 'a circuit breaker',
    spec: knative({ circuitBreaker: {} }),
    finding: 'spec.mesh.circuitBreaker: requires runtime Deployment: set knative.containerConcurrency',
  },
  {
    says: 'callers',
    spec: knative({ callers: [] }),
    finding: "spec.mesh.callers: requires runtime Deployment: Knative's activator hides the caller; set knative.visibility",
  },
  {
    says: 'a rate limit',
    spec: knative({ rateLimit: { requests: 1, per: '1s' } }),
    finding: 'spec.mesh.rateLimit: requires runtime Deployment: knative.containerConcurrency limits the requests in flight',
  },
  {
    says: 'a required token, with events',
    spec: { ...knative({ jwt }), eventing: triggers },
    finding:
      "spec.mesh.jwt.required: must not be true with runtime Knative and spec.eventing.triggers: events have no token, and Knative's activator hides who sends them, got true",
  },
  {
    says: 'an attempt longer than the timeout',
    spec: { mesh: { timeout: '5s', retries: { perTryTimeout: '10s' } } },
    finding: "spec.mesh.retries.perTryTimeout: must be at most mesh.timeout, got '10s'",
  },
  {
    says: 'no retries, but their number',
    spec: { mesh: { retries: { enabled: false, attempts: 1 } } },
    finding: 'spec.mesh.retries.enabled: must not be false with other fields of retries, got false',
  },
  {
    says: 'no circuit breaker, but its errors',
    spec: { mesh: { circuitBreaker: { enabled: false, errors: 1 } } },
    finding: 'spec.mesh.circuitBreaker.enabled: must not be false with other fields of circuitBreaker, got false',
  },
  {
    says: 'any origin with credentials',
    spec: { mesh: { cors: { origins: ['*'], methods: ['GET'], credentials: true } } },
    finding: 'spec.mesh.cors.origins: must not contain * with credentials, which browsers refuse',
  },
  {
    says: 'one replica at a time with a canary',
    spec: { updates: 'OneAtATime', mesh: { canary: { image, weight: 1 } } },
    finding: "spec.updates: must not be OneAtATime with mesh.canary: both versions run at once, got 'OneAtATime'",
  },
  {
    says: 'TLS of the sidecar for any name',
    spec: { mesh: { external: [{ host: '*.example.org', tls: 'originate' }] } },
    finding:
      "spec.mesh.external[0].host: must not contain * with tls originate, because the certificate is checked for one name, got '*.example.org'",
  },
])('conflict: $says', ({ spec, finding }) => expect(say(withMesh(), spec)).toEqual([`${finding} [CONFLICT]`]))

test.each<{ says: string; spec: JsonObject; finding: string; platform?: Platform; metadata?: JsonObject }>([
  {
    says: 'a platform without a mesh',
    spec: { mesh: {} },
    platform: builtInPlatform,
    finding:
      "spec.mesh: is not supported here: ask the platform team to install Istio and to set mesh in the function's input [UNSUPPORTED]",
  },
  {
    says: 'a platform without a gateway',
    spec: { mesh: { hosts: ['a.example.com'] } },
    platform: { ...builtInPlatform, mesh: { trustDomain: 'a', natsBypass: true } },
    finding: "spec.mesh.hosts: is not supported here: ask the platform team to set mesh.gateway in the function's input [UNSUPPORTED]",
  },
  {
    says: 'a host of somebody else',
    spec: { mesh: { hosts: ['a.billing.example.com'] } },
    platform: withMesh({ hostSuffixes: ['.{namespace}.example.com', '.example.org'] }),
    finding:
      "spec.mesh.hosts[0]: must end with one of [.shop.example.com, .example.org], the hosts of this platform, got 'a.billing.example.com' [NOT_ALLOWED]",
  },
  {
    says: 'a host twice',
    spec: { mesh: { hosts: ['a.example.com', 'a.example.com'] } },
    finding: 'spec.mesh.hosts: must not have a host twice [DUPLICATE]',
  },
  {
    says: 'a host of the cluster',
    spec: { mesh: { external: [{ host: 'web.shop.svc.cluster.local' }] } },
    finding:
      "spec.mesh.external[0].host: must be outside the cluster: the mesh knows the cluster's own services, got 'web.shop.svc.cluster.local' [OUT_OF_RANGE]",
  },
  {
    says: 'a host and port twice',
    spec: { mesh: { external: [{ host: 'a.example.org' }, { host: 'a.example.org', tls: 'none' }] } },
    finding: 'spec.mesh.external[1]: must not have the same host and port as spec.mesh.external[0] [DUPLICATE]',
  },
  {
    says: 'a host that is called twice at port 80',
    spec: {
      mesh: {
        external: [
          { host: 'a.example.org', tls: 'originate' },
          { host: 'a.example.org', port: 80, tls: 'none' },
        ],
      },
    },
    finding:
      "spec.mesh.external[1].tls: must not have the same port as spec.mesh.external[0]: the container calls both as http://a.example.org, got 'none' [DUPLICATE]",
  },
  {
    says: 'a canary that nothing reaches',
    spec: { mesh: { canary: { image } } },
    finding: 'spec.mesh.canary: needs weight or match, because no request would reach it [REQUIRED]',
  },
  {
    says: 'a caller without a name',
    spec: { mesh: { callers: [{ namespace: 'shop' }] } },
    finding: 'spec.mesh.callers[0].name: exactly one is required: name of a claim, or serviceAccount [REQUIRED]',
  },
  {
    says: 'events that no caller may send',
    spec: { mesh: { callers: [] }, eventing: triggers },
    platform: withMesh({ eventingPrincipals: [] }),
    finding:
      "spec.mesh.callers: would refuse the events of spec.eventing.triggers: ask the platform team to list their senders under mesh.eventingPrincipals in the function's input [UNSUPPORTED]",
  },
  {
    says: 'a timeout beyond five minutes',
    spec: { mesh: { timeout: '301s' } },
    finding: "spec.mesh.timeout: must be from 1s to 300s, got '301s' [OUT_OF_RANGE]",
  },
  {
    says: 'a label of a host beyond 63 characters',
    spec: { mesh: { hosts: [`${'a'.repeat(64)}.example.com`] } },
    finding: `spec.mesh.hosts[0]: must have at most 63 characters between two dots, got '${'a'.repeat(60)}…' [OUT_OF_RANGE]`,
  },
  {
    says: 'a port of the keys that no server has',
    spec: { mesh: { jwt: { ...jwt, jwksUri: 'https://a.example.com:99999/keys' } } },
    finding: "spec.mesh.jwt.jwksUri: must have a port from 1 to 65535, got 'https://a.example.com:99999/keys' [OUT_OF_RANGE]",
  },
])('refuses $says', ({ spec, finding, platform = withMesh(), metadata }) => expect(say(platform, spec, metadata)).toEqual([finding]))

describe('host suffixes', () => {
  test.each([
    { host: 'shop.example.com', accepted: true },
    { host: 'a.shop.example.com', accepted: true },
    { host: 'notshop.example.com', accepted: false },
  ])('without a dot at its start takes $host: $accepted', ({ host, accepted }) => {
    expect(say(withMesh({ hostSuffixes: ['{namespace}.example.com'] }), { mesh: { hosts: [host] } }).length === 0).toBe(accepted)
  })

  const platform = withMesh({ hostSuffixes: ['.{namespace}.example.com'] })
  test.each([
    { says: 'in the namespace', namespace: 'shop', accepted: true },
    { says: 'in another namespace', namespace: 'billing', accepted: false },
    { says: 'in a file without a namespace', namespace: undefined, accepted: true },
  ])('of a claim $says: $accepted', ({ namespace, accepted }) => {
    const findings = say(
      platform,
      { mesh: { hosts: ['a.shop.example.com'] } },
      namespace === undefined ? { namespace: undefined as never } : { namespace },
    )
    expect(findings.length === 0).toBe(accepted)
  })
})

test('the policy of the platform holds for a canary too', () => {
  const platform: Platform = {
    ...withMesh(),
    policy: { ...builtInPlatform.policy, registries: ['ghcr.io/acme'], digest: 'Required', maxReplicas: 2 },
  }
  const spec = { image: `ghcr.io/acme/a@sha256:${'0'.repeat(64)}`, mesh: { canary: { image: 'evil/b:1', weight: 1, replicas: 3 } } }
  expect(say(platform, spec)).toEqual([
    'spec.mesh.canary.replicas: must be at most 2 on this platform, got 3 [POLICY]',
    "spec.mesh.canary.image: must come from one of [ghcr.io/acme] on this platform, got 'evil/b:1' [POLICY]",
    "spec.mesh.canary.image: must have a digest on this platform, got 'evil/b:1' [POLICY]",
  ])
})
