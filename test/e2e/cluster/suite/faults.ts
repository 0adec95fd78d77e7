// What goes wrong in a cluster sooner or later, and what a claim and its pods see of it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { at, isObject, items, type Json, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { isComposer, lastApplied } from '../../../../src/reconcile/applied.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { type Reference, referenceTo } from '../api.ts'
import {
  becomes,
  type ClaimManifest,
  countsOf,
  createNamespace,
  deploymentOf,
  gone,
  ready,
  referenceOf,
  scaledObjectOf,
  scaledTo,
  worker,
} from '../claim.ts'
import { manifests } from '../cluster.ts'
import { FIRST_VERSION, FUNCTION, moveTo, publish, runDocumented } from '../install.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'faults'
const STREAM = 'FAULTS'
const MANY = 20

/** What changes with every write, but for the status: the generation, and who owns which fields. */
const versionsOf = async ({ cluster: { api } }: Setting, claim: ClaimManifest): Promise<unknown[]> =>
  Promise.all(
    [deploymentOf(claim), scaledObjectOf(claim)].map(async reference => {
      const { metadata } = await api.get(reference)
      return [at(metadata, 'generation'), ownersOf(metadata)]
    }),
  )

const ownersOf = (metadata: Json | undefined) =>
  items(at(metadata, 'managedFields')).filter(entry => at(entry, 'subresource') === undefined)

/** A refused claim is answered with what was applied last, so applying that must change nothing. */
export function lastAppliedIsExact(given: () => Setting): void {
  test('what Crossplane applied last, read from an object and applied again, changes nothing of it', async () => {
    const { api } = given().cluster
    const kinds = [
      ['v1', 'ServiceAccount'],
      ['v1', 'Service'],
      ['apps/v1', 'Deployment'],
      ['keda.sh/v1alpha1', 'ScaledObject'],
    ] as const
    const lists = await Promise.all(kinds.map(([apiVersion, kind]) => api.list({ apiVersion, kind })))
    const composed = lists.flat().flatMap(object => {
      const applied = lastApplied(object)
      const manager = items(at(object, 'metadata', 'managedFields')).find(isComposer)
      return applied === undefined || manager === undefined ? [] : [{ object, applied, manager: String(at(manager, 'manager')) }]
    })
    for (const { object, applied, manager } of composed) {
      const after = await api.apply(asCrossplaneDoes(applied, object), { dryRun: true, manager })
      const label = `${object.kind} ${at(object, 'metadata', 'namespace')}/${at(object, 'metadata', 'name')}`
      expect(after.spec, label).toEqual(object.spec)
      // The API server writes nothing, and so counts nothing, if an apply changes nothing.
      expect(at(after, 'metadata', 'resourceVersion'), label).toEqual(at(object, 'metadata', 'resourceVersion'))
    }
    expect(new Set(composed.map(({ object }) => object.kind))).toEqual(new Set(kinds.map(([, kind]) => kind)))
  })
}

/** With the labels, annotations and owners that Crossplane adds to what a function wants. */
function asCrossplaneDoes(applied: JsonObject, { metadata }: JsonObject): JsonObject {
  const added = (field: string) => ({
    [field]: {
      ...Object.fromEntries(Object.entries(at(metadata, field) ?? {}).filter(([name]) => name.startsWith('crossplane.io/'))),
      ...(at(applied, 'metadata', field) as JsonObject | undefined),
    },
  })
  const ownerReferences = at(metadata, 'ownerReferences')
  return { ...applied, metadata: { ...(applied.metadata as JsonObject), ownerReferences, ...added('labels'), ...added('annotations') } }
}

