// eds diff on the real API server: what it says is what then changes.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatPath } from '../../../../src/claim/findings.ts'
import { compareObjects } from '../../../../src/cli/diff/compare.ts'
import { at, isObject, type JsonObject, textOf } from '../../../../src/kubernetes/json.ts'
import { composedOf } from '../../../../tools/apply.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { referenceTo } from '../api.ts'
import { type ClaimManifest, createNamespace, deleteClaim, ready, referenceOf, scaledTo, worker } from '../claim.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'diff'

export interface SaidObject extends JsonObject {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly action: 'create' | 'change' | 'delete' | 'none'
  readonly restartsPods: boolean
  readonly changes: readonly JsonObject[]
}

interface Said {
  readonly exit: number
  readonly objects: readonly SaidObject[]
  readonly stderr: string
}

/** What `eds diff` says of one claim. */
export function diff({ cluster: { kubeconfig } }: Setting, ...args: readonly string[]): Promise<Said> {
  return new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [join(root, 'dist/eds.js'), 'diff', ...args, '-o', 'json'],
      { env: { ...process.env, KUBECONFIG: kubeconfig } },
      (error, stdout, stderr) => {
        const exit = Number(error === null ? 0 : error.code)
        if (stdout === '') return reject(new Error(`eds diff: ${stderr || error?.message}`))
        const { claims } = JSON.parse(stdout) as { claims: { objects: SaidObject[] }[] }
        resolve({ exit, objects: claims.flatMap(({ objects }) => objects), stderr })
      },
    ),
  )
}

const kinds = [
  ['v1', 'ServiceAccount'],
  ['v1', 'Service'],
  ['apps/v1', 'Deployment'],
  ['keda.sh/v1alpha1', 'ScaledObject'],
  ['policy/v1', 'PodDisruptionBudget'],
] as const

type Objects = ReadonlyMap<string, JsonObject>

const keyOf = ({ kind, name }: { readonly kind: unknown; readonly name: unknown }) => `${textOf(kind)} ${textOf(name)}`

/** The objects that a claim composed. */
export async function objectsOf({ cluster: { api } }: Setting, { metadata: { name, namespace } }: ClaimManifest): Promise<Objects> {
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => api.list({ apiVersion, kind, namespace })))
  const isOwn = ({ metadata }: JsonObject) =>
    at(metadata, 'deletionTimestamp') === undefined &&
    at(metadata, 'labels', 'app.kubernetes.io/name') === name &&
    at(metadata, 'annotations', 'crossplane.io/composition-resource-name') !== undefined
  return new Map(
    lists
      .flat()
      .filter(isOwn)
      .map(object => [keyOf({ kind: object.kind, name: at(object, 'metadata', 'name') }), object]),
  )
}

/** A file with the claims and their objects. */
export async function observedFile({ cluster: { api, folder } }: Setting, claims: readonly ClaimManifest[]): Promise<string> {
  const references = claims.flatMap(claim => [referenceOf(claim), ...composedOf(claim).map(referenceTo)])
  const objects = await Promise.all(references.map(reference => api.find(reference)))
  const file = join(folder, 'observed.json')
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects.filter(object => object !== undefined) }))
  return file
}

