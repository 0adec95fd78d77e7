// What is another way on Crossplane 1: every resource in an Object of provider-kubernetes, and what 1.x can't do at all.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../../../src/platform/platform.ts'
import { compose } from '../../../../src/reconcile/compose.ts'
import { parseClaim } from '../../../../src/reconcile/parse-claim.ts'
import { root } from '../../../fixtures/claim-files.ts'
import {
  becomes,
  type ClaimManifest,
  countsOf,
  createNamespace,
  deploymentOf,
  gone,
  ready,
  referenceOf,
  replicasOf,
  scaledTo,
  worker,
} from '../claim.ts'
import { giveIdentity, removeFromCrossplane1 } from '../crossplane-1.ts'
import { runDocumented } from '../install.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'wrapped'
const STREAM = 'WRAPPED'
const OBJECT = { apiVersion: 'kubernetes.crossplane.io/v1alpha2', kind: 'Object' }
const COMPOSITION = { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition' }

const byKindAndName = (one: JsonObject, other: JsonObject) => idOf(one).localeCompare(idOf(other))
const idOf = ({ kind, metadata }: JsonObject) => `${kind} ${at(metadata, 'name')}`

function composedOf(claim: JsonObject): readonly JsonObject[] {
  const parsed = parseClaim(claim, builtInPlatform)
  if (!parsed.ok) throw new Error('the claim is not valid')
  return compose(parsed.claim, { ...builtInPlatform, composeAs: 'ProviderKubernetes' }, {}).resources.map(({ manifest }) => manifest)
}

const selectorOf = ({ metadata: { name, namespace } }: ClaimManifest) =>
  `?labelSelector=crossplane.io/claim-name=${name},crossplane.io/claim-namespace=${namespace}`
const objectsOf = ({ cluster: { api } }: Setting, claim: ClaimManifest) => api.list(OBJECT, selectorOf(claim))

/** What `eds doctor` says of the cluster, by the names of its checks. */
async function diagnosis({ cluster }: Setting, claim = ''): Promise<Map<string, { state: string; says: string }>> {
  // It ends with 1, as no pod stands behind the Service of NATS here.
  const { checks } = JSON.parse(await runDocumented(cluster, `node dist/eds.js doctor ${claim} -o json || true`))
  return new Map(checks.map((check: { name: string; state: string; says: string }) => [check.name, check]))
}

export function composesThroughProvider(given: () => Setting): void {
  describe('the installation', () => {
    test('eds doctor knows it as such, with the provider and what it may do', async () => {
      // The package says a moment after its revision that it is healthy.
      const checks = await given().cluster.until('all is well', async () => {
        const checks = await diagnosis(given())
        for (const name of ['provider-kubernetes', 'ProviderConfig', 'Composition', 'API (XRD)', 'Function'])
          expect(checks.get(name)).toMatchObject({ state: 'well' })
        return checks
      })
      expect(checks.get('Crossplane version')).toMatchObject({
        state: 'well',
        says: expect.stringContaining('through provider-kubernetes'),
      })
      for (const kind of ['serviceaccounts', 'services', 'deployments.apps', 'scaledobjects.keda.sh'])
        expect(checks.get(`Access to ${kind}`)).toMatchObject({
          state: 'well',
          says: 'service account crossplane-system/provider-kubernetes has all permissions it needs',
        })
    })
  })

  describe('through provider-kubernetes', () => {
    const claim = worker(NAMESPACE, 'carried', STREAM)
    beforeAll(async () => {
      const { cluster, nats } = given()
      await giveIdentity(cluster)
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      for (const consumer of ['carried', 'taken', 'other', 'native']) await nats.createConsumer(STREAM, consumer)
    })

    test('each Object carries what is composed, and is synced and ready', async () => {
      const { cluster } = given()
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      const objects = await objectsOf(given(), claim)
      const manifests = objects.map(({ spec }) => at(spec, 'forProvider', 'manifest') as JsonObject)
      expect(manifests.sort(byKindAndName)).toEqual([...composedOf(await cluster.api.get(referenceOf(claim)))].sort(byKindAndName))
      for (const object of objects)
        for (const type of ['Synced', 'Ready']) expect(observedCondition(object, type)).toMatchObject({ status: 'True' })
    })

    test('the count is left alone however often an Object is reconciled, and the claim counts along', async () => {
      const { cluster, nats } = given()
      await nats.fill(STREAM, 15)
      await scaledTo(cluster, claim, 3)
      await cluster.until(
        'the claim counts three',
        async () => at(await cluster.api.get(referenceOf(claim)), 'status', 'workload', 'replicas') === 3,
      )
      const counts = countsOf(cluster, claim)
      const objects = await objectsOf(given(), claim)
      const carrier = objects.find(({ spec }) => at(spec, 'forProvider', 'manifest', 'kind') === 'Deployment')
      const reference = { ...OBJECT, name: String(at(carrier?.metadata, 'name')) }
      for (const round of ['first', 'second', 'third']) {
        // The provider puts back what somebody else has changed, and that shows that it has looked.
        await cluster.api.patch(deploymentOf(claim), { spec: { template: { spec: { serviceAccountName: round } } } })
        await cluster.until('the provider has put it back', async () => {
          const { spec } = await cluster.api.get(deploymentOf(claim))
          return at(spec, 'template', 'spec', 'serviceAccountName') === claim.metadata.name
        })
      }
      expect(observedCondition(await cluster.api.get(reference), 'Synced')).toMatchObject({ status: 'True' })
      counts.stop()
      expect(counts.seen).toEqual([3])
    })

    test('deleted, nothing is left', async () => {
      const { cluster } = given()
      await gone(cluster, claim)
      await cluster.until('no Object is left', async () => (await objectsOf(given(), claim)).length === 0)
      for (const kind of ['Service', 'ServiceAccount'])
        expect(await cluster.api.find({ apiVersion: 'v1', kind, namespace: NAMESPACE, name: claim.metadata.name })).toBeUndefined()
    })
  })

  // docs/install.md has a table of it.
  describe('what Crossplane 1 can not do', () => {
    test('a name that is taken is not seen: the object becomes the claim’s, with the replicas it has', async () => {
      const { cluster } = given()
      const claim = worker(NAMESPACE, 'taken', STREAM, { scaling: { minReplicas: 5, maxReplicas: 5 } })
      const [deployment] = composedOf(claim).filter(({ kind }) => kind === 'Deployment')
      await cluster.api.apply({ ...deployment, spec: { ...(deployment?.spec as JsonObject), replicas: 5 } })
      const counts = countsOf(cluster, claim)
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      counts.stop()
      expect(counts.seen).toEqual([5])
      await gone(cluster, claim)
    })

    test('with another selector it can not be taken over, and the claim says so', async () => {
      const { cluster } = given()
      const claim = worker(NAMESPACE, 'other', STREAM)
      const [deployment] = composedOf(claim).filter(({ kind }) => kind === 'Deployment')
      const labels = { app: 'other' }
      const template = { ...(at(deployment, 'spec', 'template') as JsonObject), metadata: { labels } }
      await cluster.api.apply({ ...deployment, spec: { selector: { matchLabels: labels }, template } })
      await cluster.api.apply(claim)
      const said = await becomes(cluster, claim, 'WorkloadReady', 'False', 'ReconcileError')
      expect(said.message).toMatch(/^provider-kubernetes can't apply Deployment other: .*selector.*immutable/)
      await cluster.api.delete(referenceOf(claim))
      await cluster.until('no Object is left', async () => (await objectsOf(given(), claim)).length === 0)
      expect(await cluster.api.get(deploymentOf(claim))).toMatchObject({ spec: { selector: { matchLabels: labels } } })
      await cluster.api.delete(deploymentOf(claim))
    })

    test('without composeAs: ProviderKubernetes no claim gets anything, and says why', async () => {
      const { cluster } = given()
      const composition = await cluster.api.get({ ...COMPOSITION, name: 'eventdrivenservice' })
      const native = JSON.parse(JSON.stringify(composition.spec).replace('"composeAs":"ProviderKubernetes"', '"composeAs":"Native"'))
      await cluster.api.apply({ ...COMPOSITION, metadata: { name: 'native' }, spec: native })
      const claim = worker(NAMESPACE, 'native', STREAM, { compositionRef: { name: 'native' } })
      await cluster.api.apply(claim)
      const { message } = await becomes(cluster, claim, 'WorkloadReady', 'False', 'Creating')
      expect(message).toContain('set composeAs: ProviderKubernetes in the Composition')
      expect(await replicasOf(cluster, claim)).toBeUndefined()
      const checks = await diagnosis(given(), 'wrapped/native')
      expect(checks.get('Crossplane version')).toMatchObject({ state: 'wrong', says: expect.stringContaining('composeAs') })
      await gone(cluster, claim)
      await cluster.api.delete({ ...COMPOSITION, name: 'native' })
    })

    test('the namespaced flavour is no kind that it knows', async () => {
      const definition = parse(readFileSync(`${root}apis/namespaced/definition.yaml`, 'utf8'))
      await expect(given().cluster.kubectl(['apply', '-f', '-'], JSON.stringify(definition))).rejects.toThrow(
        'no matches for kind "CompositeResourceDefinition" in version "apiextensions.crossplane.io/v2"',
      )
    })
  })
}

/** The last section: no API is left. */
export function isRemoved(given: () => Setting): void {
  test('removed as the docs have it, neither the API nor the provider is left', async () => {
    const { cluster, nats } = given()
    const claim = worker(NAMESPACE, 'last', STREAM)
    await createNamespace(cluster, NAMESPACE)
    await nats.createStream(STREAM)
    await nats.createConsumer(STREAM, 'last')
    await cluster.api.apply(claim)
    await ready(cluster, claim)
    await removeFromCrossplane1(cluster)
    for (const kind of ['Deployment', 'Service', 'ServiceAccount'])
      expect(
        await cluster.api.find({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, namespace: NAMESPACE, name: 'last' }),
      ).toBeUndefined()
    await cluster.until('no definition of theirs is left', async () => {
      const definitions = await cluster.api.list({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' })
      return !definitions.some(({ spec }) => ['platform.bizmatters.io', 'kubernetes.crossplane.io'].includes(String(at(spec, 'group'))))
    })
  })
}
