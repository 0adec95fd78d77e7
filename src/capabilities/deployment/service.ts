import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { controllerOf, type Manifest } from '../../kubernetes/objects.ts'
import { type Address, SERVICE_PORT, STAND_IN_SUFFIX } from '../address.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { exists } from '../readiness.ts'
import { scalar } from '../summary.ts'
import { leftover } from '../takeover.ts'
import { metadata, selectorLabels } from '../workload/labels.ts'

const KIND = { apiVersion: 'v1', kind: 'Service' } as const

export const serviceKind: KindInfo = {
  ...KIND,
  plural: 'services',
  summarize: ({ spec }) => [
    ...items(at(spec, 'ports')).map(port => `${scalar(at(port, 'port'))} → ${scalar(at(port, 'targetPort'))}`),
    summarizeAffinity(scalar(at(spec, 'sessionAffinity'))),
  ],
}

const summarizeAffinity = (affinity: string | undefined) =>
  affinity === undefined || affinity === 'None' ? undefined : `sticky by ${affinity}`

/** A ref to a Kubernetes Service would make Knative use port 80, so the address is a URL. */
export const serviceAddress = ({ name, namespace }: ResolvedClaim, host = name): Address => ({
  uri: `http://${host}.${namespace}.svc:${SERVICE_PORT}`,
  service: host,
})

/** List entries that server-side apply leaves behind because it merges ports by name. */
export const takeover: Pick<ComposedResource, 'conflict'> = {
  conflict: (manifest, foreign) => {
    const ours = items(at(manifest, 'spec', 'ports')).map(port => at(port, 'port'))
    const unnamed = items(at(foreign, 'spec', 'ports')).find(port => at(port, 'name') === undefined && !ours.includes(at(port, 'port')))
    return leftover(unnamed === undefined ? undefined : `port ${textOf(at(unnamed, 'port'))} without a name`)
  },
}

export const service: ComposedResource = {
  key: 'service',
  build: claim => clusterIp(claim, claim.name, SERVICE_PORT),
  ready: exists,
  ...takeover,
  // The Service that Knative's Route created is deleted a moment after the Knative Service.
  isLeftByOtherRuntime: (foreign, { name }) => {
    const owner = controllerOf(foreign)
    return owner?.kind === 'Route' && textOf(owner.apiVersion).startsWith('serving.knative.dev/') && owner.name === name
  },
}

/** Serves the Deployment while Knative's Service still has the claim's name. */
export const standInService: ComposedResource = {
  key: 'service-switch',
  build: claim => clusterIp(claim, `${claim.name}${STAND_IN_SUFFIX}`, SERVICE_PORT),
  ready: exists,
}

export const httpService: ComposedResource = {
  key: 'http-service',
  build: claim =>
    claim.httpPort !== undefined
      ? clusterIp(claim, `${claim.name}-http`, claim.httpPort, { sessionAffinity: claim.sessionAffinity })
      : undefined,
  ready: exists,
  ...takeover,
}

export const clusterIp = (
  claim: ResolvedClaim,
  name: string,
  port: number,
  more: JsonObject = {},
  selector: JsonObject = selectorLabels(claim),
): Manifest => ({
  apiVersion: KIND.apiVersion,
  kind: KIND.kind,
  metadata: metadata(claim, name),
  spec: {
    type: 'ClusterIP',
    ...more,
    selector,
    ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }],
  },
})
