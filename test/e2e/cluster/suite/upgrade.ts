// The upgrade of claims from the first version, as docs/install.md describes it.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at } from '../../../../src/kubernetes/json.ts'
import { referredObjects } from '../../../../tools/apply.ts'
import { root } from '../../../fixtures/claim-files.ts'
import type { Reference } from '../api.ts'
import { type ClaimManifest, type Counts, countsOf, createNamespace, deleteClaim, deploymentOf, ready, scaledTo } from '../claim.ts'
import { FUNCTION } from '../install.ts'
import { examplesThat } from './composed.ts'
import { diff, expectTruth, objectsOf } from './diff.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'upgrade'
const REST_MS = 10_000
function exampleOf(name: string): ClaimManifest {
  const [example] = examplesThat(({ metadata }) => metadata.name === name)
  if (example === undefined) throw new Error(`no example has a claim ${name}`)
  return { ...example.claim, metadata: { name, namespace: NAMESPACE } }
}

const busy = exampleOf('agent-executor')
const claims = [busy, exampleOf('assistant'), exampleOf('worker-small')]
/** The replicas of the busy claim. */
const REPLICAS = 4

interface Generation {
  readonly generation: number
  readonly replicas: number
  readonly replicaSets: number
}

async function generationOf({ cluster: { api } }: Setting, claim: ClaimManifest): Promise<Generation> {
  const { metadata, spec } = await api.get(deploymentOf(claim))
  const selector = `?labelSelector=app.kubernetes.io/name=${claim.metadata.name}`
  const replicaSets = await api.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: NAMESPACE }, selector)
  return { generation: Number(at(metadata, 'generation')), replicas: Number(at(spec, 'replicas')), replicaSets: replicaSets.length }
}

const generations = async (setting: Setting): Promise<Readonly<Record<string, Generation>>> =>
  Object.fromEntries(await Promise.all(claims.map(async claim => [claim.metadata.name, await generationOf(setting, claim)])))

/** Runs another program, which has the same flags, as the function. */
async function runAsFunction({ cluster: { folder, processes } }: Setting, place: (bundle: string) => unknown): Promise<void> {
  await place(join(folder, 'function.js'))
  await processes.restart(FUNCTION)
}

const placeFirstVersion = (outfile: string) =>
  build({
    entryPoints: [join(root, 'test/e2e/cluster/first-version.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    define: { 'process.env.FIRST_VERSION_NAMESPACE': JSON.stringify(NAMESPACE) },
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  })
const placeThisVersion = (bundle: string) => copyFileSync(join(root, 'dist/function.js'), bundle)

export function upgrades(given: () => Setting): void {
  describe('an upgrade from the first version', () => {
    let before: Readonly<Record<string, Generation>>
    let counts: Counts

    beforeAll(async () => {
      const { cluster, nats, messaging } = given()
      await createNamespace(cluster, NAMESPACE)
      await runAsFunction(given(), placeFirstVersion)
      for (const claim of claims) {
        for (const object of referredObjects(claim)) await cluster.api.apply(object)
        const { stream, consumer, account } = claim.spec.nats as { stream: string; consumer: string; account?: string }
        const server = account === 'SUPPORT' ? messaging : nats
        await server.createStream(stream)
        await server.createConsumer(stream, consumer)
        await cluster.api.apply(claim)
      }
      for (const claim of claims) await ready(cluster, claim)
    })
    afterAll(async () => {
      await runAsFunction(given(), placeThisVersion)
      for (const claim of claims) await deleteClaim(given().cluster, claim)
    })

    test('begins with objects of the first version', async () => {
      const { cluster } = given()
      for (const claim of claims) {
        const { spec } = await cluster.api.get(deploymentOf(claim))
        expect(JSON.stringify(spec)).not.toContain('OTEL_SERVICE_VERSION')
      }
      expect(await cluster.api.list({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace: NAMESPACE })).toEqual([])
    })

    test('rolls out each workload once as eds diff said, and keeps every replica available', async () => {
      const { cluster, nats } = given()
      const { stream } = busy.spec.nats as { stream: string }
      await nats.fill(stream, REPLICAS * 5)
      await scaledTo(cluster, busy, REPLICAS)
      const available = async (claim: ClaimManifest) => at((await cluster.api.get(deploymentOf(claim))).status, 'availableReplicas')
      await cluster.until('all replicas are available', async () => (await available(busy)) === REPLICAS)
      before = await generations(given())
      const names = claims.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
      const objects = await Promise.all(claims.map(claim => objectsOf(given(), claim)))
      const said = await Promise.all(names.map(name => diff(given(), name)))
      expect(said.map(({ exit }) => exit)).toEqual(claims.map(() => 1))
      expect(said.flatMap(one => one.objects.filter(({ restartsPods }) => restartsPods))).toHaveLength(claims.length)
      counts = countsOf(cluster, busy)
      await cluster.until('the watch', () => counts.available.length > 0)

      await runAsFunction(given(), placeThisVersion)
      for (const claim of claims) {
        await cluster.until(`${claim.metadata.name} is rolled out`, async () => {
          const { metadata, spec, status } = await cluster.api.get(deploymentOf(claim))
          const replicas = at(spec, 'replicas')
          const isCurrent = at(status, 'observedGeneration') === at(metadata, 'generation')
          const isNew = JSON.stringify(spec).includes('OTEL_SERVICE_VERSION')
          return isNew && isCurrent && at(status, 'updatedReplicas') === replicas && at(status, 'replicas') === replicas
        })
        await ready(cluster, claim)
        await cluster.until('its PodDisruptionBudget', () => cluster.api.find(budgetOf(claim)))
      }
      counts.stop()
      for (const [index, claim] of claims.entries())
        expectTruth(said[index]?.objects ?? [], objects[index] ?? new Map(), await objectsOf(given(), claim))
      expect((await diff(given(), ...names)).stderr).toBe(`nothing changes in ${claims.length} claims\n`)
      const after = await generations(given())
      console.log(`before the upgrade: ${JSON.stringify(before)}\nafter the upgrade:  ${JSON.stringify(after)}`)
      for (const [name, { generation, replicas }] of Object.entries(before))
        expect([name, after[name]]).toEqual([name, { generation: generation + 1, replicas, replicaSets: 2 }])
      expect(counts.seen).toEqual([REPLICAS])
      expect(Math.min(...counts.available)).toBe(REPLICAS)
    })

    test('changes nothing afterwards', async () => {
      const after = await generations(given())
      await delay(REST_MS)
      expect(await generations(given())).toEqual(after)
    })
  })
}

const budgetOf = ({ metadata: { name, namespace } }: ClaimManifest): Reference => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  namespace,
  name,
})
