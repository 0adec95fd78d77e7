// Kinds that Crossplane may not manage, as after an upgrade without its new roles.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Reference } from '../api.ts'
import { becomes, type ClaimManifest, conditionOf, createNamespace, deploymentOf, referenceOf, worker } from '../claim.ts'
import { FUNCTION, runDocumented } from '../install.ts'
import { startKnative } from '../knative.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'forbidden'
const STREAM = 'FORBIDDEN'
// Crossplane waits two minutes for a kind that it may not read, and twice if the composite changed meanwhile.
const DISCOVERY_MS = 540_000
const ROLES = ['deployment', 'knative', 'eventing']

interface Case {
  readonly claim: ClaimManifest
  readonly type: string
  readonly role: string
  readonly resource: string
  /** What is created without the permission. */
  readonly rest: readonly Reference[]
  readonly missing: Reference
}

const without = { nats: undefined, scaling: undefined }
const http = (name: string, spec: JsonObject): ClaimManifest => worker(NAMESPACE, name, STREAM, { ...without, httpPort: 8080, ...spec })
const at = (apiVersion: string, kind: string, name: string): Reference => ({ apiVersion, kind, namespace: NAMESPACE, name })
const account = ({ metadata }: ClaimManifest) => at('v1', 'ServiceAccount', metadata.name)

const scaled = worker(NAMESPACE, 'scaled', STREAM, { scaling: { minReplicas: 1, maxReplicas: 1 } })
const spread = http('spread', { scaling: { minReplicas: 2 } })
const served = worker(NAMESPACE, 'served', STREAM, { ...without, runtime: 'Knative', knative: { autoscaling: { maxScale: 1 } } })
const brokered = http('brokered', { eventing: { broker: {} } })
const triggered = http('triggered', { eventing: { broker: { name: 'shop', create: false }, triggers: [{ name: 'created' }] } })
const fed = http('fed', { eventing: { kafka: { bootstrapServers: ['kafka:9092'], topics: ['orders'] } } })

const pods = (claim: ClaimManifest) => [account(claim), deploymentOf(claim)]

/** A claim for each kind that Crossplane's own chart does not grant. Without the others Crossplane does not even start. */
const cases: readonly Case[] = [
  {
    claim: scaled,
    type: 'ScalingReady',
    role: 'deployment',
    resource: 'scaledobjects.keda.sh',
    rest: pods(scaled),
    missing: at('keda.sh/v1alpha1', 'ScaledObject', 'scaled-scaler'),
  },
  {
    claim: spread,
    type: 'AvailabilityReady',
    role: 'deployment',
    resource: 'poddisruptionbudgets.policy',
    rest: pods(spread),
    missing: at('policy/v1', 'PodDisruptionBudget', 'spread'),
  },
  {
    claim: served,
    type: 'WorkloadReady',
    role: 'knative',
    resource: 'services.serving.knative.dev',
    rest: [account(served)],
    missing: at('serving.knative.dev/v1', 'Service', 'served'),
  },
  {
    claim: brokered,
    type: 'EventingReady',
    role: 'eventing',
    resource: 'brokers.eventing.knative.dev',
    rest: pods(brokered),
    missing: at('eventing.knative.dev/v1', 'Broker', 'brokered'),
  },
  {
    claim: triggered,
    type: 'EventingReady',
    role: 'eventing',
    resource: 'triggers.eventing.knative.dev',
    rest: pods(triggered),
    missing: at('eventing.knative.dev/v1', 'Trigger', 'triggered-created'),
  },
  {
    claim: fed,
    type: 'EventingReady',
    role: 'eventing',
    resource: 'kafkasources.sources.knative.dev',
    rest: pods(fed),
    missing: at('sources.knative.dev/v1', 'KafkaSource', 'fed'),
  },
]

