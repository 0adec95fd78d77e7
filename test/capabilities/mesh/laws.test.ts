// The properties of the requirement, each by its number, over the manifests of generated claims. FC_RUNS sets the number of runs.
// 2, 17 and 18 are about the installation of Istio (test/package/mesh.test.ts), and the requirement has none of the numbers 4, 11 and 12.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, isObject, items, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { Manifest } from '../../../src/kubernetes/objects.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { findingsMessage } from '../../../src/reconcile/conditions.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { type ClaimDocument, deepFreeze, RUNS } from '../../fixtures/claims.ts'
import { gateways, meshClaims, styles, withMesh } from '../../fixtures/mesh.ts'
import { violations } from '../workload/pod-security.ts'

const platforms = styles.map(style => deepFreeze(withMesh({ gateway: gateways[style] })))

interface Rendered {
  readonly document: ClaimDocument
  readonly manifests: readonly Manifest[]
  readonly all: (kind: string) => readonly Manifest[]
}

const law = (property: (rendered: Rendered) => void) =>
  fc.assert(
    fc.property(meshClaims(), fc.constantFrom(...platforms), (document, platform) => {
      const parsed = parseClaim(deepFreeze(document), platform)
      if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
      const manifests = compose(parsed.claim, platform, {}).resources.map(({ manifest }) => manifest)
      property({ document, manifests, all: kind => manifests.filter(manifest => manifest.kind === kind) })
    }),
    { numRuns: Math.max(100, Math.ceil(RUNS / 3)) },
  )

const isIstio = ({ apiVersion }: Manifest) => /(?:istio|gateway\.networking\.k8s)\.io\//.test(apiVersion)
const templates = (manifests: readonly Manifest[]) => manifests.map(manifest => at(manifest, 'spec', 'template')).filter(isObject)
const seconds = (value: Json | undefined) => Number(/^(\d+)s$/.exec(String(value))?.[1])
const between = (value: Json | undefined, least: number, most: number) => {
  expect(Number(value)).toBeGreaterThanOrEqual(least)
  expect(Number(value)).toBeLessThanOrEqual(most)
}
const routes = ({ all }: Rendered) => all('VirtualService').flatMap(service => items(at(service, 'spec', 'http')))
const rules = ({ all }: Rendered) =>
  all('HTTPRoute')
    .flatMap(route => items(at(route, 'spec', 'rules')))
    .filter(rule => at(rule, 'backendRefs') !== undefined)

