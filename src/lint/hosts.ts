// Two objects that want the same host: only one of them gets its requests, and which one is undefined.
import type { Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { GATEWAY, LISTENER_SET, MESH, parentsOf } from './gateways.ts'
import { type Inventory, isOther, type LintObject, labelsAt, say } from './inventory.ts'
import { fullHost, HTTP_ROUTE, listOf, serviceOf, takesEverything, VIRTUAL_SERVICE } from './routes.ts'
import type { Report } from './rule.ts'

/** Two objects that want the same key for themselves clash. */
interface Wish {
  readonly key: string
  readonly path: Path
}

const wishes: Readonly<Record<string, (object: LintObject) => Wish[]>> = {
  [VIRTUAL_SERVICE]: ofVirtualService,
  [HTTP_ROUTE]: ofHttpRoute,
  [GATEWAY]: ofGateway,
  [LISTENER_SET]: ofListenerSet,
}

export function sameHost(inventory: Inventory): Report[] {
  const firsts = new Map<string, LintObject>()
  return inventory.objects.flatMap(object => {
    const reports = new Map<string, Report>()
    for (const { key, path } of wishes[object.groupKind]?.(object) ?? []) {
      const first = firsts.get(key)
      if (first === undefined) firsts.set(key, object)
      else if (isOther(first, object))
        reports.set(path.join('.'), { object, path, problem: `${say(first)} has the same host`, found: at(object.value, ...path) })
    }
    return [...reports.values()]
  })
}

/** Sidecars use the older of two VirtualServices for a host. A gateway joins their routes, so only those that take everything clash. */
function ofVirtualService(object: LintObject): Wish[] {
  const { value, namespace } = object
  const gateways = items(at(value, 'spec', 'gateways'))
  const exported = items(at(value, 'spec', 'exportTo'))
  const scope = exported.length === 0 || exported.includes('*') ? '*' : namespace
  const keys = [
    ...(gateways.length === 0 || gateways.includes(MESH) ? [`${MESH} ${scope}`] : []),
    ...(takesEverything(object) ? parentsOf(object).map(parent => `gateway ${parent.namespace}/${parent.name}`) : []),
  ]
  return listOf(at(value, 'spec'), 'hosts').flatMap(([host, place]) => {
    const service = serviceOf(String(host), namespace)
    const full = service === undefined ? String(host).toLowerCase() : fullHost(service)
    return keys.map(key => ({ key: `${key} ${full}`, path: ['spec', ...place] }))
  })
}

function ofHttpRoute(object: LintObject): Wish[] {
  if (!takesEverything(object)) return []
  const hostnames = listOf(at(object.value, 'spec'), 'hostnames')
  const parents = parentsOf(object).map(({ groupKind, namespace, name, section = '' }) => [groupKind, namespace, name, section].join(' '))
  return hostnames.flatMap(([host, place]) =>
    parents.map(parent => ({ key: `${parent} ${String(host).toLowerCase()}`, path: ['spec', ...place] })),
  )
}

/** Gateways of plain HTTP are joined, and of two certificates for a host one is ignored. */
function ofGateway({ value, namespace }: LintObject): Wish[] {
  const selector = JSON.stringify(Object.entries(labelsAt(value, ['spec', 'selector'])).sort())
  return listOf(at(value, 'spec'), 'servers').flatMap(([server, serverAt]) =>
    nonEmptyText(at(server, 'tls', 'mode')) === undefined
      ? []
      : listOf(server, 'hosts').map(([host, hostAt]) => ({
          key: `${selector} ${at(server, 'port', 'number')} ${String(host).replace(/^\*\//, '').replace(/^\.\//, `${namespace}/`).toLowerCase()}`,
          path: ['spec', ...serverAt, ...hostAt],
        })),
  )
}

function ofListenerSet({ value, namespace }: LintObject): Wish[] {
  const parent: Json = at(value, 'spec', 'parentRef') ?? {}
  const of = isObject(parent) ? `${parent.namespace ?? namespace}/${parent.name}` : ''
  return listOf(at(value, 'spec'), 'listeners').map(([listener, place]) => ({
    key: `listener ${of} ${at(listener, 'port')} ${at(listener, 'hostname') ?? '*'}`,
    path: ['spec', ...place, 'hostname'],
  }))
}
