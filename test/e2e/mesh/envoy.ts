// Runs the configuration that istiod sends to a proxy in a real Envoy on loopback. Only what a static Envoy outside a cluster can't
// use is replaced: the addresses of listeners and endpoints, and certificates, routes and endpoints that it would ask istiod for.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import { freePort } from '../cluster/ports.ts'
import type { Processes } from '../cluster/processes.ts'
import { until } from '../cluster/until.ts'
import { pythonTool } from '../python-tools.ts'
import type { Configuration } from './witness.ts'

export const envoyProgram = () => pythonTool('node/envoy', 'envoy/_bin/envoy')

export interface Place {
  readonly address: string
  readonly port: number
}

export type Places = ReadonlyMap<string, Place>

/** The files of certificates. */
export interface Files {
  readonly chain: string
  readonly key: string
}

export interface Replacements {
  /** The certificate of the proxy, and that of the hosts of a gateway. */
  readonly identity: Files
  readonly site: Files
  /** The authorities of the mesh and of the internet. */
  readonly meshAuthority: string
  readonly publicAuthority: string
  /** Where each address, such as 10.1.0.1:8080, is on loopback. */
  readonly addresses: Places
}

export interface Envoy {
  /** Where the listener of this name is. */
  readonly place: (listener: string) => Place
  readonly statistics: (filter: string) => Promise<Readonly<Record<string, number>>>
  readonly output: () => string
}

/** The value with every object replaced, from the inside out. */
function replaced(value: Json, replace: (object: JsonObject) => JsonObject): Json {
  if (Array.isArray(value)) return value.map(item => replaced(item, replace))
  if (!isObject(value)) return value
  return replace(
    Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, replaced(field, replace)]]))),
  )
}

