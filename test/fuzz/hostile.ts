// Generates unexpected values.
import fc from 'fast-check'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { put } from '../fixtures/claims.ts'

/** Keys with a meaning in JavaScript, in YAML or in a claim. */
export const hostileKeys = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'hasOwnProperty', 'then', 'length', '0', '-1', ''],
  ...['apiVersion', 'kind', 'metadata', 'name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'uid', 'generation', 'spec'],
  ...['status', 'conditions', 'type', 'reason', 'message', 'observedGeneration', 'items', 'manifest', 'atProvider', 'url', 'replicas'],
  ...['image', 'env', 'value', 'secretRefs', 'scaling', 'knative', 'eventing', 'triggers', 'filters', 'cesql', 'all', 'not', 'traffic'],
  ...['\uD800', '\u0000', '\u2028', '<<', '*a', '~', 'true', 'x'.repeat(300)],
)

const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', '\uD800', '\uDC00x', '\u0000', '\r\n', 'True', 'False', 'Ready', 'a'.repeat(5000), '"'.repeat(999), "'\\", '$(x)'),
  fc.constantFrom('(((((((((((', 'NOT '.repeat(500), '1h', 'P1D', '%', '1Mi', 'http://', 'a@sha256:', '/', '99999999999999999999'),
)

const numbers = fc.oneof(
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 2 ** 53, -(2 ** 63), 1e308, 5e-324, 0.1),
  fc.integer(),
  fc.double(),
)

/** Any value, with these keys and strings. */
export const anything: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { maxDepth: 6, depthIdentifier: 'json' },
    fc.oneof(strings, numbers, fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
    fc
      .array(fc.tuple(fc.oneof({ weight: 4, arbitrary: hostileKeys }, { weight: 1, arbitrary: fc.string() }), tie('value')), {
        maxLength: 4,
      })
      .map(
        // Unlike a literal, Object.fromEntries creates a field named __proto__.
        entries => Object.fromEntries(entries) as JsonObject,
      ),
  ),
})).value

/** Every path in a value. */
export function pathsOf(value: Json | undefined, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...path]]
  const below = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [[...path], ...below.flatMap(([step, item]) => pathsOf(item as Json, [...path, step]))]
}

/** Replaces values at some paths, or adds fields. */
export const corrupted = (value: Json): fc.Arbitrary<Json> => {
  const paths = pathsOf(value)
  const place = fc.tuple(fc.constantFrom(...paths), fc.option(hostileKeys, { nil: undefined, freq: 3 }), anything)
  return fc
    .array(place, { maxLength: 3 })
    .map(places => places.reduce<Json>((partial, [path, key, to]) => put(partial, key === undefined ? path : [...path, key], to), value))
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Number.prototype, Promise.prototype]
const prototypeKeys = () => prototypes.map(prototype => Reflect.ownKeys(prototype).length).join()
const before = prototypeKeys()

/** Throws if the code under test changed a prototype. */
export function requireCleanPrototypes(): void {
  if (prototypeKeys() !== before) throw new Error('a prototype was changed')
}