/** A file with the Composition in the cluster. */
export async function inputOf({ cluster: { api, folder } }: Setting): Promise<string> {
  const [composition] = await api.list({ apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition' })
  const file = join(folder, 'composition.json')
  writeFileSync(file, JSON.stringify(composition))
  return file
}

/** Without what controllers write once the object has changed: the count, and the number of the rollout. */
function withoutReaction(object: JsonObject): JsonObject {
  if (object.kind !== 'Deployment' || !isObject(object.spec) || !isObject(object.metadata)) return object
  const { replicas: _, ...spec } = object.spec
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = object.metadata.annotations as JsonObject
  return { ...object, metadata: { ...object.metadata, annotations }, spec }
}

/** Holds what was said to the objects before and after. */
export function expectTruth(said: readonly SaidObject[], before: Objects, after: Objects): void {
  const actual = [...new Set([...before.keys(), ...after.keys()])].map(key => {
    const [was, is] = [before.get(key), after.get(key)]
    const changes =
      was && is
        ? compareObjects(withoutReaction(was), withoutReaction(is)).map(({ path, from, to }) => ({ path: formatPath(path), from, to }))
        : []
    const action = was === undefined ? 'create' : is === undefined ? 'delete' : changes.length > 0 ? 'change' : 'none'
    return { key, action, changes }
  })
  const claimed = said.map(({ action, changes, ...object }) => ({
    key: keyOf(object),
    action,
    changes: action === 'change' ? changes.map(({ path, from, to }) => ({ path, from, to })) : [],
  }))
  const sorted = (list: readonly { key: string }[]) => list.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  expect(sorted(claimed)).toEqual(sorted(actual))
}

/** A dry run changes nothing. */
const notYet = (said: readonly SaidObject[]): SaidObject[] =>
  said.filter(({ action }) => action !== 'create').map(object => ({ ...object, action: 'none', changes: [] }))

const STREAM = 'DIFF'
const base = { image: 'ghcr.io/acme/orders-worker:1.4.2', env: [{ name: 'MODE', value: 'fast' }] }
const subject = (spec: JsonObject = {}): ClaimManifest => worker(NAMESPACE, 'subject', STREAM, { ...base, ...spec })
/** What the claim says step by step; each step is compared with the one before. */
const steps: readonly { readonly title: string; readonly claim: ClaimManifest; readonly restarts: boolean }[] = [
  {
    title: 'an image and a variable',
    claim: subject({ image: 'ghcr.io/acme/orders-worker:1.5.0', env: [...base.env, { name: 'LOG', value: 'on' }] }),
    restarts: true,
  },
  {
    title: 'a removed variable',
    claim: subject({ image: 'ghcr.io/acme/orders-worker:1.5.0', env: [{ name: 'LOG', value: 'on' }] }),
    restarts: true,
  },
  { title: 'a size whose quantities the API server spells otherwise', claim: subject({ size: 'large' }), restarts: true },
  {
    title: 'limits of the autoscaler',
    claim: subject({ size: 'large', scaling: { minReplicas: 1, maxReplicas: 7, pollingInterval: 1 } }),
    restarts: false,
  },
  { title: 'a Service', claim: subject({ size: 'large', httpPort: 80 }), restarts: true },
  {
    title: 'a budget that is deleted',
    claim: subject({ scaling: { minReplicas: 1, maxReplicas: 1, pollingInterval: 1 } }),
    restarts: true,
  },
]

export function saysWhatChanges(given: () => Setting): void {
  describe('eds diff', () => {
    let folder: string
    const fileOf = (claim: JsonObject) => {
      const file = join(folder, 'diff.json')
      writeFileSync(file, JSON.stringify(claim))
      return file
    }

    beforeAll(async () => {
      const { cluster, nats } = given()
      folder = cluster.folder
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'subject')
    })
    afterAll(() => deleteClaim(given().cluster, subject()))

    test('says which objects a new claim creates', async () => {
      const { cluster } = given()
      const said = await diff(given(), fileOf(subject()))
      expect(said.exit).toBe(1)
      await cluster.api.apply(subject())
      await ready(cluster, subject())
      expectTruth(said.objects, new Map(), await objectsOf(given(), subject()))
    })

    test('says that nothing changes, whatever KEDA, the HPA and the API server wrote', async () => {
      const { cluster, nats } = given()
      await nats.fill(STREAM, 15)
      await scaledTo(cluster, subject(), 3)
      for (const args of [['diff/subject'], [fileOf(subject())]]) {
        const said = await diff(given(), ...args)
        expect(said.objects.filter(({ action }) => action !== 'none')).toEqual([])
        expect([said.exit, said.stderr]).toEqual([0, 'nothing changes\n'])
      }
    })

    test.each(steps)('says what changes: $title', async ({ claim, restarts }) => {
      const { cluster } = given()
      const before = await objectsOf(given(), claim)
      const said = await diff(given(), fileOf(claim))
      expect(said.exit).toBe(1)
      expect(said.objects.filter(({ restartsPods }) => restartsPods).map(({ kind }) => kind)).toEqual(restarts ? ['Deployment'] : [])
      expectTruth(notYet(said.objects), before, await objectsOf(given(), claim))
      await cluster.api.apply(claim)
      await cluster.until('nothing more changes', async () => (await diff(given(), 'diff/subject')).exit === 0)
      const after = await objectsOf(given(), claim)
      expectTruth(said.objects, before, after)
    })

    test('says the findings of a claim that is refused', async () => {
      const said = await diff(given(), fileOf(subject({ size: 'xlarge' })))
      expect([said.exit, said.stderr]).toEqual([2, '1 claim is refused\n'])
    })

    test('estimates without the right to patch, and says the same', async () => {
      const claim = subject({ image: 'ghcr.io/acme/orders-worker:1.6.0', scaling: { minReplicas: 1, maxReplicas: 4, pollingInterval: 1 } })
      const asked = await diff(given(), fileOf(claim))
      const observed = await observedFile(given(), [claim])
      const estimated = await diff(given(), fileOf(claim), '--observed', observed, '--input', await inputOf(given()))
      const plain = ({ objects }: Said) => objects.map(({ estimated: _, ...object }) => object)
      expect(plain(estimated)).toEqual(plain(asked))
    })
  })
}
