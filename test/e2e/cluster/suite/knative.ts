// Claims that Knative has to do with, before its own controllers and webhooks; what is played in that, test/e2e/cluster/knative.ts says.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STAND_IN_SUFFIX } from '../../../../src/capabilities/address.ts'
import { NAME_LABEL } from '../../../../src/capabilities/workload/labels.ts'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { ADOPT } from '../../../../src/reconcile/name-conflicts.ts'
import { composedOf, secretsOf } from '../../../../tools/apply.ts'
import { examineWith } from '../../../cli/doctor/cluster.ts'
import { type Reference, referenceTo } from '../api.ts'
import { API_VERSION, becomes, type ClaimManifest, createNamespace, gone, KIND, ready, referenceOf, type Said, worker } from '../claim.ts'
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
/** Several examples are one service at different times. */
const last = [...new Map(examples.map(({ claim }) => [claim.metadata.name, claim])).values()]

const knative = (name: string, spec: JsonObject = {}): ClaimManifest => ({
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name, namespace: NAMESPACE },
  spec: { image: `ghcr.io/acme/${name}:1.0.0`, size: 'micro', runtime: 'Knative', ...spec },
})

/** The revisions that a split of traffic names are older than the claim with the split. */
function historyOf({ spec, ...claim }: ClaimManifest): ClaimManifest[] {
  const { knative: _, ...plain } = spec
  const asked = JSON.stringify(spec).includes('revisionName')
  return asked ? ['1', '2'].map(tag => ({ ...claim, spec: { ...plain, image: `ghcr.io/acme/storefront:${tag}` } })) : []
}

/** By hand, what some claims expect to be there. */
const neighbours: readonly JsonObject[] = [
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
    describe('what cannot be', () => unmet(given))
    describe('a living claim changes its runtime', () => changesRuntime(given))
  })
}

export function changesRuntimeOnKnative(given: () => Setting): void {
  describe('Knative: a living claim changes its runtime', () => {
    installed(given)
    changesRuntime(given)
  })
}

