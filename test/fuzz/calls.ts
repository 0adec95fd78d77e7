// Calls of the function in which any part may be anything.
import fc from 'fast-check'
import { isObject, type Json, type JsonObject } from '../../src/json.ts'
import { type ClaimDocument, claims, compositeOf } from '../claims.ts'
import { anything, spoilt } from './hostile.ts'
import { answerTo, type Call, requestOf } from './wire.ts'

const objectOf = (value: Json): JsonObject => (isObject(value) ? value : {})

/** What the function wants for a composite; nothing where it refuses. */
function desiredBy(composite: JsonObject): JsonObject {
  const desired = answerTo(requestOf({ composite }))?.desired?.resources ?? {}
  return Object.fromEntries(Object.entries(desired).map(([key, { resource }]) => [key, resource as JsonObject]))
}

const living = (object: Json | undefined): JsonObject => ({
  ...(isObject(object) ? object : {}),
  status: {
    observedGeneration: 1,
    replicas: 1,
    url: 'http://x',
    conditions: [{ type: 'Ready', status: 'False', reason: 'R', message: 'm' }],
  },
})

/** What a claim becomes. */
export const manifestsOf = (claim: ClaimDocument): Json[] => Object.values(desiredBy(compositeOf(claim))).map(manifest => manifest ?? null)

export const platforms = fc.constantFrom<JsonObject>(
  { apiVersion: 'fn.platform.bizmatters.io/v1beta1', kind: 'Input', defaults: { size: 'small' } },
  { apiVersion: 'fn.platform.bizmatters.io/v1beta1', kind: 'Input', composeAs: 'ProviderKubernetes' },
)

/** A composite of a valid claim with its resources about it, each part of which may be spoilt. */
const spoiltCalls: fc.Arbitrary<Call> = claims()
  .map(compositeOf)
  .chain(composite => {
    const resources = Object.fromEntries(Object.entries(desiredBy(composite)).map(([key, object]) => [key, living(object)]))
    const required = Object.fromEntries(
      Object.entries(resources).map(([key, object]) => [
        key,
        { ...object, metadata: { ...objectOf(object.metadata ?? {}), ownerReferences: [{ controller: true }] } },
      ]),
    )
    const adopting = {
      ...composite,
      metadata: { ...objectOf(composite.metadata ?? {}), annotations: { 'platform.bizmatters.io/adopt': 'true' } },
    }
    return fc.record({
      composite: fc.oneof(fc.constant(composite), fc.constant(adopting), spoilt(composite)),
      observed: fc.oneof(fc.constant({}), spoilt(resources).map(objectOf)),
      required: fc.oneof(fc.constant(undefined), fc.constant({}), spoilt(required).map(objectOf)),
      desired: fc.oneof(fc.constant({}), anything.map(objectOf)),
      context: fc.oneof(fc.constant(undefined), anything),
      input: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: platforms.chain(spoilt) }),
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

export const calls: fc.Arbitrary<Call> = fc.oneof({ weight: 3, arbitrary: spoiltCalls }, { weight: 1, arbitrary: anyCalls })
export const requests: fc.Arbitrary<Buffer> = calls.map(requestOf)
