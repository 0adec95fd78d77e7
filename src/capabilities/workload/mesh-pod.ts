// The part of a pod that belongs to the mesh, for every runtime.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'

/** Istio's name for one service of several workloads. The sidecars report it, and the policies of a claim select by it. */
const SERVICE_LABEL = 'service.istio.io/canonical-name'
/** Only pods of a Deployment have it, so that a policy can leave out those of Knative while a claim changes its runtime. */
const RUNTIME_LABEL = 'platform.bizmatters.io/runtime'

/** All pods of the claim: those of a canary and of both runtimes too. */
export const meshPods = ({ name }: ResolvedClaim) => ({ [SERVICE_LABEL]: name })

/** All pods of the claim's Deployments. */
export const deploymentPods = (claim: ResolvedClaim) => ({ ...meshPods(claim), [RUNTIME_LABEL]: 'deployment' })

/** https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy */
export function meshLabels(claim: ResolvedClaim): JsonObject | undefined {
  if (claim.mesh === undefined) return undefined
  const { revision } = claim.mesh.platform
  return {
    ...(claim.runtime === 'Deployment' ? deploymentPods(claim) : meshPods(claim)),
    ...(revision === undefined ? { 'sidecar.istio.io/inject': 'true' } : { 'istio.io/rev': revision }),
  }
}

/** https://istio.io/latest/docs/reference/config/annotations/ */
export function meshAnnotations(claim: ResolvedClaim): JsonObject | undefined {
  const { mesh, nats, initContainer } = claim
  if (mesh === undefined) return undefined
  const ports = nats && mesh.platform.natsBypass ? serverFirstPorts(nats.url) : []
  return {
    ...(ports.length > 0 && { 'traffic.sidecar.istio.io/excludeOutboundPorts': ports.join(',') }),
    // An ordinary sidecar starts after the init containers, which would have no network.
    ...(initContainer && { 'sidecar.istio.io/nativeSidecar': 'true' }),
  }
}

/** A NATS server speaks first, so the sidecar would wait for the client. WebSockets begin with a request. */
const serverFirstPorts = (url: string): string[] => [
  ...new Set(
    url
      .split(',')
      .filter(address => !address.startsWith('ws'))
      .flatMap(address => PORT.exec(address)?.[1] ?? []),
  ),
]

const PORT = /:(\d+)(?:\/|$)/
