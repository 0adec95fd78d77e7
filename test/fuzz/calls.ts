// Generates calls of the function in which any part may have any value.
import fc from 'fast-check'
import { at, isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { type ClaimDocument, claims, compositeOf } from '../fixtures/claims.ts'
import { anything, corrupted } from './hostile.ts'
import { answerTo, type Call, requestOf } from './wire.ts'

const objectOf = (value: Json): JsonObject => (isObject(value) ? value : {})

/** The desired resources for a composite; none if the function refuses it. */
export function desiredBy(composite: JsonObject, input?: JsonObject): JsonObject {
  const desired = answerTo(requestOf({ composite, input }))?.desired?.resources ?? {}
  return Object.fromEntries(Object.entries(desired).map(([key, { resource }]) => [key, resource as JsonObject]))
}

/** The object as observed, including the object that an Object of provider-kubernetes carries. */
const observedObject = (object: Json | undefined): JsonObject => {
  const manifest = at(object, 'spec', 'forProvider', 'manifest')
  return {
    ...(isObject(object) ? object : {}),
    status: {
      observedGeneration: 1,
      replicas: 1,
      url: 'http://x',
      conditions: ['Ready', 'Synced'].map(type => ({ type, status: 'False', reason: 'R', message: 'm' })),
      ...(manifest !== undefined && { atProvider: { manifest: observedObject(manifest) } }),
    },
  }
}

/** The manifests of a claim. */
export const manifestsOf = (claim: ClaimDocument, platform?: JsonObject): Json[] =>
  Object.values(desiredBy(compositeOf(claim), platform)).map(manifest => manifest ?? null)

const INPUT = { apiVersion: 'fn.platform.bizmatters.io/v1alpha1', kind: 'Input' }

export const inputs: readonly JsonObject[] = [
  { ...INPUT, defaults: { size: 'small' }, features: { knativeInitContainers: true, knativeInitialScaleZero: true } },
  { ...INPUT, composeAs: 'ProviderKubernetes' },
]

export const platforms = fc.constantFrom(...inputs)

export const allObserved = (resources: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(resources).map(([key, object]) => [key, observedObject(object)]))

/** A composite of a valid claim with its resources or those of an earlier spec, any part of which may be corrupted. */
const corruptedCalls: fc.Arbitrary<Call> = fc
  .tuple(claims(), claims(), fc.option(platforms, { nil: undefined, freq: 2 }))
  .chain(([claim, former, platform]) => {
    const composite = compositeOf(claim)
    const resources = allObserved(desiredBy(composite, platform))
    const before = allObserved(desiredBy(compositeOf({ ...former, metadata: claim.metadata }), platform))
    const required = Object.fromEntries(
      Object.entries(resources).map(([key, object]) => {
        const existing = objectOf(object as Json)
        return [key, { ...existing, metadata: { ...objectOf(existing.metadata ?? {}), ownerReferences: [{ controller: true }] } }]
      }),
    )
    const adopting = {
      ...composite,
      metadata: { ...objectOf(composite.metadata ?? {}), annotations: { 'platform.bizmatters.io/adopt': 'true' } },
    }
    return fc.record({
      composite: fc.oneof(fc.constant(composite), fc.constant(adopting), corrupted(composite)),
      observed: fc.oneof(fc.constant({}), ...[resources, before, { ...before, ...resources }].map(all => corrupted(all).map(objectOf))),
      required: fc.oneof(fc.constant(undefined), fc.constant({}), corrupted(required).map(objectOf)),
      desired: fc.oneof(fc.constant({}), anything.map(objectOf)),
      context: fc.oneof(fc.constant(undefined), anything),
      input: platform === undefined ? fc.constant(undefined) : fc.oneof(fc.constant(platform), corrupted(platform)),
    })
  })

const anyCalls: fc.Arbitrary<Call> = fc.record({
  composite: anything,
  observed: anything.map(objectOf),
  required: anything.map(objectOf),
  desired: anything.map(objectOf),
  context: anything,
  input: fc.oneof(fc.constant(undefined), anything),
})

export const calls: fc.Arbitrary<Call> = fc.oneof({ weight: 3, arbitrary: corruptedCalls }, { weight: 1, arbitrary: anyCalls })
export const requests: fc.Arbitrary<Buffer> = calls.map(requestOf)
