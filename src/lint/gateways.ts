// The gateways of routes, and the hosts that they serve.
import type { Path } from '../claim/findings.ts'
import { at, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { type LintObject, say } from './inventory.ts'
import { HTTP_ROUTE, listOf, VIRTUAL_SERVICE } from './routes.ts'
import { eachOf, type Report, reportMissing } from './rule.ts'

export const GATEWAY = 'networking.istio.io/Gateway'
export const LISTENER_SET = 'gateway.networking.k8s.io/ListenerSet'
/** All sidecars, as the gateway of a VirtualService. */
export const MESH = 'mesh'

/** A reference of a route to a gateway or a ListenerSet. */
export interface Parent {
  readonly groupKind: string
  readonly namespace: string
  readonly name: string
  readonly section?: string
  readonly path: Path
}

export function parentsOf({ value, groupKind, namespace }: LintObject): Parent[] {
  if (groupKind === VIRTUAL_SERVICE)
    return listOf(at(value, 'spec'), 'gateways').flatMap(([gateway, place]): Parent[] => {
      const [first, second] = String(gateway).split('/')
      // Older manifests name the Service of a gateway.
      if (first === undefined || gateway === MESH || first.includes('.')) return []
      const of = second === undefined ? { namespace, name: first } : { namespace: first, name: second }
      return [{ groupKind: GATEWAY, namespace: of.namespace, name: of.name, path: ['spec', ...place] }]
    })
  return listOf(at(value, 'spec'), 'parentRefs').flatMap(([parent, place]): Parent[] => {
    const name = nonEmptyText(at(parent, 'name'))
    const kind = nonEmptyText(at(parent, 'kind')) ?? 'Gateway'
    const group = nonEmptyText(at(parent, 'group')) ?? 'gateway.networking.k8s.io'
    if (name === undefined || (kind !== 'Gateway' && kind !== 'ListenerSet')) return []
    const section = nonEmptyText(at(parent, 'sectionName'))
    return [
      {
        groupKind: `${group}/${kind}`,
        namespace: nonEmptyText(at(parent, 'namespace')) ?? namespace,
        name,
        ...(section !== undefined && { section }),
        path: ['spec', ...place, 'name'],
      },
    ]
  })
}

const routes = [VIRTUAL_SERVICE, HTTP_ROUTE]

export const missingGateway = eachOf(routes, (object, inventory) =>
  parentsOf(object).flatMap((parent): Report[] => {
    const { groupKind, namespace, name, section, path } = parent
    const kind = groupKind.split('/')[1] ?? ''
    const found = inventory.find(groupKind, namespace, name)
    if (found === undefined) return [reportMissing(inventory, object, path, { kind, groupKinds: [groupKind], namespace, name })]
    const sections = listenersOf(found).map(listener => String(at(listener, 'name')))
    if (section === undefined || sections.includes(section)) return []
    const problem = `must be a listener of ${say(found)}: ${sections.join(', ')}`
    return [{ object, path: [...path.slice(0, -1), 'sectionName'], problem, found: section, meant: didYouMean(section, sections) }]
  }),
)

const listenersOf = ({ value }: LintObject): readonly Json[] => items(at(value, 'spec', 'listeners'))

/** The hosts of a gateway for a route in a namespace. A gateway of Istio can limit a host to a namespace. */
function hostsFor(gateway: LintObject, { section }: Parent, namespace: string): string[] {
  if (gateway.groupKind !== GATEWAY)
    return listenersOf(gateway)
      .filter(listener => section === undefined || at(listener, 'name') === section)
      .map(listener => nonEmptyText(at(listener, 'hostname')) ?? '*')
  return items(at(gateway.value, 'spec', 'servers'))
    .flatMap(server => items(at(server, 'hosts')))
    .flatMap(entry => {
      const [host = '', only] = String(entry).split('/').reverse()
      const isOpen = only === undefined || only === '*' || (only === '.' ? gateway.namespace : only) === namespace
      return isOpen ? [host] : []
    })
}

/** Whether one of two hosts, of which each may start with `*`, includes the other. */
export function areAlike(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()]
  return a === b || covers(a, b) || covers(b, a)
}

const covers = (pattern: string, host: string) => pattern.startsWith('*') && host.replace(/^\*/, '').endsWith(pattern.slice(1))

export const hostOutsideGateway = eachOf(routes, (object, inventory) => {
  const parents = parentsOf(object)
  const gateways = parents.map(parent => ({ parent, gateway: inventory.find(parent.groupKind, parent.namespace, parent.name) }))
  if (gateways.length === 0) return []
  const served = gateways.flatMap(({ parent, gateway }) => (gateway === undefined ? ['*'] : hostsFor(gateway, parent, object.namespace)))
  const field = object.groupKind === VIRTUAL_SERVICE ? 'hosts' : 'hostnames'
  const outside = listOf(at(object.value, 'spec'), field).filter(([host]) => !served.some(one => areAlike(one, String(host))))
  // A VirtualService for the mesh as well has hosts for one of the two.
  const isInMesh = items(at(object.value, 'spec', 'gateways')).includes(MESH)
  if (isInMesh && outside.length < items(at(object.value, 'spec', field)).length) return []
  const names = gateways.flatMap(({ gateway }) => (gateway === undefined ? [] : [say(gateway)]))
  const problem = `is not served by ${names.join(' or ')}, whose hosts are ${[...new Set(served)].join(', ')}`
  return outside.map(([found, place]): Report => ({ object, path: ['spec', ...place], problem, found }))
})
