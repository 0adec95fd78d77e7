import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { rules } from '../../src/lint/rules.ts'
import { type RuleRow, teller } from './rule-rows.ts'

const KINDS: Readonly<Record<string, string>> = {
  Service: 'v1',
  KnativeService: 'serving.knative.dev/v1',
  Deployment: 'apps/v1',
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  Gateway: 'networking.istio.io/v1',
  ServiceEntry: 'networking.istio.io/v1',
  Sidecar: 'networking.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  ListenerSet: 'gateway.networking.k8s.io/v1',
  Broker: 'eventing.knative.dev/v1',
  Trigger: 'eventing.knative.dev/v1',
}

/** Objects as `Kind namespace/name: spec`, one a line. */
const objects = (lines: readonly string[]): JsonObject[] =>
  lines.map(line => {
    const [, kind = '', namespace, name, spec = ''] = /^(\w+) (?:([\w-]+)\/)?([\w-]+): ?(.*)$/.exec(line) ?? []
    const [document] = parseAllDocuments(spec)
    return {
      apiVersion: KINDS[kind],
      kind: kind === 'KnativeService' ? 'Service' : kind,
      metadata: { name, ...(namespace && { namespace }) },
      spec: document?.toJS() as JsonObject,
    }
  })

const told = teller({ rules, namespace: 'shop', objects })

const service = (name: string) => `Service ${name}: {ports: [{port: 80}]}`
const routeTo = (destination: string, more = '') =>
  `VirtualService web: {hosts: [web]${more}, http: [{route: [{destination: ${destination}}]}]}`
const gateway = (hosts: string) =>
  `Gateway edge: {selector: {istio: edge}, servers: [{port: {number: 443}, tls: {mode: SIMPLE}, hosts: ${hosts}}]}`
const bound = (hosts: string, gateways = '[edge]') => `VirtualService web: {hosts: ${hosts}, gateways: ${gateways}}`
const catchAll = (name: string) => `VirtualService ${name}: {hosts: [a.example.com], gateways: [shop/edge], http: [{route: []}]}`
const policy = (name: string, rule: string, more = '') => `AuthorizationPolicy ${name}: {${more}rules: [${rule}]}`
const token = "from: [{source: {requestPrincipals: ['*']}}]"
const deployment = (labels: string) => `Deployment web: {template: {metadata: {labels: ${labels}}, spec: {containers: [{name: web}]}}}`

