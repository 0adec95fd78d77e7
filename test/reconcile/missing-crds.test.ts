import { expect, test } from 'vitest'
import { exampleClaims, platformOf } from '../../scripts/generate/examples.ts'
import { capabilities, findKind } from '../../src/capabilities/index.ts'
import { observedCondition } from '../../src/kubernetes/conditions.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claim } from '../fixtures/claims.ts'
import { ControlLoop } from '../fixtures/control-loop.ts'

test('a capability lists every kind of the examples, with a product unless Kubernetes itself brings it', () => {
  const listed = capabilities.flatMap(({ kinds }) => kinds)
  const isBuiltIn = (apiVersion: string) => ['v1', 'apps/v1', 'policy/v1'].includes(apiVersion)
  for (const example of exampleClaims()) {
    const platform = platformOf(example)
    const parsed = parseClaim(example.claim, platform)
    if (!parsed.ok) throw new Error(`${example.file} is not valid`)
    for (const { manifest } of compose(parsed.claim, platform, {}).resources)
      expect([manifest.kind, findKind(manifest, listed)?.product === undefined]).toEqual([manifest.kind, isBuiltIn(manifest.apiVersion)])
  }
})

test('composes everything but a kind with a missing CRD, and the rest once the CRD exists', () => {
  const loop = new ControlLoop(claim())
  loop.unknownKinds.add('ScaledObject')
  loop.reconcile()
  expect([...loop.objects.keys()]).toEqual(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget'])
  loop.becomesReady('deployment')
  loop.claim = claim({ image: 'ghcr.io/acme/orders-worker:2.0.0' })
  const { ready, results } = loop.reconcile()
  expect(ready).toBe(false)
  expect(JSON.stringify(loop.objects.get('deployment'))).toContain('orders-worker:2.0.0')
  // The event was emitted when the CRD was first found missing.
  expect(results.map(({ reason }) => reason)).not.toContain('KindUnknown')
  loop.unknownKinds.clear()
  loop.reconcile()
  loop.becomesReady('deployment', 'scaledobject')
  expect(loop.reconcile().ready).toBe(true)
})

test('finds a foreign object in the cluster and does not touch it', () => {
  const loop = new ControlLoop(claim())
  loop.others.push({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'orders-worker-scaler', namespace: 'shop' } })
  loop.reconcile()
  expect(observedCondition(loop.composite, 'ScalingReady')).toMatchObject({ reason: 'NameTaken' })
  expect([...loop.objects.keys()]).toEqual(['serviceaccount', 'deployment', 'service', 'poddisruptionbudget'])
})
