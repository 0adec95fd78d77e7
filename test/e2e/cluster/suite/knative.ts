// Claims that use Knative, with its real controllers and webhooks. test/e2e/cluster/knative.ts names the simulated parts.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STAND_IN_SUFFIX } from '../../../../src/capabilities/address.ts'
import { NAME_LABEL } from '../../../../src/capabilities/workload/labels.ts'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { ADOPT } from '../../../../src/reconcile/name-conflicts.ts'
import { composedOf, referredObjects } from '../../../../tools/apply.ts'
import { examineWith } from '../../../cli/doctor/cluster.ts'
import { type Reference, referenceTo } from '../api.ts'
import {
  API_VERSION,
  becomes,
  type ClaimCondition,
  type ClaimManifest,
  createNamespace,
  deleteClaim,
  KIND,
  ready,
  referenceOf,
  worker,
} from '../claim.ts'
import type { Cluster } from '../cluster.ts'
import { runDocumented } from '../install.ts'
import { SERVING_WEBHOOK, startKnative } from '../knative.ts'
import { examplesThat, lacking } from './composed.ts'
import { staysQuiet } from './quiet.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'knative'
const QUIET_SECONDS = Number(process.env.QUIET_SECONDS ?? 30)
const REST_MS = 10_000
const SERVING = 'serving.knative.dev/v1'
const EVENTING = 'eventing.knative.dev/v1'

const kinds: readonly Reference[] = [
  { apiVersion: SERVING, kind: 'Service' },
  { apiVersion: EVENTING, kind: 'Broker' },
  { apiVersion: EVENTING, kind: 'Trigger' },
  { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource' },
]

const examples = examplesThat(({ spec }) => spec.runtime === 'Knative' || spec.eventing !== undefined).map(({ file, claim }) => ({
  file,
  claim: { ...claim, metadata: { ...claim.metadata, namespace: NAMESPACE } },
}))
/** Several examples show one service at different times. */
const last = [...new Map(examples.map(({ claim }) => [claim.metadata.name, claim])).values()]

const knative = (name: string, spec: JsonObject = {}): ClaimManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace: NAMESPACE },
  spec: { image: `ghcr.io/acme/${name}:1.0.0`, size: 'micro', runtime: 'Knative', ...spec },
})

/** Earlier versions of a claim, which create the revisions that its traffic split names. */
function historyOf({ spec, ...claim }: ClaimManifest): ClaimManifest[] {
  const { knative: _, ...plain } = spec
  const asked = JSON.stringify(spec).includes('revisionName')
  return asked ? ['1', '2'].map(tag => ({ ...claim, spec: { ...plain, image: `ghcr.io/acme/storefront:${tag}` } })) : []
}

/** Objects outside the claims that some claims refer to. */
const otherObjects: readonly JsonObject[] = [
  { apiVersion: EVENTING, kind: 'Broker', metadata: { name: 'shop', namespace: NAMESPACE } },
  {
    apiVersion: SERVING,
    kind: 'Service',
    metadata: { name: 'dead-letters', namespace: NAMESPACE },
    spec: { template: { spec: { containers: [{ image: 'ghcr.io/acme/dead-letters:1.0.0' }] } } },
  },
]

function installed(given: () => Setting): void {
  beforeAll(async () => {
    const { cluster } = given()
    await startKnative(cluster, { say: cluster.say, begin: () => undefined })
    await createNamespace(cluster, NAMESPACE)
  })
  afterAll(() => given().cluster.api.delete({ apiVersion: 'v1', kind: 'Namespace', name: NAMESPACE }))
}

export function runsOnKnative(given: () => Setting): void {
  describe('Knative', () => {
    installed(given)
    describe('the examples', () => {
      examplesRun(given)
      describe('once ready', () => staysQuiet(given, { claims: last, kinds, seconds: QUIET_SECONDS }, () => refusals(given)))
      describe('eds doctor', () => doctor(given))
    })
    describe('an unmet need', () => unmet(given))
    describe('a ready claim changes its runtime', () => changesRuntime(given))
  })
}

export function changesRuntimeOnKnative(given: () => Setting): void {
  describe('Knative: a ready claim changes its runtime', () => {
    installed(given)
    changesRuntime(given)
  })
}

