// Pulls messages from a consumer: as many as there are free slots, and a few ahead for handlers that take less than a round trip.
//
// The library's consume() asks ahead by a fixed number, and its close() still yields that many messages. A worker that handles one
// message for 15 minutes must not hold a second one.
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import { type Message, messageOf } from './message.ts'

export interface PullOptions {
  readonly nc: NatsConnection
  readonly stream: string
  readonly consumer: string
  readonly maxBatch: number
  readonly receive: (message: Message) => void
  /** Nothing arrives any more: the consumer was deleted, or the server has forgotten the request. */
  readonly stalled: (reason: string) => void
}

export interface Pull {
  /** Asks for more, if fewer than this many are on their way. */
  readonly ask: (wanted: number) => void
  /** How many messages the server may still send. */
  readonly requested: () => number
  /** Forgets requests that the server has dropped. */
  readonly tick: () => void
  /** Ends the requests. Resolves when what the server has sent before has been received. */
  readonly close: () => Promise<void>
}

interface Request {
  readonly id: number
  left: number
  readonly expiresMs: number
}

const EXPIRES_MS = 30_000
const HEARTBEAT_MS = 5_000
const NANOSECONDS = 1e6
/** Answers that end one request and are no problem: 404 no messages, 408 expired, 409 a limit of the consumer or a new leader. */
const isProblem = (code: number, description: string) =>
  code === 503 || code === 400 || (code === 409 && /deleted|push based/i.test(description))

export function startPull({ nc, stream, consumer, maxBatch, receive, stalled }: PullOptions): Pull {
  const inbox = createInbox()
  const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`
  let requests: Request[] = []
  let count = 0
  let heardMs = performance.now()
  let closed = false

  const requested = () => {
    let sum = 0
    for (const { left } of requests) sum += left
    return sum
  }

  const stall = (reason: string) => {
    requests = []
    if (!closed) stalled(reason)
  }

  /** The server serves requests in order, so a message belongs to the oldest. */
  function countDown(): void {
    const [oldest] = requests
    if (oldest === undefined) return
    oldest.left -= 1
    if (oldest.left <= 0) requests.shift()
  }

  function readStatus(message: Msg): void {
    const { headers } = message
    const code = headers?.code ?? 0
    if (code === 100) return
    const id = Number(message.subject.slice(inbox.length + 1))
    requests = requests.filter(request => request.id !== id)
    const description = headers?.description ?? ''
    if (isProblem(code, description)) stall(`${code} ${description}`.trim())
    // Lets whoever asks ask again, but not in a loop without an end.
    else heardMs = performance.now()
  }

  const subscription: Subscription = nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return stall(error.message)
      heardMs = performance.now()
      const received = messageOf(message)
      if (received === undefined) return readStatus(message)
      countDown()
      receive(received)
    },
  })

  return {
    requested,
    ask: wanted => {
      const batch = Math.min(wanted - requested(), maxBatch)
      if (closed || batch <= 0 || nc.isClosed()) return
      const id = ++count
      const now = performance.now()
      if (requests.length === 0) heardMs = now
      requests.push({ id, left: batch, expiresMs: now + EXPIRES_MS + HEARTBEAT_MS })
      const body = `{"batch":${batch},"expires":${EXPIRES_MS * NANOSECONDS},"idle_heartbeat":${HEARTBEAT_MS * NANOSECONDS}}`
      nc.publish(subject, body, { reply: `${inbox}.${id}` })
    },
    tick: () => {
      const now = performance.now()
      requests = requests.filter(({ expiresMs }) => expiresMs > now)
      if (requests.length > 0 && now - heardMs > 2 * HEARTBEAT_MS + 1000) stall('no heartbeat of the server')
    },
    close: async () => {
      closed = true
      requests = []
      if (!nc.isClosed() && !subscription.isClosed()) await subscription.drain()
    },
  }
}
