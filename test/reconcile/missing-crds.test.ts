import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { exampleClaims } from '../../scripts/generate/examples.ts'
import { capabilities, findKind } from '../../src/capabilities/index.ts'
import { observedCondition } from '../../src/kubernetes/conditions.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { root } from '../fixtures/claim-files.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

test('every kind of the examples is listed by a capability, with the product that brings it', () => {
  const listed = capabilities.flatMap(({ kinds }) => kinds)
  const kinds = new Map<string, string | undefined>()
  for (const { file } of exampleClaims()) {
    const parsed = parseClaim(parse(readFileSync(`${root}${file}`, 'utf8')), builtInPlatform)
    if (!parsed.ok) continue
    for (const { manifest } of compose(parsed.claim, builtInPlatform, {}).resources)
      kinds.set(`${manifest.kind} ${manifest.apiVersion}`, findKind(manifest, listed)?.product)
  }
  expect(Object.fromEntries(kinds)).toEqual({
    'ServiceAccount v1': undefined,
    'Service v1': undefined,
    'Deployment apps/v1': undefined,
    'ScaledObject keda.sh/v1alpha1': 'KEDA',
    'Service serving.knative.dev/v1': 'Knative Serving',
    'Broker eventing.knative.dev/v1': 'Knative Eventing',
    'Trigger eventing.knative.dev/v1': 'Knative Eventing',
    'KafkaSource sources.knative.dev/v1': "Knative's source for Apache Kafka",
  })
})

test('a claim lives without a kind that is unknown, and takes it up once it is known', () => {
  const loop = new ControlLoop(claim())
  loop.unknownKinds.add('ScaledObject')
  loop.reconcile()
  expect([...loop.objects.keys()]).toEqual(['serviceaccount', 'deployment', 'service'])
  loop.becomesReady('deployment')
  loop.claim = claim({ image: 'ghcr.io/acme/orders-worker:2.0.0' })
  const { ready, results } = loop.reconcile()
  expect(ready).toBe(false)
  expect(JSON.stringify(loop.objects.get('deployment'))).toContain('orders-worker:2.0.0')
  // It was said when it was news.
  expect(results.map(({ reason }) => reason)).not.toContain('KindUnknown')
  loop.unknownKinds.clear()
  loop.reconcile()
  loop.becomesReady('deployment', 'scaledobject')
  expect(loop.reconcile().ready).toBe(true)
})

test('an object of another in the cluster is found, and left alone', () => {
  const loop = new ControlLoop(claim())
  loop.others.push({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'orders-worker-scaler', namespace: 'shop' } })
  loop.reconcile()
  expect(observedCondition(loop.composite, 'ScalingReady')).toMatchObject({ reason: 'NameTaken' })
  expect([...loop.objects.keys()]).toEqual(['serviceaccount', 'deployment', 'service'])
})
