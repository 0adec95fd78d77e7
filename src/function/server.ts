import type { Server, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { type Certificates, readCertificates, type Watcher, watchCertificates } from './certificates.ts'
import { limitConnectionsPerAddress } from './connection-limit.ts'
import { createHealth, healthDefinition } from './grpc-health.ts'
import type { Handler } from './handler.ts'
import { createHttpServer } from './http-server.ts'
import { createPlainListener, createSecureListener, listen, type SecureListener } from './listener.ts'
import type { Log } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { Options } from './options.ts'
import { createCallCounter, createRunner, runnerDefinition, serviceNames } from './runner-service.ts'

export interface Settings extends Omit<Options, 'debug'> {
  /** How often the certificate folder is polled. */
  readonly certificatePollMs?: number
}

export interface RunningServer {
  readonly port: number
  readonly metricsPort: number | undefined
  readonly metrics: Metrics
  /** Waits at most this long for the calls in flight, then closes everything. */
  readonly stop: (graceMs: number) => Promise<'finished' | 'cut short'>
}

const CERTIFICATE_POLL_MS = 5_000
const ROTATION_GRACE_MS = 10_000
// Crossplane opens one. Each unfinished handshake holds some 30 KiB until it times out.
export const MAX_CONNECTIONS_PER_ADDRESS = 512

const grpcOptions = {
  // Crossplane sends all its reconciles over one connection; further calls wait on its side.
  'grpc.max_concurrent_streams': 256,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // A client that reconnects presents its certificate again and finds replicas that were added since.
  'grpc.max_connection_age_ms': 60 * 60_000,
  'grpc.max_connection_age_grace_ms': 60_000,
  'grpc.enable_channelz': 0,
}

const close = (server: Server) => new Promise<void>(resolve => server.close(() => resolve()))

function createGrpc(handler: Handler, { maxReceiveBytes }: Settings, metrics: Metrics, log: Log) {
  const server = new GrpcServer({
    ...grpcOptions,
    'grpc.max_receive_message_length': maxReceiveBytes,
    interceptors: [createCallCounter(metrics, log)],
  })
  const runner = createRunner(handler, metrics, log)
  for (const name of serviceNames) server.addService(runnerDefinition(name), { ...runner })
  const health = createHealth(serviceNames)
  server.addService(healthDefinition, { check: health.check, watch: health.watch })
  return { server, health }
}

/** Hands sockets to grpc-js; `disconnectAll` drains every connection so far. */
function createConnections(grpc: GrpcServer) {
  // Plaintext for grpc-js, because our own listener has decrypted the connection and checked the client.
  const createInjector = () => grpc.createConnectionInjector(ServerCredentials.createInsecure())
  let injector = createInjector()
  return {
    add: (socket: Socket) => injector.injectConnection(socket),
    disconnectAll: () => {
      const old = injector
      // The new one first: after the grace time, draining closes every connection of the injector, new ones included.
      injector = createInjector()
      old.drain(ROTATION_GRACE_MS)
    },
  }
}

function showExpiry(metrics: Metrics, { validTo }: Certificates): void {
  metrics.certificateExpiry.set({ certificate: 'server' }, validTo.server.getTime() / 1000)
  metrics.certificateExpiry.set({ certificate: 'ca' }, validTo.ca.getTime() / 1000)
}

/** Reloads certificates that change while serving; `disconnectAll` makes every client reconnect. */
function onRotation(listener: SecureListener, disconnectAll: () => void, metrics: Metrics, log: Log): Watcher {
  return {
    changed: (now, before) => {
      listener.use(now)
      metrics.certificateReloads.inc({ result: 'taken up' })
      showExpiry(metrics, now)
      log.info('certificates reloaded', { validTo: now.validTo.server.toISOString() })
      // A client that a removed CA has vouched for must present a certificate again.
      if (now.bundle !== before.bundle) disconnectAll()
    },
    unusable: reason => {
      metrics.certificateReloads.inc({ result: 'unusable' })
      metrics.certificatesUnusable.set(1)
      log.error('certificates unusable, the previous ones stay in use', { reason })
    },
    recovered: () => metrics.certificatesUnusable.set(0),
  }
}

/** Waits for the calls in flight, but no longer than the grace time. */
async function drain(grpc: GrpcServer, graceMs: number): Promise<'finished' | 'cut short'> {
  const timeout = new AbortController()
  const finished = new Promise<'finished'>(resolve => grpc.tryShutdown(() => resolve('finished')))
  const outOfTime = delay(graceMs, 'cut short' as const, { signal: timeout.signal }).catch(() => 'cut short' as const)
  const outcome = await Promise.race([finished, outOfTime])
  timeout.abort()
  if (outcome === 'cut short') grpc.forceShutdown()
  return outcome
}

/** Starts everything; if it rejects, nothing stays open. */
export async function startServer(handler: Handler, settings: Settings, log: Log): Promise<RunningServer> {
  const { certificatesDirectory: directory, address, metricsAddress } = settings
  const certificates = directory === undefined ? undefined : readCertificates(directory)
  const metrics = createMetrics()
  const { server: grpc, health } = createGrpc(handler, settings, metrics, log)
  const connections = createConnections(grpc)

  const accept = (socket: Socket) => {
    // A client that completes its handshake only now has no call in flight.
    if (!health.serving()) return socket.destroy()
    connections.add(socket)
  }
  const secure = certificates && createSecureListener(certificates, accept, metrics, log)
  const listener = secure?.server ?? createPlainListener(accept)
  limitConnectionsPerAddress(listener, MAX_CONNECTIONS_PER_ADDRESS)
  const sockets = new Set<Socket>()
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const http = createHttpServer(metrics, health.serving)

  const port = await listen(listener, address)
  const metricsPort =
    metricsAddress && (await listen(http, metricsAddress).catch(error => close(listener).then(() => Promise.reject(error))))
  // One connection failed, for example because no file descriptor was left: the server continues.
  for (const server of [listener, http]) server.on('error', error => log.error('connection not accepted', { reason: error.message }))
  let watch: NodeJS.Timeout | undefined
  if (secure && certificates && directory !== undefined) {
    showExpiry(metrics, certificates)
    const watcher = onRotation(secure, connections.disconnectAll, metrics, log)
    watch = watchCertificates(directory, certificates, settings.certificatePollMs ?? CERTIFICATE_POLL_MS, watcher)
  } else {
    log.warn('INSECURE: serving plaintext; anyone who reaches this port can call the function')
  }

  const stop = async (graceMs: number) => {
    health.stop()
    clearInterval(watch)
    const listenerClosed = close(listener)
    const outcome = await drain(grpc, graceMs)
    for (const socket of sockets) socket.destroy()
    await listenerClosed
    const probesClosed = close(http)
    http.closeAllConnections()
    await probesClosed
    return outcome
  }
  return { port, metricsPort, metrics, stop }
}