function examplesRun(given: () => Setting): void {
  beforeAll(async () => {
    const { cluster, nats } = given()
    for (const object of otherObjects) await cluster.api.apply(object)
    for (const { spec, ...claim } of last) {
      for (const object of referredObjects({ ...claim, spec })) await cluster.api.apply(object)
      const { stream, consumer } = (spec.nats ?? {}) as { stream?: string; consumer?: string }
      if (stream === undefined || consumer === undefined) continue
      await nats.createStream(stream)
      await nats.createConsumer(stream, consumer)
    }
    for (const claim of last) await cluster.api.apply(historyOf(claim)[0] ?? claim)
    for (const claim of last)
      for (const version of historyOf(claim)) {
        await cluster.api.apply(version)
        await runs(given(), version)
      }
  })
  afterAll(async () => {
    const { cluster } = given()
    await Promise.all(last.map(claim => deleteClaim(cluster, claim)))
  })

  test.each([...examples])('$file: admitted, ready, and as composed', async ({ claim }) => {
    const { cluster } = given()
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=tests', '-f', '-'], JSON.stringify(claim))
    await runs(given(), claim)
  })

  test('kubectl get prints the additional columns', async () => {
    const { cluster } = given()
    // A change of the traffic alone shows in the status only after it was applied.
    await cluster.until('every claim in its row', async () => {
      const printed = await cluster.kubectl(['get', 'eds', '-n', NAMESPACE, '--no-headers'])
      for (const { metadata, spec } of last) {
        const row = printed.split('\n').find(line => line.startsWith(`${metadata.name} `))
        expect(row).toMatch(spec.runtime === 'Knative' ? / Knative +(small|medium|large) .*True +True/ : / Deployment .*True +True/)
      }
      return true
    })
  })
}

/** Waits until the claim has rolled out its current spec and is ready. */
async function runs({ cluster: { api, until }, cluster }: Setting, claim: ClaimManifest): Promise<void> {
  const { metadata, spec } = claim
  await until(`${metadata.name} with ${spec.image} and all it says`, async () => {
    const live = await api.get(referenceOf(claim))
    for (const type of ['Synced', 'Ready', 'WorkloadReady', ...(spec.eventing === undefined ? [] : ['EventingReady'])])
      expect(observedCondition(live, type)).toMatchObject({ status: 'True' })
    expect(await lacking(cluster, claim)).toEqual([])
    if (spec.runtime !== 'Knative') return true
    const { status } = await api.get({ apiVersion: SERVING, kind: 'Service', ...metadata })
    expect(at(status, 'url')).toBeDefined()
    expect(live.status).toMatchObject({
      url: at(status, 'url'),
      workload: { kind: 'Service', name: metadata.name, image: spec.image },
      autoscaler: { kind: 'PodAutoscaler', name: at(status, 'latestReadyRevisionName') },
    })
    return true
  })
}

/** Proves that the API server calls Knative's webhooks. */
function refusals(given: () => Setting): void {
  const service = { apiVersion: SERVING, kind: 'Service', metadata: { name: 'pricing', namespace: NAMESPACE } }
  const broker = { apiVersion: EVENTING, kind: 'Broker', metadata: { name: 'shop', namespace: NAMESPACE } }
  test.each<{ says: string; reference: Reference; patch: JsonObject; refused: string }>([
    {
      says: 'traffic that does not add up to 100',
      reference: referenceTo(service),
      patch: { spec: { traffic: [{ latestRevision: true, percent: 90 }] } },
      refused: 'Traffic targets sum to 90, want 100',
    },
    {
      says: 'another creator',
      reference: referenceTo(service),
      patch: { metadata: { annotations: { 'serving.knative.dev/creator': 'somebody' } } },
      refused: 'annotation value is immutable',
    },
    {
      says: 'another class of a Broker',
      reference: referenceTo(broker),
      patch: { metadata: { annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } } },
      refused: 'Immutable annotations changed',
    },
  ])('Knative rejects $says', async ({ reference, patch, refused }) => {
    await expect(given().cluster.api.patch(reference, patch)).rejects.toThrow(refused)
  })
}

