import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { exampleClaims } from '../../scripts/generate/examples.ts'
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { mayBeMissing } from '../../src/reconcile/missing-crds.ts'
import { root } from '../fixtures/claim-files.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

test('every kind of the examples that is not Kubernetes’ own may be lacking', () => {
  const kinds = new Map<string, boolean>()
  for (const { file } of exampleClaims()) {
    const parsed = parseClaim(parse(readFileSync(`${root}${file}`, 'utf8')), builtInPlatform)
    if (!parsed.ok) continue
    for (const { manifest } of compose(parsed.claim, builtInPlatform, {}).resources)
      kinds.set(`${manifest.kind} ${manifest.apiVersion}`, mayBeMissing(manifest))
  }
  expect(Object.fromEntries(kinds)).toEqual({
    'ServiceAccount v1': false,
    'Service v1': false,
    'Deployment apps/v1': false,
    'ScaledObject keda.sh/v1alpha1': true,
    'Service serving.knative.dev/v1': true,
    'Broker eventing.knative.dev/v1': true,
    'Trigger eventing.knative.dev/v1': true,
    'KafkaSource sources.knative.dev/v1': true,
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
  expect(loop.reconcile().reason).toBe('NameTaken')
  expect(loop.objects.size).toBe(0)
})
