import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import type { ComposedResource } from '../capability.ts'
import { exists } from '../readiness.ts'
import { SERVICE_PORT, STAND_IN_SUFFIX } from '../workload/address.ts'
import { metadata, selectorLabels } from '../workload/labels.ts'

/** With runtime Knative the Route makes a Service of the claim's name, and fails on one that it does not own. */
const hasServices = ({ runtime }: ResolvedClaim) => runtime === 'Deployment'

export const service: ComposedResource = {
  key: 'service',
  concern: 'Workload',
  build: claim => (hasServices(claim) ? clusterIp(claim, claim.name, SERVICE_PORT) : undefined),
  ready: exists,
}

/** Leads to the Deployment while the Service of Knative's is still called by the claim's name. */
export const standInService: ComposedResource = {
  key: 'service-switch',
  concern: 'Workload',
  build: claim => clusterIp(claim, `${claim.name}${STAND_IN_SUFFIX}`, SERVICE_PORT),
  ready: exists,
}

export const httpService: ComposedResource = {
  key: 'http-service',
  concern: 'Workload',
  build: claim =>
    hasServices(claim) && claim.httpPort !== undefined
      ? clusterIp(claim, `${claim.name}-http`, claim.httpPort, { sessionAffinity: claim.sessionAffinity })
      : undefined,
  ready: exists,
}

const clusterIp = (claim: ResolvedClaim, name: string, port: number, more: JsonObject = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata(claim, name),
  spec: {
    type: 'ClusterIP',
    ...more,
    selector: selectorLabels(claim),
    ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }],
  },
})
