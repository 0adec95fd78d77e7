// The HTTP side of the worker: its probes, an answer that says who gave it, events, and what a test asks from inside a pod.
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Identity {
  readonly pod: string
  readonly version: string
}

export interface Answering {
  /** Answers for this time as before, but ends each connection with its answer; then finishes the requests that it has. */
  readonly stop: (drainMs: number) => Promise<void>
}

const CONNECT_MS = 2_000

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))

/** Whether a file can be written: `written`, or the code of the error. */
const write = (path: string) =>
  writeFile(path, 'written').then(
    () => 'written',
    error => codeOf(error),
  )

/** Whether a port can be reached from this pod: `connected`, or the code of the error. */
const reach = (host: string, port: number): Promise<string> =>
  new Promise(resolve => {
    const socket = connect({ host, port, timeout: CONNECT_MS })
    const finish = (result: string) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => finish('connected'))
    socket.once('timeout', () => finish('timeout'))
    socket.once('error', error => finish(codeOf(error)))
  })

/** Reports a CloudEvent to the ledger of the test, whose status is the answer: the test decides which deliveries fail. */
async function report(ledger: string, { pod, version }: Identity, { headers, url = '/' }: IncomingMessage): Promise<number> {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') ? [[name.slice('ce-'.length), String(value)]] : [],
  )
  const body = JSON.stringify({ pod, version, path: url, attributes: Object.fromEntries(attributes) })
  const answer = await fetch(ledger, { method: 'POST', body }).catch(error => void console.log(`no ledger: ${error}`))
  return answer?.status ?? 503
}

export function answerRequests(port: number, identity: Identity, isReady: () => boolean, ledger?: string): Answering {
  let stopping = false
  let running = 0
  const answerTo = async ({ pathname, searchParams }: URL): Promise<[number, string]> => {
    const parameter = (name: string) => searchParams.get(name) ?? ''
    switch (pathname) {
      case '/': {
        const concurrent = ++running
        await delay(Number(parameter('ms')))
        running -= 1
        return [200, JSON.stringify({ ...identity, concurrent })]
      }
      case '/health':
        return [200, 'ok']
      case '/ready':
        return isReady() && !stopping ? [200, 'ok'] : [503, 'not ready']
      case '/write':
        return [200, await write(parameter('path'))]
      case '/reach':
        return [200, await reach(parameter('host'), Number(parameter('port')))]
      default:
        return [404, 'not found']
    }
  }
  const server = createServer(async (request, response) => {
    const isEvent = request.method === 'POST' && ledger !== undefined
    const [status, body] = isEvent
      ? [await report(ledger, identity, request), '']
      : await answerTo(new URL(request.url ?? '/', 'http://worker'))
    // A client that keeps its connection would meet the end of this pod in the middle of a request.
    if (stopping) response.setHeader('connection', 'close')
    response.writeHead(status).end(body)
  })
  // Longer than any client of the tests keeps an idle connection.
  server.keepAliveTimeout = 60_000
  server.listen(port)
  return {
    stop: async drainMs => {
      stopping = true
      await delay(drainMs)
      await new Promise(resolve => server.close(resolve))
    },
  }
}
