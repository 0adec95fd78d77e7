// Applications behind the proxies, and requests to them.
import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
  type Server,
  type ServerResponse,
} from 'node:http'
import { Agent, createServer as createSecureServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Identity } from '../../../scripts/certificates.ts'
import { onLocalhost, type Place } from './envoy.ts'

export interface App {
  readonly place: Place
  /** The paths of the requests so far. */
  readonly seen: string[]
  readonly stop: () => void
}

interface Behaviour {
  readonly status?: number
  /** Serves TLS with it. */
  readonly certificate?: Identity
}

/** An HTTP server that answers its name. */
export async function startApp(name: string, { status = 200, certificate }: Behaviour = {}): Promise<App> {
  const seen: string[] = []
  const serve = (message: IncomingMessage, answer: ServerResponse) => {
    seen.push(message.url ?? '')
    answer.statusCode = status
    answer.end(name)
  }
  const server: Server =
    certificate === undefined ? createServer(serve) : createSecureServer({ cert: certificate.certificate, key: certificate.key }, serve)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { place: onLocalhost((server.address() as AddressInfo).port), seen, stop }
}

export interface Asked {
  readonly place: Place
  readonly host?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** TLS, with the certificate of a client if there is one; else plain text. */
  readonly tls?: { readonly client?: Identity }
}

export interface Answered {
  /** 0 if the connection was closed without an answer. */
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headers']
}

const agents = new Map<string, Agent>()
const plain = new PlainAgent({ keepAlive: true })

function agentOf({ place, host = '', tls }: Asked): Agent {
  const key = `${place.address}:${place.port} ${host} ${tls?.client?.key}`
  const known = agents.get(key)
  if (known !== undefined) return known
  const client = tls?.client
  const agent = new Agent({
    keepAlive: true,
    servername: host,
    // The proxies' certificates name an identity and no host.
    rejectUnauthorized: false,
    // A sidecar tells other sidecars by the protocol of Istio.
    ALPNProtocols: client === undefined ? ['http/1.1'] : ['istio', 'http/1.1'],
    ...(client && { cert: client.certificate, key: client.key }),
  })
  agents.set(key, agent)
  return agent
}

export async function ask(asked: Asked): Promise<Answered> {
  const { place, host = 'orders.example.com', path = '/', method = 'GET', headers = {}, tls } = asked
  const options = { host: place.address, port: place.port, path, method, headers: { ...headers, host }, timeout: 30_000 }
  const sent = tls === undefined ? plainRequest({ ...options, agent: plain }) : request({ ...options, agent: agentOf({ ...asked, host }) })
  try {
    const [message] = (await once(sent.end(), 'response')) as [IncomingMessage]
    return { status: message.statusCode ?? 0, body: await text(message), headers: message.headers }
  } catch {
    return { status: 0, body: '', headers: {} }
  }
}

/** The answers to the same request, some of them at the same time. */
export async function askOften(asked: Asked, times: number, atOnce = 1): Promise<Answered[]> {
  const answers: Answered[] = []
  while (answers.length < times)
    answers.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, times - answers.length) }, () => ask(asked)))))
  return answers
}

export function stopAsking(): void {
  plain.destroy()
  for (const agent of agents.values()) agent.destroy()
  agents.clear()
}

/** How often each value occurs. */
export const tally = (values: readonly (string | number)[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...new Set(values)].map(value => [value, values.filter(one => one === value).length]))
