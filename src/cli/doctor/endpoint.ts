// How the monitoring endpoint of a NATS server is reached: through the API server where it is a Service of the cluster,
// else from where the doctor itself runs.
import { at, items, type Json, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent, itemsOf, nameOf } from './api.ts'
import { type Answer, ask, type Failed } from './http.ts'

/** One NATS server, or whichever of several answers. */
export interface MonitoringServer {
  /** Such as `through the API server`. */
  readonly by: string
  readonly get: (path: string) => Promise<Answer>
}

export type Reached =
  | { readonly server: MonitoringServer; readonly service?: Service }
  /** KEDA can't reach it either. */
  | { readonly problem: string; readonly inspect: string; readonly suggestion?: string }
  /** It can't be told from here whether KEDA can. */
  | { readonly uncertain: string }

interface Service {
  readonly namespace: string
  readonly name: string
}

const HEALTH = '/healthz?js-enabled-only=true'
const TIMEOUT_MS = 5_000

export async function reach(api: Api, endpoint: string): Promise<Reached> {
  const { host, port } = split(endpoint)
  const service = serviceOf(host)
  if (service === undefined) return reachDirectly(endpoint)
  const { namespace, name } = service
  const path = `/api/v1/namespaces/${namespace}/services/${name}`
  const found = await api.get(path)
  const inspect = shell`kubectl -n ${namespace} get services`
  if (isAbsent(found)) return suggestService(api, namespace, port, { inspect, problem: `there is no Service ${namespace}/${name}` })
  if (!found.ok) return (await fromHere(endpoint)) ?? { uncertain: `Service ${namespace}/${name} can't be read: ${found.reason}` }
  if (at(found.body, 'spec', 'type') === 'ExternalName') return reachDirectly(endpoint)
  const ports = portsOf(found.body)
  // The name of a headless Service leads straight to its pods, whatever ports it lists.
  if (!ports.includes(port) && at(found.body, 'spec', 'clusterIP') !== 'None')
    return suggestService(api, namespace, port, {
      inspect,
      problem: `Service ${namespace}/${name} does not expose port ${port}, only ${ports.map(textOf).join(', ')}`,
    })
  const get = await proxyOf(api, service, port, ports.includes(port))
  const pods = shell`kubectl -n ${namespace} get pods -o wide`
  const unready: Reached = { inspect: pods, problem: `no ready pod stands behind Service ${namespace}/${name}` }
  if (get === undefined) return unready
  const answer = await get(HEALTH)
  if (answer.ok || !isOfApiServer(answer)) return { server: { by: 'through the API server', get }, service }
  const { reason } = answer
  if (/no endpoints available/.test(reason)) return unready
  if (/connection refused/.test(reason))
    return { inspect: pods, problem: `nobody listens on port ${port} of the pods behind Service ${namespace}/${name}` }
  if (NO_HTTP.test(reason)) return { inspect, problem: forClients(endpoint) }
  return (await fromHere(endpoint)) ?? { uncertain: `the API server does not lead to Service ${namespace}/${name}: ${reason}` }
}

// NATS greets whoever connects to its port for clients with a line of its own: in Go's words and in Node's.
const NO_HTTP = /malformed HTTP|Parse Error/
const forClients = (endpoint: string) => `what answers at ${endpoint} is no HTTP, as on the port for clients (4222); monitoring is on 8222`

/** The other servers of a cluster of NATS: each knows only the streams that it holds itself. */
export async function neighboursOf(
  api: Api,
  endpoint: string,
  { server, service }: { server: MonitoringServer; service?: Service },
): Promise<MonitoringServer[]> {
  const { port } = split(endpoint)
  if (service !== undefined)
    return (await podsOf(api, service)).map(pod => ({ ...server, get: path => api.get(podPath(service, pod, port, path)) }))
  const varz = await server.get('/varz')
  return items(varz.ok ? at(varz.body, 'connect_urls') : undefined).map(url => directServer(`${split(textOf(url)).host}:${port}`))
}

function split(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(':')
  return { host: endpoint.slice(0, colon), port: Number(endpoint.slice(colon + 1)) }
}

/** `nats.infra.svc`, with the cluster's domain or without, and of a pod of a StatefulSet: `nats-0.nats.infra.svc`. */
function serviceOf(host: string): Service | undefined {
  const [, name, namespace] = /^(?:[^.]+\.)?([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? []
  return name === undefined || namespace === undefined ? undefined : { name, namespace }
}

const portsOf = (service: Json): Json[] => items(at(service, 'spec', 'ports')).flatMap(port => at(port, 'port') ?? [])

/** Says as well which Service of the namespace was probably meant. */
async function suggestService(api: Api, namespace: string, port: number, found: Extract<Reached, { inspect: string }>): Promise<Reached> {
  const services = itemsOf(await api.get(`/api/v1/namespaces/${namespace}/services`))
  const exposing = services.filter(service => portsOf(service).includes(port)).map(nameOf)
  const [first] = exposing
  if (first === undefined) return found
  const problem = `${found.problem}; Service ${exposing.join(', ')} exposes ${port}`
  return { ...found, problem, suggestion: `${first}.${namespace}.svc.cluster.local:${port}` }
}

async function proxyOf(api: Api, service: Service, port: number, isListed: boolean): Promise<MonitoringServer['get'] | undefined> {
  const { namespace, name } = service
  if (isListed) return path => api.get(`/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy${path}`)
  const [pod] = await podsOf(api, service)
  return pod === undefined ? undefined : path => api.get(podPath(service, pod, port, path))
}

const podPath = ({ namespace }: Service, pod: string, port: number, path: string) =>
  `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`

async function podsOf(api: Api, { namespace, name }: Service): Promise<string[]> {
  const endpoints = await api.get(`/api/v1/namespaces/${namespace}/endpoints/${name}`)
  const subsets = endpoints.ok ? items(at(endpoints.body, 'subsets')) : []
  return subsets
    .flatMap(subset => items(at(subset, 'addresses')))
    .flatMap(address => {
      const pod = at(address, 'targetRef', 'name')
      return typeof pod === 'string' ? [pod] : []
    })
}

/** NATS too has answers that are not well. What comes from the API server is of kind Status, or is no answer at all. */
function isOfApiServer({ status, body }: Failed): boolean {
  return status === undefined || at(body, 'kind') === 'Status' || typeof at(body, 'status') !== 'string'
}

const directServer = (endpoint: string): MonitoringServer => ({
  by: 'from here',
  get: path => ask(`http://${endpoint}${path}`, { timeoutMs: TIMEOUT_MS }),
})

async function reachDirectly(endpoint: string): Promise<Reached> {
  const server = directServer(endpoint)
  const answer = await server.get(HEALTH)
  if (answer.ok || answer.status !== undefined) return { server }
  if (NO_HTTP.test(answer.reason)) return { problem: forClients(endpoint), inspect: shell`curl --max-time 5 http://${endpoint}/healthz` }
  return { uncertain: `from here nobody answers at ${endpoint}: ${answer.reason}` }
}

/** Where the doctor runs inside the cluster. */
async function fromHere(endpoint: string): Promise<Reached | undefined> {
  const reached = await reachDirectly(endpoint)
  return 'server' in reached ? reached : undefined
}