const without = (object: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

const filesOf = ({ chain, key }: Files): JsonObject => ({ certificateChain: { filename: chain }, privateKey: { filename: key } })

const withCertificates = (value: Json, { identity, site, meshAuthority, publicAuthority }: Replacements): Json =>
  replaced(value, object => {
    const own = items(object.tlsCertificateSdsSecretConfigs)
    const authority = at(object, 'validationContextSdsSecretConfig', 'name')
    const { combinedValidationContext } = object
    return {
      ...without(object, 'tlsCertificateSdsSecretConfigs', 'validationContextSdsSecretConfig', 'combinedValidationContext'),
      ...(own.length > 0 && { tlsCertificates: own.map(secret => filesOf(at(secret, 'name') === 'default' ? identity : site)) }),
      ...(authority !== undefined && { trustedCa: { filename: authority === 'ROOTCA' ? meshAuthority : publicAuthority } }),
      ...(isObject(combinedValidationContext) && { validationContext: contextOf(combinedValidationContext) }),
    }
  })

/** The authority belongs into the context that the secret would have been merged into. */
function contextOf({ defaultValidationContext, trustedCa }: JsonObject): JsonObject {
  return { ...(isObject(defaultValidationContext) && defaultValidationContext), ...(trustedCa !== undefined && { trustedCa }) }
}

const withRoutes = (value: Json, routes: readonly JsonObject[]): Json =>
  replaced(value, object => {
    if (object.rds === undefined) return object
    const name = at(object.rds, 'routeConfigName')
    return { ...without(object, 'rds'), routeConfig: routes.find(route => route.name === name) ?? { name: textOf(name) } }
  })

export const onLocalhost = (port: number): Place => ({ address: '127.0.0.1', port })

const socketAddress = ({ address, port }: Place): JsonObject => ({ socketAddress: { address, portValue: port } })

/** The endpoints that have a port on loopback. */
function withPorts(assignment: Json | undefined, addresses: Places): JsonObject[] {
  return items(at(assignment, 'endpoints')).map(locality => ({
    ...(isObject(locality) && locality),
    lbEndpoints: items(at(locality, 'lbEndpoints')).flatMap(one => {
      const address = at(one, 'endpoint', 'address', 'socketAddress')
      const place = addresses.get(`${textOf(at(address, 'address'))}:${textOf(at(address, 'portValue'))}`)
      return place === undefined ? [] : [{ ...(isObject(one) && one), endpoint: { address: socketAddress(place) } }]
    }),
  }))
}

// Fields of clusters that look names up, or ask istiod.
const DYNAMIC = [
  'edsClusterConfig',
  'clusterType',
  'typedDnsResolverConfig',
  'dnsLookupFamily',
  'dnsRefreshRate',
  'dnsJitter',
  'respectDnsTtl',
]

function staticCluster(cluster: JsonObject, { endpoints }: Configuration, addresses: Places): JsonObject {
  const name = textOf(cluster.name)
  const own = cluster.loadAssignment ?? endpoints.find(({ clusterName }) => clusterName === name)
  const isOriginal = cluster.type === 'ORIGINAL_DST'
  const inboundPort = /^inbound\|(\d+)\|/.exec(name)?.[1]
  const app = inboundPort === undefined ? undefined : addresses.get(`inbound:${inboundPort}`)
  return {
    ...without(cluster, ...DYNAMIC, ...(isOriginal ? ['lbPolicy'] : [])),
    type: 'STATIC',
    loadAssignment: {
      clusterName: name,
      endpoints: app === undefined ? withPorts(own, addresses) : [{ lbEndpoints: [{ endpoint: { address: socketAddress(app) } }] }],
    },
  }
}

export interface Door {
  readonly name: string
  readonly listener: JsonObject
  /** By default a free port. */
  readonly place?: Place
}

/** The part of a sidecar that answers requests to one port of its pod, as a listener with the same port: policies may name it. */
export function inbound({ listeners }: Configuration, place: Place): Door {
  const listener = listeners.find(({ name }) => name === 'virtualInbound') ?? {}
  const filterChains = items(listener.filterChains)
    .filter(chain => at(chain, 'filterChainMatch', 'destinationPort') === place.port)
    .map(chain => {
      const match = at(chain, 'filterChainMatch')
      return { ...(isObject(chain) && chain), filterChainMatch: isObject(match) ? without(match, 'destinationPort') : {} }
    })
  return { name: 'inbound', listener: { ...without(listener, 'defaultFilterChain'), filterChains }, place }
}

/** The listener of this name. */
export function listenerOf({ listeners }: Configuration, name: string): Door {
  const listener = listeners.find(one => one.name === name)
  if (listener === undefined) throw new Error(`no listener ${name} among ${listeners.map(one => textOf(one.name)).join(', ')}`)
  return { name, listener }
}

/** A listener on loopback has no original destination. */
function onLoopback({ name, listener }: Door, place: Place, configuration: Configuration, replacements: Replacements): Json {
  const { filterChains, defaultFilterChain, listenerFilters, listenerFiltersTimeout } = listener
  const isUsable = (filter: Json) => !textOf(at(filter, 'name')).includes('original_dst')
  const kept: JsonObject = {
    name,
    address: socketAddress(place),
    filterChains: filterChains ?? [],
    ...(defaultFilterChain !== undefined && { defaultFilterChain }),
    listenerFilters: items(listenerFilters).filter(isUsable),
    ...(listenerFiltersTimeout !== undefined && { listenerFiltersTimeout }),
  }
  return withCertificates(withRoutes(kept, configuration.routes), replacements)
}

export async function startEnvoy(
  processes: Processes,
  folder: string,
  name: string,
  configuration: Configuration,
  doors: readonly Door[],
  replacements: Replacements,
): Promise<Envoy> {
  const admin = await freePort()
  const places = new Map<string, Place>()
  for (const { name, place } of doors) places.set(name, place ?? onLocalhost(await freePort()))
  const placeOf = (listener: string): Place => {
    const place = places.get(listener)
    if (place === undefined) throw new Error(`Envoy ${name} has no listener ${listener}`)
    return place
  }
  const clusters = configuration.clusters.map(cluster => staticCluster(cluster, configuration, replacements.addresses))
  const file = join(folder, `${name}.json`)
  const bootstrap = {
    node: { id: name, cluster: name },
    admin: { address: socketAddress(onLocalhost(admin)) },
    staticResources: {
      listeners: doors.map(door => onLoopback(door, placeOf(door.name), configuration, replacements)),
      clusters: withCertificates(clusters, replacements),
    },
  }
  writeFileSync(file, JSON.stringify(bootstrap, undefined, 1))
  const args = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '--disable-hot-restart']
  const logging = ['--log-level', 'warning', '--file-flush-interval-msec', '50']
  processes.start({ name, file: await envoyProgram(), args: [...args, ...logging] })
  const ask = (path: string) => fetch(`http://127.0.0.1:${admin}${path}`)
  await until(`Envoy ${name}`, async () => (await ask('/ready')).ok, { check: processes.check, timeoutMs: 30_000, everyMs: 50 })
  return {
    place: placeOf,
    statistics: async filter => {
      const { stats } = (await (await ask(`/stats?format=json&filter=${encodeURIComponent(filter)}`)).json()) as { stats: JsonObject[] }
      return Object.fromEntries(stats.flatMap(one => (typeof one.value === 'number' ? [[textOf(one.name), one.value]] : [])))
    },
    output: () => processes.log(name),
  }
}
