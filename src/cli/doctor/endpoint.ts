// Reaches the monitoring endpoint of a NATS server: through the API server if the endpoint is a Service of the cluster,
// otherwise directly.
import { at, items, type Json, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent, itemsOf, nameOf } from './api.ts'
import { type Answer, type Failed, sendRequest } from './http.ts'

/** One NATS server, or any of several behind a Service. */
export interface MonitoringServer {
  /** Such as `through the API server`. */
  readonly by: string
  readonly get: (path: string) => Promise<Answer>
}

export type Reached =
  | { readonly server: MonitoringServer; readonly service?: Service }
  /** KEDA cannot reach the endpoint either. */
  | { readonly problem: string; readonly inspect: string; readonly suggestion?: string }
  /** KEDA may still reach the endpoint. */
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
  if (isAbsent(found)) return suggestService(api, namespace, port, { inspect, problem: `Service ${namespace}/${name} does not exist` })
  if (!found.ok) return (await fromHere(endpoint)) ?? { uncertain: `Service ${namespace}/${name} can't be read: ${found.reason}` }
  if (at(found.body, 'spec', 'type') === 'ExternalName') return reachDirectly(endpoint)
  const ports = portsOf(found.body)
  // A headless Service resolves to its pods, so its list of ports has no effect.
  if (!ports.includes(port) && at(found.body, 'spec', 'clusterIP') !== 'None')
    return suggestService(api, namespace, port, {
      inspect,
      problem: `Service ${namespace}/${name} does not expose port ${port}, only ${ports.map(textOf).join(', ')}`,
    })
  const get = ports.includes(port) ? serviceProxy(api, service, port) : await podProxy(api, service, port)
  const pods = shell`kubectl -n ${namespace} get pods -o wide`
  const unready: Reached = { inspect: pods, problem: `Service ${namespace}/${name} has no ready pods` }
  if (get === undefined) return unready
  const answer = await get(HEALTH)
  if (answer.ok || !isOfApiServer(answer)) return { server: { by: 'through the API server', get }, service }
  const { reason } = answer
  if (/no endpoints available/.test(reason)) return unready
  if (/connection refused/.test(reason))
    return { inspect: pods, problem: `the pods of Service ${namespace}/${name} do not listen on port ${port}` }
  if (NO_HTTP.test(reason)) return { inspect, problem: CLIENT_PORT }
  return (await fromHere(endpoint)) ?? { uncertain: `the API server cannot proxy to Service ${namespace}/${name}: ${reason}` }
}

// The client port of NATS sends a greeting that is not HTTP: the errors of Go and of Node.
const NO_HTTP = /malformed HTTP|Parse Error/
const CLIENT_PORT = 'it does not speak HTTP, so it is probably the client port (4222); the monitoring port is 8222'

/** The other servers of a NATS cluster, because each server reports only its own streams. */
export async function otherServersOf(
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

/** Accepts `nats.infra.svc`, with or without the cluster domain, and the pod of a StatefulSet: `nats-0.nats.infra.svc`. */
function serviceOf(host: string): Service | undefined {
  const [, name, namespace] = /^(?:[^.]+\.)?([^.]+)\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? []
  return name === undefined || namespace === undefined ? undefined : { name, namespace }
}

const portsOf = (service: Json): Json[] => items(at(service, 'spec', 'ports')).flatMap(port => at(port, 'port') ?? [])

/** Adds the Service of the namespace that exposes the port. */
async function suggestService(api: Api, namespace: string, port: number, found: Extract<Reached, { inspect: string }>): Promise<Reached> {
  const services = itemsOf(await api.get(`/api/v1/namespaces/${namespace}/services`))
  const exposing = services.filter(service => portsOf(service).includes(port)).map(nameOf)
  const [first] = exposing
  if (first === undefined) return found
  const problem = `${found.problem}; Service ${exposing.join(', ')} exposes ${port}`
  return { ...found, problem, suggestion: `${first}.${namespace}.svc.cluster.local:${port}` }
}

const serviceProxy =
  (api: Api, { namespace, name }: Service, port: number): MonitoringServer['get'] =>
  path =>
    api.get(`/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy${path}`)

async function podProxy(api: Api, service: Service, port: number): Promise<MonitoringServer['get'] | undefined> {
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

/** Distinguishes an error of the API server, which is of kind Status or has no status code, from an unhealthy NATS server. */
function isOfApiServer({ status, body }: Failed): boolean {
  return status === undefined || at(body, 'kind') === 'Status' || typeof at(body, 'status') !== 'string'
}

const directServer = (endpoint: string): MonitoringServer => ({
  by: 'from this machine',
  get: path => sendRequest(`http://${endpoint}${path}`, { timeoutMs: TIMEOUT_MS }),
})

async function reachDirectly(endpoint: string): Promise<Reached> {
  const server = directServer(endpoint)
  const answer = await server.get(HEALTH)
  if (answer.ok || answer.status !== undefined) return { server }
  if (NO_HTTP.test(answer.reason)) return { problem: CLIENT_PORT, inspect: shell`curl --max-time 5 http://${endpoint}/healthz` }
  return { uncertain: `${endpoint} does not answer from this machine: ${answer.reason}` }
}

/** Works if doctor runs inside the cluster. */
async function fromHere(endpoint: string): Promise<Reached | undefined> {
  const reached = await reachDirectly(endpoint)
  return 'server' in reached ? reached : undefined
}
