import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { type Certificates, contextOf } from './certificates.ts'
import { clientOf, rejectionOf } from './client-certificate.ts'
import type { Log } from './log.ts'
import type { ClientRejection, Metrics } from './metrics.ts'
import type { Address } from './options.ts'

type Accept = (socket: Socket) => void

// Go and Node complete a handshake within milliseconds; a slower client only occupies a socket.
const HANDSHAKE_TIMEOUT_MS = 5_000

export interface SecureListener {
  readonly server: TlsServer
  readonly use: (certificates: Certificates) => void
}

/** Accepts clients whose certificate the CA issued, and closes every other connection before the first byte of HTTP/2. */
export function createSecureListener(first: Certificates, accept: Accept, metrics: Metrics, log: Log): SecureListener {
  let { authorities } = first
  const options = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['h2'], handshakeTimeout: HANDSHAKE_TIMEOUT_MS }
  const server = createTlsServer({ ...options, ...contextOf(first) })
  const reject = (socket: Socket, reason: ClientRejection) => {
    socket.destroy()
    metrics.refusedPeers.inc({ reason })
  }
  server.on('secureConnection', socket => {
    // Until grpc-js takes the socket it has no other listener, and an unhandled 'error' event would end the process.
    socket.on('error', () => {})
    const { remoteAddress } = socket
    const reason = socket.alpnProtocol === 'h2' ? rejectionOf(clientOf(socket), authorities, Date.now()) : 'not-http2'
    if (reason === undefined) return accept(socket)
    reject(socket, reason)
    log.warn('client rejected', { reason, peer: remoteAddress })
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const { remoteAddress } = socket
    const failed = { reason: error.code, peer: remoteAddress }
    // A TCP probe closes the connection before the handshake, so it does not count as rejected.
    if (error.code === 'ECONNRESET') {
      socket.destroy()
      return log.debug('TLS handshake failed', failed)
    }
    reject(socket, 'handshake')
    log.info('TLS handshake failed', failed)
  })
  const use = (certificates: Certificates) => {
    server.setSecureContext(contextOf(certificates))
    authorities = certificates.authorities
  }
  return { server, use }
}

export const createPlainListener = (accept: Accept): Server => createServer({ noDelay: true }, accept)

/** Resolves to the port; rejects with the reason, such as a port that is in use. */
export function listen(server: Server, { host, port }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      server.off('error', reject)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
    })
  })
}
