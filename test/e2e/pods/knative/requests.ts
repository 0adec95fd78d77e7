// Requests to claims with runtime Knative: cold start, concurrency, visibility, and changes of the traffic under load.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { conditionOf, deleteClaim, ready } from '../../cluster/claim.ts'
import { lossOfRequests, type Requests, sendRequests } from '../load.ts'
import { ask, askGateway, GATEWAY } from './ask.ts'
import { alwaysOne, claimOf, knativeServiceOf, NAMESPACE, podsOf, quickly, serves, urlOf } from './claims.ts'
import type { KnativeSetting } from './figures.ts'

const AT_ONCE = 6
const SLOW = '/?ms=300'
const SETTLE_MS = 2_000
const PER_SECOND = 25

const storefront = (version: string, knative: JsonObject = {}) =>
  claimOf('storefront', version, { runtime: 'Knative', knative: { autoscaling: quickly, ...knative } })
const till = claimOf('till', '1', { runtime: 'Knative', knative: { autoscaling: alwaysOne, containerConcurrency: 1 } })
const pricing = claimOf('pricing', '1', { runtime: 'Knative', knative: { autoscaling: alwaysOne, visibility: 'cluster-local' } })

const CANARY_REQUESTS = 1_000
const CANARY_PERCENT = 10
/** Five standard deviations of a binomial distribution: one run in two million is outside. */
const tolerance = 5 * Math.sqrt(CANARY_REQUESTS * (CANARY_PERCENT / 100) * (1 - CANARY_PERCENT / 100))

const canary = (percent: number) => [
  { revisionName: 'storefront-00001', percent: 100 - percent, tag: 'stable' },
  { latestRevision: true, percent },
]

export function answersRequests(given: () => KnativeSetting): void {
  describe('requests', () => {
    const all = [storefront('1'), till, pricing]

    beforeAll(async () => {
      const { cluster, figures } = given()
      const began = Date.now()
      for (const claim of all) await cluster.api.apply(claim)
      await ready(cluster, storefront('1'))
      figures.seconds['a claim with runtime Knative until it is ready'] = (Date.now() - began) / 1_000
      for (const claim of all) await ready(cluster, claim)
    })
    afterAll(() => Promise.all(all.map(claim => deleteClaim(given().cluster, claim, [knativeServiceOf(claim.metadata.name)]))))

    /** Makes a change while requests arrive from outside, and records what became of them. */
    async function underLoad(operation: string, change: () => Promise<unknown>, perSecond = PER_SECOND): Promise<Requests> {
      const { cluster, figures } = given()
      const headers = { host: new URL(await urlOf(cluster, storefront('1'))).host }
      const load = sendRequests(GATEWAY, { perSecond, headers })
      await change()
      await delay(SETTLE_MS)
      const requests = await load.stop()
      figures.losses.push(lossOfRequests(operation, requests))
      return requests
    }

    test('arrive at the URL of the status', async () => {
      const { cluster } = given()
      const url = await urlOf(cluster, storefront('1'))
      expect(url).toBe(`http://storefront.${NAMESPACE}.example.com`)
      expect(await askGateway(url)).toMatchObject({ status: 200, said: { version: '1' } })
      expect(await askGateway('http://nobody.example.com')).toMatchObject({ status: 404 })
    })

    test('reach the container one at a time with containerConcurrency 1, and together without it', async () => {
      const { cluster } = given()
      const concurrencyOf = async (claim: typeof till) => {
        const url = await urlOf(cluster, claim)
        const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => askGateway(url, SLOW)))
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
        return Math.max(...answers.map(({ said }) => Number(said.concurrent)))
      }
      expect(await concurrencyOf(till)).toBe(1)
      expect(await concurrencyOf(storefront('1'))).toBeGreaterThan(1)
    })

    test('reach a cluster-local service by its name in the cluster only', async () => {
      const { cluster } = given()
      const url = await urlOf(cluster, pricing)
      expect(url).toBe(`http://pricing.${NAMESPACE}.svc.cluster.local`)
      expect(await ask(url)).toMatchObject({ status: 200, said: { version: '1' } })
      expect(await askGateway(url)).toMatchObject({ status: 404 })
      expect(await askGateway(`http://pricing.${NAMESPACE}.example.com`)).toMatchObject({ status: 404 })
    })

    test('wake a service that has gone to zero, and all are answered', async () => {
      const { cluster, figures } = given()
      const isEmpty = () => cluster.until('no pod is left', async () => (await podsOf(cluster, 'storefront')).length === 0)
      await isEmpty()
      expect(await conditionOf(cluster, storefront('1'), 'Ready')).toMatchObject({ status: 'True' })
      const url = await urlOf(cluster, storefront('1'))
      const { answered, offered } = await underLoad('from zero', async () => {
        const { status, seconds } = await askGateway(url)
        expect(status).toBe(200)
        figures.seconds['cold start: a request to a Knative service without pods'] = seconds
        figures.seconds['a request to a Knative service with a pod'] = (await askGateway(url)).seconds
      })
      expect(offered - answered).toBe(0)
      await isEmpty()
    })

    test('are all answered while a new revision takes over', async () => {
      const { cluster } = given()
      const { answered, offered, answers } = await underLoad('Knative: a new revision', async () => {
        await delay(SETTLE_MS)
        await cluster.api.apply(storefront('2'))
        await serves(cluster, storefront('2'))
      })
      expect(offered - answered).toBe(0)
      expect(Object.keys(answers).sort()).toEqual(['1', '2'])
      expect(await askGateway(await urlOf(cluster, storefront('2')))).toMatchObject({ said: { version: '2' } })
    })

    test(`are split ${100 - CANARY_PERCENT} to ${CANARY_PERCENT} by a canary, whose tag has a URL of its own`, async () => {
      const { cluster } = given()
      const split = storefront('2', { traffic: canary(CANARY_PERCENT) })
      await underLoad('Knative: a canary begins', async () => {
        await cluster.api.apply(split)
        await serves(cluster, split)
      }).then(({ answered, offered }) => expect(offered - answered).toBe(0))

      const seconds = 10
      const { offered, answered, answers } = await underLoad(
        'Knative: a canary of 10 percent',
        () => delay(seconds * 1_000),
        CANARY_REQUESTS / seconds,
      )
      expect(offered - answered).toBe(0)
      const expected = (offered * CANARY_PERCENT) / 100
      expect(Math.abs(Number(answers['2']) - expected)).toBeLessThan((tolerance * offered) / CANARY_REQUESTS)

      const { status } = await cluster.api.get(knativeServiceOf('storefront'))
      const tagged = items(at(status, 'traffic')).find(target => at(target, 'tag') === 'stable')
      expect(at(tagged, 'url')).toBe(`http://stable-storefront.${NAMESPACE}.example.com`)
      for (let turn = 0; turn < 20; turn++) expect(await askGateway(String(at(tagged, 'url')))).toMatchObject({ said: { version: '1' } })
    })

    test('all go back to the earlier revision after a rollback', async () => {
      const { cluster } = given()
      const back = storefront('2', { traffic: [{ revisionName: 'storefront-00001', percent: 100 }] })
      const { answered, offered } = await underLoad('Knative: a rollback', async () => {
        await cluster.api.apply(back)
        await serves(cluster, back)
      })
      expect(offered - answered).toBe(0)
      const { answers } = await underLoad('Knative: after the rollback', () => delay(SETTLE_MS))
      expect(Object.keys(answers)).toEqual(['1'])
    })
  })
}