export function refusedClaims(given: () => Setting): void {
  describe('a claim that the API takes and the function refuses', () => {
    const name = 'refused'
    const fine = worker(NAMESPACE, name, 'REFUSED', { env: [{ name: 'DB_PASSWORD', value: 'none' }] })
    // The same variable from two places.
    const refs = [{ name: 'orders-db', env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] }]
    const bad: ClaimManifest = { ...fine, spec: { ...fine.spec, image: 'ghcr.io/acme/orders-worker:2.0.0', secretRefs: refs } }

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream('REFUSED')
      await nats.createConsumer('REFUSED', name)
      await cluster.api.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'orders-db', namespace: NAMESPACE },
        stringData: { password: 'x' },
      })
    })

    test('is taken by the API, and what runs is left alone', async () => {
      const { cluster } = given()
      await cluster.api.apply(fine)
      await ready(cluster, fine)
      const before = await versionsOf(given(), fine)
      await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(bad))
      const said = await becomes(cluster, bad, 'WorkloadReady', 'False', 'InvalidClaim')
      expect(said.message).toContain('spec.secretRefs[0].env[0].envName: must not be the same as spec.env[0].name')
      expect(await versionsOf(given(), bad)).toEqual(before)
    })

    test('does not look ready, and keeps its other conditions and its status', async () => {
      const { cluster } = given()
      await becomes(cluster, bad, 'Ready', 'False')
      await becomes(cluster, bad, 'Synced', 'True')
      await becomes(cluster, bad, 'ScalingReady', 'True')
      expect(at(await cluster.api.get(referenceOf(bad)), 'status', 'workload', 'name')).toBe(name)
    })

    test('corrected, it recovers by itself', async () => {
      const { cluster } = given()
      await cluster.api.patch(referenceOf(bad), { spec: { env: [] } })
      await becomes(cluster, bad, 'WorkloadReady', 'True')
      await ready(cluster, bad)
      expect(JSON.stringify(await cluster.api.get(deploymentOf(bad)))).toContain('orders-worker:2.0.0')
      await gone(cluster, bad)
    })
  })
}

export function rollsOut(given: () => Setting): void {
  describe('a change of a ready claim', () => {
    const before = worker(NAMESPACE, 'rolling', 'ROLLING')
    const image = 'ghcr.io/acme/orders-worker:2.0.0'
    const imageOf = async () => at(await given().cluster.api.get(referenceOf(before)), 'status', 'workload', 'image')
    const setUnschedulable = (unschedulable: boolean) =>
      given().cluster.api.patch({ apiVersion: 'v1', kind: 'Node', name: 'kwok-node-a' }, { spec: { unschedulable } })
    const warnings = async () => {
      const events = await given().cluster.api.list({ apiVersion: 'v1', kind: 'Event', namespace: NAMESPACE })
      return events
        .filter(
          ({ type, involvedObject }) =>
            type === 'Warning' && at(involvedObject, 'kind') === 'EventDrivenService' && at(involvedObject, 'name') === 'rolling',
        )
        .map(({ reason }) => reason)
    }

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream('ROLLING')
      await nats.createConsumer('ROLLING', 'rolling')
      await cluster.api.apply(before)
      await ready(cluster, before)
    })
    afterAll(async () => {
      await setUnschedulable(false)
      await gone(given().cluster, before)
    })

    test('whose new pods do not start is not ready, and the status names the image that runs', async () => {
      const { cluster } = given()
      // As a first try may have left it.
      await setUnschedulable(false)
      await cluster.api.apply(before)
      await ready(cluster, before)
      await setUnschedulable(true)
      await cluster.api.patch(referenceOf(before), { spec: { image } })
      // Until the new pod is created, none of one runs the new version.
      await cluster.until('the claim names the pod that does not start', async () => {
        const { message } = await becomes(cluster, before, 'WorkloadReady', 'False', 'RollingOut')
        return message.includes('1 of 1 pods run the new version, and 1 is not available')
      })
      await becomes(cluster, before, 'Ready', 'False')
      expect(await imageOf()).toBe('ghcr.io/acme/orders-worker:1.4.2')
      await setUnschedulable(false)
      await ready(cluster, before)
      await cluster.until('the status names the new image', async () => (await imageOf()) === image)
    })

    test('that adds an HTTP port is done without a warning', async () => {
      const { cluster } = given()
      await setUnschedulable(false)
      await cluster.api.patch(referenceOf(before), { spec: { httpPort: 3000 } })
      await cluster.until('its Service', () =>
        cluster.api.find({ apiVersion: 'v1', kind: 'Service', namespace: NAMESPACE, name: 'rolling-http' }),
      )
      await ready(cluster, before)
      expect(await warnings()).toEqual([])
    })
  })
}