function doctor(given: () => Setting): void {
  const claim = `${NAMESPACE}/fulfilment`
  const examine = () => examineWith(given().cluster.kubeconfig, claim)

  test('reports no problems', async () => {
    const { exit, checks, stderr } = await examine()
    expect(stderr).toBe('no problems found\n')
    expect(exit).toBe(0)
    for (const name of ['Knative Serving', 'Knative Eventing', 'Knative KafkaSource']) expect(checks[name]).toMatchObject({ state: 'well' })
  })

  test('reports what is missing, and the command that fixes it', async () => {
    const { cluster } = given()
    await cluster.api.delete({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'event-driven-service:knative' })
    const wrong = await cluster.until('it is noticed', async () => {
      const { exit, checks } = await examine()
      return exit === 1 ? Object.values(checks).filter(({ state }) => state === 'wrong') : undefined
    })
    expect(wrong).toHaveLength(1)
    expect(wrong[0]?.fix).toBe('kubectl apply -f package/runtime/rbac/knative.yaml')
    await runDocumented(cluster, String(wrong[0]?.fix))
    await cluster.until('all is well again', async () => (await examine()).exit === 0)
  })
}

function unmet(given: () => Setting): void {
  const eventing = (broker: JsonObject, consumerGroup?: string): JsonObject => ({
    broker,
    triggers: [{ name: 'all', filter: { type: 'order.created' } }],
    kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'], ...(consumerGroup !== undefined && { consumerGroup }) },
  })
  const forgetful = knative('forgetful', { knative: { traffic: [{ revisionName: 'forgetful-00007', percent: 100 }] } })
  const steadfast = knative('steadfast', { eventing: eventing({}, 'one') })

  beforeAll(async () => {
    for (const claim of [forgetful, steadfast]) await given().cluster.api.apply(claim)
  })
  afterAll(async () => {
    const { cluster } = given()
    await Promise.all([forgetful, steadfast].map(claim => deleteClaim(cluster, claim)))
  })

  test('reports a missing revision', async () => {
    const { cluster } = given()
    const { message } = await becomes(cluster, forgetful, 'WorkloadReady', 'False', 'RevisionMissing')
    expect(message).toContain('Check the names under spec.knative.traffic.')
    await cluster.api.apply(knative('forgetful'))
    await ready(cluster, forgetful)
  })

  test.each([
    { says: 'class of a Broker', changed: eventing({ class: 'Kafka' }, 'one'), kept: "class 'MTChannelBasedBroker'" },
    { says: 'name of a Broker', changed: eventing({ name: 'other' }, 'one'), kept: "name 'steadfast'" },
    { says: 'consumer group', changed: eventing({}, 'two'), kept: "consumer group 'one'" },
  ])('keeps an immutable $says, applies the rest, and reports it', async ({ changed, kept }) => {
    const { cluster } = given()
    await runs(given(), steadfast)
    const image = `ghcr.io/acme/steadfast:${kept.length}`
    await cluster.api.apply({ ...steadfast, spec: { ...steadfast.spec, image, eventing: changed } })
    const { message } = await becomes(cluster, steadfast, 'EventingReady', 'False', 'Immutable')
    expect(message).toContain(`keeps its ${kept}`)
    await cluster.until('the new image', async () => {
      const service = await cluster.api.get({ apiVersion: SERVING, kind: 'Service', ...steadfast.metadata })
      return JSON.stringify(service.spec).includes(`"${image}"`)
    })
    await becomes(cluster, steadfast, 'WorkloadReady', 'True')
    await becomes(cluster, steadfast, 'Synced', 'True')
    await cluster.api.apply(steadfast)
  })

  test('adopts a Knative Service with a revision name after the command of the message was run', async () => {
    const { cluster } = given()
    const claim = knative('stamped')
    const template = { metadata: { name: 'stamped-first' }, spec: { containers: [{ image: 'ghcr.io/acme/stamped:0.9.0' }] } }
    const byHand = { apiVersion: SERVING, kind: 'Service', metadata: claim.metadata, spec: { template } }
    await cluster.api.apply(byHand)
    await cluster.until(
      'its revision',
      async () => at(await cluster.api.get(referenceTo(byHand)), 'status', 'latestReadyRevisionName') === 'stamped-first',
    )
    const uid = at(await cluster.api.get(referenceTo(byHand)), 'metadata', 'uid')
    const adopting = { ...claim, metadata: { ...claim.metadata, annotations: { [ADOPT]: 'true' } } }
    await cluster.api.apply(adopting)
    const { message = '' } = await becomes(cluster, claim, 'WorkloadReady', 'False', 'NameTaken')
    await runDocumented(cluster, /kubectl .*/.exec(message)?.[0] ?? '')
    // Crossplane reconciles an unchanged claim within a minute.
    await cluster.api.apply({ ...adopting, spec: { ...adopting.spec, image: 'ghcr.io/acme/stamped:1.0.1' } })
    await ready(cluster, claim)
    const taken = await cluster.api.get(referenceTo(byHand))
    expect(at(taken, 'metadata', 'uid')).toBe(uid)
    expect(JSON.stringify(taken.spec)).toContain('ghcr.io/acme/stamped:1.0.1')
    await deleteClaim(cluster, claim)
  })

  test('moves triggers and source to another Broker while the old one is being deleted', async () => {
    const { cluster } = given()
    await cluster.api.apply(steadfast)
    await runs(given(), steadfast)
    await cluster.api.apply(knative('steadfast'))
    await cluster.until('the Broker goes', async () => {
      const brokers = await cluster.api.list({ apiVersion: EVENTING, kind: 'Broker', namespace: NAMESPACE })
      return !brokers.some(({ metadata }) => at(metadata, 'name') === 'steadfast' && at(metadata, 'deletionTimestamp') === undefined)
    })
    const moved = { ...steadfast, spec: { ...steadfast.spec, eventing: eventing({ name: 'other' }, 'one') } }
    await cluster.api.apply(moved)
    await runs(given(), moved)
    const trigger = await cluster.api.get({ apiVersion: EVENTING, kind: 'Trigger', name: 'steadfast-all', namespace: NAMESPACE })
    expect(at(trigger, 'spec', 'broker')).toBe('other')
  })

  test("creates nothing while Knative's webhook is down, reports why, and recovers with it", async () => {
    const { cluster } = given()
    const claim = knative('patient')
    await cluster.processes.stop(SERVING_WEBHOOK)
    await cluster.api.apply(claim)
    await cluster.until('the composite says why', async () => {
      const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
      return events.some(
        ({ type, involvedObject, message }) =>
          type === 'Warning' &&
          String(at(involvedObject, 'name')).startsWith('patient') &&
          /failed calling webhook "(validation\.)?webhook\.serving\.knative\.dev"/.test(String(message)),
      )
    })
    cluster.processes.startAgain(SERVING_WEBHOOK)
    await ready(cluster, claim)
    await deleteClaim(cluster, claim)
  })
}

