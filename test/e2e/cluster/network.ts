// Simulates the network between Services: an HTTP proxy that connects a request for a Service, by name or cluster IP, to a process
// on loopback. It is the proxy of Crossplane and KEDA and the egress of the API server, so their configuration is the same as in a
// cluster, and this machine need not resolve the names.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect, type ListenOptions, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

export interface Network {
  readonly url: string
  /** The proxy as a Unix socket, because the API server accepts no plain HTTP over TCP. */
  readonly socket: string
  /** Connects requests for this host, such as `nats.nats` or `ghcr.io`, and port to the local port. */
  readonly join: (host: string, port: number, here: number) => void
  readonly close: () => void
}

/** `<name>.<namespace>` of the Services with this cluster IP, or with a pod with this address. */
export type ServicesAt = (address: string) => Promise<readonly string[]>

const PROTOCOL = 'HTTP/1.1'
const withoutDomain = (host: string) => host.replace(/\.svc(\.cluster\.local)?\.?$/, '')
const isAddress = (host: string) => /^[\d.]+$/.test(host)

export async function createNetwork(folder: string, servicesAt: ServicesAt): Promise<Network> {
  const joined = new Map<string, number>()
  const sockets = new Set<Duplex>()

  async function find(authority: string): Promise<number | undefined> {
    const { hostname, port } = new URL(`http://${authority}`)
    const number = port === '' ? 80 : Number(port)
    const names = isAddress(hostname) ? await servicesAt(hostname).catch(() => []) : [withoutDomain(hostname)]
    return names.map(name => joined.get(`${name}:${number}`)).find(here => here !== undefined)
  }

  async function tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    keep(client)
    const here = await find(incoming.url ?? '')
    if (here === undefined) return void client.end(`${PROTOCOL} 502 No Such Service\r\n\r\n`)
    const server: Socket = connect(here, '127.0.0.1')
    keep(server)
    server.once('connect', () => {
      client.write(`${PROTOCOL} 200 Connection Established\r\n\r\n`)
      server.write(head)
      server.pipe(client).pipe(server)
    })
    server.once('error', () => (server.connecting ? client.end(`${PROTOCOL} 502 Connection Refused\r\n\r\n`) : client.destroy()))
    for (const [one, other] of [
      [server, client],
      [client, server],
    ] as const)
      one.once('close', () => other.destroy())
    client.once('error', () => server.destroy())
  }

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://none')
    const here = await find(url.host)
    const refuse = (reason: string) => outgoing.writeHead(502, reason).end()
    if (here === undefined) return void refuse('No Such Service')
    const { method, headers } = incoming
    const onward = request({ host: '127.0.0.1', port: here, path: `${url.pathname}${url.search}`, method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.once('error', () => (outgoing.headersSent ? outgoing.destroy() : refuse('Connection Refused')))
    incoming.pipe(onward)
  }

  function keep(socket: Duplex): void {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }

  async function listen(where: ListenOptions): Promise<Server> {
    const server = createServer((incoming, outgoing) => void forward(incoming, outgoing))
    server.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => void tunnel(incoming, client, head))
    server.on('connection', keep)
    server.listen(where)
    await once(server, 'listening')
    return server
  }

  const socket = join(folder, 'network')
  const [server, local] = await Promise.all([listen({ host: '127.0.0.1', port: 0 }), listen({ path: socket })])
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the network has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    socket,
    join: (host, port, here) => joined.set(`${host}:${port}`, here),
    close: () => {
      server.close()
      local.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
