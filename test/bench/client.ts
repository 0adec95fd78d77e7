// A gRPC client that does next to nothing: requests are encoded already and answers are counted, not read.
import { connect } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import type { Identity } from '../../scripts/certificates.ts'

const PATH = '/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction'
const PREFIX_BYTES = 5
const WINDOW_BYTES = 64 * 1024 * 1024

export interface Connection {
  /** The bytes of the answer; rejects where gRPC says that the call failed. */
  readonly call: (message: Buffer) => Promise<Buffer>
  readonly close: () => void
}

/** One connection, as Crossplane holds one to a function; with a client's identity over mutual TLS. */
export function open(port: number, identity?: Identity): Promise<Connection> {
  const secure = identity && {
    createConnection: () =>
      // Crossplane's server certificates bear the subject of their CA, and Node takes such a one for self-signed.
      connectTls({
        port,
        host: '127.0.0.1',
        cert: identity.certificate,
        key: identity.key,
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      }),
  }
  const session = connect(`${identity ? 'https' : 'http'}://127.0.0.1:${port}`, {
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    ...secure,
  })
  const call = (message: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': PATH, te: 'trailers', 'content-type': 'application/grpc' })
      const chunks: Buffer[] = []
      let status: unknown
      const noteStatus = (headers: Record<string, unknown>) => {
        status = headers['grpc-status'] ?? status
        if (status !== undefined && status !== '0') reject(new Error(`gRPC status ${status}: ${headers['grpc-message']}`))
      }
      stream.on('response', noteStatus)
      stream.on('trailers', noteStatus)
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('end', () => resolve(Buffer.concat(chunks).subarray(PREFIX_BYTES)))
      const prefix = Buffer.alloc(PREFIX_BYTES)
      prefix.writeUInt32BE(message.length, 1)
      stream.write(prefix)
      stream.end(message)
    })
  return new Promise((resolve, reject) => {
    session.once('error', reject)
    session.once('remoteSettings', () => {
      session.setLocalWindowSize(WINDOW_BYTES)
      resolve({ call, close: () => session.close() })
    })
  })
}
