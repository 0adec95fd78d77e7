import { describe, expect, test } from 'vitest'
import { podMetadata } from '../../../src/capabilities/workload/labels.ts'
import { serviceAccount } from '../../../src/capabilities/workload/service-account.ts'
import { sentence } from '../../../src/claim/findings.ts'
import { at } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type Cloud, type Platform } from '../../../src/platform/platform.ts'
import { parseClaim } from '../../../src/reconcile/parse-claim.ts'
import { claim } from '../../fixtures/claims.ts'

const on = (identity: Cloud): Platform => ({ ...builtInPlatform, features: { ...builtInPlatform.features, identity } })

const clouds = [
  { cloud: 'GCP', annotation: 'iam.gke.io/gcp-service-account', identity: 'orders@acme.iam.gserviceaccount.com' },
  { cloud: 'AWS', annotation: 'eks.amazonaws.com/role-arn', identity: 'arn:aws:iam::123456789012:role/team/orders' },
  { cloud: 'Azure', annotation: 'azure.workload.identity/client-id', identity: '2f1c5e9a-0b7d-4c3e-9f6a-8d2b4a6c1e3f' },
] as const

describe.each(clouds)('on $cloud', ({ cloud, annotation, identity }) => {
  test('the ServiceAccount has the identity, and the pod what the cloud looks for', () => {
    const parsed = parseClaim(claim({ identity }), on(cloud))
    if (!parsed.ok) throw new Error(parsed.findings.map(sentence).join())
    expect(at(serviceAccount.build(parsed.claim, 'new'), 'metadata', 'annotations')).toEqual({ [annotation]: identity })
    expect(at(podMetadata(parsed.claim), 'labels', 'azure.workload.identity/use')).toBe(cloud === 'Azure' ? 'true' : undefined)
  })

  test.each(clouds.filter(other => other.cloud !== cloud))('rejects an identity of $cloud', ({ identity: foreign }) => {
    const parsed = parseClaim(claim({ identity: foreign }), on(cloud))
    expect(parsed).toMatchObject({ ok: false, findings: [{ code: 'BAD_FORMAT', path: ['spec', 'identity'] }] })
  })
})

test('is not supported where the platform names no cloud', () => {
  const parsed = parseClaim(claim({ identity: 'orders@acme.iam.gserviceaccount.com' }), builtInPlatform)
  expect(parsed).toMatchObject({ ok: false, findings: [{ code: 'UNSUPPORTED', path: ['spec', 'identity'] }] })
})

test('no claim has an identity of its own accord', () => {
  const parsed = parseClaim(claim(), on('GCP'))
  expect(parsed.ok && at(serviceAccount.build(parsed.claim, 'new'), 'metadata', 'annotations')).toBeUndefined()
})
