import type { Mesh, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items } from '../../kubernetes/json.ts'
import type { MeshPlatform } from '../../platform/platform.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'networking.istio.io/v1', kind: 'Gateway' } as const

export const gatewayKind: KindInfo = {
  ...KIND,
  plural: 'gateways',
  product: ISTIO,
  summarize: ({ spec }) => items(at(spec, 'servers', 0, 'hosts')).map(scalar),
}

/** Istio looks the secret up in the namespace of the gateway's pods, so its name says whose it is. */
export const gatewaySecret = ({ namespace, name }: ResolvedClaim, { tlsSecret }: Mesh): string => tlsSecret ?? `${namespace}-${name}-tls`

/** The service account of the gateway's pods: https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/ */
export const gatewayAccount = ({ style, name, serviceAccount }: MeshPlatform['gateway'] & object): string =>
  serviceAccount ?? (style === 'Istio' ? name : `${name}-istio`)

/** https://istio.io/latest/docs/reference/config/networking/gateway/ */
export const gateway = (mesh: Mesh, { selector = { istio: 'ingressgateway' } }: MeshPlatform['gateway'] & object): ComposedResource => ({
  key: 'mesh-gateway',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      selector,
      servers: [
        {
          port: { number: 443, name: 'https', protocol: 'HTTPS' },
          hosts: mesh.hosts,
          tls: { mode: 'SIMPLE', credentialName: gatewaySecret(claim, mesh) },
        },
        { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: mesh.hosts, tls: { httpsRedirect: true } },
      ],
    },
  }),
  ready: istioReadiness,
})
