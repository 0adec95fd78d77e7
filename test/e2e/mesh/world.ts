// A claim in a cluster: what it renders after its Deployments have become available, with the objects that only a cluster adds.
import fc from 'fast-check'
import { issueCertificate } from '../../../scripts/certificates.ts'
import { exampleClaims, platformOf } from '../../../scripts/generate/examples.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import type { Manifest } from '../../../src/kubernetes/objects.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { findingsMessage } from '../../../src/reconcile/conditions.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { gateways, meshClaims, type Style, styles, withMesh } from '../../fixtures/mesh.ts'
import type { Message } from './witness.ts'

export interface Case {
  /** The name in a failure. */
  readonly says: string
  readonly document: JsonObject
  readonly platform: Platform
  readonly manifests: readonly Manifest[]
}

const AVAILABLE = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  availableReplicas: 1,
  readyReplicas: 1,
  conditions: [{ type: 'Available', status: 'True' }],
}

/** The manifests of the claim with all its Deployments available, so that a canary gets its weight. */
export function settled(document: JsonObject, platform: Platform): readonly Manifest[] {
  const parsed = parseClaim(document, platform)
  if (!parsed.ok) throw new Error(findingsMessage(parsed.findings))
  const { claim } = parsed
  const observed = compose(claim, platform, {}).resources.map(({ key, manifest }) => {
    const object: JsonObject = { ...manifest, metadata: { ...manifest.metadata, generation: 1 } }
    return [key, manifest.kind === 'Deployment' ? { ...object, status: AVAILABLE } : object] as const
  })
  return compose(claim, platform, Object.fromEntries(observed)).resources.map(({ manifest }) => manifest)
}

export const ofExamples = (): Case[] =>
  exampleClaims()
    .filter(({ claim }) => at(claim, 'spec', 'mesh') !== undefined)
    .map(example => {
      const platform = platformOf(example)
      return { says: example.file, document: example.claim, platform, manifests: settled(example.claim, platform) }
    })

/** Generated claims, with the gateway of each style in turn. */
export const generated = (numRuns: number): Case[] =>
  fc.sample(meshClaims(), { numRuns, seed: 19 }).map((document, index) => {
    const platform = withMesh({ gateway: gateways[styles[index % styles.length] ?? 'Istio'] })
    return { says: JSON.stringify(document), document, platform, manifests: settled(document, platform) }
  })

const metadataOf = (name: string, namespace: string, labels: JsonObject = {}): JsonObject => ({ name, namespace, labels })

const PODS = 2

/** A running pod of the workload, with the label and the container that Istio's injector adds. */
function pod(workload: Manifest, ordinal: number, address: string): JsonObject {
  const template = at(workload, 'spec', 'template')
  const spec = at(template, 'spec')
  const { name, namespace } = workload.metadata
  const labels = at(template, 'metadata', 'labels')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadataOf(`${name}-${ordinal}`, textOf(namespace), { ...(isObject(labels) && labels), 'security.istio.io/tlsMode': 'istio' }),
      annotations: at(template, 'metadata', 'annotations') ?? {},
    },
    spec: {
      serviceAccountName: 'default',
      ...(isObject(spec) && spec),
      containers: [...items(at(spec, 'containers')), { name: 'istio-proxy', image: 'istio/proxyv2' }],
      nodeName: 'node',
    },
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  }
}

function endpointSlice(service: Manifest, pods: readonly JsonObject[]): JsonObject {
  const { name, namespace = '' } = service.metadata
  const selector = Object.entries(at(service, 'spec', 'selector') ?? {})
  const isSelected = (one: JsonObject) =>
    at(one, 'metadata', 'namespace') === namespace &&
    selector.length > 0 &&
    selector.every(([label, value]) => at(one, 'metadata', 'labels', label) === value)
  const own = pods.filter(isSelected)
  const portOf = (target: string) =>
    own
      .flatMap(one => items(at(one, 'spec', 'containers')))
      .flatMap(container => items(at(container, 'ports')))
      .find(port => at(port, 'name') === target)
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadataOf(`${name}-1`, namespace, { 'kubernetes.io/service-name': name }),
    addressType: 'IPv4',
    endpoints: own.map(one => ({
      addresses: [textOf(at(one, 'status', 'podIP'))],
      conditions: { ready: true, serving: true },
      targetRef: { kind: 'Pod', name: textOf(at(one, 'metadata', 'name')), namespace },
    })),
    ports: items(at(service, 'spec', 'ports')).map(port => {
      const target = at(port, 'targetPort') ?? at(port, 'port') ?? 0
      return {
        name: textOf(at(port, 'name')),
        protocol: 'TCP',
        port: typeof target === 'number' ? target : (at(portOf(textOf(target)), 'containerPort') ?? 8080),
      }
    }),
  }
}

const INGRESS = 'istio-ingress'

/** The pods and the Service of a gateway, as its chart or istiod creates them. */
function gatewayOf(style: Style): Manifest[] {
  const [name, labels]: [string, JsonObject] =
    style === 'Istio'
      ? ['istio-ingressgateway', { istio: 'ingressgateway' }]
      : ['public-istio', { 'gateway.networking.k8s.io/gateway-name': 'public' }]
  const metadata = { name, namespace: INGRESS, labels }
  const ports = [
    { name: 'http', port: 80, targetPort: style === 'Istio' ? 8080 : 80 },
    { name: 'https', port: 443, targetPort: style === 'Istio' ? 8443 : 443 },
  ]
  const container = { name: 'gateway', image: 'istio/proxyv2', ports: ports.map(({ targetPort }) => ({ containerPort: targetPort })) }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { serviceAccountName: name, containers: [container] } },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { type: 'LoadBalancer', selector: labels, clusterIP: '10.96.0.9', ports } },
  ]
}

