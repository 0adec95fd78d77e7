// The part of the NATS protocol that the tests use: https://docs.nats.io/reference/reference-protocols/nats-protocol
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { answerTo } from './nats-accounts.ts'

export interface Nats {
  readonly publish: (subject: string, payload: string) => Promise<void>
  /** A stream for messages to the subject with its name in lower case. */
  readonly createStream: (stream: string) => Promise<void>
  readonly createConsumer: (stream: string, consumer: string, settings?: JsonObject) => Promise<void>
  readonly deleteConsumer: (stream: string, consumer: string) => Promise<void>
  /** Publishes this many messages to the stream. */
  readonly fill: (stream: string, count: number) => Promise<void>
  /** Fetches up to this many messages of the consumer and acknowledges them; returns their number. */
  readonly take: (stream: string, consumer: string, count: number) => Promise<number>
  /** Fetches this many messages of the consumer without acknowledging them, as workers do that are still at work. */
  readonly hold: (stream: string, consumer: string, count: number) => Promise<void>
  /** The payloads of all messages of the stream. */
  readonly read: (stream: string) => Promise<readonly string[]>
  /** The lag as KEDA computes it: pending and unacknowledged messages. */
  readonly lag: (stream: string, consumer: string) => Promise<number>
  readonly close: () => void
}

/** What a client of a server with TLS presents. Certificates and keys are PEM. */
export interface Login {
  /** The host of the server's URL, which its certificate must have. */
  readonly host: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  /** The content of a .creds file. */
  readonly credentials?: string
}

export interface Message {
  /** The ID of the subscription. */
  readonly id: string
  readonly reply: string | undefined
  readonly payload: string
  /** A message that only tells the client something has this instead of a payload, such as `404 No Messages`. */
  readonly status?: string
}

const ANSWER_MS = 20_000
const QUIET_MS = 300
const BATCH = 500
const END = '\r\n'

export const subjectOf = (stream: string) => stream.toLowerCase()

/** Parses the protocol of the server: `MSG <subject> <sid> [reply] <bytes>` with a payload, or another line. */
function createReader(see: (message: Message) => void, answerPing: () => void) {
  let left = Buffer.alloc(0)
  return (chunk: Buffer): void => {
    left = Buffer.concat([left, chunk])
    for (;;) {
      const end = left.indexOf(END)
      if (end < 0) return
      const [verb = '', ...words] = left.subarray(0, end).toString('utf8').split(' ')
      const body = end + END.length
      if (verb === 'MSG' || verb === 'HMSG') {
        const length = Number(words.at(-1))
        if (left.length < body + length + END.length) return
        const reply = words.length > (verb === 'MSG' ? 3 : 4) ? words[2] : undefined
        const headers = verb === 'HMSG' ? Number(words.at(-2)) : 0
        const payload = left.subarray(body + headers, body + length).toString('utf8')
        const status = /^NATS\/1\.0 (\d{3}[^\r]*)/.exec(left.subarray(body, body + headers).toString('utf8'))?.[1]
        left = left.subarray(body + length + END.length)
        see({ id: words[1] ?? '', reply, payload, ...(status !== undefined && { status }) })
        continue
      }
      if (verb === 'PING') answerPing()
      if (verb === '-ERR') throw new Error(`NATS says ${words.join(' ')}`)
      left = left.subarray(body)
    }
  }
}

/** Where a server listens. */
export interface Server {
  readonly host: string
  readonly port: number
}

/** Resolves when the server has accepted the client; the protocol is written to the socket. */
export async function openConnection({ host, port }: Server, see: (message: Message) => void, login?: Login): Promise<Socket> {
  const plain = connect({ port, host, noDelay: true })
  const [greeting] = await once(plain, 'data')
  const socket = login === undefined ? plain : encrypted(plain, login)
  await logIn(socket, login?.credentials === undefined ? {} : answerTo(nonceIn(String(greeting)), login.credentials))
  socket.on(
    'data',
    createReader(see, () => socket.write(`PONG${END}`)),
  )
  socket.on('error', () => socket.destroy())
  return socket
}

/** A server greets in plain text, before TLS. */
function nonceIn(greeting: string): string {
  const information: unknown = JSON.parse(greeting.replace(/^INFO /, ''))
  return isObject(information) ? String(information.nonce) : ''
}

const encrypted = (socket: Socket, { host, ca, certificate, key }: Login): Socket =>
  connectTls({
    socket,
    servername: host,
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
  })

/** Resolves when the server has accepted the client. */
function logIn(socket: Socket, answer: JsonObject): Promise<void> {
  const options = { verbose: false, headers: true, no_responders: true, name: 'tests', ...answer }
  return new Promise((resolve, reject) => {
    let received = ''
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    const read = (chunk: Buffer) => {
      received += chunk.toString()
      const [, refusal] = /-ERR '(.*)'/.exec(received) ?? []
      if (refusal !== undefined) fail(new Error(`NATS refuses the client: ${refusal}`))
      if (!received.includes(`PONG${END}`)) return
      for (const [event, listener] of listeners) socket.off(event, listener)
      resolve()
    }
    const listeners = [
      ['data', read],
      ['error', fail],
      ['close', () => fail(new Error('NATS closes the connection'))],
    ] as const
    for (const [event, listener] of listeners) socket.on(event, listener)
    socket.write(`CONNECT ${JSON.stringify(options)}${END}PING${END}`)
  })
}

