import { celEnv, parse, plan } from '@bufbuild/cel'
import { describe, expect, test } from 'vitest'
import { deployment } from '../../src/capabilities/deployment/deployment.ts'
import { service } from '../../src/capabilities/deployment/service.ts'
import { scaledObject } from '../../src/capabilities/keda/scaled-object.ts'
import { at, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { providerKubernetes, unwrapObject, wrapInObject } from '../../src/reconcile/provider-kubernetes.ts'
import { resolvedClaim } from '../fixtures/resolved-claim.ts'

const built = (resource: typeof deployment) => {
  const manifest = resource.build(resolvedClaim(), 'adopted')
  if (manifest === undefined) throw new Error(`no ${resource.key}`)
  return wrapInObject(manifest, resource, builtInPlatform)
}

test('an Object contains the whole manifest and has no name, so that Crossplane names it', () => {
  expect(built(service)).toEqual({
    apiVersion: 'kubernetes.crossplane.io/v1alpha2',
    kind: 'Object',
    spec: {
      forProvider: { manifest: service.build(resolvedClaim(), 'adopted') },
      readiness: { policy: 'SuccessfulCreate' },
      providerConfigRef: { name: 'default' },
      watch: true,
    },
  })
})

describe('is ready when its manifest is ready:', () => {
  test('a ScaledObject by its condition Ready', () => {
    expect(at(built(scaledObject), 'spec', 'readiness')).toEqual({ policy: 'DeriveFromObject' })
  })

  const readiness = at(built(deployment), 'spec', 'readiness') as JsonObject
  const query = plan(celEnv({}), parse(String(readiness.celQuery)))

  test.each<{ says: string; object: Json; ready: boolean }>([
    {
      says: 'available',
      object: {
        status: {
          conditions: [
            { type: 'Progressing', status: 'True' },
            { type: 'Available', status: 'True' },
          ],
        },
      },
      ready: true,
    },
    { says: 'not available', object: { status: { conditions: [{ type: 'Available', status: 'False' }] } }, ready: false },
    { says: 'other conditions only', object: { status: { conditions: [{ type: 'Progressing', status: 'True' }] } }, ready: false },
    { says: 'no conditions yet', object: { status: {} }, ready: false },
  ])('a Deployment: $says', ({ object, ready }) => {
    expect(readiness.policy).toBe('DeriveFromCelQuery')
    expect(query({ object: object as never })).toBe(ready)
  })
})

test.each<{ says: string; observed: JsonObject; inner: JsonObject | undefined }>([
  { says: 'seen', observed: { status: { atProvider: { manifest: { kind: 'Service' } } } }, inner: { kind: 'Service' } },
  { says: 'not seen yet', observed: { spec: { forProvider: { manifest: { kind: 'Service' } } } }, inner: undefined },
  { says: 'seen as nothing', observed: { status: { atProvider: { manifest: null } } }, inner: undefined },
  { says: 'seen as text', observed: { status: { atProvider: { manifest: 'Service' } } }, inner: undefined },
])('what an Object carries is what the provider has $says', ({ observed, inner }) => expect(unwrapObject(observed)).toEqual(inner))

test('an Object that is frozen stays as Crossplane applied it last', () => {
  const { wrap, observe } = providerKubernetes(builtInPlatform)
  const outer = {
    apiVersion: 'kubernetes.crossplane.io/v1alpha2',
    kind: 'Object',
    metadata: { name: 'orders-abc' },
    spec: { forProvider: { manifest: { kind: 'Deployment', spec: { replicas: 1 } } }, watch: true },
    status: { atProvider: { manifest: { kind: 'Deployment', spec: { replicas: 5 } } } },
  }
  const manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'orders', namespace: 'shop' } }
  const frozen = wrap({ resource: deployment, manifest, observation: observe(outer), isFrozen: true })
  expect(frozen).toEqual({ apiVersion: outer.apiVersion, kind: outer.kind, spec: outer.spec })
})
