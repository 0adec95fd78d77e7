// A claim changes its runtime while requests, messages and events arrive. docs/adr/0010-runtime-switch-by-stand-in.md says which of
// them it promises not to lose.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STAND_IN_SUFFIX } from '../../../../src/capabilities/address.ts'
import type { Reference } from '../../cluster/api.ts'
import { type ClaimManifest, deleteClaim, deploymentOf, ready } from '../../cluster/claim.ts'
import type { Ledger } from '../ledger.ts'
import { type Counts, type Loss, lossOfMessages, lossOfRequests, processed, publishMessages, type Requests, steadily } from '../load.ts'
import { ask, sendEvent } from './ask.ts'
import { alwaysOne, claimOf, DONE, knativeServiceOf, NAMESPACE } from './claims.ts'
import { brokerOf } from './events.ts'
import type { KnativeSetting } from './figures.ts'

const STREAM = 'CHANGING'
const NAME = 'changing'
const PER_SECOND = 10
const SETTLE_MS = 2_000
const ARRIVAL_MS = 30_000

const shared = {
  nats: { stream: STREAM, consumer: NAME },
  eventing: { broker: {}, triggers: [{ name: 'created', filter: { type: 'order.created' }, path: '/events/created' }] },
}
const asDeployment = claimOf(NAME, 'deployment', { ...shared, scaling: { minReplicas: 1, maxReplicas: 1 } })
const asKnative = claimOf(NAME, 'knative', { ...shared, runtime: 'Knative', knative: { autoscaling: alwaysOne } })

const standIn = `${NAME}${STAND_IN_SUFFIX}`
/** What each runtime has and the other has not, and the stand-ins. */
const ofDeployment: readonly Reference[] = [deploymentOf(asDeployment)]
const ofKnative: readonly Reference[] = [knativeServiceOf(NAME)]
const standIns: readonly Reference[] = [
  knativeServiceOf(standIn),
  { apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name: standIn },
]

const add = (counts: Record<string, number>, key: string) => {
  counts[key] = (counts[key] ?? 0) + 1
}

const reasonOf = (error: Error): string => ('code' in error ? String(error.code) : error.message)

/** Asks the Service of the claim's name at the port that each runtime has: a client that knows both. */
function sendToEitherPort() {
  const [failed, answers]: Record<string, number>[] = [{}, {}]
  let [offered, answered] = [0, 0]
  const tryPort = async (port: number): Promise<boolean> => {
    const { status, said } = await ask(`http://${NAME}.${NAMESPACE}:${port}`)
    if (status !== 200) throw new Error(`status ${status}`)
    answered += 1
    add(answers ?? {}, String(said.version))
    return true
  }
  const load = steadily(PER_SECOND, async () => {
    offered += 1
    await tryPort(8080)
      .catch(() => tryPort(80))
      .catch(error => add(failed ?? {}, reasonOf(error)))
  })
  return {
    stop: async (): Promise<Requests> => {
      const seconds = await load.stop()
      return { offered, answered, failed: failed as Counts, answers: answers as Counts, seconds }
    },
  }
}

/** Sends events to the Broker. One that the Broker does not accept is not promised to arrive: its sender knows, and can repeat it. */
function sendEvents(url: string) {
  const accepted: string[] = []
  const refused: Record<string, number> = {}
  const load = steadily(PER_SECOND, async () => {
    const id = randomUUID()
    const status = await sendEvent(url, { id, type: 'order.created' }).catch(reasonOf)
    if (status === 202) accepted.push(id)
    else add(refused, `not accepted by the Broker: ${status}`)
  })
  return { stop: async () => ({ seconds: await load.stop(), accepted, refused }) }
}

export function changesRuntime(given: () => KnativeSetting, ledger: () => Ledger): void {
  describe('a change of runtime under load', () => {
    beforeAll(async () => {
      const { cluster, nats } = given()
      for (const stream of [STREAM, DONE]) await nats.createStream(stream)
      await nats.createConsumer(STREAM, NAME)
      await cluster.api.apply(asDeployment)
      await ready(cluster, asDeployment)
    })
    afterAll(() => deleteClaim(given().cluster, asDeployment, [...ofDeployment, ...ofKnative, ...standIns]))

    test.each<{ before: string; after: string; to: ClaimManifest; gone: readonly Reference[]; left: readonly Reference[] }>([
      { before: 'Deployment', after: 'Knative', to: asKnative, gone: [...ofDeployment, ...standIns], left: ofKnative },
      { before: 'Knative', after: 'Deployment', to: asDeployment, gone: [...ofKnative, ...standIns], left: ofDeployment },
    ])('from $before to $after loses no event and no message', async ({ before, after, to, gone, left }) => {
      const { cluster, nats, figures } = given()
      const operation = `${before} → ${after}`
      const events = sendEvents(await brokerOf(cluster, to))
      const messages = publishMessages(nats, STREAM, { perSecond: PER_SECOND })
      const requests = sendToEitherPort()
      await delay(SETTLE_MS)
      const began = Date.now()
      await cluster.api.apply(to)
      await cluster.until(`${NAME} is a ${after}`, async () => {
        const [former, current] = await Promise.all([gone, left].map(all => Promise.all(all.map(one => cluster.api.find(one)))))
        return former?.every(one => one === undefined) && current?.every(one => one !== undefined)
      })
      await ready(cluster, to)
      figures.seconds[`change of runtime ${operation}`] = (Date.now() - began) / 1_000
      await delay(SETTLE_MS)
      const [sent, published, asked] = await Promise.all([events.stop(), messages.stop(), requests.stop()])

      await cluster.until('all messages are processed', async () => (await nats.lag(STREAM, NAME)) === 0)
      const arrived = () => new Set(ledger().accepted.map(({ attributes }) => attributes.id))
      await cluster
        .until('all events have arrived', () => sent.accepted.every(id => arrived().has(id)), { timeoutMs: ARRIVAL_MS })
        .catch(() => undefined)
      const result = await processed(nats, DONE, published.ids)
      const losses: Loss[] = [
        lossOfEvents(`${operation}, events`, sent, ledger()),
        lossOfMessages(`${operation}, messages`, published.ids.length, published.seconds, result),
        lossOfRequests(`${operation}, requests to the name of the Service (not promised)`, asked),
      ]
      figures.losses.push(...losses)
      expect(losses.slice(0, 2).filter(({ lost }) => lost > 0)).toEqual([])
      const versions = sent.accepted.flatMap(id => ledger().accepted.find(({ attributes }) => attributes.id === id)?.version ?? [])
      expect([...new Set(versions)].sort()).toEqual(['deployment', 'knative'])
      expect(Object.keys(result.versions).sort()).toEqual(['deployment', 'knative'])
    })
  })
}

type Sent = Awaited<ReturnType<ReturnType<typeof sendEvents>['stop']>>

/** Names the workers that received an event twice. */
function lossOfEvents(operation: string, { seconds, accepted: ids, refused }: Sent, { accepted }: Ledger): Loss {
  const versions = new Map<string | undefined, string[]>()
  for (const { attributes, version } of accepted) versions.set(attributes.id, [...(versions.get(attributes.id) ?? []), version])
  const receiversOf = (id: string) => versions.get(id) ?? []
  const reasons: Record<string, number> = { ...refused }
  const twice = ids.filter(id => receiversOf(id).length > 1)
  for (const id of twice) add(reasons, receiversOf(id).join(' and '))
  const lost = ids.filter(id => receiversOf(id).length === 0).length
  return { operation, of: 'messages', offered: ids.length, lost, twice: twice.length, seconds, reasons }
}
