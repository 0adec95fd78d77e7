// The targets of Prometheus' kubernetes_sd_configs, from the API server: Debian builds Prometheus without them.
// https://prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config
import { at, isObject, items, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import type { Api } from '../cluster/api.ts'

/** An entry of a file for file_sd_configs. */
export interface Target {
  readonly targets: readonly [string]
  readonly labels: Readonly<Record<string, string>>
}

const META = '__meta_kubernetes'
const word = (label: string) => label.replaceAll(/[^A-Za-z0-9_]/g, '_')

function labelsOf(object: JsonObject, of: 'pod' | 'service'): Record<string, string> {
  const labels = at(object, 'metadata', 'labels')
  const entries = Object.entries(isObject(labels) ? labels : {})
  return Object.fromEntries([
    [`${META}_${of}_name`, textOf(at(object, 'metadata', 'name'))],
    ...entries.map(([name, value]) => [`${META}_${of}_label_${word(name)}`, textOf(value)]),
    ...entries.map(([name]) => [`${META}_${of}_labelpresent_${word(name)}`, 'true']),
  ])
}

interface Port {
  readonly container: string
  readonly name: string
  readonly number: number
}

const portsOf = (pod: JsonObject): Port[] =>
  items(at(pod, 'spec', 'containers')).flatMap(container =>
    items(at(container, 'ports')).map(port => ({
      container: textOf(at(container, 'name')),
      name: textOf(at(port, 'name') ?? ''),
      number: Number(at(port, 'containerPort')),
    })),
  )

function podLabels(pod: JsonObject, { container, name, number }: Port): Record<string, string> {
  return {
    ...labelsOf(pod, 'pod'),
    [`${META}_namespace`]: textOf(at(pod, 'metadata', 'namespace')),
    [`${META}_pod_ip`]: textOf(at(pod, 'status', 'podIP')),
    [`${META}_pod_phase`]: textOf(at(pod, 'status', 'phase')),
    [`${META}_pod_ready`]: 'true',
    [`${META}_pod_container_name`]: container,
    [`${META}_pod_container_port_name`]: name,
    [`${META}_pod_container_port_number`]: String(number),
  }
}

const selects = (service: JsonObject, pod: JsonObject): boolean => {
  const selector = Object.entries((at(service, 'spec', 'selector') ?? {}) as JsonObject)
  return selector.length > 0 && selector.every(([name, value]) => at(pod, 'metadata', 'labels', name) === value)
}

/** With the labels of both roles for endpoints, of which the operator chooses one by the version of Prometheus. */
function endpointLabels(service: JsonObject, pod: JsonObject, portName: string): Record<string, string> {
  const name = textOf(at(pod, 'metadata', 'name'))
  const each = (role: string) => ({
    [`${META}_${role}_port_name`]: portName,
    [`${META}_${role}_ready`]: 'true',
    [`${META}_${role}_address_target_kind`]: 'Pod',
    [`${META}_${role}_address_target_name`]: name,
  })
  return { ...labelsOf(service, 'service'), ...each('endpoint'), ...each('endpointslice') }
}

/** The targets of one discovery. */
export async function discover(api: Api, discovery: JsonObject): Promise<Target[]> {
  const namespaces = items(at(discovery, 'namespaces', 'names')).map(textOf)
  const found = await Promise.all(
    namespaces.map(async namespace => {
      const running = (await api.list({ apiVersion: 'v1', kind: 'Pod', namespace })).filter(pod => at(pod, 'status', 'podIP') !== undefined)
      const targets = running.flatMap(pod => portsOf(pod).map(port => ({ pod, port, labels: podLabels(pod, port) })))
      if (discovery.role === 'pod') return targets
      const services = await api.list({ apiVersion: 'v1', kind: 'Service', namespace })
      return services.flatMap(service =>
        items(at(service, 'spec', 'ports')).flatMap(servicePort =>
          targets
            .filter(
              ({ pod, port }) =>
                selects(service, pod) && [port.name, port.number].includes(at(servicePort, 'targetPort') as string | number),
            )
            .map(target => ({
              ...target,
              labels: { ...target.labels, ...endpointLabels(service, target.pod, textOf(at(servicePort, 'name') ?? '')) },
            })),
        ),
      )
    }),
  )
  return found.flat().map(({ pod, port, labels }) => ({ targets: [`${textOf(at(pod, 'status', 'podIP'))}:${port.number}`], labels }))
}
