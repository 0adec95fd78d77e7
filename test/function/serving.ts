import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { FunctionRunnerServiceService, RunFunctionRequest, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { type ChannelCredentials, Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { onTestFinished } from 'vitest'
import { type Authority, type Identity, issueCertificate, serverNames } from '../../scripts/certificates.ts'
import type { Handler } from '../../src/function/handler.ts'
import { createLog } from '../../src/function/log.ts'
import { serviceNames } from '../../src/function/runner-service.ts'
import { type RunningServer, type Settings, startServer } from '../../src/function/server.ts'

export const MEBIBYTE = 1024 * 1024

export const echo: Handler = request => ({
  meta: { tag: request.meta?.tag ?? '' },
  desired: request.desired,
  results: [],
  requirements: undefined,
  conditions: [],
})

export const plain: Settings = {
  certificatesDirectory: undefined,
  address: { host: '127.0.0.1', port: 0 },
  maxReceiveBytes: 4 * MEBIBYTE,
  metricsAddress: undefined,
}

export type Line = Record<string, unknown> & { readonly level: string; readonly msg: string }

export interface Serving extends RunningServer {
  readonly lines: readonly Line[]
}

/** Runs the real server on a free port until the test ends. */
export async function serve(settings: Partial<Settings> = {}, handler: Handler = echo): Promise<Serving> {
  const lines: Line[] = []
  const server = await startServer(
    handler,
    { ...plain, ...settings },
    createLog({ debugging: true }, line => lines.push(JSON.parse(line))),
  )
  onTestFinished(async () => {
    await server.stop(0)
  })
  return { ...server, lines }
}

export const serverIdentity = (authority: Authority) =>
  issueCertificate(authority, { usages: ['server'], dnsNames: serverNames('function-event-driven-service') })

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'function-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

export function certificateFolder(bundle: string, identity: Identity): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'ca.crt'), bundle)
  writeFileSync(join(folder, 'tls.crt'), identity.certificate)
  writeFileSync(join(folder, 'tls.key'), identity.key)
  return folder
}

/** Does not verify the server, because Node considers Crossplane's certificates self-signed. */
export function as({ certificate, key }: Identity): ChannelCredentials {
  return credentials.createSsl(null, Buffer.from(key), Buffer.from(certificate), { rejectUnauthorized: false })
}

export function connectClient(port: number, channel: ChannelCredentials = credentials.createInsecure()): Client {
  const client = new Client(`127.0.0.1:${port}`, channel, { 'grpc.ssl_target_name_override': 'function-event-driven-service' })
  onTestFinished(() => client.close())
  return client
}

const { requestSerialize, responseDeserialize } = FunctionRunnerServiceService.runFunction

export const pathOf = (service: string) => `/${service}/RunFunction`

export interface Reply {
  readonly response?: RunFunctionResponse | undefined
  readonly error?: ServiceError
}

export const ask = (request: Partial<RunFunctionRequest> = {}) => RunFunctionRequest.fromPartial(request)

/** Sends raw bytes, so that a test can send what no client would. */
export function send(client: Client, bytes: Buffer, service: string = serviceNames[0]): Promise<Reply> {
  return new Promise(resolve => {
    client.makeUnaryRequest(
      pathOf(service),
      (raw: Buffer) => raw,
      responseDeserialize,
      bytes,
      (error, response) => resolve(error ? { error } : { response }),
    )
  })
}

export const call = (client: Client, request: Partial<RunFunctionRequest> = {}, service?: string): Promise<Reply> =>
  send(client, requestSerialize(ask(request)), service)

/** A call that has sent its headers and waits: it is in flight until its request is sent and its stream ended. */
export function openCall(client: Client): { finish: () => Promise<Reply>; cancel: () => void; reply: Promise<Reply> } {
  let settle: (reply: Reply) => void
  const reply = new Promise<Reply>(resolve => {
    settle = resolve
  })
  const stream = client.makeClientStreamRequest(pathOf(serviceNames[0]), requestSerialize, responseDeserialize, (error, response) =>
    settle(error ? { error } : { response }),
  )
  const finish = () => {
    stream.write(ask({ meta: { tag: 'slow', capabilities: [] } }))
    stream.end()
    return reply
  }
  return { finish, cancel: () => stream.cancel(), reply }
}

export interface Greeting {
  /** Whether the server sent any HTTP/2. */
  readonly greeted: boolean
  readonly resumed: boolean
  readonly fingerprint: string | undefined
  readonly sessions: readonly Buffer[]
}

const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')

/** Completes a handshake, starts HTTP/2 and returns the outcome. */
export function greet(port: number, options: ConnectionOptions = {}): Promise<Greeting> {
  return new Promise(resolve => {
    const sessions: Buffer[] = []
    let fingerprint: string | undefined
    let resumed = false
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options })
    const done = (greeted: boolean) => {
      socket.destroy()
      resolve({ greeted, resumed, fingerprint, sessions })
    }
    socket.on('session', session => sessions.push(session))
    socket.on('secureConnect', () => {
      fingerprint = socket.getPeerX509Certificate()?.fingerprint256
      resumed = socket.isSessionReused()
      socket.write(HTTP2_PREFACE)
    })
    socket.once('data', () => done(true))
    socket.once('close', () => done(false))
    socket.on('error', () => {})
  })
}

/** Sends bytes over plain TCP and resolves when the server closes the connection. */
export function throwAt(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise(resolve => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
}

export async function counted(server: RunningServer, metric: string, labels: Record<string, string> = {}): Promise<number> {
  const found = await server.metrics.registry.getSingleMetric(metric)?.get()
  const matches = (value: { labels: object }) => JSON.stringify(value.labels) === JSON.stringify(labels)
  return found?.values.find(matches)?.value ?? 0
}
