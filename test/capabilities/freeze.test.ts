import { expect, test } from 'vitest'
import { deployment } from '../../src/capabilities/deployment/deployment.ts'
import { freeze } from '../../src/capabilities/freeze.ts'
import { scaledObject } from '../../src/capabilities/keda/scaled-object.ts'

test('keeps the fields of the claim and omits the fields that controllers set', () => {
  const spec = { replicas: 5, selector: { matchLabels: { a: 'b' } }, template: { spec: {} } }
  const observed = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'orders',
      namespace: 'shop',
      uid: 'x',
      resourceVersion: '7',
      generation: 3,
      ownerReferences: [{}],
      labels: { 'app.kubernetes.io/name': 'orders', 'crossplane.io/composite': 'orders-abcde' },
      annotations: { 'deployment.kubernetes.io/revision': '4', 'crossplane.io/composition-resource-name': 'deployment' },
    },
    spec,
    status: { replicas: 5 },
  }
  expect(freeze(observed, deployment)).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'orders', namespace: 'shop', labels: { 'app.kubernetes.io/name': 'orders' } },
    spec: { selector: spec.selector, template: spec.template },
  })
})

test('keeps a pause annotation of KEDA, and the replica count of other kinds than Deployment', () => {
  const metadata = { name: 'orders-scaler', namespace: 'shop', annotations: { 'autoscaling.keda.sh/paused': 'true' } }
  const kept = freeze({ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata, spec: { replicas: 1 } }, scaledObject)
  expect(kept).toMatchObject({ metadata: { annotations: { 'autoscaling.keda.sh/paused': 'true' } }, spec: { replicas: 1 } })
})