/** Runs before Crossplane has read the kinds: later it would not notice that it may no longer. */
export function leavesOutForbiddenKinds(given: () => Setting): void {
  describe('without our ClusterRoles', () => {
    const began = Date.now()
    const seconds = () => Math.round((Date.now() - began) / 1000)
    const conditions = async () =>
      Promise.all(
        cases.map(async ({ claim, type }) => ({ name: claim.metadata.name, ...(await conditionOf(given().cluster, claim, type)) })),
      )
    const isThere = async (reference: Reference) => (await given().cluster.api.find(reference)) !== undefined

    beforeAll(async () => {
      const { cluster, nats } = given()
      await startKnative(cluster, { say: cluster.say, begin: () => undefined })
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'scaled')
      for (const role of ROLES) await cluster.kubectl(['delete', 'clusterrole', `event-driven-service:${role}`])
      await cluster.until('Crossplane has lost the right', async () => {
        const account = '--as=system:serviceaccount:crossplane-system:crossplane'
        const answer = await cluster.kubectl(['auth', 'can-i', 'list', 'poddisruptionbudgets.policy', '-A', account]).catch(String)
        return !answer.startsWith('yes')
      })
      for (const { claim } of cases) await cluster.api.apply(claim)
    })
    afterAll(async () => {
      const { cluster } = given()
      for (const { claim } of cases) await cluster.api.delete(referenceOf(claim))
    })

    test.each(cases)(
      'everything but $missing.kind is created',
      { timeout: DISCOVERY_MS },
      async ({ claim, type, role, resource, rest, missing }) => {
        const { cluster } = given()
        await cluster.until(`the rest of ${claim.metadata.name}`, async () => (await Promise.all(rest.map(isThere))).every(Boolean), {
          timeoutMs: DISCOVERY_MS,
        })
        cluster.say(`the rest of ${claim.metadata.name} exists after ${seconds()} s`)
        const said = await cluster.until(
          `${claim.metadata.name} is not ready because of ${resource}`,
          async () => {
            const condition = await conditionOf(cluster, claim, type)
            return condition?.reason === 'KindForbidden' ? condition : undefined
          },
          { timeoutMs: DISCOVERY_MS },
        )
        cluster.say(`${claim.metadata.name} says after ${seconds()} s: ${said.message}`)
        expect(said.message).toContain(`${missing.kind} ${missing.name} can't be created: Crossplane may not manage ${resource}. `)
        expect(said.message).toContain(`kubectl apply -f package/runtime/rbac/${role}.yaml`)
        expect(await isThere(missing)).toBe(false)
        await becomes(cluster, claim, 'Ready', 'False')
      },
    )

    test('a claim that comes later does not have to find out by itself', async () => {
      const { cluster } = given()
      const late = worker(NAMESPACE, 'late', STREAM, { nats: { stream: STREAM, consumer: 'scaled' } })
      await cluster.api.apply(late)
      for (const type of ['ScalingReady', 'AvailabilityReady']) await becomes(cluster, late, type, 'False', 'KindForbidden')
      await cluster.until('its Deployment', () => isThere(deploymentOf(late)))
      await cluster.api.delete(referenceOf(late))
    })

    test('a change of a claim is applied, and no condition changes', async () => {
      const { cluster } = given()
      const before = await conditions()
      const image = 'ghcr.io/acme/orders-worker:2.0.0'
      for (const { claim } of cases) await cluster.api.patch(referenceOf(claim), { spec: { image } })
      for (const { claim } of cases.filter(({ role }) => role !== 'knative'))
        await cluster.until(`the new image of ${claim.metadata.name}`, async () =>
          JSON.stringify(await cluster.api.get(deploymentOf(claim))).includes(image),
        )
      expect(await conditions()).toEqual(before)
    })

    // All at once, because each restart of the function makes it ask for every kind, and Crossplane waits two minutes for an answer
    // about a kind that is still forbidden.
    test('the commands of the messages grant every role, and the claims have all resources', { timeout: DISCOVERY_MS }, async () => {
      const { cluster } = given()
      for (const { claim, type } of cases) {
        const { message = '' } = (await conditionOf(cluster, claim, type)) ?? {}
        await runDocumented(cluster, /(kubectl apply \S+ \S+\.yaml)\. /.exec(message)?.[1] ?? `false # ${message}`)
      }
      // Otherwise the function asks again within ten minutes.
      await cluster.processes.restart(FUNCTION)
      const from = Date.now()
      for (const { missing } of cases) {
        await cluster.until(`${missing.kind} ${missing.name}`, () => isThere(missing), { timeoutMs: DISCOVERY_MS })
        cluster.say(`${missing.kind} ${missing.name} exists ${Math.round((Date.now() - from) / 1000)} s after it was granted`)
      }
      for (const { claim, type } of cases)
        await cluster.until(`${claim.metadata.name} says so`, async () => {
          const condition = observedCondition(await cluster.api.get(referenceOf(claim)), type)
          return condition !== undefined && condition.reason !== 'KindForbidden' && condition.status !== 'Unknown'
        })
    })
  })
}
