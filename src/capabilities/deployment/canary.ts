// The canary of a claim: a second Deployment with another image, and its Service.
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { Json, JsonObject } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { SERVICE_PORT } from '../address.ts'
import type { Capability, ComposedResource, Context, FindObserved } from '../capability.ts'
import { freeze } from '../freeze.ts'
import { exists, inProgress, type Readiness } from '../readiness.ts'
import { CANARY_DEPLOYMENT, CANARY_SERVICE, type CanaryStage, canaryName, canaryStage } from '../workload/canary.ts'
import { metadata, NAME_LABEL, podMetadata } from '../workload/labels.ts'
import { deploymentRole } from '../workload/roles.ts'
import { updates } from './availability.ts'
import { deployment, deploymentKind, KIND, podSpec, readinessOf } from './deployment.ts'
import { clusterIp, serviceKind, takeover } from './service.ts'

/** Shares the mesh's condition, so that a canary never blocks the workload. */
export const deploymentCanary: Capability<ResolvedClaim> = {
  name: 'deployment',
  condition: 'Mesh',
  role: deploymentRole,
  kinds: [deploymentKind, serviceKind],
  // Also for a claim that has just left the mesh.
  resolve: claim => (claim.runtime === 'Deployment' && claim.platform.mesh !== undefined ? claim : undefined),
  resources,
}

function resources(_: ResolvedClaim, claim: ResolvedClaim, { findObserved }: Context): readonly ComposedResource[] {
  const stage = canaryStage(claim, findObserved)
  return stage.is === 'absent' ? [] : [canaryDeployment(stage, findObserved), canaryService(stage, findObserved)]
}

type Present = Exclude<CanaryStage, { is: 'absent' }>

const selectorOf = (claim: ResolvedClaim) => ({ [NAME_LABEL]: canaryName(claim) })

const canaryDeployment = (stage: Present, findObserved: FindObserved): ComposedResource => ({
  ...CANARY_DEPLOYMENT,
  build: claim => {
    const observed = findObserved(CANARY_DEPLOYMENT)
    return stage.is === 'asked' ? manifestOf(claim, stage.canary, observed) : observed && freeze(observed)
  },
  ready: (observed, claim) => leaving(stage, claim) ?? readinessOf(observed, claim, canaryName(claim)),
  readyCondition: 'Available',
  ...(deployment.conflict && { conflict: deployment.conflict }),
})

const canaryService = (stage: Present, findObserved: FindObserved): ComposedResource => ({
  ...CANARY_SERVICE,
  build: claim => {
    if (stage.is === 'asked') return clusterIp(claim, canaryName(claim), SERVICE_PORT, {}, selectorOf(claim))
    const observed = findObserved(CANARY_SERVICE)
    return observed && clusterIp(claim, canaryName(claim), SERVICE_PORT, {}, selectorOf(claim))
  },
  ready: (observed, claim) => leaving(stage, claim) ?? exists(observed),
  ...takeover,
})

function manifestOf(
  claim: ResolvedClaim,
  { image, replicas }: { image: string; replicas: number },
  observed: JsonObject | undefined,
): Manifest {
  // A canary always receives requests, so its pods wait before they stop.
  const own: ResolvedClaim = Object.assign({}, claim, { image, httpPort: claim.port })
  const { labels, ...pod } = podMetadata(own)
  return {
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, canaryName(claim)),
    spec: {
      replicas,
      selector: { matchLabels: selectorOf(claim) },
      ...updates(claim, observed),
      template: { metadata: { labels: Object.assign({}, labels, selectorOf(claim)) as Json, ...pod }, spec: podSpec(own, observed) },
    },
  }
}

function leaving(stage: Present, claim: ResolvedClaim): Readiness | undefined {
  if (stage.is === 'asked') return undefined
  const why = stage.holds ? `Deployment ${claim.name} has rolled out` : 'no route leads to it any more'
  return inProgress('CanaryLeaving', `The canary serves until ${why}, and is then deleted.`)
}

/** Deleted with the Deployment, like the routes that lead to them. */
export const canaryResources: readonly ComposedResource[] = [CANARY_DEPLOYMENT, CANARY_SERVICE].map(({ key }) => ({
  key,
  build: () => undefined,
  ready: exists,
}))
