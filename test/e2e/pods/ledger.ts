// What workers report about the events that they receive. It survives their pods, and decides which deliveries fail.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Delivery {
  readonly pod: string
  readonly version: string
  /** The path that the event was sent to. */
  readonly path: string
  /** Of the CloudEvent: id, type, source and extensions. */
  readonly attributes: Readonly<Record<string, string>>
}

export interface Ledger {
  /** Where the workers of pods reach it. */
  readonly url: string
  /** All deliveries, failed ones as well. */
  readonly deliveries: readonly Delivery[]
  /** Those that the worker accepted. */
  readonly accepted: readonly Delivery[]
  readonly close: () => void
}

/** The attribute of an event that lets its first deliveries fail: this many. As a dead letter it is accepted. */
export const FAILURES = 'failures'
const DEAD_LETTER = 'knativeerrorcode'

/** Listens on an address that pods can reach. */
export async function openLedger(host: string, wanted = 0): Promise<Ledger> {
  const deliveries: Delivery[] = []
  const accepted: Delivery[] = []
  const attempts = new Map<string, number>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const delivery = JSON.parse(body) as Delivery
    const key = `${delivery.attributes.id} ${delivery.path}`
    const attempt = (attempts.get(key) ?? 0) + 1
    attempts.set(key, attempt)
    deliveries.push(delivery)
    const fails = attempt <= Number(delivery.attributes[FAILURES] ?? 0) && delivery.attributes[DEAD_LETTER] === undefined
    if (!fails) accepted.push(delivery)
    response.writeHead(fails ? 503 : 202).end()
  })
  await new Promise<void>(resolve => server.listen(wanted, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host}:${port}`,
    deliveries,
    accepted,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
