// Every example with runtime Deployment: ready, as composed, as printed, and quiet from then on.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseClaim } from '../../../src/claim/parse.ts'
import { builtInPlatform } from '../../../src/claim/platform.ts'
import { compose } from '../../../src/compose.ts'
import { at, isObject, type JsonObject } from '../../../src/json.ts'
import { condition } from '../../../src/resources/parts.ts'
import { root } from '../../claim-files.ts'
import { referenceTo } from '../api.ts'
import { API_VERSION, type ClaimManifest, createNamespace, gone, KIND, missing, ready, referenceOf } from '../claim.ts'
import { manifests } from '../cluster.ts'
import { documentedCommands, runDocumented } from '../install.ts'
import type { Setting } from './setting.ts'

interface Example {
  readonly file: string
  readonly claim: ClaimManifest
}

const isHere = ({ spec }: JsonObject) => at(spec, 'runtime') !== 'Knative' && at(spec, 'eventing') === undefined

const examples: readonly Example[] = readdirSync(join(root, 'examples'))
  .filter(name => name.endsWith('-claim.yaml'))
  .flatMap(name => {
    const file = `examples/${name}`
    const claims = manifests(readFileSync(join(root, file), 'utf8')).filter(manifest => manifest.kind === KIND && isHere(manifest))
    return claims.map(claim => ({ file, claim: claim as ClaimManifest }))
  })
const namesOf = ({ metadata }: ClaimManifest) => `${metadata.namespace}/${metadata.name}`
// What there is to see of a claim whose consumer has nothing to do.
const QUIET_SECONDS = Number(process.env.QUIET_SECONDS ?? 45)
const MAIN = 'examples/minimal-claim.yaml'

/** What the function said it would make, seen from the API server. */
function composedOf(claim: ClaimManifest): readonly JsonObject[] {
  const parsed = parseClaim(claim, builtInPlatform)
  if (!parsed.ok) throw new Error(`${namesOf(claim)} is not valid`)
  return compose(parsed.claim, builtInPlatform, {}).resources.map(({ manifest }) => manifest)
}

/** The secrets that a Deployment refers to, which whoever applies the claim has made before: KEDA reads the variables, too. */
export function secretsOf(claim: ClaimManifest): JsonObject[] {
  const keys = new Map<string, Record<string, string>>()
  const see = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(see)
    if (!isObject(value)) return
    const reference = isObject(value.secretKeyRef) ? value.secretKeyRef : isObject(value.secretRef) ? value.secretRef : undefined
    if (reference !== undefined) {
      const of = keys.get(String(reference.name)) ?? {}
      if (typeof reference.key === 'string') of[reference.key] = 'secret'
      keys.set(String(reference.name), of)
    }
    Object.values(value).forEach(see)
  }
  composedOf(claim).forEach(see)
  const { namespace } = claim.metadata
  return [...keys].map(([name, stringData]) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }))
}

/** KEDA's from the first moment on. */
function withoutReplicas(manifest: JsonObject): JsonObject {
  const { replicas: _, ...spec } = isObject(manifest.spec) ? manifest.spec : {}
  return manifest.kind === 'Deployment' ? { ...manifest, spec } : manifest
}

export function examplesAreReady(given: () => Setting): void {
  describe('every example with runtime Deployment', () => {
    beforeAll(async () => {
      const { cluster, nats, messaging } = given()
      for (const namespace of new Set(examples.map(({ claim }) => claim.metadata.namespace))) await createNamespace(cluster, namespace)
      for (const { claim } of examples) {
        for (const secret of secretsOf(claim)) await cluster.api.apply(secret)
        const { stream, consumer, account } = claim.spec.nats as { stream: string; consumer: string; account?: string }
        const server = account === 'SUPPORT' ? messaging : nats
        await server.createStream(stream)
        await server.createConsumer(stream, consumer)
      }
    })

    test('is applied with kubectl', async () => {
      const { cluster, flavour } = given()
      // The first as the docs have it; its namespace is there by now.
      const [, , first] = documentedCommands(flavour)
      await runDocumented(cluster, first.replace(/kubectl create namespace \S+ && /, ''))
      for (const { file } of examples) await cluster.kubectl(['apply', '-f', join(root, file)])
    })

    test.each(examples.map(({ file, claim }) => ({ file, claim })))('$file: ready, and says so', async ({ claim }) => {
      const { cluster } = given()
      await ready(cluster, claim)
      const live = await cluster.api.get(referenceOf(claim))
      for (const type of ['Synced', 'Ready', 'WorkloadReady', 'ScalingReady'])
        expect(condition(live, type)).toMatchObject({ status: 'True' })
      const minimum = composedOf(claim).find(({ kind }) => kind === 'ScaledObject')
      expect(live.status).toMatchObject({
        workload: { kind: 'Deployment', name: claim.metadata.name, image: claim.spec.image as string },
        autoscaler: { kind: 'ScaledObject', minReplicas: at(minimum, 'spec', 'minReplicaCount') as number },
      })
    })

    test.each(examples.map(({ file, claim }) => ({ file, claim })))(
      '$file: what lives holds every field that was composed',
      async ({ claim }) => {
        const { cluster } = given()
        for (const manifest of composedOf(claim))
          expect(missing(withoutReplicas(manifest), await cluster.api.get(referenceTo(manifest)))).toEqual([])
      },
    )

    test('kubectl get prints the columns', async () => {
      const { cluster, flavour } = given()
      const printed = await cluster.kubectl(['get', 'eventdrivenservices', '-A'])
      const [header = '', ...rows] = printed.trimEnd().split('\n')
      const connection = flavour === 'claims' ? ['CONNECTION-SECRET'] : []
      const own = ['RUNTIME', 'SIZE', 'REPLICAS']
      const state = ['SYNCED', 'READY']
      expect(header.split(/\s+/).sort()).toEqual(
        ['NAMESPACE', 'NAME', ...own, ...state, ...(flavour === 'claims' ? connection : ['COMPOSITION']), 'AGE'].sort(),
      )
      for (const { claim } of examples) {
        const row = rows.find(row => row.startsWith(`${claim.metadata.namespace} `) && row.includes(` ${claim.metadata.name} `))
        expect(row).toMatch(/ Deployment +(micro|small|medium|large) +\d+ .*True +True/)
      }
      const wide = await cluster.kubectl(['get', 'eds', '-A', '-o', 'wide'])
      expect(wide).toMatch(/IMAGE/)
      expect(wide).toContain('ghcr.io/acme/assistant:2.7.0')
    })
  })
}

