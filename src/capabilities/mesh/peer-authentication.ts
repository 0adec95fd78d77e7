import type { Mesh } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' } as const

export const peerAuthenticationKind: KindInfo = {
  ...KIND,
  plural: 'peerauthentications',
  product: ISTIO,
  summarize: ({ spec }) => [`${scalar(at(spec, 'mtls', 'mode'))} mutual TLS`],
}

/** https://istio.io/latest/docs/reference/config/security/peer_authentication/ */
export const peerAuthentication = ({ mtls }: Mesh): ComposedResource => ({
  key: 'mesh-peer-authentication',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: { selector: { matchLabels: meshPods(claim) }, mtls: { mode: mtls } },
  }),
  ready: istioReadiness,
})
