// Differences on Crossplane 1: every resource in an Object of provider-kubernetes, and unsupported features.
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
  deleteClaim,
  deploymentOf,
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

/** The checks of `eds doctor`, by name. */
async function diagnosis({ cluster }: Setting, claim = ''): Promise<Map<string, { state: string; says: string }>> {
  // It exits with 1, because the Service of NATS has no pods here.
  const { checks } = JSON.parse(await runDocumented(cluster, `node dist/eds.js doctor ${claim} -o json || true`))
  return new Map(checks.map((check: { name: string; state: string; says: string }) => [check.name, check]))
}

export function composesThroughProvider(given: () => Setting): void {
  describe('the installation', () => {
    test('eds doctor reports the provider and its permissions', async () => {
      // The package reports Healthy shortly after its revision.
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

    test('each Object contains the composed resource, and is synced and ready', async () => {
      const { cluster } = given()
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      const objects = await objectsOf(given(), claim)
      const manifests = objects.map(({ spec }) => at(spec, 'forProvider', 'manifest') as JsonObject)
      expect(manifests.sort(byKindAndName)).toEqual([...composedOf(await cluster.api.get(referenceOf(claim)))].sort(byKindAndName))
      for (const object of objects)
        for (const type of ['Synced', 'Ready']) expect(observedCondition(object, type)).toMatchObject({ status: 'True' })
    })

    test('reconciling an Object keeps the replica count, and the claim reports it', async () => {
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
        // The provider reverts the change, which proves that it has reconciled the Object.
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

    test('deleting the claim deletes all resources', async () => {
      const { cluster } = given()
      await deleteClaim(cluster, claim)
      await cluster.until('no Object is left', async () => (await objectsOf(given(), claim)).length === 0)
      for (const kind of ['Service', 'ServiceAccount'])
        expect(await cluster.api.find({ apiVersion: 'v1', kind, namespace: NAMESPACE, name: claim.metadata.name })).toBeUndefined()
    })
  })

  // docs/install.md lists these limits in a table.
  describe('limits of Crossplane 1', () => {
    test('a claim adopts an existing object of the same name without asking, and keeps its replicas', async () => {
      const { cluster } = given()
      const claim = worker(NAMESPACE, 'taken', STREAM, { scaling: { minReplicas: 5, maxReplicas: 5 } })
      const [deployment] = composedOf(claim).filter(({ kind }) => kind === 'Deployment')
      await cluster.api.apply({ ...deployment, spec: { ...(deployment?.spec as JsonObject), replicas: 5 } })
      const counts = countsOf(cluster, claim)
      await cluster.api.apply(claim)
      await ready(cluster, claim)
      counts.stop()
      expect(counts.seen).toEqual([5])
      await deleteClaim(cluster, claim)
    })

    test('reports an existing object with another selector, which it cannot adopt', async () => {
      const { cluster } = given()
      const claim = worker(NAMESPACE, 'other', STREAM)
      const [deployment] = composedOf(claim).filter(({ kind }) => kind === 'Deployment')
      const labels = { app: 'other' }
      const template = { ...(at(deployment, 'spec', 'template') as JsonObject), metadata: { labels } }
      await cluster.api.apply({ ...deployment, spec: { selector: { matchLabels: labels }, template } })
      await cluster.api.apply(claim)
      const condition = await becomes(cluster, claim, 'WorkloadReady', 'False', 'ReconcileError')
      expect(condition.message).toMatch(/^provider-kubernetes can't apply Deployment other: .*selector.*immutable/)
      await cluster.api.delete(referenceOf(claim))
      await cluster.until('no Object is left', async () => (await objectsOf(given(), claim)).length === 0)
      expect(await cluster.api.get(deploymentOf(claim))).toMatchObject({ spec: { selector: { matchLabels: labels } } })
      await cluster.api.delete(deploymentOf(claim))
    })

    test('reports a missing composeAs: ProviderKubernetes, and creates nothing', async () => {
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
      await deleteClaim(cluster, claim)
      await cluster.api.delete({ ...COMPOSITION, name: 'native' })
    })

    test('does not support the namespaced flavour', async () => {
      const definition = parse(readFileSync(`${root}apis/namespaced/definition.yaml`, 'utf8'))
      await expect(given().cluster.kubectl(['apply', '-f', '-'], JSON.stringify(definition))).rejects.toThrow(
        'no matches for kind "CompositeResourceDefinition" in version "apiextensions.crossplane.io/v2"',
      )
    })
  })
}

/** The last section, because it removes the API. */
export function isRemoved(given: () => Setting): void {
  test('the commands of the docs remove the API and the provider', async () => {
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
