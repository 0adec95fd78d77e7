// Reaches the monitoring endpoint of a NATS server: through the API server if the endpoint is a Service of the cluster,
// otherwise directly.
import { at, items, type Json, textOf } from '../../kubernetes/json.ts'
import { shell } from '../../text/shell-quote.ts'
import { type Api, isAbsent, itemsOf, nameOf } from './api.ts'
import { type Answer, type Failed, sendRequest } from './http.ts'

/** The address of a monitoring endpoint as KEDA has it. */
export interface Endpoint {
  /** Host and port. */
  readonly address: string
  readonly useHttps: boolean
}

/** The endpoint in messages: only HTTPS is worth a mention. */
export const showEndpoint = (endpoint: Endpoint): string => (endpoint.useHttps ? urlOf(endpoint) : endpoint.address)

export const urlOf = ({ address, useHttps }: Endpoint): string => `${useHttps ? 'https' : 'http'}://${address}`

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

export async function reach(api: Api, endpoint: Endpoint): Promise<Reached> {
  const { host, port } = split(endpoint.address)
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
  const get = ports.includes(port) ? serviceProxy(api, service, endpoint) : await podProxy(api, service, endpoint)
  const pods = shell`kubectl -n ${namespace} get pods -o wide`
  const unready: Reached = { inspect: pods, problem: `Service ${namespace}/${name} has no ready pods` }
  if (get === undefined) return unready
  const answer = await get(HEALTH)
  if (answer.ok || !isOfApiServer(answer)) return { server: { by: byApiServer(endpoint), get }, service }
  const { reason } = answer
  if (/no endpoints available/.test(reason)) return unready
  if (/connection refused/.test(reason))
    return { inspect: pods, problem: `the pods of Service ${namespace}/${name} do not listen on port ${port}` }
  const problem = protocolProblem(endpoint, reason)
  if (problem !== undefined) return { inspect, problem }
  return (await fromHere(endpoint)) ?? { uncertain: `the API server cannot proxy to Service ${namespace}/${name}: ${reason}` }
}

// The client port of NATS sends a greeting that is not HTTP: the errors of Go and of Node.
const NO_HTTP = /malformed HTTP|Parse Error/
const CLIENT_PORT = 'it does not speak HTTP, so it is probably the client port (4222); the monitoring port is 8222'
// The errors of Go and of OpenSSL.
const NO_HTTPS = /HTTP response to HTTPS client|does not look like a TLS handshake|wrong version number|packet length too long/
const ONLY_HTTPS = /HTTP request to an HTTPS server/

/** Why the endpoint cannot be the monitoring port that the claim means; undefined if the error has another cause. */
function protocolProblem({ useHttps }: Endpoint, reason: string): string | undefined {
  if (useHttps)
    return NO_HTTPS.test(reason) ? "it does not speak HTTPS, but natsServers in the function's input sets useHttps: true for it" : undefined
  if (ONLY_HTTPS.test(reason)) return "it speaks HTTPS, which needs useHttps: true for it in natsServers of the function's input"
  return NO_HTTP.test(reason) ? CLIENT_PORT : undefined
}

const byApiServer = ({ useHttps }: Endpoint) => `through the API server${useHttps ? ', which does not check the certificate' : ''}`

/** The other servers of a NATS cluster, because each server reports only its own streams. */
export async function otherServersOf(
  api: Api,
  endpoint: Endpoint,
  { server, service }: { server: MonitoringServer; service?: Service },
): Promise<MonitoringServer[]> {
  if (service !== undefined)
    return (await podsOf(api, service)).map(pod => ({ ...server, get: path => api.get(podPath(service, pod, endpoint, path)) }))
  const { port } = split(endpoint.address)
  const varz = await server.get('/varz')
  return items(varz.ok ? at(varz.body, 'connect_urls') : undefined).map(url =>
    directServer({ ...endpoint, address: `${split(textOf(url)).host}:${port}` }),
  )
}

function split(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
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
  (api: Api, { namespace, name }: Service, endpoint: Endpoint): MonitoringServer['get'] =>
  path =>
    api.get(`/api/v1/namespaces/${namespace}/services/${proxied(name, endpoint)}/proxy${path}`)

async function podProxy(api: Api, service: Service, endpoint: Endpoint): Promise<MonitoringServer['get'] | undefined> {
  const [pod] = await podsOf(api, service)
  return pod === undefined ? undefined : path => api.get(podPath(service, pod, endpoint, path))
}

const podPath = ({ namespace }: Service, pod: string, endpoint: Endpoint, path: string) =>
  `/api/v1/namespaces/${namespace}/pods/${proxied(pod, endpoint)}/proxy${path}`

/** https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls */
const proxied = (name: string, { address, useHttps }: Endpoint) => `${useHttps ? 'https:' : ''}${name}:${split(address).port}`

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

const directServer = (endpoint: Endpoint): MonitoringServer => ({
  by: 'from this machine',
  get: path => sendRequest(urlOf(endpoint) + path, { timeoutMs: TIMEOUT_MS }),
})

async function reachDirectly(endpoint: Endpoint): Promise<Reached> {
  const server = directServer(endpoint)
  const answer = await server.get(HEALTH)
  const problem = answer.ok ? undefined : protocolProblem(endpoint, answer.reason)
  if (problem !== undefined) return { problem, inspect: shell`curl --max-time 5 ${urlOf(endpoint)}/healthz` }
  if (answer.ok || answer.status !== undefined) return { server }
  return { uncertain: `${showEndpoint(endpoint)} does not answer from this machine: ${answer.reason}` }
}

/** Works if doctor runs inside the cluster. */
async function fromHere(endpoint: Endpoint): Promise<Reached | undefined> {
  const reached = await reachDirectly(endpoint)
  return 'server' in reached ? reached : undefined
}
