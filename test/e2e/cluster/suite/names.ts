// Name conflicts (docs/adr/0007-adopt-only-by-annotation.md), and the migration of docs/migration.md from manifests to a claim and back.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, isObject, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { ADOPT } from '../../../../src/reconcile/name-conflicts.ts'
import { referredObjects } from '../../../../tools/apply.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { type Reference, referenceTo } from '../api.ts'
import {
  API_VERSION,
  becomes,
  type ClaimManifest,
  type Counts,
  countsOf,
  createNamespace,
  deleteClaim,
  deploymentOf,
  KIND,
  ready,
  referenceOf,
  worker,
} from '../claim.ts'
import { type Cluster, manifests } from '../cluster.ts'
import { FUNCTION, runDocumented } from '../install.ts'

import type { Setting } from './setting.ts'

const NAMESPACE = 'names'
const STREAM = 'NAMES'
const CONSUMER = 'names'
/** The replicas of the foreign Deployment, which are also those that the lag requires. */
const REPLICAS = 5
/** A RollingUpdate makes at most a quarter of the replicas unavailable by default: one of five. */
const FLOOR = 4
const PER_REPLICA = 5

const named = (name: string): ClaimManifest => worker(NAMESPACE, name, STREAM, { nats: { stream: STREAM, consumer: CONSUMER } })
const adopting = (claim: ClaimManifest): ClaimManifest => ({
  ...claim,
  metadata: { ...claim.metadata, annotations: { [ADOPT]: 'true' } },
})

/** The output of `eds render` for a claim. */
const rendered = async ({ cluster }: Setting, claim: ClaimManifest): Promise<JsonObject[]> =>
  manifests(await runDocumented(cluster, `eds render - <<< '${JSON.stringify(claim)}'`))

const put = (object: JsonObject, [key = '', ...path]: readonly string[], value: JsonObject[string]): JsonObject => {
  const inner = object[key]
  return { ...object, [key]: path.length === 0 ? value : put(isObject(inner) ? inner : {}, path, value) }
}
const ofHand = (manifest: JsonObject): JsonObject =>
  manifest.kind === 'Deployment' ? put(manifest, ['spec', 'replicas'], REPLICAS) : manifest

/** Applies a hand-written manifest, waits until it is rolled out, and returns the object. */
async function makeByHand({ cluster }: Setting, given: readonly JsonObject[]): Promise<JsonObject[]> {
  const { api, until } = cluster
  for (const manifest of given) await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(manifest))
  for (const manifest of given)
    if (manifest.kind === 'Deployment')
      await until(`the pods of ${at(manifest, 'metadata', 'name')}`, async () => {
        const { metadata, status } = await api.get(referenceTo(manifest))
        return at(status, 'availableReplicas') === REPLICAS && at(status, 'observedGeneration') === at(metadata, 'generation')
      })
  return Promise.all(given.map(manifest => api.get(referenceTo(manifest))))
}

const uidOf = (object: JsonObject | undefined) => at(object, 'metadata', 'uid')
const uidsOf = async ({ api }: Cluster, references: readonly Reference[]) =>
  Promise.all(references.map(async reference => uidOf(await api.get(reference))))

async function podsOf({ api }: Cluster, claim: ClaimManifest): Promise<JsonObject[]> {
  const { name, namespace } = claim.metadata
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace }, `?labelSelector=app.kubernetes.io/name=${name}`)
  return pods.filter(pod => at(pod, 'metadata', 'deletionTimestamp') === undefined)
}
const podUids = async (cluster: Cluster, claim: ClaimManifest) => (await podsOf(cluster, claim)).map(uidOf).sort()

/** Waits for another call of the function for this claim. */
async function calledAgain({ cluster }: Setting, claim: ClaimManifest): Promise<void> {
  const calls = () => cluster.processes.log(FUNCTION).split(`"name":"${claim.metadata.name}"`).length
  const before = calls()
  const mark = String(Date.now())
  await cluster.api.patch(referenceOf(claim), { spec: { env: [{ name: 'MARK', value: mark }] } })
  await cluster.until('the function is called again', () => calls() > before + 1)
}

/** Starts with the current state. */
async function watched({ cluster }: Setting, claim: ClaimManifest): Promise<Counts> {
  const counts = countsOf(cluster, claim)
  await cluster.until('the watch', () => counts.seen.length > 0)
  return counts
}

