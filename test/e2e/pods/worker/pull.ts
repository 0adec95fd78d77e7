// Pulls the messages of a JetStream consumer, several at once, and stops without losing one or having one delivered again.
// https://docs.nats.io/nats-concepts/jetstream/consumers
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type Message, openConnection } from '../../cluster/nats.ts'

export interface Source {
  readonly url: string
  readonly stream: string
  readonly consumer: string
  /** Messages that are worked on at once. */
  readonly concurrency: number
  /** Where each processed message is recorded, so that the tests can count. */
  readonly done: string
}

export interface Work {
  readonly payload: string
  /** How often the message was delivered, with this time. */
  readonly delivery: number
}

export interface Puller {
  readonly isConnected: () => boolean
  /** Takes no more messages, finishes those that it has, and disconnects. */
  readonly stop: () => Promise<void>
}

const END = '\r\n'
const EXPIRES_MS = 5_000
const HEARTBEAT_MS = 3_000
const ANSWER_MS = 5_000
const AGAIN_MS = 500
const DEFAULT_PORT = 4222

/** `handle` returns what is recorded. */
export function pullMessages(source: Source, handle: (work: Work) => Promise<string>, log: (line: string) => void): Puller {
  const { stream, consumer, concurrency, done } = source
  const { hostname, port } = new URL(source.url)
  const prefix = `_INBOX.${Math.random().toString(36).slice(2)}`
  const waiting = new Map<string, (message: Message | undefined) => void>()
  let ids = 0
  let socket: Socket | undefined
  let stopping = false

  const connect = async (): Promise<Socket> => {
    const opened = await openConnection({ host: hostname, port: Number(port || DEFAULT_PORT) }, message =>
      waiting.get(message.id)?.(message),
    )
    opened.once('close', () => {
      socket = undefined
      for (const see of waiting.values()) see(undefined)
    })
    return opened
  }
  void (async () => {
    while (!stopping) {
      if (socket === undefined) socket = await connect().catch(error => void log(`not connected: ${error}`))
      await delay(AGAIN_MS)
    }
  })()

  const write = (text: string) => void socket?.write(text)
  const publish = (subject: string, payload: string, reply = '') =>
    write(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}${END}${payload}${END}`)

  /** Publishes with an inbox for one answer; undefined without an answer. `id` receives the ID of the subscription. */
  function ask(subject: string, payload: string, timeoutMs: number, id = String(++ids)): Promise<Message | undefined> {
    return new Promise(resolve => {
      const timer = setTimeout(() => finish(undefined), timeoutMs)
      const finish = (message: Message | undefined) => {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(message)
      }
      if (socket === undefined) return finish(undefined)
      waiting.set(id, finish)
      write(`SUB ${prefix}.${id} ${id}${END}UNSUB ${id} 1${END}`)
      publish(subject, payload, `${prefix}.${id}`)
    })
  }

  /** Resolves when the server has processed everything before: it returns an empty message. */
  async function flush(): Promise<void> {
    if (socket === undefined) return
    const id = String(++ids)
    write(`SUB ${prefix}.${id} ${id}${END}`)
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ANSWER_MS)
      waiting.set(id, () => {
        clearTimeout(timer)
        resolve()
      })
      publish(`${prefix}.${id}`, '')
    })
  }

  const pulls = new Set<string>()
  async function next(): Promise<Message | undefined> {
    const id = String(++ids)
    pulls.add(id)
    const request = JSON.stringify({ batch: 1, expires: EXPIRES_MS * 1_000_000 })
    const message = await ask(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, EXPIRES_MS + ANSWER_MS, id)
    pulls.delete(id)
    if (message !== undefined && message.status === undefined) return message
    if (message?.status?.startsWith('503')) log(`stream ${stream} has no consumer ${consumer}`)
    // No message within the time is normal, everything else would be repeated at once.
    if (!stopping && !message?.status?.startsWith('408')) await delay(AGAIN_MS)
    return undefined
  }

  async function work({ payload, reply = '' }: Message): Promise<void> {
    const heartbeat = setInterval(() => publish(reply, '+WPI'), HEARTBEAT_MS)
    try {
      const record = await handle({ payload, delivery: deliveryOf(reply) })
      const answer = await ask(done, record, ANSWER_MS)
      const isRecorded = answer !== undefined && answer.status === undefined
      publish(reply, isRecorded ? '+ACK' : '-NAK')
      if (!isRecorded) log(`${payload} was not recorded: ${answer?.status ?? 'no answer'}`)
    } finally {
      clearInterval(heartbeat)
    }
  }

  const returned: Message[] = []
  const slots = Array.from({ length: concurrency }, async () => {
    while (!stopping) {
      const message = await next()
      if (message === undefined) continue
      // Given back only when no pull is left, or the server would hand it to one of them.
      if (stopping) returned.push(message)
      else await work(message)
    }
  })

  return {
    isConnected: () => socket !== undefined,
    stop: async () => {
      stopping = true
      const open = [...pulls]
      for (const id of open) write(`UNSUB ${id}${END}`)
      await flush()
      for (const id of open) waiting.get(id)?.(undefined)
      await Promise.all(slots)
      for (const { reply = '' } of returned) publish(reply, '-NAK')
      await flush()
      socket?.end()
    },
  }
}

/** `$JS.ACK.<stream>.<consumer>.<delivered>.…`; newer servers put the domain and the account before the stream. */
function deliveryOf(reply: string): number {
  const tokens = reply.split('.')
  return Number(tokens[tokens.length > 9 ? 6 : 4])
}
