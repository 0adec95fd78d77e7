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
  /** How often the certificate folder is looked at. */
  readonly certificatePollMs?: number
}

export interface RunningServer {
  readonly port: number
  readonly metricsPort: number | undefined
  readonly metrics: Metrics
  /** Finishes what is in flight, for at most so long, and closes everything. */
  readonly stop: (graceMs: number) => Promise<'finished' | 'cut short'>
}

const CERTIFICATE_POLL_MS = 5_000
const ROTATION_GRACE_MS = 10_000
// Core has one. Each that only begins a handshake holds some 30 KiB until its time is up.
export const MOST_CONNECTIONS_PER_ADDRESS = 512

const grpcOptions = {
  // Core sends all its reconciles over one connection; beyond this many at once they wait on its side.
  'grpc.max_concurrent_streams': 256,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // A client that reconnects is judged anew, and finds the replicas that came since.
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

/** Hands sockets to grpc-js, and lets all that it has been given so far go. */
function createConnections(grpc: GrpcServer) {
  // Plaintext as far as grpc-js is concerned: what it is given has been decrypted and judged by our own listener.
  const createInjector = () => grpc.createConnectionInjector(ServerCredentials.createInsecure())
  let injector = createInjector()
  return {
    add: (socket: Socket) => injector.injectConnection(socket),
    letGo: () => {
      const old = injector
      // A new one first: once its time is up, draining cuts off whoever came to the same injector meanwhile.
      injector = createInjector()
      old.drain(ROTATION_GRACE_MS)
    },
  }
}

function showExpiry(metrics: Metrics, { validTo }: Certificates): void {
  metrics.certificateExpiry.set({ certificate: 'server' }, validTo.server.getTime() / 1000)
  metrics.certificateExpiry.set({ certificate: 'ca' }, validTo.ca.getTime() / 1000)
}

/** Takes up certificates that change while serving; `letGo` asks every client to connect anew. */
function onRotation(listener: SecureListener, letGo: () => void, metrics: Metrics, log: Log): Watcher {
  return {
    changed: (now, before) => {
      listener.use(now)
      metrics.certificateReloads.inc({ result: 'taken up' })
      showExpiry(metrics, now)
      log.info('certificates taken up', { validTo: now.validTo.server.toISOString() })
      // Who was let in by a CA that is gone has to show a certificate again.
      if (now.bundle !== before.bundle) letGo()
    },
    unusable: reason => {
      metrics.certificateReloads.inc({ result: 'unusable' })
      metrics.certificatesUnusable.set(1)
      log.error('certificates not taken up, the old ones serve on', { reason })
    },
    recovered: () => metrics.certificatesUnusable.set(0),
  }
}

/** Waits for the calls in flight, but no longer than the grace time. */
async function drain(grpc: GrpcServer, graceMs: number): Promise<'finished' | 'cut short'> {
  const patience = new AbortController()
  const finished = new Promise<'finished'>(resolve => grpc.tryShutdown(() => resolve('finished')))
  const outOfTime = delay(graceMs, 'cut short' as const, { signal: patience.signal }).catch(() => 'cut short' as const)
  const outcome = await Promise.race([finished, outOfTime])
  patience.abort()
  if (outcome === 'cut short') grpc.forceShutdown()
  return outcome
}

/** Starts everything or, on a rejection, leaves nothing open. */
export async function startServer(handler: Handler, settings: Settings, log: Log): Promise<RunningServer> {
  const { certificatesDirectory: directory, address, metricsAddress } = settings
  const certificates = directory === undefined ? undefined : readCertificates(directory)
  const metrics = createMetrics()
  const { server: grpc, health } = createGrpc(handler, settings, metrics, log)
  const connections = createConnections(grpc)

  const accept = (socket: Socket) => {
    // Whoever ends the handshake only now has nothing in flight yet.
    if (!health.serving()) return socket.destroy()
    connections.add(socket)
  }
  const secure = certificates && createSecureListener(certificates, accept, metrics, log)
  const listener = secure?.server ?? createPlainListener(accept)
  limitConnectionsPerAddress(listener, MOST_CONNECTIONS_PER_ADDRESS)
  const sockets = new Set<Socket>()
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const http = createHttpServer(metrics, health.serving)

  const port = await listen(listener, address)
  const metricsPort =
    metricsAddress && (await listen(http, metricsAddress).catch(error => close(listener).then(() => Promise.reject(error))))
  // Such as no file descriptor left for one more connection: bad for that one, and no reason to end.
  for (const server of [listener, http]) server.on('error', error => log.error('connection not accepted', { reason: error.message }))
  let watch: NodeJS.Timeout | undefined
  if (secure && certificates && directory !== undefined) {
    showExpiry(metrics, certificates)
    const watcher = onRotation(secure, connections.letGo, metrics, log)
    watch = watchCertificates(directory, certificates, settings.certificatePollMs ?? CERTIFICATE_POLL_MS, watcher)
  } else {
    log.warn('INSECURE: plaintext, and anyone who reaches this port can call the function')
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