export function takenNames(given: () => Setting): void {
  describe('a name conflict', () => {
    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, CONSUMER)
      await nats.fill(STREAM, REPLICAS * PER_REPLICA)
    })

    test.each(['Deployment', 'Service', 'ServiceAccount'])('a %s is left alone, until the claim may take it over', async kind => {
      const { cluster } = given()
      const claim = named(`taken-${kind.toLowerCase()}`)
      const composed = await rendered(given(), claim)
      const mine = composed
        .filter(manifest => manifest.kind === kind)
        // Its pods need an existing service account.
        .map(manifest =>
          kind === 'Deployment' ? put(ofHand(manifest), ['spec', 'template', 'spec', 'serviceAccountName'], 'default') : manifest,
        )
      const [before] = await makeByHand(given(), mine)
      const reference = referenceTo(before ?? {})

      await cluster.api.apply(claim)
      const { message } = await becomes(cluster, claim, 'WorkloadReady', 'False', 'NameTaken')
      expect(message).toContain(`${kind} ${NAMESPACE}/${claim.metadata.name} already exists, managed by`)
      expect(message).toContain('Rename the claim, or let it adopt the object: ')
      await calledAgain(given(), claim)
      expect(await cluster.api.get(reference)).toEqual(before)
      for (const other of composed.filter(manifest => manifest.kind !== kind))
        expect(await cluster.api.find(referenceTo(other))).toBeUndefined()

      await runDocumented(cluster, /kubectl .*$/.exec(message)?.[0] ?? '')
      await becomes(cluster, claim, 'WorkloadReady', 'True')
      await ready(cluster, claim)
      const after = await cluster.api.get(reference)
      expect(uidOf(after)).toBe(uidOf(before))
      expect(at(after, 'metadata', 'ownerReferences')).toMatchObject([{ controller: true }])
      await deleteClaim(cluster, claim, composed.map(referenceTo))
    })

    test('with an object of a deleted claim is resolved when that is deleted', async () => {
      const { cluster } = given()
      const claim = named('again')
      const service: Reference = { apiVersion: 'v1', kind: 'Service', ...claim.metadata }
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      await cluster.api.patch(service, { metadata: { finalizers: ['example.org/held'] } })
      await deleteClaim(cluster, claim)
      await cluster.api.apply(claim)
      const { message } = await becomes(cluster, claim, 'WorkloadReady', 'False', 'Waiting')
      expect(message).toContain(`Service ${NAMESPACE}/again is being deleted and will be recreated once it is gone`)
      await cluster.api.patch(service, { metadata: { finalizers: null } })
      await ready(cluster, claim)
      await deleteClaim(cluster, claim)
    })

    test.each([
      { says: 'with the same template without replacing a pod', name: 'same', image: undefined },
      {
        says: 'with another template by a rolling update that keeps enough pods',
        name: 'other',
        image: 'ghcr.io/acme/orders-worker:1.4.1',
      },
    ])(`a claim keeps ${REPLICAS} replicas when it adopts a Deployment $says`, async ({ name, image }) => {
      const { cluster } = given()
      const claim = adopting(named(name))
      const composed = await rendered(given(), claim)
      const before = image === undefined ? claim : { ...claim, spec: { ...claim.spec, image } }
      await makeByHand(given(), (await rendered(given(), before)).map(ofHand))
      const references = composed.map(referenceTo)
      const [uids, pods] = [await uidsOf(cluster, references), await podUids(cluster, claim)]
      expect(pods).toHaveLength(REPLICAS)

      const counts = await watched(given(), claim)
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      await cluster.until('the rollout', async () => {
        const { metadata, status } = await cluster.api.get(deploymentOf(claim))
        const isSeen = at(status, 'observedGeneration') === at(metadata, 'generation')
        return isSeen && at(status, 'updatedReplicas') === REPLICAS && at(status, 'replicas') === REPLICAS
      })
      counts.stop()
      expect(counts.seen).toEqual([REPLICAS])
      expect(Math.min(...counts.available)).toBeGreaterThanOrEqual(image === undefined ? REPLICAS : FLOOR)
      expect(await uidsOf(cluster, references)).toEqual(uids)
      const now = await podUids(cluster, claim)
      expect(now).toHaveLength(REPLICAS)
      expect(now.filter(pod => pods.includes(pod))).toEqual(image === undefined ? pods : [])
      for (const pod of await podsOf(cluster, claim)) expect(JSON.stringify(pod.spec)).toContain(`"image":"${claim.spec.image}"`)
      await deleteClaim(cluster, claim, composed.map(referenceTo))
    })

    const pod = ['spec', 'template', 'spec']
    const sidecar = { name: 'sidecar', image: 'ghcr.io/acme/sidecar:1.0.0' }
    const selector = { app: 'theirs' }
    const boss: Reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: NAMESPACE, name: 'boss' }
    test.each<{ says: string; kind: string; change: (manifest: JsonObject, boss: JsonObject) => JsonObject; expected: string }>([
      {
        says: 'another controller',
        kind: 'Service',
        change: (manifest, { metadata }) =>
          put(
            manifest,
            ['metadata', 'ownerReferences'],
            [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'boss', uid: String(at(metadata, 'uid')), controller: true }],
          ),
        expected: "controlled by ConfigMap boss. Nothing was changed. Another controller owns it, so the claim can't adopt it",
      },
      {
        says: 'another selector',
        kind: 'Deployment',
        change: manifest =>
          put(put(manifest, ['spec', 'selector', 'matchLabels'], selector), ['spec', 'template', 'metadata', 'labels'], selector),
        expected: 'Its selector differs and is immutable',
      },
      {
        says: 'another container',
        kind: 'Deployment',
        change: manifest => put(manifest, [...pod, 'containers'], [sidecar]),
        expected: "It has a container 'sidecar', which would remain next to what the claim renders",
      },
      {
        says: 'another init container',
        kind: 'Deployment',
        change: manifest => put(manifest, [...pod, 'initContainers'], [sidecar]),
        expected: "It has an init container 'sidecar', which would remain",
      },
      {
        says: 'another port without a name',
        kind: 'Service',
        change: manifest => put(manifest, ['spec', 'ports'], [{ port: 80, targetPort: 8080 }]),
        expected: 'It has port 80 without a name, which would remain',
      },
    ])('does not adopt an object with $says, and reports it before any change', async ({ says, kind, change, expected }) => {
      const { cluster } = given()
      const claim = adopting(named(says.replaceAll(' ', '-')))
      const composed = await rendered(given(), claim)
      const owner = await cluster.api.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'boss', namespace: NAMESPACE } })
      const mine = composed
        .filter(manifest => manifest.kind === kind)
        .map(manifest => change(kind === 'Deployment' ? put(ofHand(manifest), [...pod, 'serviceAccountName'], 'default') : manifest, owner))
      const [before] = await makeByHand(given(), mine)
      const reference = referenceTo(before ?? {})

      await cluster.api.apply(claim)
      const { message } = await becomes(cluster, claim, 'WorkloadReady', 'False', 'NameTaken')
      expect(message).toContain(expected)
      await calledAgain(given(), claim)
      expect(await cluster.api.get(reference)).toEqual(before)
      for (const other of composed.filter(manifest => manifest.kind !== kind))
        expect(await cluster.api.find(referenceTo(other))).toBeUndefined()

      // Deleting the claim does not delete objects that it has not adopted.
      await deleteClaim(cluster, claim, [])
      expect(await cluster.api.get(reference)).toEqual(before)
      await cluster.api.delete(reference)
    })
    afterAll(() => given().cluster.api.delete(boss))
  })
}