function changesRuntime(given: () => Setting): void {
  const eventing: JsonObject = {
    broker: {},
    triggers: [{ name: 'created', filter: { type: 'order.created' } }],
    kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'] },
  }
  const asDeployment = worker(NAMESPACE, 'changing', 'CHANGING', { eventing, httpPort: 3000 })
  const asKnative = knative('changing', { knative: { autoscaling: { minScale: 1 } }, eventing })

  beforeAll(async () => {
    const { cluster, nats } = given()
    await nats.createStream('CHANGING')
    await nats.createConsumer('CHANGING', 'changing')
    await cluster.api.apply(asDeployment)
    await ready(cluster, asDeployment)
  })
  afterAll(() => deleteClaim(given().cluster, asDeployment))

  test.each([
    { from: asDeployment, to: asKnative, words: { before: 'Deployment', after: 'Knative Service' } },
    { from: asKnative, to: asDeployment, words: { before: 'Knative Service', after: 'Deployment' } },
  ])('changes from $words.before to $words.after with a ready pod at all times, and leaves nothing behind', async ({ from, to, words }) => {
    const { cluster } = given()
    // The state after the previous test or, in a second try, after this one.
    await cluster.api.apply(from)
    await cluster.until('it runs as before', async () => (await leftBehind(cluster, from)).length === 0)
    await ready(cluster, from)
    const pods = readyPodsOf(cluster, to)
    const reported = conditionsOf(cluster, to)
    await cluster.until('the pods are seen', () => pods.seen.length > 0)
    const began = Date.now()
    await cluster.api.apply(to)
    await becomes(cluster, to, 'WorkloadReady', 'False', 'Switching')
    await cluster.until('nothing of the former runtime is left', async () => (await leftBehind(cluster, to)).length === 0)
    await ready(cluster, to)
    expect(await lacking(cluster, to)).toEqual([])
    pods.stop()
    reported.stop()
    expect(Math.min(...pods.seen)).toBe(1)
    const switching = reported.seen.filter(({ status }) => status === 'False')
    expect(new Set(switching.map(({ reason }) => reason))).toEqual(new Set(['Switching']))
    const { before, after } = words
    const steps = [
      `${before} changing keeps serving until the new ${after} is ready.`,
      `The new ${after} is ready. Waiting for these to be rerouted to it:`,
      `The new ${after} serves as changing-switch until ${before} changing has been deleted.`,
    ]
    expect(switching.filter(({ message }) => !steps.some(step => message.startsWith(step)))).toEqual([])
    expect(reported.seen.filter(({ reason, isReady }) => isReady && reason === 'Switching')).toEqual([])
    const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
    expect(events.filter(({ type, reason }) => type === 'Warning' && reason === 'Switching')).toEqual([])
    expect(switching[0]?.message).toContain(steps[0])
    console.log(
      `${before} to ${after} in ${((Date.now() - began) / 1000).toFixed(1)} s, with ${new Set(switching.map(({ message }) => message)).size} steps`,
    )
  })

  test('is idle afterwards', async () => {
    const { cluster } = given()
    const eventsOf = async () => {
      const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
      return events
        .filter(({ involvedObject, type }) => type === 'Warning' && /^changing/.test(String(at(involvedObject, 'name'))))
        .map(({ reason, message, count }) => `${count} ${reason}: ${message}`)
    }
    // Events of earlier changes may still arrive.
    await cluster.until('no warning comes', async () => {
      const before = await eventsOf()
      await delay(REST_MS)
      expect(await eventsOf()).toEqual(before)
      return true
    })
  })
}

