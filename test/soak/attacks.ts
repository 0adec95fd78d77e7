// Clients that misbehave while others call the function.
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ChannelCredentials, Client, credentials, status } from '@grpc/grpc-js'
import type { Identity } from '../../scripts/certificates.ts'
import { serviceNames } from '../../src/function/runner-service.ts'

export const PATH = `/${serviceNames[0]}/RunFunction`
const MEBIBYTE = 1024 * 1024

export const channelOf = ({ certificate, key }: Identity): ChannelCredentials =>
  credentials.createSsl(null, Buffer.from(key), Buffer.from(certificate), { rejectUnauthorized: false })

export const clientOf = (port: number, channel: ChannelCredentials) =>
  new Client(`127.0.0.1:${port}`, channel, {
    'grpc.ssl_target_name_override': 'function-event-driven-service',
    'grpc.use_local_subchannel_pool': 1,
  })

export interface CallResult {
  readonly bytes?: Buffer | undefined
  readonly code?: status
  readonly details?: string
}

/** Far longer than the slowest response. */
const DEADLINE_MS = 30_000

export const send = (client: Client, bytes: Buffer) =>
  new Promise<CallResult>(resolve => {
    client.makeUnaryRequest(
      PATH,
      (raw: Buffer) => raw,
      (raw: Buffer) => raw,
      bytes,
      { deadline: Date.now() + DEADLINE_MS },
      (error, answered) => resolve(error ? { code: error.code, details: error.details } : { bytes: answered }),
    )
  })

interface Target {
  readonly port: number
  readonly client: Identity
  readonly request: Buffer
}

async function tcp(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  return socket
}

/** Sends half of a request and closes the connection. */
async function cutOff({ port, client, request }: Target): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    cert: client.certificate,
    key: client.key,
    rejectUnauthorized: false,
    servername: '',
  })
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' })
  stream.on('error', () => {})
  const head = Buffer.alloc(5)
  head.writeUInt32BE(request.length, 1)
  stream.write(Buffer.concat([head, request.subarray(0, request.length / 2)]))
  await delay(Math.random() * 50)
  session.destroy()
}

async function garbage({ port }: Target): Promise<void> {
  const socket = await tcp(port)
  socket.end(Buffer.from(Array.from({ length: 2000 }, () => Math.random() * 256)))
}

async function plaintext({ port, request }: Target): Promise<void> {
  const client = clientOf(port, credentials.createInsecure())
  const { bytes } = await send(client, request)
  client.close()
  if (bytes !== undefined) throw new Error('plaintext was answered')
}

/** Sends a byte a second; the server must close the connection. */
async function slowHandshake({ port }: Target): Promise<void> {
  const socket = await tcp(port)
  const hello = Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)
  for (let sent = 0; sent < 60 && !socket.destroyed; sent++) {
    socket.write(hello.subarray(sent % hello.length, (sent % hello.length) + 1))
    await delay(1000)
  }
  if (!socket.destroyed) throw new Error('the server waited a minute for a handshake')
}

async function oversize({ port, client: identity }: Target): Promise<void> {
  const client = clientOf(port, channelOf(identity))
  const { code } = await send(client, Buffer.alloc(5 * MEBIBYTE))
  client.close()
  // The client cannot retry 5 MiB if the CA changes and the server closes the connection, so UNAVAILABLE is also right.
  if (code !== status.RESOURCE_EXHAUSTED && code !== status.UNAVAILABLE)
    throw new Error(`5 MiB were answered with ${code === undefined ? 'a response' : status[code]}`)
}

async function flood({ port }: Target): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: 300 }, () => tcp(port)))
  await delay(500)
  for (const socket of sockets) socket.destroy()
}

async function withoutCertificate({ port, request }: Target): Promise<void> {
  const client = clientOf(port, credentials.createSsl(null, null, null, { rejectUnauthorized: false }))
  const { bytes } = await send(client, request)
  client.close()
  if (bytes !== undefined) throw new Error('a client without a certificate was answered')
}

export const attacks = {
  'cut off during a call': cutOff,
  garbage,
  plaintext,
  'slow handshake': slowHandshake,
  'oversize message': oversize,
  '300 connections at once': flood,
  'no certificate': withoutCertificate,
}
