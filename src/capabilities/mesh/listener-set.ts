import type { Mesh, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items } from '../../kubernetes/json.ts'
import type { MeshPlatform } from '../../platform/platform.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { conditionsReadiness } from './gateway-api.ts'
import { GATEWAY_API } from './kinds.ts'

export const LISTENER_SET = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'ListenerSet' } as const

export const listenerSetKind: KindInfo = {
  ...LISTENER_SET,
  plural: 'listenersets',
  product: GATEWAY_API,
  summarize: ({ spec }) => [...new Set(items(at(spec, 'listeners')).map(listener => scalar(at(listener, 'hostname'))))],
}

/** The sections of a host, to which routes attach. */
export const section = { https: (host: string) => `https.${host}`, http: (host: string) => `http.${host}` }

/** Beside the claim, so that its certificate can be there too: https://gateway-api.sigs.k8s.io/geps/gep-1713/ */
export const listenerSet = (mesh: Mesh, gateway: MeshPlatform['gateway'] & object): ComposedResource => ({
  key: 'mesh-listener-set',
  build: claim => ({
    apiVersion: LISTENER_SET.apiVersion,
    kind: LISTENER_SET.kind,
    metadata: metadata(claim, claim.name, issuer(mesh)),
    spec: {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: gateway.name, namespace: gateway.namespace },
      listeners: mesh.hosts.flatMap(hostname => [
        {
          name: section.https(hostname),
          hostname,
          port: 443,
          protocol: 'HTTPS',
          tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: secretOf(claim, mesh) }] },
        },
        { name: section.http(hostname), hostname, port: 80, protocol: 'HTTP' },
      ]),
    },
  }),
  ready: observed => conditionsReadiness(observed, at(observed, 'status', 'conditions'), ['Accepted', 'Programmed']),
})

const secretOf = ({ name }: ResolvedClaim, { tlsSecret }: Mesh) => tlsSecret ?? `${name}-tls`

/** https://cert-manager.io/docs/usage/gateway/ */
const issuer = ({ platform: { clusterIssuer } }: Mesh) =>
  clusterIssuer === undefined ? {} : { annotations: { 'cert-manager.io/cluster-issuer': clusterIssuer } }
