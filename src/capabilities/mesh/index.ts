import type { External, Mesh, ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Capability, ComposedResource, Context } from '../capability.ts'
import { exists } from '../readiness.ts'
import { canaryName, canaryStage, HTTP_ROUTE, VIRTUAL_SERVICE } from '../workload/canary.ts'
import { authorizationPolicyKind, callersPolicy, tokenPolicy } from './authorization-policy.ts'
import { checkMesh } from './checks.ts'
import { destinationRuleKind, externalRule, serviceRule } from './destination-rule.ts'
import { envoyFilterKind, rateLimitFilter } from './envoy-filter.ts'
import { gateway, gatewayKind } from './gateway.ts'
import { httpRoute, httpRouteKind, redirectRoute } from './http-route.ts'
import { listenerSet, listenerSetKind } from './listener-set.ts'
import { peerAuthentication, peerAuthenticationKind } from './peer-authentication.ts'
import { requestAuthentication, requestAuthenticationKind } from './request-authentication.ts'
import { serviceEntry, serviceEntryKind } from './service-entry.ts'
import { sidecar, sidecarKind } from './sidecar.ts'
import { telemetry, telemetryKind } from './telemetry.ts'
import { virtualService, virtualServiceKind } from './virtual-service.ts'

export const mesh: Capability<Mesh> = {
  name: 'mesh',
  condition: 'Mesh',
  role: { name: 'mesh', purpose: 'spec.mesh: the kinds of Istio, and of the Gateway API for a gateway of that style.' },
  kinds: [
    peerAuthenticationKind,
    authorizationPolicyKind,
    requestAuthenticationKind,
    virtualServiceKind,
    gatewayKind,
    httpRouteKind,
    listenerSetKind,
    destinationRuleKind,
    serviceEntryKind,
    sidecarKind,
    telemetryKind,
    envoyFilterKind,
  ],
  check: checkMesh,
  resolve: claim => claim.mesh,
  resources: (resolved, claim, context) => [...ofEveryRuntime(resolved, claim, context), ...ofDeployment(resolved, claim, context)],
}

const RULES = { stable: 'mesh-destination-rule', http: 'mesh-destination-rule-http', canary: 'mesh-destination-rule-canary' }

function ofEveryRuntime(mesh: Mesh, { runtime }: ResolvedClaim, { address }: Context): ComposedResource[] {
  const { jwt, egress, external } = mesh
  return [
    peerAuthentication(mesh),
    ...(jwt ? [requestAuthentication(jwt), tokenPolicy(jwt, mesh, runtime === 'Knative' || 'ref' in address)] : []),
    ...[...byHost(external)].flatMap(([host, ports]) => [serviceEntry(host, ports), externalRule(host, ports)]),
    ...(egress === 'REGISTRY_ONLY' ? [sidecar(mesh)] : []),
    telemetry(mesh),
  ]
}

function byHost(external: readonly External[]): Map<string, External[]> {
  const hosts = new Map<string, External[]>()
  for (const one of external) hosts.set(one.host, [...(hosts.get(one.host) ?? []), one])
  return hosts
}

/** With runtime Knative, net-istio has the routes, and the activator hides the caller. */
function ofDeployment(mesh: Mesh, claim: ResolvedClaim, { findObserved, address }: Context): ComposedResource[] {
  const { callers, rateLimit } = mesh
  if (claim.runtime !== 'Deployment') return []
  const policies = [...(callers ? [callersPolicy(callers, mesh)] : []), ...(rateLimit ? [rateLimitFilter(rateLimit)] : [])]
  // While a claim changes its runtime, Knative serves under this name, and net-istio has its routes.
  if (!('service' in address)) return policies
  return [...policies, ...rules(mesh, claim, address.service, findObserved), ...routes(mesh, claim, address.service, findObserved)]
}

function rules({ circuitBreaker }: Mesh, claim: ResolvedClaim, service: string, findObserved: Context['findObserved']): ComposedResource[] {
  if (circuitBreaker === undefined) return []
  const { name, httpPort } = claim
  const canary = canaryName(claim)
  return [
    serviceRule(RULES.stable, name, service, circuitBreaker),
    ...(httpPort === undefined ? [] : [serviceRule(RULES.http, `${name}-http`, `${name}-http`, circuitBreaker)]),
    ...(canaryStage(claim, findObserved).is === 'absent' ? [] : [serviceRule(RULES.canary, canary, canary, circuitBreaker)]),
  ]
}

function routes(mesh: Mesh, claim: ResolvedClaim, service: string, findObserved: Context['findObserved']): ComposedResource[] {
  const stage = canaryStage(claim, findObserved)
  const { hosts, platform } = mesh
  if (hosts.length === 0 || platform.gateway === undefined) return [virtualService(mesh, stage, service, [], findObserved)]
  if (platform.gateway.style === 'Istio')
    return [gateway(mesh, platform.gateway), virtualService(mesh, stage, service, hosts, findObserved)]
  return [
    listenerSet(mesh, platform.gateway),
    httpRoute(mesh, stage, service, findObserved),
    redirectRoute(mesh),
    virtualService(mesh, stage, service, [], findObserved),
  ]
}

/** Deleted with the Deployment: a claim that changes to Knative keeps them as they are until Knative serves. */
export const meshOfDeployment: readonly ComposedResource[] = [
  VIRTUAL_SERVICE.key,
  'mesh-gateway',
  'mesh-listener-set',
  HTTP_ROUTE.key,
  'mesh-http-redirect',
  ...Object.values(RULES),
  'mesh-callers',
  'mesh-rate-limit',
].map(key => ({ key, build: () => undefined, ready: exists }))
