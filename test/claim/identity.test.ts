import { describe, expect, test } from 'vitest'
import { identify, identifyClaim, missingIdentity } from '../../src/claim/identity.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'

const labels = { 'crossplane.io/claim-name': 'by-label', 'crossplane.io/claim-namespace': 'ns-by-label' }
const claimRef = { name: 'by-ref', namespace: 'ns-by-ref' }

describe('name and namespace', () => {
  test.each([
    { says: 'a claim or a namespaced composite', composite: { metadata: { name: 'own', namespace: 'ns' } }, is: ['own', 'ns'] },
    {
      says: 'the composite of a claim',
      composite: { metadata: { name: 'own-x7k2p', labels }, spec: { claimRef } },
      is: ['by-ref', 'ns-by-ref'],
    },
    { says: 'a composite with labels only', composite: { metadata: { name: 'own-x7k2p', labels } }, is: ['by-label', 'ns-by-label'] },
    {
      says: 'its own namespace before that of its claim',
      composite: { metadata: { name: 'own', namespace: 'ns' }, spec: { claimRef } },
      is: ['by-ref', 'ns'],
    },
    {
      says: 'half a reference',
      composite: { metadata: { name: 'own', labels }, spec: { claimRef: { name: 'by-ref' } } },
      is: ['by-ref', 'ns-by-label'],
    },
    { says: 'neither', composite: { metadata: { name: 'own' } }, is: ['own', undefined] },
    {
      says: 'empty texts',
      composite: { metadata: { name: '', namespace: '' }, spec: { claimRef: { name: '', namespace: '' } } },
      is: [undefined, undefined],
    },
    {
      says: 'wrong types',
      composite: { metadata: { name: 7, namespace: ['ns'], labels: 'x' }, spec: { claimRef: 'x' } },
      is: [undefined, undefined],
    },
    { says: 'nothing', composite: {}, is: [undefined, undefined] },
    { says: 'metadata that is text', composite: { metadata: 'x', spec: 'x' }, is: [undefined, undefined] },
  ])('$says', ({ composite, is }) => {
    const { name, namespace } = identify(composite as JsonObject)
    expect([name, namespace]).toEqual(is)
  })

  test('reports a missing namespace', () => {
    expect(missingIdentity({ name: 'a', namespace: 'b' })).toEqual([])
    expect(missingIdentity({ name: 'a', namespace: undefined })).toEqual([
      expect.objectContaining({ code: 'NO_NAMESPACE', path: ['metadata', 'namespace'] }),
    ])
  })
})

describe('the identified claim', () => {
  const document = (composite: JsonObject) => identifyClaim(composite).document

  test("omits Crossplane's fields", () => {
    const machinery = {
      compositionRef: {},
      compositionSelector: {},
      compositionRevisionRef: {},
      compositionRevisionSelector: {},
      compositionUpdatePolicy: 'Manual',
      compositeDeletePolicy: 'Background',
      writeConnectionSecretToRef: {},
      publishConnectionDetailsTo: {},
      claimRef,
      resourceRef: {},
      resourceRefs: [],
      environmentConfigRefs: [],
      crossplane: {},
    }
    expect(
      document({
        apiVersion: 'v',
        kind: 'X',
        metadata: { name: 'own-x', uid: '1', labels },
        spec: { ...machinery, image: 'a' },
        status: {},
      }),
    ).toEqual({
      apiVersion: 'v',
      kind: 'EventDrivenService',
      metadata: { name: 'by-ref', namespace: 'ns-by-ref' },
      spec: { image: 'a' },
    })
  })

  test.each([
    { says: 'text', spec: 'text' },
    { says: 'a list', spec: [1] },
    { says: 'nothing', spec: undefined },
  ])('keeps a spec that is $says for validation', ({ spec }) => {
    expect(document({ metadata: { name: 'a', namespace: 'b' }, spec }).spec).toEqual(spec)
  })
})
