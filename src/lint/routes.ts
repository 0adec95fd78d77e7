// The destinations of VirtualServices, DestinationRules and HTTPRoutes.
import type { Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { type Inventory, KNATIVE_SERVICE, type LintObject, SERVICE } from './inventory.ts'
import { eachOf, type Report, reportMissing } from './rule.ts'

export const VIRTUAL_SERVICE = 'networking.istio.io/VirtualService'
export const HTTP_ROUTE = 'gateway.networking.k8s.io/HTTPRoute'
const DESTINATION_RULE = 'networking.istio.io/DestinationRule'
const SERVICE_ENTRY = 'networking.istio.io/ServiceEntry'

export interface ServiceName {
  readonly name: string
  readonly namespace: string
}

const CLUSTER_HOST = /^([^.*]+)\.([^.*]+)\.svc\.cluster\.local$/

/** The Kubernetes Service of a host as Istio reads it. A host with dots is a name of the network, such as `api.example.com`. */
export function serviceOf(host: string, namespace: string): ServiceName | undefined {
  if (/^[^.*]+$/.test(host)) return { name: host, namespace }
  const [, name, other] = CLUSTER_HOST.exec(host) ?? []
  return name === undefined || other === undefined ? undefined : { name, namespace: other }
}

export const fullHost = ({ name, namespace }: ServiceName): string => `${name}.${namespace}.svc.cluster.local`

/** A reference to a Service, with the fields that a route may add. */
interface Destination {
  readonly service: ServiceName
  /** The path of the host or name. */
  readonly path: Path
  readonly port?: { readonly number: Json | undefined; readonly path: Path }
  readonly subset?: { readonly name: string; readonly path: Path }
}

function destinationsOf(object: LintObject): Destination[] {
  switch (object.groupKind) {
    case VIRTUAL_SERVICE:
      return ofVirtualService(object)
    case DESTINATION_RULE:
      return ofDestination({ host: at(object.value, 'spec', 'host') }, ['spec'], object.namespace)
    default:
      return ofHttpRoute(object)
  }
}

function ofVirtualService({ value, namespace }: LintObject): Destination[] {
  return ['http', 'tls', 'tcp'].flatMap(protocol =>
    items(at(value, 'spec', protocol)).flatMap((rule, index) => {
      const here = ['spec', protocol, index]
      return [
        ...listOf(rule, 'route').flatMap(([to, place]) =>
          ofDestination(at(to, 'destination'), [...here, ...place, 'destination'], namespace),
        ),
        ...ofDestination(at(rule, 'mirror'), [...here, 'mirror'], namespace),
        ...listOf(rule, 'mirrors').flatMap(([to, place]) =>
          ofDestination(at(to, 'destination'), [...here, ...place, 'destination'], namespace),
        ),
      ]
    }),
  )
}

/** The entries of a list, each with its path. */
export const listOf = (value: Json | undefined, field: string): [Json, Path][] =>
  items(at(value, field)).map((entry, index) => [entry, [field, index]])

function ofDestination(destination: Json | undefined, path: Path, namespace: string): Destination[] {
  const host = nonEmptyText(at(destination, 'host'))
  const service = host === undefined ? undefined : serviceOf(host, namespace)
  if (service === undefined) return []
  const subset = nonEmptyText(at(destination, 'subset'))
  const number = at(destination, 'port', 'number')
  return [
    {
      service,
      path: [...path, 'host'],
      ...(number !== undefined && { port: { number, path: [...path, 'port', 'number'] } }),
      ...(subset !== undefined && { subset: { name: subset, path: [...path, 'subset'] } }),
    },
  ]
}

function ofHttpRoute({ value, namespace }: LintObject): Destination[] {
  return listOf(at(value, 'spec'), 'rules').flatMap(([rule, ruleAt]) =>
    listOf(rule, 'backendRefs').flatMap(([backend, backendAt]): Destination[] => {
      const name = nonEmptyText(at(backend, 'name'))
      const isService = (at(backend, 'kind') ?? 'Service') === 'Service' && (at(backend, 'group') ?? '') === ''
      if (name === undefined || !isService) return []
      const path = ['spec', ...ruleAt, ...backendAt]
      const service = { name, namespace: nonEmptyText(at(backend, 'namespace')) ?? namespace }
      const number = at(backend, 'port')
      return [{ service, path: [...path, 'name'], ...(number !== undefined && { port: { number, path: [...path, 'port'] } }) }]
    }),
  )
}

const routing = [VIRTUAL_SERVICE, DESTINATION_RULE, HTTP_ROUTE]

/** Whether a Service exists. Knative creates one for each of its own. */
export const hasService = (inventory: Inventory, { name, namespace }: ServiceName): boolean =>
  inventory.find(SERVICE, namespace, name) !== undefined || inventory.find(KNATIVE_SERVICE, namespace, name) !== undefined

/** The report of a missing Service, for every rule that finds one. */
export const noService = (inventory: Inventory, object: LintObject, service: ServiceName, path: Path): Report =>
  reportMissing(inventory, object, path, { kind: 'Service', groupKinds: [SERVICE, KNATIVE_SERVICE], ...service })

const isDeclared = (inventory: Inventory, service: ServiceName) =>
  inventory.ofKind(SERVICE_ENTRY).some(({ value }) => items(at(value, 'spec', 'hosts')).includes(fullHost(service)))

export const missingService = eachOf(routing, (object, inventory) =>
  destinationsOf(object).flatMap(({ service, path }) =>
    hasService(inventory, service) || isDeclared(inventory, service) ? [] : [noService(inventory, object, service, path)],
  ),
)

export const missingPort = eachOf(routing, (object, inventory) =>
  destinationsOf(object).flatMap(({ service, port }): Report[] => {
    const found = inventory.find(SERVICE, service.namespace, service.name)
    const ports = items(at(found?.value, 'spec', 'ports')).map(one => at(one, 'port'))
    if (port === undefined || ports.length === 0 || ports.includes(port.number)) return []
    const problem = `Service ${service.namespace}/${service.name} has only ${ports.length === 1 ? 'port' : 'the ports'} ${ports.join(', ')}`
    return [{ object, path: port.path, problem, found: port.number }]
  }),
)

export const missingSubset = eachOf([VIRTUAL_SERVICE], (object, inventory) =>
  destinationsOf(object).flatMap(({ service, subset }): Report[] => {
    if (subset === undefined) return []
    const rules = inventory.ofKind(DESTINATION_RULE).filter(({ value, namespace }) => {
      const target = serviceOf(nonEmptyText(at(value, 'spec', 'host')) ?? '', namespace)
      return target !== undefined && fullHost(target) === fullHost(service)
    })
    const subsets = rules.flatMap(({ value }) => items(at(value, 'spec', 'subsets')).flatMap(one => nonEmptyText(at(one, 'name')) ?? []))
    if (subsets.includes(subset.name)) return []
    const { path, name: found } = subset
    const where = `for ${service.namespace}/${service.name}`
    if (rules.length === 0) return [{ object, path, found, problem: `no DestinationRule ${where} exists`, absentFrom: service.namespace }]
    const problem = subsets.length === 0 ? `no DestinationRule ${where} has subsets` : `must be a subset ${where}: ${subsets.join(', ')}`
    return [{ object, path, found, problem, meant: didYouMean(found, subsets) }]
  }),
)

/** Whether a route of a VirtualService or HTTPRoute takes every request of its host. */
export function takesEverything({ value, groupKind }: LintObject): boolean {
  if (groupKind === VIRTUAL_SERVICE)
    return items(at(value, 'spec', 'http')).some(rule => isOpen(items(at(rule, 'match')), match => at(match, 'uri', 'prefix')))
  return items(at(value, 'spec', 'rules')).some(rule =>
    isOpen(items(at(rule, 'matches')), match => (at(match, 'path', 'type') === 'Exact' ? undefined : at(match, 'path', 'value'))),
  )
}

const isOpen = (matches: readonly Json[], prefixOf: (match: Json) => Json | undefined) =>
  matches.length === 0 || matches.some(match => isObject(match) && Object.keys(match).length === 1 && prefixOf(match) === '/')