const site = issueCertificate(undefined, { commonName: 'site', usages: ['server'], dnsNames: ['example.com'] })
const base64 = (pem: string) => Buffer.from(pem).toString('base64')

/** What the Gateway API needs besides. */
const gatewayApi: readonly JsonObject[] = [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'istio' },
    spec: { controllerName: 'istio.io/gateway-controller' },
  },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'public', namespace: INGRESS },
    spec: {
      gatewayClassName: 'istio',
      allowedListeners: { namespaces: { from: 'All' } },
      listeners: [{ name: 'default', hostname: 'status.example.com', port: 80, protocol: 'HTTP' }],
    },
  },
]

/** The Secret that the platform team or cert-manager creates for the hosts. */
const secrets = (manifests: readonly Manifest[]): JsonObject[] => {
  const names = [
    ...manifests
      .filter(({ kind }) => kind === 'Gateway')
      .flatMap(gateway => items(at(gateway, 'spec', 'servers')))
      .flatMap(server => at(server, 'tls', 'credentialName') ?? [])
      .map(name => [INGRESS, textOf(name)] as const),
    ...manifests
      .filter(({ kind }) => kind === 'ListenerSet')
      .flatMap(set =>
        items(at(set, 'spec', 'listeners'))
          .flatMap(listener => items(at(listener, 'tls', 'certificateRefs')))
          .map(reference => [textOf(set.metadata.namespace), textOf(at(reference, 'name'))] as const),
      ),
  ]
  return names.map(([namespace, name]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadataOf(name, namespace),
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(site.certificate), 'tls.key': base64(site.key) },
  }))
}

/** A match without a path matches every path: a default of the CRD, which istiod expects. */
function withDefaults(manifest: Manifest): JsonObject {
  if (manifest.kind !== 'HTTPRoute') return manifest
  const EVERY = { type: 'PathPrefix', value: '/' }
  const rules = items(at(manifest, 'spec', 'rules')).map((rule): JsonObject => {
    const { matches = [{}], ...others } = isObject(rule) ? rule : {}
    return { ...others, matches: items(matches).map(match => ({ path: EVERY, ...(isObject(match) && match) })) }
  })
  const { spec } = manifest
  return { ...manifest, spec: { ...(isObject(spec) && spec), rules } }
}

/** The Service of the tracing provider. */
const collector: Manifest = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'otel', namespace: 'istio-system' },
  spec: { clusterIP: '10.96.0.8', ports: [{ name: 'grpc', port: 4317 }] },
}

/** The cluster of a case: its manifests with gateway, namespaces, pods and endpoints. */
export function clusterOf({ platform, manifests }: Pick<Case, 'platform' | 'manifests'>): JsonObject[] {
  const gateway = platform.mesh?.gateway
  const all = [...manifests, collector, ...(gateway === undefined ? [] : gatewayOf(gateway.style))]
  const isWorkload = ({ apiVersion, kind }: Manifest) =>
    kind === 'Deployment' || (apiVersion.startsWith('serving.knative.dev/') && kind === 'Service')
  const pods = all
    .filter(isWorkload)
    .flatMap((workload, index) => Array.from({ length: PODS }, (_, ordinal) => pod(workload, ordinal, `10.1.${index}.${ordinal + 1}`)))
  const services = all
    .filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Service')
    .map((service, index) => {
      const spec = at(service, 'spec')
      return { ...service, spec: { clusterIP: `10.96.1.${index + 1}`, ...(isObject(spec) && spec) } }
    })
  const isService = ({ apiVersion, kind }: Manifest) => apiVersion === 'v1' && kind === 'Service'
  const namespaces = [...new Set([...all.flatMap(({ metadata: { namespace } }) => namespace ?? []), 'istio-system'])]
  return [
    ...namespaces.map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'istio-injection': 'enabled' } } })),
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } },
    ...(gateway?.style === 'GatewayAPI' ? gatewayApi : []),
    ...all.filter(manifest => !isService(manifest)).map(withDefaults),
    ...services,
    ...secrets(manifests),
    ...pods,
    ...services.map(service => endpointSlice(service, pods)),
  ]
}

/** The mesh of a platform team: the providers that the platform's input names. */
export const meshConfig: JsonObject = {
  trustDomain: 'cluster.local',
  // Without Istio's own filters for metrics.
  defaultProviders: {},
  // By default /docs/..%2fv1 would count as a path below /docs/, while many applications read it as /v1.
  pathNormalization: { normalization: 'DECODE_AND_MERGE_SLASHES' },
  enableTracing: true,
  extensionProviders: [
    { name: 'otel', opentelemetry: { service: 'otel.istio-system.svc.cluster.local', port: 4317 } },
    { name: 'json-log', envoyFileAccessLog: { path: '/dev/stdout', logFormat: { labels: {} } } },
  ],
}

export const isOfMesh = ({ apiVersion }: Manifest) => /(?:istio|gateway\.networking\.k8s)\.io\//.test(apiVersion)

export const lineOf = ({ code, resource, message }: Message) => `${code} ${resource}: ${message}`
