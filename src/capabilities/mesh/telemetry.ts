import type { Mesh } from '../../claim/resolved-claim.ts'
import { at } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry' } as const

export const telemetryKind: KindInfo = {
  ...KIND,
  plural: 'telemetries',
  product: ISTIO,
  summarize: ({ spec }) => {
    const sampling = scalar(at(spec, 'tracing', 0, 'randomSamplingPercentage'))
    const isQuiet = at(spec, 'accessLogging', 0, 'disabled') === true
    return [sampling && `traces ${sampling}%`, isQuiet ? 'no access logs' : 'access logs']
  },
}

/** Istio's built-in provider of access logs. */
const ENVOY = 'envoy'

/** One for each claim, because of several for a pod Istio uses only one: https://istio.io/latest/docs/reference/config/telemetry/ */
export const telemetry = ({ sampling, accessLogs, platform }: Mesh): ComposedResource => ({
  key: 'mesh-telemetry',
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, claim.name),
    spec: {
      selector: { matchLabels: meshPods(claim) },
      // Without a provider nothing is traced.
      ...(platform.tracingProvider !== undefined && {
        tracing: [{ providers: [{ name: platform.tracingProvider }], randomSamplingPercentage: sampling }],
      }),
      accessLogging: [{ providers: [{ name: platform.accessLogProvider ?? ENVOY }], ...(!accessLogs && { disabled: true }) }],
    },
  }),
  ready: istioReadiness,
})