const rows: readonly RuleRow[] = [
  {
    code: 'MISSING_SERVICE',
    says: 'namespace shop has no Service orders (order?)',
    at: '1 spec.http[0].route[0].destination.host',
    wrong: [service('order'), routeTo('{host: orders}')],
    right: {
      'a short host': [service('orders'), routeTo('{host: orders}')],
      'a full host': [service('orders'), routeTo('{host: orders.shop.svc.cluster.local}')],
      'a Service of Knative': ['KnativeService orders: {}', routeTo('{host: orders}')],
      'a host outside the cluster': [routeTo('{host: api.example.com}')],
      'a namespace outside the files': [routeTo('{host: orders.other.svc.cluster.local}')],
      'a host that a ServiceEntry declares': [
        'ServiceEntry x: {hosts: [orders.shop.svc.cluster.local]}',
        routeTo('{host: orders.shop.svc.cluster.local}'),
      ],
    },
    onlyComplete: true,
  },
  {
    code: 'MISSING_SERVICE',
    says: 'namespace shop has no Service shadow',
    at: '0 spec.http[0].mirror.host',
    wrong: ['VirtualService web: {http: [{mirror: {host: shadow}, route: []}]}'],
    right: { 'a mirror that exists': [service('shadow'), 'VirtualService web: {http: [{mirror: {host: shadow}, route: []}]}'] },
    onlyComplete: true,
  },
  {
    code: 'MISSING_SERVICE',
    says: 'namespace shop has no Service orders',
    at: '0 spec.rules[0].backendRefs[0].name',
    wrong: ['HTTPRoute web: {rules: [{backendRefs: [{name: orders, port: 80}]}]}'],
    right: {
      'a backend that exists': [service('orders'), 'HTTPRoute web: {rules: [{backendRefs: [{name: orders, port: 80}]}]}'],
      'a backend of another kind': ['HTTPRoute web: {rules: [{backendRefs: [{group: example.com, kind: Bucket, name: orders}]}]}'],
    },
    onlyComplete: true,
  },
  {
    code: 'MISSING_PORT',
    says: 'Service shop/orders has only port 80',
    at: '1 spec.http[0].route[0].destination.port.number',
    wrong: [service('orders'), routeTo('{host: orders, port: {number: 8080}}')],
    right: { 'a port of the Service': [service('orders'), routeTo('{host: orders, port: {number: 80}}')] },
  },
  {
    code: 'MISSING_SUBSET',
    says: 'must be a subset for shop/orders: v1, v2 (v2?)',
    at: '2 spec.http[0].route[0].destination.subset',
    wrong: [
      service('orders'),
      'DestinationRule orders: {host: orders, subsets: [{name: v1}, {name: v2}]}',
      routeTo('{host: orders.shop.svc.cluster.local, subset: V2}'),
    ],
    right: {
      'a subset of a rule for the same Service': [
        service('orders'),
        'DestinationRule orders: {host: orders.shop.svc.cluster.local, subsets: [{name: v2}]}',
        routeTo('{host: orders, subset: v2}'),
      ],
    },
  },
  {
    code: 'MISSING_GATEWAY',
    says: 'namespace shop has no Gateway egde (edge?)',
    at: '1 spec.gateways[0]',
    wrong: [gateway('[a.example.com]'), bound('[a.example.com]', '[egde]')],
    right: {
      'a gateway of its namespace': [gateway('[a.example.com]'), bound('[a.example.com]')],
      'a gateway of another namespace': [bound('[a.example.com]', '[istio-ingress/edge]')],
      'the mesh': [bound('[a.example.com]', '[mesh]')],
    },
    onlyComplete: true,
  },
  {
    code: 'MISSING_GATEWAY',
    says: 'must be a listener of ListenerSet shop/web: a (a?)',
    at: '1 spec.parentRefs[0].sectionName',
    wrong: ['ListenerSet web: {listeners: [{name: a}]}', 'HTTPRoute web: {parentRefs: [{kind: ListenerSet, name: web, sectionName: A}]}'],
    right: {
      'a listener that exists': [
        'ListenerSet web: {listeners: [{name: a}]}',
        'HTTPRoute web: {parentRefs: [{kind: ListenerSet, name: web, sectionName: a}]}',
      ],
    },
  },
  {
    code: 'HOST_OUTSIDE_GATEWAY',
    says: 'is not served by Gateway shop/edge, whose hosts are a.example.com, *.b.example.com',
    at: '1 spec.hosts[1]',
    wrong: [gateway("[a.example.com, '*.b.example.com']"), bound('[x.b.example.com, b.example.com]')],
    right: {
      'every host': [gateway("['*']"), bound('[a.example.com]')],
      'a wildcard that includes the host': [gateway("[shop/*.example.com, './b.org']"), bound('[A.example.com, b.org]')],
      'hosts of the mesh as well': [gateway('[a.example.com]'), bound('[a.example.com, orders]', '[edge, mesh]')],
      'a second gateway outside the files': [gateway('[a.example.com]'), bound('[b.example.com]', '[edge, other/edge]')],
    },
  },
  {
    code: 'SAME_HOST',
    says: 'VirtualService shop/a has the same host',
    at: '1 spec.hosts[0]',
    wrong: ['VirtualService a: {hosts: [orders]}', 'VirtualService b: {hosts: [orders.shop.svc.cluster.local]}'],
    right: {
      'another namespace': ['VirtualService a: {hosts: [orders]}', 'VirtualService other/b: {hosts: [orders]}'],
      'two versions of an object': ['VirtualService a: {hosts: [orders]}', 'VirtualService a: {hosts: [orders]}'],
      'different paths at a gateway': [
        catchAll('a'),
        'VirtualService b: {hosts: [a.example.com], gateways: [shop/edge], http: [{match: [{uri: {prefix: /b}}]}]}',
      ],
      'gateways of plain HTTP': [
        'Gateway a: {selector: {istio: edge}, servers: [{port: {number: 80}, hosts: [a.example.com]}]}',
        'Gateway b: {selector: {istio: edge}, servers: [{port: {number: 80}, hosts: [a.example.com]}]}',
      ],
    },
  },
  {
    code: 'SAME_HOST',
    says: 'VirtualService shop/a has the same host',
    at: '1 spec.hosts[0]',
    wrong: [catchAll('a'), catchAll('b')],
    right: {},
  },
  {
    code: 'SAME_HOST',
    says: 'Gateway shop/edge has the same host',
    at: '1 spec.servers[0].hosts[0]',
    wrong: [gateway('[a.example.com]'), gateway('[a.example.com]').replace('edge:', 'second:')],
    right: { 'another host': [gateway('[a.example.com]'), gateway('[b.example.com]').replace('edge:', 'second:')] },
  },
  {
    code: 'SAME_HOST',
    says: 'ListenerSet shop/a has the same host',
    at: '1 spec.listeners[0].hostname',
    wrong: ['a', 'b'].map(
      name => `ListenerSet ${name}: {parentRef: {name: edge, namespace: edge}, listeners: [{port: 443, hostname: a.example.com}]}`,
    ),
    right: {},
  },
  {
    code: 'HOST_OUTSIDE_GATEWAY',
    says: 'is not served by ListenerSet shop/web, whose hosts are a.example.com',
    at: '1 spec.hostnames[0]',
    wrong: [
      'ListenerSet web: {listeners: [{name: a, hostname: a.example.com}, {name: b, hostname: b.example.com}]}',
      'HTTPRoute web: {hostnames: [b.example.com], parentRefs: [{kind: ListenerSet, name: web, sectionName: a}]}',
    ],
    right: {
      'any listener without a section': [
        'ListenerSet web: {listeners: [{name: a, hostname: a.example.com}, {name: b, hostname: b.example.com}]}',
        'HTTPRoute web: {hostnames: [b.example.com], parentRefs: [{kind: ListenerSet, name: web}]}',
      ],
    },
  },
  {
    code: 'SAME_HOST',
    says: 'HTTPRoute shop/a has the same host',
    at: '1 spec.hostnames[0]',
    wrong: ['a', 'b'].map(name => `HTTPRoute ${name}: {hostnames: [a.example.com], parentRefs: [{name: edge}], rules: [{}]}`),
    right: {
      'different paths': ['a', 'b'].map(
        name =>
          `HTTPRoute ${name}: {hostnames: [a.example.com], parentRefs: [{name: edge}], rules: [{matches: [{path: {value: /${name}}}]}]}`,
      ),
    },
  },
  {
    code: 'MISSING_SINK',
    says: 'namespace shop has no Service orders',
    at: '0 spec.subscriber.ref.name',
    wrong: ['Trigger x: {subscriber: {ref: {apiVersion: v1, kind: Service, name: orders}}}'],
    right: {
      'a Service': [service('orders'), 'Trigger x: {subscriber: {ref: {apiVersion: v1, kind: Service, name: orders}}}'],
      'a host outside the cluster': ["Trigger x: {subscriber: {uri: 'https://events.example.com/orders'}}"],
      'a Broker': ['Broker x: {}', 'Trigger x: {subscriber: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: x}}}'],
    },
    onlyComplete: true,
  },
  {
    code: 'MISSING_SINK',
    says: 'namespace shop has no Service orders',
    at: '0 spec.delivery.deadLetterSink.uri',
    wrong: ["Broker x: {delivery: {deadLetterSink: {uri: 'http://orders.shop.svc.cluster.local/dead'}}}"],
    right: {},
    onlyComplete: true,
  },
  {
    code: 'MISSING_BROKER',
    says: 'namespace shop has no Broker ordres (orders?)',
    at: '1 spec.broker',
    wrong: ['Broker orders: {}', 'Trigger x: {broker: ordres}'],
    right: { 'a Broker': ['Broker orders: {}', 'Trigger x: {broker: orders}'], 'the Broker of Knative': ['Trigger x: {broker: default}'] },
    onlyComplete: true,
  },
  {
    code: 'SELECTS_NOTHING',
    says: 'selects nothing: no pods in namespace shop have the labels app=web, tier=a',
    at: '1 spec.workloadSelector.labels',
    wrong: [deployment('{app: web}'), 'Sidecar x: {workloadSelector: {labels: {app: web, tier: a}}}'],
    right: {
      'pods with these labels and others': [deployment('{app: web, tier: a}'), 'Sidecar x: {workloadSelector: {labels: {app: web}}}'],
      'all pods': ['Sidecar x: {}'],
      'the namespace of istiod': ['Sidecar istio-system/x: {workloadSelector: {labels: {app: web}}}'],
    },
    onlyComplete: true,
  },
  {
    code: 'TOKEN_NOT_REQUIRED',
    says: 'requires no token, because AuthorizationPolicy shop/b lets requests in without one, and any ALLOW policy suffices: use action DENY with notRequestPrincipals: ["*"]',
    at: '0 spec.rules[0].from[0].source.requestPrincipals',
    wrong: [policy('a', `{${token}}`), policy('b', '{to: [{operation: {methods: [GET]}}]}')],
    right: {
      'a token in both': [policy('a', `{${token}}`), policy('b', `{${token}}`)],
      'a policy that lets nobody in': [policy('a', `{${token}}`), 'AuthorizationPolicy b: {}'],
      'a DENY policy': [policy('a', "{from: [{source: {notRequestPrincipals: ['*']}}]}", 'action: DENY, '), policy('b', '{}')],
      'other paths': [
        policy('a', `{${token}, to: [{operation: {paths: [/v1/*]}}]}`),
        policy('b', '{to: [{operation: {paths: [/healthz]}}]}'),
      ],
      'paths that the policy leaves out': [
        policy('a', `{${token}, to: [{operation: {notPaths: [/public/*]}}]}`),
        policy('b', '{to: [{operation: {paths: [/public/docs]}}]}'),
      ],
      'a rule of the same policy': [policy('a', `{${token}}, {to: [{operation: {paths: [/healthz]}}]}`)],
      'other pods': [
        policy('a', `{${token}}`, 'selector: {matchLabels: {app: a}}, '),
        policy('b', '{}', 'selector: {matchLabels: {app: b}}, '),
      ],
    },
  },
]

describe.each(rows)('$code: $says', ({ code, says, at, wrong, right, onlyComplete }) => {
  test('is reported', () => {
    expect(told(wrong, true).findings).toContainEqual({ at, code, says })
    const alone = told(wrong).findings.filter(finding => finding.code === code)
    expect(alone).toEqual(onlyComplete ? [] : [{ at, code, says }])
  })

  test.each(Object.entries(right).map(([title, lines]) => ({ title, lines })))('accepts $title', ({ lines }) => {
    expect(told(lines, true).findings.filter(finding => finding.code === code)).toEqual([])
  })
})

test('every rule has a row', () => expect(new Set(rows.map(({ code }) => code))).toEqual(new Set(rules.map(({ code }) => code))))

test('counts references out of the objects', () => {
  expect(told([routeTo('{host: orders}'), 'Trigger x: {broker: shop}'])).toEqual({ findings: [], unchecked: 2 })
  expect(told([routeTo('{host: orders.other.svc.cluster.local}')], true)).toEqual({ findings: [], unchecked: 1 })
})
