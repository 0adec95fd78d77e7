import type { Mesh } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { deploymentPods } from '../workload/mesh-pod.ts'
import { duration, ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter' } as const

export const envoyFilterKind: KindInfo = {
  ...KIND,
  plural: 'envoyfilters',
  product: ISTIO,
  summarize: ({ spec }) => {
    const bucket = at(spec, 'configPatches', 0, 'patch', 'value', 'typed_config', 'token_bucket')
    return [`${scalar(at(bucket, 'max_tokens'))} requests per ${scalar(at(bucket, 'fill_interval'))}`]
  },
}

const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } }

/** https://istio.io/latest/docs/tasks/policy-enforcement/rate-limit/#local-rate-limit */
export const rateLimitFilter = ({ requests, per }: NonNullable<Mesh['rateLimit']>): ComposedResource => ({
  key: 'mesh-rate-limit',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      workloadSelector: { labels: deploymentPods(claim) },
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          match: {
            context: 'SIDECAR_INBOUND',
            listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } },
          },
          patch: {
            // Before all other filters, so that a refused request costs the least.
            operation: 'INSERT_FIRST',
            value: {
              name: 'envoy.filters.http.local_ratelimit',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
                stat_prefix: 'http_local_rate_limiter',
                token_bucket: { max_tokens: requests, tokens_per_fill: requests, fill_interval: duration(per) },
                filter_enabled: always,
                filter_enforced: always,
              },
            },
          },
        },
      ],
    },
  }),
  ready: istioReadiness,
})