describe('every claim in the mesh', () => {
  test('1: has pods that ask for a sidecar', () => {
    law(({ manifests }) => {
      for (const template of templates(manifests)) expect(at(template, 'metadata', 'labels', 'sidecar.istio.io/inject')).toBe('true')
      expect(templates(manifests).length).toBeGreaterThan(0)
    })
  })

  test('has pods that keep the restricted Pod Security Standard', () => {
    law(({ manifests }) => {
      for (const template of templates(manifests)) expect(violations(template)).toEqual([])
    })
  })

  test('3: accepts only mutual TLS, unless the claim or development says otherwise', () => {
    law(({ document, all }) => {
      const [policy, ...others] = all('PeerAuthentication')
      const mode = at(document, 'spec', 'mesh', 'mtls') ?? (document.spec.environment === 'development' ? 'PERMISSIVE' : 'STRICT')
      expect([at(policy, 'spec', 'mtls', 'mode'), others]).toEqual([mode, []])
    })
  })

  test('5: sends shares that add up to 100', () => {
    law(rendered => {
      const sum = (of: readonly Json[]) => of.reduce<number>((total, share) => total + Number(at(share, 'weight')), 0)
      for (const route of routes(rendered)) expect(sum(items(at(route, 'route')))).toBe(100)
      for (const rule of rules(rendered)) expect(sum(items(at(rule, 'backendRefs')))).toBe(100)
    })
  })

  test('6: breaks circuits within bounds', () => {
    law(({ all }) => {
      for (const rule of all('DestinationRule')) {
        const policy = at(rule, 'spec', 'trafficPolicy')
        const policies = [policy, ...items(at(policy, 'portLevelSettings'))].flatMap(one => at(one, 'outlierDetection') ?? [])
        for (const detection of policies) {
          between(at(detection, 'consecutive5xxErrors'), 1, 1_000_000_000)
          between(seconds(at(detection, 'interval')), 1, 3600)
          between(seconds(at(detection, 'baseEjectionTime')), 1, 3600)
          between(at(detection, 'maxEjectionPercent') ?? 10, 1, 100)
        }
      }
    })
  })

  test('7: retries within the timeout', () => {
    law(rendered => {
      for (const route of routes(rendered)) {
        between(at(route, 'retries', 'attempts'), 0, 10)
        if (at(route, 'retries', 'attempts') === 0) continue
        between(seconds(at(route, 'retries', 'perTryTimeout')), 1, seconds(at(route, 'timeout')))
        expect(at(route, 'retries', 'retryOn')).toMatch(/^[a-z0-9-]+(?:,[a-z0-9-]+)*$/)
      }
    })
  })

  test('8: has a timeout for every route', () => {
    law(rendered => {
      for (const route of routes(rendered)) between(seconds(at(route, 'timeout')), 1, 300)
      for (const rule of rules(rendered)) between(seconds(at(rule, 'timeouts', 'request')), 1, 300)
    })
  })

  test('9: serves hosts with TLS only, and redirects the rest', () => {
    law(({ all }) => {
      for (const server of all('Gateway').flatMap(gateway => items(at(gateway, 'spec', 'servers')))) {
        if (at(server, 'port', 'protocol') === 'HTTP') expect(at(server, 'tls')).toEqual({ httpsRedirect: true })
        else expect(at(server, 'tls')).toEqual({ mode: 'SIMPLE', credentialName: expect.stringMatching(/./) })
      }
      for (const listener of all('ListenerSet').flatMap(set => items(at(set, 'spec', 'listeners'))))
        expect(at(listener, 'tls', 'certificateRefs', 0, 'name') !== undefined).toBe(at(listener, 'protocol') === 'HTTPS')
      expect(all('HTTPRoute')).toHaveLength(all('ListenerSet').length * 2)
    })
  })

  test('10: routes exactly the hosts of its gateway', () => {
    law(({ document, all }) => {
      const hosts = document.spec.runtime === 'Knative' ? [] : items(at(document, 'spec', 'mesh', 'hosts'))
      const isOutside = (host: Json) => !String(host).endsWith('.svc.cluster.local')
      for (const gateway of all('Gateway')) {
        const [service] = all('VirtualService')
        expect(items(at(service, 'spec', 'hosts')).filter(isOutside)).toEqual(hosts)
        expect(items(at(gateway, 'spec', 'servers')).map(server => at(server, 'hosts'))).toEqual([hosts, hosts])
        expect(at(service, 'spec', 'gateways')).toContain(`${gateway.metadata.namespace}/${gateway.metadata.name}`)
      }
      for (const set of all('ListenerSet')) {
        const sections = items(at(set, 'spec', 'listeners')).map(listener => at(listener, 'name'))
        const parents = all('HTTPRoute').flatMap(route => items(at(route, 'spec', 'parentRefs')).map(parent => at(parent, 'sectionName')))
        expect([...parents].sort()).toEqual([...sections].sort())
        for (const route of all('HTTPRoute')) expect(at(route, 'spec', 'hostnames')).toEqual(hosts)
      }
    })
  })

  test('13: traces the share of its environment with a provider', () => {
    law(({ document, all }) => {
      const ofEnvironment = { development: 10, staging: 5 }[String(document.spec.environment)] ?? 1
      expect(all('Telemetry').map(one => at(one, 'spec', 'tracing'))).toEqual([
        [{ providers: [{ name: 'otel' }], randomSamplingPercentage: at(document, 'spec', 'mesh', 'tracing', 'sampling') ?? ofEnvironment }],
      ])
    })
  })

  test('14: logs with the provider of JSON logs', () => {
    law(({ document, all }) => {
      const isOff = at(document, 'spec', 'mesh', 'accessLogs') === false
      const logging = [{ providers: [{ name: 'json-log' }], ...(isOff && { disabled: true }) }]
      expect(all('Telemetry').map(one => at(one, 'spec', 'accessLogging'))).toEqual([logging])
    })
  })

  test('15: names callers by principals of its trust domain', () => {
    law(({ all }) => {
      for (const rule of all('AuthorizationPolicy').flatMap(policy => items(at(policy, 'spec', 'rules')))) {
        const sources = items(at(rule, 'from')).map(from => at(from, 'source'))
        for (const source of sources)
          for (const principal of [...items(at(source, 'principals')), ...items(at(source, 'notPrincipals'))])
            expect(principal).toMatch(/^cluster\.local\/ns\/[a-z0-9-]+\/sa\/[a-z0-9.-]+$/)
      }
    })
  })

  test('16: reads the keys of tokens over https', () => {
    law(({ all }) => {
      for (const rule of all('RequestAuthentication').flatMap(one => items(at(one, 'spec', 'jwtRules'))))
        expect(at(rule, 'jwksUri')).toMatch(/^https:\/\//)
    })
  })

  test('16: refuses a missing token by DENY for its own port, never by ALLOW', () => {
    law(({ document, all }) => {
      const required = at(document, 'spec', 'mesh', 'jwt') !== undefined && at(document, 'spec', 'mesh', 'jwt', 'required') !== false
      const denied = all('AuthorizationPolicy').filter(policy => at(policy, 'spec', 'action') === 'DENY')
      expect(denied).toHaveLength(required ? 1 : 0)
      for (const policy of denied) expect(at(policy, 'spec', 'rules', 0, 'to', 0, 'operation', 'ports')).not.toEqual([])
      expect(JSON.stringify(all('AuthorizationPolicy').filter(policy => !denied.includes(policy)))).not.toContain('equestPrincipals')
    })
  })

  test('19: declares external hosts that are outside the cluster, for its own namespace', () => {
    law(({ all }) => {
      for (const entry of all('ServiceEntry')) {
        expect(entry.spec).toMatchObject({ location: 'MESH_EXTERNAL', exportTo: ['.'] })
        for (const host of items(at(entry, 'spec', 'hosts'))) {
          expect(host).toMatch(/^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
          expect(host).not.toMatch(/\.svc(?:\.|$)|\.local$/)
          expect(at(entry, 'spec', 'resolution')).toBe(String(host).startsWith('*') ? 'NONE' : 'DNS')
        }
        const ports = items(at(entry, 'spec', 'ports'))
        expect(new Set(ports.map(port => at(port, 'number'))).size).toBe(ports.length)
      }
    })
  })

  test('20: reaches only known hosts in production, unless the claim says otherwise', () => {
    law(({ document, all }) => {
      const egress = at(document, 'spec', 'mesh', 'egress') ?? (document.spec.environment === 'production' ? 'REGISTRY_ONLY' : 'ALLOW_ANY')
      const modes = all('Sidecar').map(one => at(one, 'spec', 'outboundTrafficPolicy', 'mode'))
      expect(modes).toEqual(egress === 'REGISTRY_ONLY' ? ['REGISTRY_ONLY'] : [])
    })
  })

  test('21: has a rule for each external host that needs one, for its own pods only', () => {
    law(({ document, all }) => {
      const external = items(at(document, 'spec', 'mesh', 'external'))
      const hosts = new Set(external.map(one => at(one, 'host')))
      const needs = external.filter(one => at(one, 'tls') === 'originate' || at(one, 'circuitBreaker', 'enabled') !== false)
      const own = all('DestinationRule').filter(rule => hosts.has(at(rule, 'spec', 'host')))
      expect(new Set(own.map(rule => at(rule, 'spec', 'host')))).toEqual(new Set(needs.map(one => at(one, 'host'))))
      for (const rule of own) {
        const host = at(rule, 'spec', 'host')
        const originates = external.some(one => at(one, 'host') === host && at(one, 'tls') === 'originate')
        expect(at(rule, 'spec', 'workloadSelector')).toBeDefined()
        expect(JSON.stringify(rule).includes(`"sni":${JSON.stringify(host)}`)).toBe(originates)
      }
    })
  })

  test('22: needs no templates: the claim itself renders routes, rules and mutual TLS', () => {
    law(({ document, all }) => {
      const isDeployment = document.spec.runtime !== 'Knative'
      const breaks = at(document, 'spec', 'mesh', 'circuitBreaker', 'enabled') !== false
      expect(all('PeerAuthentication')).toHaveLength(1)
      expect(all('VirtualService')).toHaveLength(isDeployment ? 1 : 0)
      const own = all('DestinationRule').filter(rule => String(at(rule, 'spec', 'host')).endsWith('.svc.cluster.local'))
      expect(own.length > 0).toBe(isDeployment && breaks)
    })
  })

  test('has policies that select exactly its pods', () => {
    law(({ manifests }) => {
      const pods = templates(manifests).map(template => at(template, 'metadata', 'labels') as JsonObject)
      for (const manifest of manifests.filter(isIstio)) {
        const selector = at(manifest, 'spec', 'selector', 'matchLabels') ?? at(manifest, 'spec', 'workloadSelector', 'labels')
        if (!isObject(selector)) continue
        for (const labels of pods) expect(labels).toMatchObject(selector)
      }
    })
  })

  test('has routes only to Services and hosts that it renders', () => {
    law(rendered => {
      const namespace = rendered.document.metadata.namespace
      const known = rendered.all('Service').map(({ metadata }) => `${metadata.name}.${namespace}.svc.cluster.local`)
      for (const route of routes(rendered))
        for (const to of items(at(route, 'route'))) expect(known).toContain(at(to, 'destination', 'host'))
      const own = rendered.all('DestinationRule').map(rule => String(at(rule, 'spec', 'host')))
      for (const host of own.filter(one => one.endsWith('.svc.cluster.local'))) expect(known).toContain(host)
    })
  })

  test('has objects of valid names, each of its own', () => {
    law(({ manifests }) => {
      for (const { metadata } of manifests) expect(metadata.name).toMatch(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/)
      const objects = manifests.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)
      expect(new Set(objects).size).toBe(objects.length)
      expect(JSON.stringify(manifests)).not.toMatch(/[:,[]null\b|"(?:undefined|NaN)"/)
    })
  })
})
