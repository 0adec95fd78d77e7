// Load on a running service: requests and messages at a steady rate, each of which is counted. What an operation lost is the
// difference of what was offered and what was answered or processed.
import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { isObject } from '../../../src/kubernetes/json.ts'
import { type Nats, subjectOf } from '../cluster/nats.ts'

export type Counts = Readonly<Record<string, number>>

/** One line of the table of operations. */
export interface Loss {
  readonly operation: string
  readonly of: 'requests' | 'messages'
  readonly offered: number
  readonly lost: number
  /** Messages that were processed more than once. */
  readonly twice: number
  readonly seconds: number
  /** Why requests failed. */
  readonly reasons: Counts
}

export interface Requests {
  readonly offered: number
  readonly answered: number
  readonly failed: Counts
  /** How many answers came from each version, or from whatever the answer is counted by. */
  readonly answers: Counts
  readonly seconds: number
}

export interface Load<Result> {
  /** Ends the load and waits for what is on its way. */
  readonly stop: () => Promise<Result>
}

export interface RequestOptions {
  readonly perSecond?: number
  /** Whether each of the clients keeps its connection, or opens one for each request. */
  readonly keepAlive?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** What an answer with status 200 is counted by; by default the `version` that our worker says. */
  readonly countBy?: (body: string) => string
}

const PER_SECOND = 50
const CLIENTS = 8
const TIMEOUT_MS = 10_000

const add = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1
}

export function versionIn(body: string): string {
  try {
    const answer: unknown = JSON.parse(body)
    return isObject(answer) ? String(answer.version) : body
  } catch {
    return body.slice(0, 100)
  }
}

/** Calls `act` this often in a second, however long each call takes. Falls behind rather than bursts. */
export function steadily(perSecond: number, act: () => Promise<void>): Load<number> {
  const began = Date.now()
  const running = new Set<Promise<void>>()
  let stopping = false
  const pace = (async () => {
    for (let turn = 1; !stopping; turn++) {
      const one = act().finally(() => running.delete(one))
      running.add(one)
      await delay(Math.max(1, began + (turn * 1_000) / perSecond - Date.now()))
    }
  })()
  return {
    stop: async () => {
      stopping = true
      await pace
      const seconds = (Date.now() - began) / 1_000
      await Promise.all(running)
      return seconds
    },
  }
}

/** Sends requests, as several clients do, until it is stopped. */
export function sendRequests(url: string, options: RequestOptions = {}): Load<Requests> {
  const { perSecond = PER_SECOND, keepAlive = false, headers = {}, timeoutMs = TIMEOUT_MS, countBy = versionIn } = options
  const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive, maxSockets: keepAlive ? 1 : Number.POSITIVE_INFINITY }))
  const failed: Record<string, number> = {}
  const answers: Record<string, number> = {}
  let offered = 0
  let answered = 0
  const load = steadily(perSecond, () => {
    const agent = agents[offered++ % CLIENTS]
    return new Promise(resolve => {
      const fail = (reason: string) => {
        add(failed, reason)
        resolve()
      }
      const request = get(url, { agent, headers, timeout: timeoutMs }, response => {
        let body = ''
        response.on('data', chunk => (body += chunk))
        response.once('error', error => fail(`answer cut: ${reasonOf(error)}`))
        response.once('end', () => {
          if (response.statusCode !== 200) return fail(`status ${response.statusCode}`)
          answered += 1
          add(answers, countBy(body))
          resolve()
        })
      })
      request.once('timeout', () => request.destroy(new Error('timeout')))
      request.once('error', error => fail(`${reasonOf(error)}${request.reusedSocket ? ' on a kept connection' : ''}`))
    })
  })
  return {
    stop: async () => {
      const seconds = await load.stop()
      for (const agent of agents) agent.destroy()
      return { offered, answered, failed, answers, seconds }
    },
  }
}

const reasonOf = (error: Error) => ('code' in error ? String(error.code) : error.message)

export interface Published {
  readonly ids: readonly string[]
  readonly seconds: number
}

let series = 0

/** Publishes messages with IDs to a stream until it is stopped; each is offered only once the stream has it. */
export function publishMessages(
  nats: Nats,
  stream: string,
  { perSecond = PER_SECOND }: { readonly perSecond?: number } = {},
): Load<Published> {
  const ids: string[] = []
  const name = `${subjectOf(stream)}-${++series}`
  let count = 0
  const load = steadily(perSecond, async () => {
    const id = `${name}-${++count}`
    await nats.publish(subjectOf(stream), id)
    ids.push(id)
  })
  return { stop: async () => ({ seconds: await load.stop(), ids }) }
}

/** Publishes this many messages at once; returns their IDs. */
export async function publishAtOnce(nats: Nats, stream: string, count: number): Promise<readonly string[]> {
  const name = `${subjectOf(stream)}-${++series}`
  const ids = Array.from({ length: count }, (_, index) => `${name}-${index + 1}`)
  await Promise.all(ids.map(id => nats.publish(subjectOf(stream), id)))
  return ids
}

export interface Processed {
  readonly once: number
  readonly twice: readonly string[]
  readonly never: readonly string[]
  /** How many of them each version processed first. */
  readonly versions: Counts
  /** Delivered more than once, whether processed more than once or not. */
  readonly redelivered: number
}

/** What became of messages, by what our workers recorded in a stream. */
export async function processed(nats: Nats, done: string, ids: readonly string[]): Promise<Processed> {
  const records = new Map<string, { readonly version: string; readonly delivery: number }[]>()
  for (const payload of await nats.read(done)) {
    const { id, version, delivery } = JSON.parse(payload) as { id: string; version: string; delivery: number }
    records.set(id, [...(records.get(id) ?? []), { version, delivery }])
  }
  const of = (id: string) => records.get(id) ?? []
  const versions: Record<string, number> = {}
  for (const id of ids) {
    const [first] = of(id)
    if (first) add(versions, first.version)
  }
  return {
    once: ids.filter(id => of(id).length === 1).length,
    twice: ids.filter(id => of(id).length > 1),
    never: ids.filter(id => of(id).length === 0),
    versions,
    redelivered: ids.filter(id => of(id).some(({ delivery }) => delivery > 1)).length,
  }
}

export const lossOfRequests = (operation: string, { offered, answered, failed, seconds }: Requests): Loss => ({
  operation,
  of: 'requests',
  offered,
  lost: offered - answered,
  twice: 0,
  seconds,
  reasons: failed,
})

export const lossOfMessages = (operation: string, offered: number, seconds: number, { never, twice }: Processed): Loss => ({
  operation,
  of: 'messages',
  offered,
  lost: never.length,
  twice: twice.length,
  seconds,
  reasons: {},
})

/** The table of operations, as Markdown. */
export function tableOf(losses: readonly Loss[]): string {
  const rows = losses.map(({ operation, of, offered, lost, twice, seconds, reasons }) => {
    const why = Object.entries(reasons).map(([reason, count]) => `${count} × ${reason}`)
    const again = twice > 0 ? [`${twice} processed twice`] : []
    return `| ${operation} | ${offered} ${of} | ${lost} | ${seconds.toFixed(0)} | ${[...why, ...again].join(', ')} |`
  })
  return ['| operation | offered | lost | seconds | |', '|---|---|---|---|---|', ...rows].join('\n')
}