/** Before Knative is there. */
export function lacksKinds(given: () => Setting): void {
  describe('a kind that the cluster does not know', () => {
    const name = 'lacking'
    const before = worker(NAMESPACE, name, 'LACKING')
    const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }
    const image = 'ghcr.io/acme/orders-worker:2.0.0'
    const after: ClaimManifest = { ...before, spec: { ...before.spec, image, eventing: { kafka } } }
    const source: Reference = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource', namespace: NAMESPACE, name }
    // Its webhook, which makes one version of another, is not there.
    const [{ spec, ...definition } = {}] = manifests(readFileSync(join(root, 'test/e2e/knative/crds/kafka-source.yaml'), 'utf8'))
    const { conversion: _, ...withoutWebhook } = isObject(spec) ? spec : {}

    beforeAll(async () => {
      const { cluster, nats } = given()
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream('LACKING')
      await nats.createConsumer('LACKING', name)
    })
    afterAll(async () => {
      const { cluster } = given()
      await gone(cluster, before)
      await cluster.api.delete(referenceTo(definition))
    })

    test('holds up nothing else that a living claim asks for, and the claim says what is to be installed', async () => {
      const { cluster } = given()
      await cluster.api.apply(before)
      await ready(cluster, before)
      await cluster.api.apply(after)
      const { message } = await becomes(cluster, after, 'EventingReady', 'False', 'KindUnknown')
      expect(message).toContain("Ask the platform team to install Knative's source for Apache Kafka")
      await cluster.until('the new image', async () => JSON.stringify(await cluster.api.get(deploymentOf(after))).includes(image))
      for (const type of ['WorkloadReady', 'ScalingReady']) await becomes(cluster, after, type, 'True')
      await becomes(cluster, after, 'Ready', 'False')
    })

    test('holds up nothing else of a new claim', async () => {
      const { cluster } = given()
      const fresh = worker(NAMESPACE, 'fresh', 'LACKING', { nats: undefined, scaling: undefined, runtime: 'Knative' })
      const account: Reference = { apiVersion: 'v1', kind: 'ServiceAccount', ...fresh.metadata }
      await cluster.api.apply(fresh)
      await becomes(cluster, fresh, 'WorkloadReady', 'False', 'KindUnknown')
      await cluster.until('its account', () => cluster.api.find(account))
      await gone(cluster, fresh, [account])
    })

    test('is made once it is known', async () => {
      const { cluster } = given()
      const { message = '' } = await becomes(cluster, after, 'EventingReady', 'False', 'KindUnknown')
      await cluster.api.apply({ ...definition, spec: withoutWebhook })
      await cluster.until('it is known', async () =>
        JSON.stringify(await cluster.api.call('GET', '/openapi/v3/apis/sources.knative.dev/v1')).includes('KafkaSource'),
      )
      // Crossplane may have looked between the CRD and that, and then keeps what it saw; the claim says what helps.
      const [, refresh] = /make Crossplane refresh: (kubectl .*?)\. The rest/.exec(message) ?? []
      expect(refresh, message).toBeDefined()
      await runDocumented(cluster, String(refresh))
      // Else Crossplane calls by itself, within a minute.
      await cluster.api.patch(referenceOf(after), { spec: { env: [{ name: 'LOOK', value: 'again' }] } })
      await cluster.until('the KafkaSource', () => cluster.api.find(source))
      await becomes(cluster, after, 'EventingReady', 'False', 'Waiting')
    })

    test('no longer asked for, it is nothing that the claim lacks', async () => {
      const { cluster } = given()
      await cluster.api.apply(before)
      await becomes(cluster, before, 'EventingReady', 'True', 'NotApplicable')
      await ready(cluster, before)
      await cluster.until('the KafkaSource is gone', async () => (await cluster.api.find(source)) === undefined)
    })
  })
}

/** The pods of a namespace, each by what tells it from one that was started anew. */
async function podsOf({ cluster: { api } }: Setting, namespace: string): Promise<unknown[]> {
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace })
  return pods.map(pod => at(pod, 'metadata', 'uid')).sort()
}

const REST_MS = 4_000

