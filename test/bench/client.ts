// A minimal gRPC client, so that the figures show the cost of the function: requests are encoded beforehand, responses are not
// decoded, and every call has the same headers. It speaks only the part of HTTP/2 (RFC 9113) that this needs.
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Identity } from '../../scripts/certificates.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const FRAME_HEADER_BYTES = 9
// gRPC prefixes each message with a compression flag and its length.
const PREFIX_BYTES = 5
// The default limits of HTTP/2.
const LARGEST_FRAME_BYTES = 16_384
const FIRST_WINDOW_BYTES = 65_535
const LARGEST_WINDOW_BYTES = 2 ** 31 - 1
// The number of bytes that the client reads before it sends a window update.
const READ_BYTES = 2 ** 26

const frameType = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const
const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const
const setting = { enablePush: 2, initialWindowSize: 4 } as const

function header(type: number, flags: number, stream: number, bytes: number): Buffer {
  // From Node's pool, because an allocation for each header would keep the garbage collector busy.
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  header.writeUIntBE(bytes, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return header
}

const frame = (type: number, flags: number, stream: number, content: Uint8Array = Buffer.of()) =>
  Buffer.concat([header(type, flags, stream, content.length), content])

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const settings = (...values: readonly (readonly [number, number])[]) =>
  Buffer.concat(values.flatMap(([key, value]) => [Buffer.of(0, key), uint32(value)]))

/** HPACK, RFC 7541: the first call adds four headers to the server's table, and later calls refer to them by index. */
function headerBlocks(scheme: 'http' | 'https'): { first: Buffer; later: Buffer } {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')])
  const indexed = Buffer.of(0x83, scheme === 'http' ? 0x86 : 0x87) // :method: POST, :scheme
  const first = [
    Buffer.of(0x44), // :path
    text('/apiextensions.fn.proto.v1.FunctionRunnerService/RunFunction'),
    Buffer.of(0x41), // :authority
    text('localhost'),
    Buffer.of(0x5f), // content-type
    text('application/grpc'),
    Buffer.of(0x40),
    text('te'),
    text('trailers'),
  ]
  return { first: Buffer.concat([indexed, ...first]), later: Buffer.concat([indexed, Buffer.of(0xc1, 0xc0, 0xbf, 0xbe)]) }
}

interface DataFrame {
  /** The number of bytes that count for the flow control window. */
  readonly bytes: number
  readonly parts: readonly Uint8Array[]
}

/** Splits a message into DATA frames. The parts of a frame are sent separately, so nothing is copied. */
function dataFrames(stream: number, message: Uint8Array): DataFrame[] {
  const prefix = Buffer.concat([Buffer.of(0), uint32(message.length)])
  const cut = LARGEST_FRAME_BYTES - PREFIX_BYTES
  const contents: Uint8Array[][] = [[prefix, message.subarray(0, cut)]]
  for (let at = cut; at < message.length; at += LARGEST_FRAME_BYTES) contents.push([message.subarray(at, at + LARGEST_FRAME_BYTES)])
  return contents.map((content, index) => {
    const bytes = content.reduce((sum, { length }) => sum + length, 0)
    const flags = index === contents.length - 1 ? flag.endStream : 0
    return { bytes, parts: [header(frameType.data, flags, stream, bytes), ...content] }
  })
}

interface Waiting {
  readonly resolve: (answer: Buffer) => void
  readonly reject: (error: Error) => void
  readonly received: Buffer[]
}

export interface Connection {
  /** The bytes of the response. Rejects if there is none, for example after a gRPC error. */
  readonly call: (message: Uint8Array) => Promise<Buffer>
  readonly close: () => void
}

function speak(socket: Socket, scheme: 'http' | 'https'): Connection {
  // Set on the socket, because a TLS socket ignores the option.
  socket.setNoDelay(true)
  const blocks = headerBlocks(scheme)
  const waiting = new Map<number, Waiting>()
  const unsent: DataFrame[] = []
  let window = FIRST_WINDOW_BYTES
  let nextStream = 1
  let unacknowledged = 0

  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  const send = (bytes: Uint8Array) => {
    // Sends the writes of one turn of the event loop together.
    if (socket.writableCorked === 0) {
      socket.cork()
      process.nextTick(() => socket.uncork())
    }
    socket.write(bytes)
  }
  const sendData = () => {
    for (let next = unsent[0]; next !== undefined && next.bytes <= window; next = unsent[0]) {
      window -= next.bytes
      for (const part of next.parts) send(part)
      unsent.shift()
    }
  }
  const end = (stream: number) => {
    const { resolve, reject, received } = waiting.get(stream) ?? {}
    waiting.delete(stream)
    const [only, ...more] = received ?? []
    const answer = only && more.length > 0 ? Buffer.concat([only, ...more]) : only
    if (answer) resolve?.(answer.subarray(PREFIX_BYTES))
    else reject?.(new Error('the call ended without an answer'))
  }
  const take = (type: number, flags: number, stream: number, content: Buffer) => {
    if (type === frameType.data) {
      waiting.get(stream)?.received.push(content)
      unacknowledged += content.length
      if (unacknowledged > READ_BYTES) {
        send(frame(frameType.windowUpdate, 0, 0, uint32(unacknowledged)))
        unacknowledged = 0
      }
    } else if (type === frameType.settings && !(flags & flag.ack)) send(frame(frameType.settings, flag.ack, 0))
    else if (type === frameType.ping && !(flags & flag.ack)) send(frame(frameType.ping, flag.ack, 0, content))
    else if (type === frameType.windowUpdate && stream === 0) {
      window += content.readUInt32BE()
      sendData()
    } else if (type === frameType.resetStream) waiting.get(stream)?.reject(new Error(`the call was reset: ${content.readUInt32BE()}`))
    else if (type === frameType.goAway) fail(new Error('the function closes the connection'))
    if ((type === frameType.data || type === frameType.headers) && flags & flag.endStream) end(stream)
  }

  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', chunk => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const from = at + FRAME_HEADER_BYTES
      const to = from + bytes.readUIntBE(at, 3)
      if (to > bytes.length) break
      take(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5), bytes.subarray(from, to))
      at = to
    }
    rest = bytes.subarray(at)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection is closed')))

  const windows = settings([setting.enablePush, 0], [setting.initialWindowSize, LARGEST_WINDOW_BYTES])
  send(Buffer.from(PREFACE))
  send(frame(frameType.settings, 0, 0, windows))
  send(frame(frameType.windowUpdate, 0, 0, uint32(LARGEST_WINDOW_BYTES - FIRST_WINDOW_BYTES)))

  const call = (message: Uint8Array) =>
    new Promise<Buffer>((resolve, reject) => {
      // The client does not track the windows of streams.
      if (PREFIX_BYTES + message.length > FIRST_WINDOW_BYTES)
        throw new Error(`a request of ${message.length} bytes is larger than this client can send`)
      const stream = nextStream
      nextStream += 2
      waiting.set(stream, { resolve, reject, received: [] })
      send(frame(frameType.headers, flag.endHeaders, stream, stream === 1 ? blocks.first : blocks.later))
      unsent.push(...dataFrames(stream, message))
      sendData()
    })
  return { call, close: () => socket.end() }
}

/** Opens one connection, like Crossplane to a function; with mutual TLS if there is an identity. */
export async function open(port: number, identity?: Identity): Promise<Connection> {
  const to = { port, host: '127.0.0.1' }
  if (identity === undefined) {
    const socket = connectTcp(to)
    await once(socket, 'connect')
    return speak(socket, 'http')
  }
  // Crossplane's server certificates have the subject of their CA, which Node treats as self-signed.
  const socket = connectTls({ ...to, cert: identity.certificate, key: identity.key, ALPNProtocols: ['h2'], rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return speak(socket, 'https')
}