/** Connects to a server, on loopback if only the port is given, and reconnects after a restart. */
export async function connectNats(place: number | Server, login?: Login): Promise<Nats> {
  const server = typeof place === 'number' ? { host: '127.0.0.1', port: place } : place
  const prefix = Math.random().toString(36).slice(2)
  const waiting = new Map<string, (message: Message) => void>()
  let subscriptions = 0
  const see = (message: Message) => {
    if (message.status === undefined) waiting.get(message.id)?.(message)
  }
  const openHere = () => openConnection(server, see, login)
  let socket = await openHere()
  let opening: Promise<Socket> | undefined
  const connected = async (): Promise<void> => {
    if (!socket.destroyed) return
    opening ??= openHere()
    socket = await opening.finally(() => (opening = undefined))
  }

  /** A separate inbox for each request, because messages of a stream keep the subject that they were published to. */
  function subscribe(see: (message: Message) => void): { readonly inbox: string; readonly end: () => void } {
    const id = String(++subscriptions)
    const inbox = `_INBOX.${prefix}.${id}`
    waiting.set(id, see)
    socket.write(`SUB ${inbox} ${id}${END}`)
    return {
      inbox,
      end: () => {
        waiting.delete(id)
        socket.write(`UNSUB ${id}${END}`)
      },
    }
  }

  const post = (subject: string, payload: string, reply = ''): void => {
    const bytes = Buffer.from(payload)
    socket.write(Buffer.concat([Buffer.from(`PUB ${subject}${reply && ` ${reply}`} ${bytes.length}${END}`), bytes, Buffer.from(END)]))
  }

  async function send(subject: string, payload: string): Promise<string> {
    await connected()
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`NATS does not answer ${subject}`)), ANSWER_MS)
      const { inbox, end } = subscribe(message => {
        clearTimeout(timeout)
        end()
        resolve(message.payload)
      })
      post(subject, payload, inbox)
    })
  }

  async function jetStream(api: string, body: JsonObject = {}): Promise<JsonObject> {
    const answer: unknown = JSON.parse(await send(`$JS.API.${api}`, JSON.stringify(body)))
    if (!isObject(answer)) throw new Error(`JetStream answers ${api} with no object`)
    if (isObject(answer.error)) throw new Error(`JetStream refuses ${api}: ${answer.error.description}`)
    return answer
  }

  /** Fetches one batch of available messages, and answers each if asked. */
  function fetchBatch(stream: string, consumer: string, limit: number, answer?: string): Promise<number> {
    return new Promise(resolve => {
      let taken = 0
      const finish = () => {
        end()
        resolve(taken)
      }
      let quiet = setTimeout(finish, QUIET_MS)
      const { inbox, end } = subscribe(message => {
        clearTimeout(quiet)
        if (message.reply !== undefined && answer !== undefined) post(message.reply, answer)
        taken += 1
        if (taken === limit) return finish()
        quiet = setTimeout(finish, QUIET_MS)
      })
      post(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify({ batch: limit, no_wait: true }), inbox)
    })
  }

  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  return {
    publish: async (subject, payload) => void (await send(subject, payload)),
    createStream: async stream => {
      const settings = { name: stream, subjects: [subjectOf(stream)], storage: 'file', retention: 'limits', discard: 'old' }
      await jetStream(`STREAM.CREATE.${stream}`, {
        ...settings,
        max_consumers: -1,
        max_msgs: -1,
        max_bytes: -1,
        max_age: 0,
        num_replicas: 1,
      })
    },
    createConsumer: async (stream, consumer, settings) => {
      const config = { durable_name: consumer, ack_policy: 'explicit', deliver_policy: 'all', replay_policy: 'instant', ...settings }
      await jetStream(`CONSUMER.DURABLE.CREATE.${stream}.${consumer}`, { stream_name: stream, config })
    },
    deleteConsumer: async (stream, consumer) => void (await jetStream(`CONSUMER.DELETE.${stream}.${consumer}`)),
    fill: async (stream, messages) => {
      for (let sent = 0; sent < messages; sent += BATCH) {
        const batch = Math.min(BATCH, messages - sent)
        await Promise.all(Array.from({ length: batch }, (_, index) => send(subjectOf(stream), `message ${sent + index}`)))
      }
    },
    take: async (stream, consumer, limit) => {
      await connected()
      let taken = 0
      while (taken < limit) {
        const batch = await fetchBatch(stream, consumer, Math.min(BATCH, limit - taken), '+ACK')
        if (batch === 0) break
        taken += batch
      }
      return taken
    },
    hold: async (stream, consumer, count) => {
      await connected()
      const held = await fetchBatch(stream, consumer, count)
      if (held !== count) throw new Error(`${consumer} got ${held} messages instead of ${count}`)
    },
    read: async stream => {
      const last = number(at(await jetStream(`STREAM.INFO.${stream}`), 'state', 'last_seq'))
      const one = async (seq: number) => {
        const data = at(await jetStream(`STREAM.MSG.GET.${stream}`, { seq }), 'message', 'data')
        return Buffer.from(String(data ?? ''), 'base64').toString('utf8')
      }
      const all: string[] = []
      for (let read = 0; read < last; read += BATCH)
        all.push(...(await Promise.all(Array.from({ length: Math.min(BATCH, last - read) }, (_, index) => one(read + index + 1)))))
      return all
    },
    lag: async (stream, consumer) => {
      const info = await jetStream(`CONSUMER.INFO.${stream}.${consumer}`)
      return number(at(info, 'num_pending')) + number(at(info, 'num_ack_pending'))
    },
    close: () => socket.destroy(),
  }
}