/** Waits until the function has not been called for this claim for a while. */
async function atRest({ cluster: { processes, until } }: Setting, name: string): Promise<void> {
  const calls = () => processes.log(FUNCTION).split(`"name":"${name}"`).length
  let before = calls()
  let since = Date.now()
  await until(`${name} is at rest`, () => {
    const now = calls()
    if (now !== before) since = Date.now()
    before = now
    return Date.now() - since > REST_MS
  })
}

export function survivesFaults(given: () => Setting): void {
  describe('faults', () => {
    const steady = worker(NAMESPACE, 'steady', STREAM)
    const many = Array.from({ length: MANY }, (_, index) =>
      worker('many', `worker-${index}`, STREAM, {
        nats: { stream: STREAM, consumer: 'steady' },
        scaling: { maxReplicas: 1, pollingInterval: 30 },
      }),
    )
    const clusterRole: Reference = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      name: 'event-driven-service:deployment',
    }

    beforeAll(async () => {
      const { cluster, nats } = given()
      for (const name of [NAMESPACE, 'many', 'other']) await createNamespace(cluster, name)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'steady')
      await nats.createStream('REST')
      await nats.createConsumer('REST', 'nothing-to-do')
      await cluster.api.apply(steady)
      await ready(cluster, steady)
      await nats.fill(STREAM, 15)
      await scaledTo(cluster, steady, 3)
    })
    afterAll(async () => {
      const { cluster } = given()
      await Promise.all(many.map(claim => cluster.api.delete(referenceOf(claim))))
      await gone(cluster, steady)
    })

    test(`the function is killed while ${MANY} claims come in: all become ready once it is back`, async () => {
      const { cluster } = given()
      const began = Date.now()
      const last = many[MANY - 1] as ClaimManifest
      await Promise.all(many.slice(0, MANY / 2).map(claim => cluster.api.apply(claim)))
      await cluster.processes.kill(FUNCTION)
      await Promise.all(many.slice(MANY / 2).map(claim => cluster.api.apply(claim)))
      // Crossplane waits for a function that is gone, for up to two minutes, and nothing comes of it meanwhile.
      await cluster.until('the last claim has its composite', async () =>
        at(await cluster.api.get(referenceOf(last)), 'metadata', 'finalizers'),
      )
      expect(await cluster.api.find(deploymentOf(last))).toBeUndefined()
      cluster.processes.again(FUNCTION)
      for (const claim of many) await ready(cluster, claim)
      console.log(
        `${MANY} claims were ready ${((Date.now() - began) / 1000).toFixed(1)} s after they were applied, the function killed meanwhile`,
      )
    })

    test.each([
      'crossplane',
      'etcd',
      'kube-apiserver',
      'keda-operator',
      'keda-metrics-apiserver',
      'nats-of-nats',
      'kube-controller-manager',
    ])('%s is started again: the count stays', async name => {
      const { cluster } = given()
      const counts = countsOf(cluster, steady)
      await cluster.processes.restart(name)
      await cluster.until('the API server', async () => (await cluster.api.call('GET', '/readyz')).message === 'ok')
      const mark = `${name}-${Date.now()}`
      await cluster.until('the claim is taken', () =>
        cluster.api.patch(referenceOf(steady), { metadata: { annotations: { mark } }, spec: { env: [{ name: 'MARK', value: mark }] } }),
      )
      await cluster.until('the change has come through', async () =>
        JSON.stringify(await cluster.api.get(deploymentOf(steady))).includes(mark),
      )
      await becomes(cluster, steady, 'ScalingReady', 'True')
      await ready(cluster, steady)
      counts.stop()
      expect(new Set(counts.seen)).toEqual(new Set([3]))
    })

    test('after all that it still scales', async () => {
      const { cluster, nats } = given()
      await nats.fill(STREAM, 10)
      await scaledTo(cluster, steady, 5)
    })

    test('the certificate of the function is issued anew: it is taken up without a restart', async () => {
      const { cluster } = given()
      const before = cluster.processes.pid(FUNCTION)
      const already = cluster.processes.log(FUNCTION).split('certificates reloaded').length
      const secrets = await cluster.api.list({ apiVersion: 'v1', kind: 'Secret', namespace: 'crossplane-system' })
      const secret = secrets.find(({ metadata }) => /function.*tls-server$/.test(String(at(metadata, 'name'))))
      await cluster.api.delete({
        apiVersion: 'v1',
        kind: 'Secret',
        namespace: 'crossplane-system',
        name: String(at(secret, 'metadata', 'name')),
      })
      await cluster.until('it is taken up', () => cluster.processes.log(FUNCTION).split('certificates reloaded').length > already)
      const mark = String(Date.now())
      await cluster.api.patch(referenceOf(steady), { spec: { env: [{ name: 'MARK', value: mark }] } })
      await cluster.until('the function is still called', async () =>
        JSON.stringify(await cluster.api.get(deploymentOf(steady))).includes(mark),
      )
      expect(cluster.processes.pid(FUNCTION)).toBe(before)
    })

    test('two claims of one name live in two namespaces', async () => {
      const { cluster } = given()
      const twin = { ...steady, metadata: { name: 'steady', namespace: 'other' } }
      await cluster.api.apply(twin)
      await ready(cluster, twin)
      await gone(cluster, twin)
      await ready(cluster, steady)
    })

    test('a claim that is deleted while the function is down goes, and all of it', async () => {
      const { cluster } = given()
      // One that is at rest: a call that is under way when the function goes keeps Crossplane for up to two minutes.
      const nats = { stream: 'REST', consumer: 'nothing-to-do' }
      const leaving = worker(NAMESPACE, 'leaving', STREAM, { nats, scaling: { pollingInterval: 300 } })
      await cluster.api.apply(leaving)
      await ready(cluster, leaving)
      await atRest(given(), 'leaving')
      await cluster.processes.stop(FUNCTION)
      await gone(cluster, leaving)
      cluster.processes.again(FUNCTION)
    })

    test(`an upgrade and a downgrade with ${MANY} live claims restart no pod`, async () => {
      const { cluster, flavour } = given()
      for (const claim of many) await ready(cluster, claim)
      const pods = await podsOf(given(), 'many')
      expect(pods).toHaveLength(MANY)
      await publish(cluster, 'v0.2.0')
      for (const version of ['v0.2.0', FIRST_VERSION]) {
        await moveTo(cluster, flavour, version)
        await cluster.processes.restart(FUNCTION)
        const mark = `${version}-${Date.now()}`
        await cluster.api.patch(referenceOf(steady), { spec: { env: [{ name: 'MARK', value: mark }] } })
        await cluster.until('the new version answers', async () =>
          JSON.stringify(await cluster.api.get(deploymentOf(steady))).includes(mark),
        )
        for (const claim of many) await ready(cluster, claim)
        expect(await podsOf(given(), 'many')).toEqual(pods)
      }
    })

    test('without our ClusterRole a claim is not ready and the composite says why; with it, it recovers', async () => {
      const { cluster, flavour } = given()
      const unauthorized = worker(NAMESPACE, 'unauthorized', STREAM, { nats: { stream: 'REST', consumer: 'nothing-to-do' } })
      await cluster.api.delete(clusterRole)
      await cluster.until('Crossplane has lost the right', async () => {
        const answer = await cluster
          .kubectl([
            'auth',
            'can-i',
            'create',
            'scaledobjects.keda.sh',
            '-n',
            NAMESPACE,
            '--as=system:serviceaccount:crossplane-system:crossplane',
          ])
          .catch(error => String(error))
        return !answer.startsWith('yes')
      })
      await cluster.api.apply(unauthorized)
      const kind = flavour === 'claims' ? 'XEventDrivenService' : 'EventDrivenService'
      await cluster.until('the composite says why', async () => {
        const events = await cluster.api.list({ apiVersion: 'v1', kind: 'Event' })
        return events.some(
          ({ type, involvedObject, message }) =>
            type === 'Warning' && at(involvedObject, 'kind') === kind && /scaledobjects.* is forbidden/.test(String(message)),
        )
      })
      // A claim waits for its composite; a composite that could not be composed is not even that.
      await becomes(cluster, unauthorized, flavour === 'claims' ? 'Ready' : 'Synced', 'False')
      await cluster.kubectl(['apply', '-f', join(root, 'package/runtime/rbac')])
      await ready(cluster, unauthorized)
      await gone(cluster, unauthorized)
    })
  })
}
