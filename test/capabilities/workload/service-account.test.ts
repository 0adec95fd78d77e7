import { expect, test } from 'vitest'
import { serviceAccount } from '../../../src/capabilities/workload/service-account.ts'
import { resolvedClaim } from '../../fixtures/resolved-claim.ts'

test.each([
  { says: 'a Deployment', claim: resolvedClaim() },
  { says: 'Knative', claim: resolvedClaim({ runtime: 'Knative', nats: undefined }) },
])('$says has its own ServiceAccount, whose token is not mounted', ({ claim }) => {
  expect(serviceAccount.build(claim, 'new')).toEqual({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: 'orders-worker',
      namespace: 'shop',
      labels: {
        'app.kubernetes.io/name': 'orders-worker',
        'app.kubernetes.io/component': 'event-driven-worker',
        'app.kubernetes.io/managed-by': 'crossplane',
      },
    },
    automountServiceAccountToken: false,
  })
})

test('is ready as soon as it exists', () => {
  expect(serviceAccount.ready({ kind: 'ServiceAccount', metadata: { name: 'orders-worker' } }, resolvedClaim())).toEqual({
    ready: true,
    reason: 'Created',
    message: 'ServiceAccount orders-worker exists.',
  })
})