interface Snapshot {
  readonly generations: Readonly<Record<string, number>>
  readonly events: Readonly<Record<string, number>>
}

const composedKinds = [
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['apps/v1', 'Deployment'],
  ['keda.sh/v1alpha1', 'ScaledObject'],
] as const
const involved = new Set<unknown>([KIND, `X${KIND}`, ...composedKinds.map(([, kind]) => kind)])

// Those that KEDA may send to sleep meanwhile.
const asleep = examples.filter(({ claim }) => at(claim.spec, 'scaling', 'minReplicas') === 0).map(({ claim }) => claim.metadata.name)
// That a setting is of no use, which KEDA says anew whenever it looks at the object.
const KEDAS_ADVICE = 'KEDAScalerInfo'

async function look({ cluster: { api } }: Setting): Promise<Snapshot> {
  const isAwake = (name: unknown) => !asleep.some(claim => String(name).startsWith(claim))
  const generations: Record<string, number> = {}
  for (const [apiVersion, kind] of [...composedKinds, [API_VERSION, KIND] as const])
    for (const { metadata } of await api.list({ apiVersion, kind })) {
      const { namespace, name, generation } = metadata as { namespace: string; name: string; generation?: number }
      if (isAwake(name) && examples.some(({ claim }) => claim.metadata.namespace === namespace))
        generations[`${kind} ${namespace}/${name}`] = generation ?? 0
    }
  const events: Record<string, number> = {}
  for (const event of await api.list({ apiVersion: 'v1', kind: 'Event' })) {
    if (!involved.has(at(event, 'involvedObject', 'kind')) || event.reason === KEDAS_ADVICE) continue
    if (!isAwake(at(event, 'involvedObject', 'name'))) continue
    const { involvedObject, reason, message, metadata } = event
    const key = `${at(involvedObject, 'kind')} ${at(involvedObject, 'name')} ${reason}: ${message} (${at(metadata, 'name')})`
    events[key] = Number(at(event, 'series', 'count') ?? event.count ?? 1)
  }
  return { generations, events }
}

/** Everything between the two calls of this is to leave the examples alone; the second waits until enough time has passed. */
export function examplesAreQuiet(given: () => Setting, between: () => void): void {
  let before: Snapshot | undefined
  let began = 0
  let calls = 0
  const callsSoFar = () => given().cluster.processes.log('function').split('\n').length

  describe('once ready', () => {
    beforeAll(async () => {
      await delay(5_000)
      before = await look(given())
      calls = callsSoFar()
      began = Date.now()
    })
    between()
    test(`for ${QUIET_SECONDS} s no generation moves and no event comes or repeats`, async () => {
      await delay(Math.max(0, began + QUIET_SECONDS * 1000 - Date.now()))
      const after = await look(given())
      expect(after.generations).toEqual(before?.generations)
      expect(after.events).toEqual(before?.events)
      const perMinute = ((callsSoFar() - calls) / (Date.now() - began)) * 60_000
      console.log(`${examples.length} claims at rest: the function was called ${perMinute.toFixed(0)} times a minute`)
    })
    afterAll(async () => {
      const { cluster } = given()
      for (const { file, claim } of examples) if (file !== MAIN) await gone(cluster, claim)
    })
  })
}