const guide = readFileSync(join(root, 'docs/migration.md'), 'utf8')

/** The commands of a code block below a heading of docs/migration.md. */
export function documented(heading: string, block = 0): string {
  const commands = guide.split(`\n${heading}\n`)[1]?.split('```sh\n')[block + 1]?.split('```')[0]
  if (commands === undefined) throw new Error(`docs/migration.md has no such commands below ${heading}`)
  return commands
}

const LET_GO_MS = 5_000

/** Acts during a reconcile: Crossplane has called the function, which answers after the object is released. */
async function amidReconcile({ cluster }: Setting, composite: Reference, object: Reference, act: () => Promise<unknown>): Promise<void> {
  const { api, processes, until } = cluster
  const reconciles = () => processes.log('crossplane').split(`"name":"${composite.name}"`).length
  let acting: Promise<unknown>
  process.kill(processes.pid(FUNCTION), 'SIGSTOP')
  try {
    const before = reconciles()
    await api.patch(composite, { metadata: { annotations: { mark: String(Date.now()) } } })
    await until('Crossplane is at it', () => reconciles() > before)
    acting = act()
    const isLetGo = async () => at(await api.get(object), 'metadata', 'ownerReferences') === undefined
    // Waiting for Crossplane first would block here.
    await Promise.race([acting, until('it is let go', isLetGo, { timeoutMs: LET_GO_MS }).catch(() => undefined)])
  } finally {
    process.kill(processes.pid(FUNCTION), 'SIGCONT')
  }
  await acting
}

