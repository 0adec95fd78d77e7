// Faults of a cluster, and their effect on claims and pods.
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
  deleteClaim,
  deploymentOf,
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

/** Changes with every write except of the status: the generation and the field owners. */
const versionsOf = async ({ cluster: { api } }: Setting, claim: ClaimManifest): Promise<unknown[]> =>
  Promise.all(
    [deploymentOf(claim), scaledObjectOf(claim)].map(async reference => {
      const { metadata } = await api.get(reference)
      return [at(metadata, 'generation'), ownersOf(metadata)]
    }),
  )

const ownersOf = (metadata: Json | undefined) =>
  items(at(metadata, 'managedFields')).filter(entry => at(entry, 'subresource') === undefined)

/** For an invalid claim the function returns the last applied manifests, so applying them must change nothing. */
export function lastAppliedIsExact(given: () => Setting): void {
  test('applying the last applied manifest of an object again changes nothing', async () => {
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
      // The API server keeps the resourceVersion if an apply changes nothing.
      expect(at(after, 'metadata', 'resourceVersion'), label).toEqual(at(object, 'metadata', 'resourceVersion'))
    }
    expect(new Set(composed.map(({ object }) => object.kind))).toEqual(new Set(kinds.map(([, kind]) => kind)))
  })
}

/** Adds the labels, annotations and owners of Crossplane to a desired manifest. */
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
  describe('a claim that the API accepts and the function rejects', () => {
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

    test('does not change the running objects', async () => {
      const { cluster } = given()
      await cluster.api.apply(fine)
      await ready(cluster, fine)
      const before = await versionsOf(given(), fine)
      await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(bad))
      const condition = await becomes(cluster, bad, 'WorkloadReady', 'False', 'InvalidClaim')
      expect(condition.message).toContain('spec.secretRefs[0].env[0].envName: must not be the same as spec.env[0].name')
      expect(await versionsOf(given(), bad)).toEqual(before)
    })

    test('is not ready and keeps its other conditions and its status', async () => {
      const { cluster } = given()
      await becomes(cluster, bad, 'Ready', 'False')
      await becomes(cluster, bad, 'Synced', 'True')
      await becomes(cluster, bad, 'ScalingReady', 'True')
      expect(at(await cluster.api.get(referenceOf(bad)), 'status', 'workload', 'name')).toBe(name)
    })

    test('recovers when it is corrected', async () => {
      const { cluster } = given()
      await cluster.api.patch(referenceOf(bad), { spec: { env: [] } })
      await becomes(cluster, bad, 'WorkloadReady', 'True')
      await ready(cluster, bad)
      expect(JSON.stringify(await cluster.api.get(deploymentOf(bad)))).toContain('orders-worker:2.0.0')
      await deleteClaim(cluster, bad)
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
      await deleteClaim(given().cluster, before)
    })

    test('with pods that do not start makes the claim not ready, and the status names the running image', async () => {
      const { cluster } = given()
      // The state that a first try may leave.
      await setUnschedulable(false)
      await cluster.api.apply(before)
      await ready(cluster, before)
      await setUnschedulable(true)
      await cluster.api.patch(referenceOf(before), { spec: { image } })
      // Before the new pod exists, 0 of 1 replicas run the new version.
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

    test('that adds an HTTP port causes no warning', async () => {
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

/** Runs before Knative is installed. */
export function lacksKinds(given: () => Setting): void {
  describe('a missing CRD', () => {
    const name = 'lacking'
    const before = worker(NAMESPACE, name, 'LACKING')
    const kafka = { bootstrapServers: ['kafka:9092'], topics: ['orders'] }
    const image = 'ghcr.io/acme/orders-worker:2.0.0'
    const after: ClaimManifest = { ...before, spec: { ...before.spec, image, eventing: { kafka } } }
    const source: Reference = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource', namespace: NAMESPACE, name }
    // Its conversion webhook does not run here.
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
      await deleteClaim(cluster, before)
      await cluster.api.delete(referenceTo(definition))
    })

    test('does not block other changes of a ready claim, and the claim names the missing product', async () => {
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

    test('does not block the other resources of a new claim', async () => {
      const { cluster } = given()
      const fresh = worker(NAMESPACE, 'fresh', 'LACKING', { nats: undefined, scaling: undefined, runtime: 'Knative' })
      const account: Reference = { apiVersion: 'v1', kind: 'ServiceAccount', ...fresh.metadata }
      await cluster.api.apply(fresh)
      await becomes(cluster, fresh, 'WorkloadReady', 'False', 'KindUnknown')
      await cluster.until('its account', () => cluster.api.find(account))
      await deleteClaim(cluster, fresh, [account])
    })

    test('stops blocking when it is installed', async () => {
      const { cluster } = given()
      const { message = '' } = await becomes(cluster, after, 'EventingReady', 'False', 'KindUnknown')
      await cluster.api.apply({ ...definition, spec: withoutWebhook })
      await cluster.until('it is known', async () =>
        JSON.stringify(await cluster.api.call('GET', '/openapi/v3/apis/sources.knative.dev/v1')).includes('KafkaSource'),
      )
      // Crossplane may have cached the schema before that; the claim names the command that refreshes it.
      const [, refresh] = /make Crossplane refresh: (kubectl .*?)\. The rest/.exec(message) ?? []
      expect(refresh, message).toBeDefined()
      await runDocumented(cluster, String(refresh))
      // Otherwise Crossplane calls the function within a minute.
      await cluster.api.patch(referenceOf(after), { spec: { env: [{ name: 'MARK', value: 'known' }] } })
      await cluster.until('the KafkaSource', () => cluster.api.find(source))
      await becomes(cluster, after, 'EventingReady', 'False', 'Waiting')
    })

    test('has no effect on a claim that no longer needs it', async () => {
      const { cluster } = given()
      await cluster.api.apply(before)
      await becomes(cluster, before, 'EventingReady', 'True', 'NotApplicable')
      await ready(cluster, before)
      await cluster.until('the KafkaSource is gone', async () => (await cluster.api.find(source)) === undefined)
    })
  })
}

/** The pods of a namespace with the fields that change in a new or restarted pod. */
async function podsOf({ cluster: { api } }: Setting, namespace: string): Promise<unknown[]> {
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace })
  return pods.map(pod => at(pod, 'metadata', 'uid')).sort()
}

const REST_MS = 4_000

/** Waits until the function has not been called for this claim for some time. */
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
      await deleteClaim(cluster, steady)
    })

    test(`${MANY} claims become ready after the function is killed and restarted during their creation`, async () => {
      const { cluster } = given()
      const began = Date.now()
      const last = many[MANY - 1] as ClaimManifest
      await Promise.all(many.slice(0, MANY / 2).map(claim => cluster.api.apply(claim)))
      await cluster.processes.kill(FUNCTION)
      await Promise.all(many.slice(MANY / 2).map(claim => cluster.api.apply(claim)))
      // Crossplane waits up to two minutes for a function that is down, and composes nothing meanwhile.
      await cluster.until('the last claim has its composite', async () =>
        at(await cluster.api.get(referenceOf(last)), 'metadata', 'finalizers'),
      )
      expect(await cluster.api.find(deploymentOf(last))).toBeUndefined()
      cluster.processes.startAgain(FUNCTION)
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
    ])('a restart of %s keeps the replica count', async name => {
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

    test('still scales after these faults', async () => {
      const { cluster, nats } = given()
      await nats.fill(STREAM, 10)
      await scaledTo(cluster, steady, 5)
    })

    test('the function reloads a reissued certificate without a restart', async () => {
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

    test('two claims of one name are independent in two namespaces', async () => {
      const { cluster } = given()
      const twin = { ...steady, metadata: { name: 'steady', namespace: 'other' } }
      await cluster.api.apply(twin)
      await ready(cluster, twin)
      await deleteClaim(cluster, twin)
      await ready(cluster, steady)
    })

    test('a claim that is deleted while the function is down is deleted with all its resources', async () => {
      const { cluster } = given()
      // An idle claim, because a call that is interrupted blocks Crossplane for up to two minutes.
      const nats = { stream: 'REST', consumer: 'nothing-to-do' }
      const leaving = worker(NAMESPACE, 'leaving', STREAM, { nats })
      await cluster.api.apply(leaving)
      await ready(cluster, leaving)
      await cluster.api.patch(referenceOf(leaving), { spec: { scaling: { pollingInterval: 300 } } })
      await atRest(given(), 'leaving')
      await cluster.processes.stop(FUNCTION)
      await deleteClaim(cluster, leaving)
      cluster.processes.startAgain(FUNCTION)
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

    test('without our ClusterRole a claim is not ready, the composite reports why, and it recovers with it', async () => {
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
      // A claim waits for its composite, which has no Ready condition before it was composed.
      await becomes(cluster, unauthorized, flavour === 'claims' ? 'Ready' : 'Synced', 'False')
      await cluster.kubectl(['apply', '-f', join(root, 'package/runtime/rbac')])
      await ready(cluster, unauthorized)
      await deleteClaim(cluster, unauthorized)
    })
  })
}