/** The number of ready pods of the claim before and after each change of a pod. */
function readyPodsOf({ api }: Cluster, { metadata: { namespace, name } }: ClaimManifest) {
  const isOurs = (pod: JsonObject) => {
    const labels = at(pod, 'metadata', 'labels')
    return (
      at(labels, NAME_LABEL) === name || [name, `${name}${STAND_IN_SUFFIX}`].includes(String(at(labels, 'serving.knative.dev/service')))
    )
  }
  const isReady = (pod: JsonObject) =>
    at(pod, 'metadata', 'deletionTimestamp') === undefined && observedCondition(pod, 'Ready')?.status === 'True'
  const ready = new Set<unknown>()
  const seen: number[] = []
  const watch = api.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, ({ type, object }) => {
    if (!isOurs(object)) return
    const pod = at(object, 'metadata', 'name')
    if (type !== 'DELETED' && isReady(object)) ready.add(pod)
    else ready.delete(pod)
    // The watch first reports the existing pods one by one.
    if (seen.length > 0 || ready.size > 0) seen.push(ready.size)
  })
  return { seen, stop: watch.stop }
}

/** The sequence of the claim's WorkloadReady reasons, and whether it was ready. */
function conditionsOf({ api }: Cluster, { metadata: { namespace, name } }: ClaimManifest) {
  const seen: (ClaimCondition & { readonly isReady: boolean })[] = []
  const watch = api.watch({ apiVersion: API_VERSION, kind: KIND, namespace }, ({ object }) => {
    const condition = observedCondition(object, 'WorkloadReady')
    const isReady = observedCondition(object, 'Ready')?.status === 'True'
    if (at(object, 'metadata', 'name') === name && condition !== undefined) seen.push({ ...condition, isReady })
  })
  return { seen, stop: watch.stop }
}

const ofWorkloads: readonly Reference[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
  { apiVersion: SERVING, kind: 'Service' },
  { apiVersion: 'v1', kind: 'Service' },
]

/** Objects that neither the current claim nor Knative for it has created. */
async function leftBehind({ api }: Cluster, claim: ClaimManifest): Promise<string[]> {
  const { name } = claim.metadata
  const nameOf = (object: JsonObject) => `${object.apiVersion} ${object.kind} ${at(object, 'metadata', 'name')}`
  const wanted = new Set(composedOf(claim).map(nameOf))
  const isOfKnative = (object: JsonObject) =>
    (claim.spec.runtime === 'Knative' && at(object, 'metadata', 'labels', 'serving.knative.dev/service') === name) ||
    at(object, 'metadata', 'labels', 'messaging.knative.dev/role') !== undefined
  const lists = await Promise.all(ofWorkloads.map(kind => api.list({ ...kind, namespace: NAMESPACE })))
  return lists
    .flat()
    .filter(object => String(at(object, 'metadata', 'name')).startsWith(name) && !isOfKnative(object))
    .map(nameOf)
    .filter(object => !wanted.has(object))
}
