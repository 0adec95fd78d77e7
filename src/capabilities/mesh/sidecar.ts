import type { Mesh } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'networking.istio.io/v1', kind: 'Sidecar' } as const

export const sidecarKind: KindInfo = {
  ...KIND,
  plural: 'sidecars',
  product: ISTIO,
  summarize: ({ spec }) => [scalar(at(spec, 'outboundTrafficPolicy', 'mode'))],
}

/** A guard rail and no firewall: https://istio.io/latest/docs/reference/config/networking/sidecar/ */
export const sidecar = ({ platform: { egressHosts = ['*/*'] } }: Mesh): ComposedResource => ({
  key: 'mesh-sidecar',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      workloadSelector: { labels: meshPods(claim) },
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      // The hosts of spec.mesh.external are in the claim's own namespace.
      egress: [{ hosts: egressHosts.includes('*/*') || egressHosts.includes('./*') ? egressHosts : ['./*', ...egressHosts] }],
    },
  }),
  ready: istioReadiness,
})
