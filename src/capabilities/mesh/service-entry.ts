import type { External } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { scalar } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { externalName, PLAIN_PORT } from './external.ts'
import { ISTIO, istioReadiness } from './kinds.ts'

const KIND = { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry' } as const

export const serviceEntryKind: KindInfo = {
  ...KIND,
  plural: 'serviceentries',
  product: ISTIO,
  summarize: ({ spec }) => [
    ...items(at(spec, 'hosts')).map(scalar),
    ...items(at(spec, 'ports')).map(port => `${scalar(at(port, 'number'))} ${scalar(at(port, 'protocol'))}`),
  ],
}

/** One for each host, with all its ports: https://istio.io/latest/docs/reference/config/networking/service-entry/ */
export const serviceEntry = (host: string, ports: readonly External[]): ComposedResource => ({
  key: `mesh-external-${host}`,
  build: claim => ({
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(claim, externalName(claim, host)),
    spec: {
      hosts: [host],
      exportTo: ['.'],
      location: 'MESH_EXTERNAL',
      // DNS can't resolve a wildcard, so the sidecar connects to the address that the container has looked up.
      resolution: host.startsWith('*') ? 'NONE' : 'DNS',
      ports: ports.map(portOf),
    },
  }),
  ready: istioReadiness,
})

function portOf({ port, tls }: External): JsonObject {
  switch (tls) {
    case 'passthrough':
      return { number: port, name: `tls-${port}`, protocol: 'TLS' }
    case 'originate':
      return { number: PLAIN_PORT, name: `http-${PLAIN_PORT}`, protocol: 'HTTP', targetPort: port }
    case 'none':
      return { number: port, name: `http-${port}`, protocol: 'HTTP' }
    default:
      return tls satisfies never
  }
}
