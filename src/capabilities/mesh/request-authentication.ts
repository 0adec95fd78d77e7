import type { Mesh } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication' } as const

export const requestAuthenticationKind: KindInfo = {
  ...KIND,
  plural: 'requestauthentications',
  product: ISTIO,
  summarize: ({ spec }) => [`tokens of ${scalar(at(spec, 'jwtRules', 0, 'issuer'))}`],
}

/** Refuses wrong tokens, but no missing one: https://istio.io/latest/docs/reference/config/security/request_authentication/ */
export const requestAuthentication = ({ issuer, jwksUri, audiences }: NonNullable<Mesh['jwt']>): ComposedResource => ({
  key: 'mesh-request-authentication',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      selector: { matchLabels: meshPods(claim) },
      // The container may want to read the token too.
      jwtRules: [{ issuer, jwksUri, ...(audiences.length > 0 && { audiences }), forwardOriginalToken: true }],
    },
  }),
  ready: istioReadiness,
})
