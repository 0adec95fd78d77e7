// Istio lets a request in if any ALLOW policy does. So only callers is an ALLOW policy, and a missing token is refused by DENY:
// https://istio.io/latest/docs/reference/config/security/authorization-policy/

import type { Mesh, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { deploymentPods, meshPods } from '../workload/mesh-pod.ts'
import { gatewayAccount } from './gateway.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' } as const

export const authorizationPolicyKind: KindInfo = {
  ...KIND,
  plural: 'authorizationpolicies',
  product: ISTIO,
  summarize: ({ spec }) => {
    const { length } = items(at(spec, 'rules'))
    return [`${scalar(at(spec, 'action'))} by ${length} ${length === 1 ? 'rule' : 'rules'}`]
  },
}

type Callers = NonNullable<Mesh['callers']>

/** Lists the callers that may call the workload; without a rule nobody may. */
export const callersPolicy = (callers: Callers, mesh: Mesh): ComposedResource => ({
  key: 'mesh-callers',
  build: claim => {
    const rules = [
      ...callers.map(caller => callerRule(caller, mesh, claim)),
      ...[...gatewayPrincipals(mesh), ...(receivesEvents(claim) ? eventingPrincipals(mesh) : [])].map(fromPrincipal),
    ]
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, claim.name),
      spec: { selector: { matchLabels: deploymentPods(claim) }, action: 'ALLOW', ...(rules.length > 0 && { rules }) },
    }
  },
  ready: istioReadiness,
})

/** Istio's own field serviceAccounts would match any trust domain. */
const principalOf = ({ platform: { trustDomain } }: Mesh, namespace: string, account: string) =>
  `${trustDomain}/ns/${namespace}/sa/${account}`

const fromPrincipal = (principal: string): JsonObject => ({ from: [{ source: { principals: [principal] } }] })

function callerRule({ name, serviceAccount, namespace, methods, paths }: Callers[number], mesh: Mesh, claim: ResolvedClaim): JsonObject {
  const from = fromPrincipal(principalOf(mesh, namespace ?? claim.namespace, serviceAccount ?? name ?? ''))
  if (methods === undefined && paths === undefined) return from
  return { ...from, to: [{ operation: { ...(methods && { methods }), ...(paths && { paths }) } }] }
}

function gatewayPrincipals(mesh: Mesh): string[] {
  const { gateway } = mesh.platform
  return gateway === undefined || mesh.hosts.length === 0 ? [] : [principalOf(mesh, gateway.namespace, gatewayAccount(gateway))]
}

const eventingPrincipals = ({ platform }: Mesh) => platform.eventingPrincipals ?? []

const receivesEvents = ({ eventing }: ResolvedClaim) =>
  eventing !== undefined && (eventing.triggers.length > 0 || eventing.kafka?.sink === 'workload')

/** The ports of Knative's queue-proxy: https://knative.dev/docs/serving/services/configure-requests-limits-services/ */
const KNATIVE_PORTS = ['8012', '8013', '8112']
/** Knative's activator asks here whether a pod is ready. */
const KNATIVE_PROBE = '/healthz'

/**
 * RequestAuthentication alone lets a request without a token through. Without ports this would refuse what is not HTTP.
 * `isKnative`: pods of Knative may serve, be it only until the claim has changed its runtime.
 */
export const tokenPolicy = (jwt: NonNullable<Mesh['jwt']>, mesh: Mesh, isKnative: boolean): ComposedResource => ({
  key: 'mesh-jwt-required',
  build: claim => {
    if (!jwt.required) return undefined
    const eventing = receivesEvents(claim) ? eventingPrincipals(mesh) : []
    const notPaths = [...new Set([...probePaths(claim), ...(isKnative ? [KNATIVE_PROBE] : []), ...jwt.publicPaths])]
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, `${claim.name}-jwt`),
      spec: {
        selector: { matchLabels: meshPods(claim) },
        action: 'DENY',
        rules: [
          {
            from: [{ source: { notRequestPrincipals: ['*'], ...(eventing.length > 0 && { notPrincipals: eventing }) } }],
            to: [
              {
                operation: {
                  ...(notPaths.length > 0 && { notPaths }),
                  ports: [...new Set([String(claim.port), ...(isKnative ? KNATIVE_PORTS : [])])],
                },
              },
            ],
          },
        ],
      },
    }
  },
  ready: istioReadiness,
})

/** Istio takes * and braces for patterns, and refuses most of them. The kubelet's own probes bypass the policies anyway. */
const PATTERN = /[*{}]/

const probePaths = ({ probes: { liveness, readiness, startup } }: ResolvedClaim): string[] =>
  [liveness, readiness, startup]
    .flatMap(probe => (probe !== undefined && 'path' in probe.handler ? [probe.handler.path.split('?')[0] ?? ''] : []))
    .filter(path => !PATTERN.test(path))