function examplesRun(given: () => Setting): void {
  beforeAll(async () => {
    const { cluster, nats } = given()
    for (const neighbour of neighbours) await cluster.api.apply(neighbour)
    for (const { spec, ...claim } of last) {
      for (const secret of secretsOf({ ...claim, spec })) await cluster.api.apply(secret)
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
    await Promise.all(last.map(claim => gone(cluster, claim)))
  })

  test.each([...examples])('$file: admitted, ready, and as composed', async ({ claim }) => {
    const { cluster } = given()
    await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=tests', '-f', '-'], JSON.stringify(claim))
    await runs(given(), claim)
  })

  test('kubectl get prints the columns', async () => {
    const { cluster } = given()
    // A change of the traffic alone is seen to be on its way only after it has been applied.
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

/** Waits until the claim runs as it is now, and says so. */
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

/** That Knative's webhooks are asked at all. */
function refusals(given: () => Setting): void {
  const service = { apiVersion: SERVING, kind: 'Service', metadata: { name: 'pricing', namespace: NAMESPACE } }
  const broker = { apiVersion: EVENTING, kind: 'Broker', metadata: { name: 'shop', namespace: NAMESPACE } }
  test.each<{ says: string; reference: Reference; patch: JsonObject; refused: string }>([
    {
      says: 'a split that does not add up',
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
  ])('Knative refuses $says', async ({ reference, patch, refused }) => {
    await expect(given().cluster.api.patch(reference, patch)).rejects.toThrow(refused)
  })
}

function doctor(given: () => Setting): void {
  const claim = `${NAMESPACE}/fulfilment`
  const ask = () => examineWith(given().cluster.kubeconfig, claim)

  test('finds all that a claim needs', async () => {
    const { exit, checks, stderr } = await ask()
    expect(stderr).toBe('no problems found\n')
    expect(exit).toBe(0)
    for (const name of ['Knative Serving', 'Knative Eventing', 'Knative KafkaSource']) expect(checks[name]).toMatchObject({ state: 'well' })
  })

  test('says what is missing, and the command that mends it', async () => {
    const { cluster } = given()
    await cluster.api.delete({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'event-driven-service:knative' })
    const wrong = await cluster.until('it is noticed', async () => {
      const { exit, checks } = await ask()
      return exit === 1 ? Object.values(checks).filter(({ state }) => state === 'wrong') : undefined
    })
    expect(wrong).toHaveLength(1)
    expect(wrong[0]?.fix).toBe('kubectl apply -f package/runtime/rbac/knative.yaml')
    await runDocumented(cluster, String(wrong[0]?.fix))
    await cluster.until('all is well again', async () => (await ask()).exit === 0)
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
    await Promise.all([forgetful, steadfast].map(claim => gone(cluster, claim)))
  })

  test('a revision that there is not: the claim says so', async () => {
    const { cluster } = given()
    const { message } = await becomes(cluster, forgetful, 'WorkloadReady', 'False', 'RevisionMissing')
    expect(message).toContain('Check the names under spec.knative.traffic.')
    await cluster.api.apply(knative('forgetful'))
    await ready(cluster, forgetful)
  })

  test.each([
    { says: 'class of a Broker', asked: eventing({ class: 'Kafka' }, 'one'), kept: "class 'MTChannelBasedBroker'" },
    { says: 'name of a Broker', asked: eventing({ name: 'other' }, 'one'), kept: "name 'steadfast'" },
    { says: 'consumer group', asked: eventing({}, 'two'), kept: "consumer group 'one'" },
  ])('another $says: what is there stays, the rest is applied, and the claim says so', async ({ asked, kept }) => {
    const { cluster } = given()
    await runs(given(), steadfast)
    const image = `ghcr.io/acme/steadfast:${kept.length}`
    await cluster.api.apply({ ...steadfast, spec: { ...steadfast.spec, image, eventing: asked } })
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

  test('a Knative Service by hand that names its revision is taken over once the command of the message has been run', async () => {
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
    // A claim that stays as it is would be looked at again within a minute.
    await cluster.api.apply({ ...adopting, spec: { ...adopting.spec, image: 'ghcr.io/acme/stamped:1.0.1' } })
    await ready(cluster, claim)
    const taken = await cluster.api.get(referenceTo(byHand))
    expect(at(taken, 'metadata', 'uid')).toBe(uid)
    expect(JSON.stringify(taken.spec)).toContain('ghcr.io/acme/stamped:1.0.1')
    await gone(cluster, claim)
  })

  test('eventing taken out and put in again with another Broker, while the old one still goes: triggers and source follow', async () => {
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

  test("Knative's webhook is away: nothing is made past it, the composite says why, and all is well once it is back", async () => {
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
    cluster.processes.again(SERVING_WEBHOOK)
    await ready(cluster, claim)
    await gone(cluster, claim)
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
  afterAll(() => gone(given().cluster, asDeployment))

  test.each([
    { from: asDeployment, to: asKnative, words: { before: 'Deployment', after: 'Knative Service' } },
    { from: asKnative, to: asDeployment, words: { before: 'Knative Service', after: 'Deployment' } },
  ])('from $words.before to $words.after: a pod is ready all the while, and nothing is left behind', async ({ from, to, words }) => {
    const { cluster } = given()
    // As the test before has left it, or on a second try this one.
    await cluster.api.apply(from)
    await cluster.until('it runs as before', async () => (await leftBehind(cluster, from)).length === 0)
    await ready(cluster, from)
    const pods = readyPodsOf(cluster, to)
    const told = toldBy(cluster, to)
    await cluster.until('the pods are seen', () => pods.seen.length > 0)
    const began = Date.now()
    await cluster.api.apply(to)
    await becomes(cluster, to, 'WorkloadReady', 'False', 'Switching')
    await cluster.until('nothing of the former runtime is left', async () => (await leftBehind(cluster, to)).length === 0)
    await ready(cluster, to)
    expect(await lacking(cluster, to)).toEqual([])
    pods.stop()
    told.stop()
    expect(Math.min(...pods.seen)).toBe(1)
    const switching = told.seen.filter(({ status }) => status === 'False')
    expect(new Set(switching.map(({ reason }) => reason))).toEqual(new Set(['Switching']))
    const { before, after } = words
    const steps = [
      `${before} changing keeps serving until the new ${after} is ready.`,
      `The new ${after} is ready. Waiting for these to be rerouted to it:`,
      `The new ${after} serves as changing-switch until ${before} changing has been deleted.`,
    ]
    expect(switching.filter(({ message }) => !steps.some(step => message.startsWith(step)))).toEqual([])
    expect(told.seen.filter(({ reason, isReady }) => isReady && reason === 'Switching')).toEqual([])
    const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
    expect(events.filter(({ type, reason }) => type === 'Warning' && reason === 'Switching')).toEqual([])
    expect(switching[0]?.message).toContain(steps[0])
    console.log(
      `${before} to ${after} in ${((Date.now() - began) / 1000).toFixed(1)} s, told in ${new Set(switching.map(({ message }) => message)).size} steps`,
    )
  })

  test('and is at rest afterwards', async () => {
    const { cluster } = given()
    const eventsOf = async () => {
      const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
      return events
        .filter(({ involvedObject, type }) => type === 'Warning' && /^changing/.test(String(at(involvedObject, 'name'))))
        .map(({ reason, message, count }) => `${count} ${reason}: ${message}`)
    }
    // Of what was under way an event may still come.
    await cluster.until('no warning comes', async () => {
      const before = await eventsOf()
      await delay(REST_MS)
      expect(await eventsOf()).toEqual(before)
      return true
    })
  })
}

/** How many pods of the claim's were ready, before and after each change of any pod. */
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
    // What is there already comes first, one by one.
    if (seen.length > 0 || ready.size > 0) seen.push(ready.size)
  })
  return { seen, stop: watch.stop }
}

/** What the claim says of its workload, one thing after the other, and whether it calls itself ready. */
function toldBy({ api }: Cluster, { metadata: { namespace, name } }: ClaimManifest) {
  const seen: (Said & { readonly isReady: boolean })[] = []
  const watch = api.watch({ apiVersion: API_VERSION, kind: KIND, namespace }, ({ object }) => {
    const said = observedCondition(object, 'WorkloadReady')
    const isReady = observedCondition(object, 'Ready')?.status === 'True'
    if (at(object, 'metadata', 'name') === name && said !== undefined) seen.push({ ...said, isReady })
  })
  return { seen, stop: watch.stop }
}

const ofWorkloads: readonly Reference[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' },
  { apiVersion: SERVING, kind: 'Service' },
  { apiVersion: 'v1', kind: 'Service' },
]

/** What is neither composed for the claim as it is now nor made by Knative for that. */
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
