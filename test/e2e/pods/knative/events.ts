// Events through a Broker with the in-memory channel to claims of both runtimes: filters, retries and dead letters.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { type ClaimManifest, deleteClaim, deploymentOf, ready } from '../../cluster/claim.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { FAILURES, type Ledger } from '../ledger.ts'
import { sendEvent } from './ask.ts'
import { claimOf, knativeServiceOf, NAMESPACE, podsOf, quickly } from './claims.ts'
import type { KnativeSetting } from './figures.ts'

const RETRIES = 3
const scaling = { minReplicas: 1 }

/** Receives what the others do not accept. */
const letters = claimOf('letters', 'letters', { httpPort: 8080, scaling })

const eventing: JsonObject = {
  broker: {
    delivery: {
      retry: RETRIES,
      backoffPolicy: 'linear',
      backoffDelay: 'PT0.2S',
      deadLetter: { uri: `http://letters.${NAMESPACE}.svc:8080/letters` },
    },
  },
  triggers: [{ name: 'created', filter: { type: 'order.created' }, path: '/events/created' }],
}

const receivers = {
  Deployment: claimOf('billing', 'billing', { scaling, eventing }),
  Knative: claimOf('shipping', 'shipping', { runtime: 'Knative', knative: { autoscaling: quickly }, eventing }),
} as const

/** The address of the claim's Broker. */
export async function brokerOf({ api }: Cluster, { metadata }: ClaimManifest): Promise<string> {
  const { status } = await api.get({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', ...metadata })
  return String(at(status, 'address', 'url'))
}

export function deliversEvents(given: () => KnativeSetting, ledger: () => Ledger): void {
  describe('events', () => {
    const all = [letters, ...Object.values(receivers)]
    beforeAll(async () => {
      const { cluster } = given()
      for (const claim of all) await cluster.api.apply(claim)
      for (const claim of all) await ready(cluster, claim)
    })
    afterAll(() =>
      Promise.all(
        all.map(claim =>
          deleteClaim(given().cluster, claim, [
            claim.spec.runtime === 'Knative' ? knativeServiceOf(claim.metadata.name) : deploymentOf(claim),
          ]),
        ),
      ),
    )

    const deliveriesOf = (id: string) => ledger().deliveries.filter(({ attributes }) => attributes.id === id)

    describe.each(['Deployment', 'Knative'] as const)('to a claim with runtime %s', runtime => {
      const { name } = receivers[runtime].metadata

      /** Sends an event, and returns its ID. */
      async function send(attributes: Readonly<Record<string, string>>): Promise<string> {
        const id = randomUUID()
        expect(await sendEvent(await brokerOf(given().cluster, receivers[runtime]), { id, ...attributes })).toBe(202)
        return id
      }

      test('arrive if the filter of the trigger matches', async () => {
        const { cluster, figures } = given()
        if (runtime === 'Knative') await cluster.until('no pod is left', async () => (await podsOf(cluster, name)).length === 0)
        const other = await send({ type: 'order.deleted' })
        const began = Date.now()
        const id = await send({ type: 'order.created' })
        await cluster.until('it arrives', () => deliveriesOf(id).length > 0, { everyMs: 50 })
        if (runtime === 'Knative') figures.seconds['an event to a Knative service without pods'] = (Date.now() - began) / 1_000
        expect(deliveriesOf(id)).toMatchObject([{ version: name, path: '/events/created', attributes: { type: 'order.created' } }])
        expect(deliveriesOf(other)).toEqual([])
      })

      test('are retried until they are accepted', async () => {
        const { cluster } = given()
        const id = await send({ type: 'order.created', [FAILURES]: String(RETRIES - 1) })
        await cluster.until('it is accepted', () => ledger().accepted.some(({ attributes }) => attributes.id === id), { everyMs: 50 })
        expect(deliveriesOf(id).map(({ version }) => version)).toEqual(Array.from({ length: RETRIES }, () => name))
      })

      test('become dead letters after the last retry', async () => {
        const { cluster } = given()
        const id = await send({ type: 'order.created', [FAILURES]: '99' })
        await cluster.until('it is accepted', () => ledger().accepted.some(({ attributes }) => attributes.id === id), { everyMs: 50 })
        expect(deliveriesOf(id).map(({ version }) => version)).toEqual([...Array.from({ length: RETRIES + 1 }, () => name), 'letters'])
        expect(deliveriesOf(id).at(-1)).toMatchObject({ path: '/letters', attributes: { knativeerrorcode: '503' } })
      })
    })
  })
}
