// docs/migration.md with pods that run: hand-written manifests serve, are adopted by the printed commands, and are released again.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, isObject, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { referredObjects } from '../../../tools/apply.ts'
import { root } from '../../fixtures/claim-files.ts'
import { referenceTo } from '../cluster/api.ts'
import { type ClaimManifest, createNamespace, deleteClaim, deploymentOf, ready, referenceOf } from '../cluster/claim.ts'
import { manifests } from '../cluster/cluster.ts'
import { runDocumented } from '../cluster/install.ts'
import { documented } from '../cluster/suite/names.ts'
import { figures } from './figures.ts'
import { lossOfMessages, lossOfRequests, processed, publishMessages, sendRequests } from './load.ts'
import { podsOf, rolledOut, urlOf, watchPods } from './service.ts'
import type { Setting } from './setting.ts'

const REQUESTS_PER_SECOND = 25
const MESSAGES_PER_SECOND = 5
const SETTLE_MS = 1_000

export function migratesRunningPods(given: () => Setting): void {
  describe('the migration of a running service', () => {
    const files = ['serviceaccount', 'service', 'deployment', 'scaledobject']
    const source = join(root, 'test/fixtures/agent-executor')
    const byHand = files.flatMap(file => manifests(readFileSync(join(source, `${file}.yaml`), 'utf8')))
    const claim = manifests(readFileSync(join(root, 'examples/agent-executor-claim.yaml'), 'utf8'))[0] as ClaimManifest
    const { stream, consumer } = claim.spec.nats as { stream: string; consumer: string }
    const { namespace } = claim.metadata
    const folder = () => join(given().cluster.folder, 'migration-of-pods')
    const follow = (commands: string) => runDocumented(given().cluster, commands, folder())
    const containers = async () => {
      const pods = await podsOf(given().cluster, claim)
      return pods.flatMap(pod => items(at(pod, 'status', 'containerStatuses')).map(status => at(status, 'containerID')))
    }

    beforeAll(async () => {
      const { cluster, nats } = given()
      mkdirSync(folder())
      await createNamespace(cluster, namespace)
      for (const object of referredObjects(claim)) await cluster.api.apply(object)
      await nats.createStream(stream)
      await nats.createConsumer(stream, consumer)
      for (const manifest of byHand) await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(manifest))
      await rolledOut(cluster, claim)
    })
    afterAll(async () => {
      const { cluster } = given()
      await deleteClaim(cluster, claim, [])
      for (const manifest of byHand) await cluster.api.delete(referenceTo(manifest))
    })

    /** Acts while requests and messages arrive; returns what was lost, and which pods there were. */
    async function underLoad(operation: string, act: () => Promise<unknown>) {
      const { cluster, nats } = given()
      const url = await urlOf(cluster, claim)
      const pods = watchPods(cluster, claim)
      const opened = sendRequests(url, { perSecond: REQUESTS_PER_SECOND })
      const kept = sendRequests(url, { perSecond: REQUESTS_PER_SECOND, keepAlive: true })
      const messages = publishMessages(nats, stream, { perSecond: MESSAGES_PER_SECOND })
      await delay(SETTLE_MS)
      await act()
      await rolledOut(cluster, claim)
      await delay(SETTLE_MS)
      const [newConnections, keptConnections, { ids, seconds }] = await Promise.all([opened.stop(), kept.stop(), messages.stop()])
      await cluster.until('all messages are processed', async () => (await nats.lag(stream, consumer)) === 0)
      pods.stop()
      const losses = [
        lossOfRequests(`${operation}, a connection for each request`, newConnections),
        lossOfRequests(`${operation}, kept connections`, keptConnections),
        lossOfMessages(operation, ids.length, seconds, await processed(nats, 'DONE', ids)),
      ]
      figures.losses.push(...losses)
      return { lost: losses.filter(({ lost, twice }) => lost + twice > 0), pods }
    }

    test('runs its migrations, and its program', async () => {
      const { cluster } = given()
      const logs = (container: string) => cluster.kubectl(['-n', namespace, 'logs', 'deployment/agent-executor', '-c', container])
      expect(await logs('run-migrations')).toBe('migrated\n')
      expect(await logs('agent-executor')).toContain('worker')
    })

    test('loses nothing, and replaces each pod once for the patch and once for the claim', async () => {
      const { cluster } = given()
      const uid = at(await cluster.api.get(deploymentOf(claim)), 'metadata', 'uid')
      const replicas = (await podsOf(cluster, claim)).length
      const [first = ''] = documented('## From manifests').split('\n')
      const { lost, pods } = await underLoad('migration to a claim', async () => {
        await follow(first)
        const { steps } = JSON.parse(await follow(first.replace('> claim.yaml', '-o json'))) as { steps: { commands: string[] }[] }
        for (const command of steps.flatMap(({ commands }) => commands)) await follow(command)
        await ready(cluster, claim)
      })
      expect(lost).toEqual([])
      expect(pods.seen).toHaveLength(3 * replicas)
      expect(pods.restarts()).toBe(0)
      const deployment = await cluster.api.get(deploymentOf(claim))
      expect(at(deployment, 'metadata', 'uid')).toBe(uid)
      expect(names(deployment, 'containers')).toEqual(['main'])
      expect(names(deployment, 'initContainers')).toEqual(['init'])
    })

    test('back to plain objects loses nothing, and no container is started again', async () => {
      const { cluster } = given()
      const before = await containers()
      const { lost, pods } = await underLoad('back to plain objects', () => follow(documented('## Back to plain objects')))
      expect(lost).toEqual([])
      expect(pods.restarts()).toBe(0)
      expect(await containers()).toEqual(before)
      expect(await cluster.api.find(referenceOf(claim))).toBeUndefined()
    })

    test('a claim adopts what it rendered itself, and no container is started again', async () => {
      const { cluster } = given()
      const before = await containers()
      const { lost } = await underLoad('adoption of what the claim renders', async () => {
        const annotations = { 'platform.bizmatters.io/adopt': 'true' }
        await cluster.api.apply({ ...claim, metadata: { ...claim.metadata, annotations } })
        await ready(cluster, claim)
      })
      expect(lost).toEqual([])
      expect(await containers()).toEqual(before)
    })
  })
}

const names = (deployment: JsonObject, list: string) =>
  items(at(deployment, 'spec', 'template', 'spec', list)).map(container => (isObject(container) ? container.name : undefined))
