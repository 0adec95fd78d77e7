// The image of a claim with spec.build is known only from its status and the observed objects.
import { isRunKey } from '../capabilities/build/identity.ts'
import { findImage } from '../capabilities/build/image.ts'
import { build } from '../capabilities/build/index.ts'
import type { FindObserved } from '../capabilities/capability.ts'
import { runtimes, WORKLOAD } from '../capabilities/index.ts'
import { inProgress, type Readiness } from '../capabilities/readiness.ts'
import type { EventDrivenServiceStatus } from '../claim/generated/types.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, type JsonObject, nonEmptyText } from '../kubernetes/json.ts'
import { ownStatus } from './conditions.ts'
import type { Observe, Observed } from './observe.ts'

export interface WithImage {
  readonly claim: ResolvedClaim
  /** What no resource says. */
  readonly states: readonly { readonly condition: string; readonly readiness: Readiness }[]
  readonly status: EventDrivenServiceStatus
}

const AWAITING = inProgress('Waiting', 'The workload is created once its image is built.')

export function withImage(claim: ResolvedClaim, observed: Observed, observe: Observe, composite: JsonObject): WithImage {
  if (claim.build === undefined) return { claim, states: [], status: {} }
  const runs = Object.keys(observed)
    .filter(isRunKey)
    .flatMap(key => {
      const object = observe(key)?.object
      return object === undefined ? [] : [{ key, object }]
    })
  const findObserved: FindObserved = ({ key }) => observe(key)?.object
  const seen = { findObserved, runs, previous: ownStatus(composite).build, running: runningImage(findObserved) }
  const { image = '', commit, builds, status, readiness } = findImage(claim.build, claim, seen)
  return {
    claim: Object.assign({}, claim, { image, builds }, commit === undefined ? {} : { commit }),
    states: [
      ...(readiness ? [{ condition: build.condition, readiness }] : []),
      ...(image === '' ? [{ condition: WORKLOAD, readiness: AWAITING }] : []),
    ],
    status: status ? { build: status } : {},
  }
}

/** The image of a workload that ran before the claim had a build. */
function runningImage(find: FindObserved): string | undefined {
  const { Deployment, Knative } = runtimes
  const workloads = [Deployment.backend ?? Deployment.entryPoint, Knative.entryPoint, Knative.standIn]
  const images = workloads.map(workload => nonEmptyText(at(find(workload), 'spec', 'template', 'spec', 'containers', 0, 'image')))
  return images.find(image => image !== undefined)
}