export function migrates(given: () => Setting): void {
  describe('the migration of docs/migration.md from manifests to a claim and back', () => {
    const source = join(root, 'test/fixtures/agent-executor')
    const files = ['deployment', 'scaledobject', 'service', 'serviceaccount']
    const byHand = files.flatMap(file => manifests(readFileSync(join(source, `${file}.yaml`), 'utf8'))).map(ofHand)
    const claim = manifests(readFileSync(join(root, 'examples/agent-executor-claim.yaml'), 'utf8'))[0] as ClaimManifest
    const { stream, consumer } = claim.spec.nats as { stream: string; consumer: string }
    const references = byHand.map(referenceTo)
    const folderOf = ({ cluster }: Setting) => join(cluster.folder, 'migration')
    const follow = (commands: string) => runDocumented(given().cluster, commands, folderOf(given()))
    const rollout = `kubectl -n ${claim.metadata.namespace} rollout status deployment/${claim.metadata.name}`
    let counts: Counts | undefined
    let uids: unknown[] = []

    beforeAll(async () => {
      const { cluster, nats } = given()
      mkdirSync(folderOf(given()))
      await createNamespace(cluster, claim.metadata.namespace)
      for (const object of referredObjects(claim)) await cluster.api.apply(object)
      await nats.createStream(stream)
      await nats.createConsumer(stream, consumer)
      await nats.fill(stream, REPLICAS * PER_REPLICA)
      await makeByHand(given(), byHand)
      uids = await uidsOf(cluster, references)
      counts = await watched(given(), claim)
    })
    afterAll(async () => {
      const { cluster, nats } = given()
      counts?.stop()
      for (const reference of references) await cluster.api.delete(reference)
      await deleteClaim(cluster, claim, references)
      await nats.take(stream, consumer, 1_000)
    })

    test('the printed commands adopt the objects', async () => {
      const { cluster } = given()
      const [first = ''] = documented('## From manifests').split('\n')
      await follow(first)
      const { steps } = JSON.parse(await follow(first.replace('> claim.yaml', '-o json'))) as { steps: { commands: string[] }[] }
      for (const command of steps.flatMap(({ commands }) => commands)) await follow(command)
      await ready(cluster, claim)
      await follow(rollout)
      expect(await uidsOf(cluster, references)).toEqual(uids)
      expect(await cluster.api.get(deploymentOf(claim))).toMatchObject({
        spec: { template: { spec: { containers: [{ name: 'main' }], initContainers: [{ name: 'init' }] } } },
      })
    })

    test('leaves only labels behind', async () => {
      // The rollout is over before the claim reports it.
      await ready(given().cluster, claim)
      const printed = await follow(documented('### 4. Verify').replace('> /dev/null', '2>&1 > /dev/null'))
      expect(printed).toMatch(/agent-executor .*True +True/)
      const rest = printed.split('\n').filter(line => /^ +(?:different|added|unsupported) /.test(line))
      expect(rest.filter(line => !line.includes('metadata.labels'))).toEqual([])
      expect(rest).not.toEqual([])
    })

    test('deletes the claim and keeps the adopted objects', async () => {
      const { cluster, flavour } = given()
      const pods = await podUids(cluster, claim)
      const { spec } = await cluster.api.get(referenceOf(claim))
      const composite: Reference =
        flavour === 'claims'
          ? { apiVersion: API_VERSION, kind: `X${KIND}`, name: String(at(spec, 'resourceRef', 'name')) }
          : referenceOf(claim)
      const commands = documented('## Back to plain objects', flavour === 'claims' ? 0 : 1)
      await amidReconcile(given(), composite, deploymentOf(claim), () => follow(commands))
      for (const reference of [referenceOf(claim), composite])
        await cluster.until(`${reference.kind} is gone`, async () => (await cluster.api.find(reference)) === undefined)
      expect(await uidsOf(cluster, references)).toEqual(uids)
      for (const reference of references) expect(at(await cluster.api.get(reference), 'metadata', 'ownerReferences')).toBeUndefined()
      expect(await podUids(cluster, claim)).toEqual(pods)
    })

    test('restores the original manifests', async () => {
      const { cluster } = given()
      await follow(/`(sed [^`]*before\.yaml \| kubectl replace -f -)`/.exec(guide)?.[1] ?? '')
      await follow(rollout)
      expect(await uidsOf(cluster, references)).toEqual(uids)
      expect(await cluster.api.get(deploymentOf(claim))).toMatchObject({
        spec: { template: { spec: { containers: [{ name: 'agent-executor' }], initContainers: [{ name: 'run-migrations' }] } } },
      })
    })

    test('keeps the replica count and enough pods throughout', () => {
      counts?.stop()
      expect(counts?.seen).toEqual([REPLICAS])
      expect(Math.min(...(counts?.available ?? []))).toBeGreaterThanOrEqual(FLOOR)
    })
  })
}
