// https://istio.io/latest/docs/reference/config/networking/destination-rule/
import type { CircuitBreaker, External } from '../../claim/resolved-claim.ts'
import { at, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { meshPods } from '../workload/mesh-pod.ts'
import { externalName, PLAIN_PORT } from './external.ts'
import { duration, hostOf, ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' } as const

export const destinationRuleKind: KindInfo = {
  ...KIND,
  plural: 'destinationrules',
  product: ISTIO,
  summarize: ({ spec }) => [
    scalar(at(spec, 'host')),
    at(spec, 'trafficPolicy', 'outlierDetection') === undefined ? undefined : 'with a circuit breaker',
  ],
}

/** One for each Service of the claim. `service` gets requests now, and another one while the claim changes its runtime. */
export const serviceRule = (key: string, name: string, service: string, breaker: CircuitBreaker): ComposedResource => ({
  key,
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, name),
    spec: {
      host: hostOf(service, claim.namespace),
      trafficPolicy: { loadBalancer: { simple: 'LEAST_REQUEST' }, ...breakerPolicy(breaker) },
    },
  }),
  ready: istioReadiness,
  target: object => textOf(at(object, 'spec', 'host')),
})

/** Without workloadSelector, the first rule for a host would hold for the whole namespace. */
export const externalRule = (host: string, ports: readonly External[]): ComposedResource => ({
  key: `mesh-external-rule-${host}`,
  build: claim => {
    // Istio refuses a port without any setting.
    const policies = ports
      .map(port => ({ number: port.tls === 'originate' ? PLAIN_PORT : port.port, policy: policyOf(port) }))
      .filter(({ policy }) => Object.keys(policy).length > 0)
    const [first] = policies
    if (first === undefined) return undefined
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, externalName(claim, host)),
      spec: {
        host,
        exportTo: ['.'],
        workloadSelector: { matchLabels: meshPods(claim) },
        trafficPolicy:
          ports.length === 1
            ? first.policy
            : { portLevelSettings: policies.map(({ number, policy }): JsonObject => ({ port: { number }, ...policy })) },
      },
    }
  },
  ready: istioReadiness,
})

const policyOf = ({ host, tls, circuitBreaker }: External): JsonObject => ({
  ...(tls === 'originate' && { tls: { mode: 'SIMPLE', sni: host, subjectAltNames: [host], caCertificates: 'system' } }),
  ...(circuitBreaker && breakerPolicy(circuitBreaker)),
})

function breakerPolicy(breaker: CircuitBreaker): JsonObject {
  const { maxConnections, maxPending, maxRequests, errors, interval, ejection, maxEjectionPercent } = breaker
  const http = {
    ...(maxPending !== undefined && { http1MaxPendingRequests: maxPending }),
    ...(maxRequests !== undefined && { http2MaxRequests: maxRequests }),
  }
  const pool = { ...(maxConnections !== undefined && { tcp: { maxConnections } }), ...(Object.keys(http).length > 0 && { http }) }
  return {
    ...(Object.keys(pool).length > 0 && { connectionPool: pool }),
    outlierDetection: {
      consecutive5xxErrors: errors,
      interval: duration(interval),
      baseEjectionTime: duration(ejection),
      ...(maxEjectionPercent !== undefined && { maxEjectionPercent }),
    },
  }
}
