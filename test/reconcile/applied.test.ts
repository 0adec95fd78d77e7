import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { lastApplied } from '../../src/reconcile/applied.ts'
import { RUNS } from '../fixtures/claims.ts'

const COMPOSER = 'apiextensions.crossplane.io/composed/4f9c8a7e1b2d3c5f'

const entry = (manager: string, fieldsV1: JsonObject, more: JsonObject = {}): JsonObject => ({
  manager,
  operation: 'Apply',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})

const object = (spec: JsonObject, managedFields: JsonObject[], metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'orders', namespace: 'shop', uid: 'u', managedFields, ...metadata },
  spec,
  status: { replicas: 1 },
})

const own = (spec: JsonObject) => entry(COMPOSER, { 'f:spec': spec })
const theirs = (spec: JsonObject) => entry('keda', { 'f:spec': spec }, { operation: 'Update' })

describe('of an observed object', () => {
  test.each<{ says: string; spec: JsonObject; owners: JsonObject[]; applied: JsonObject }>([
    {
      says: 'omits a field of another manager',
      spec: { replicas: 3, paused: false },
      owners: [own({ 'f:paused': {} }), theirs({ 'f:replicas': {} })],
      applied: { paused: false },
    },
    {
      says: 'finds a list item by its keys, keeps the keys, and omits the fields of others',
      spec: {
        containers: [
          { name: 'proxy', image: 'p' },
          { name: 'main', image: 'm', tty: true },
        ],
      },
      owners: [
        own({ 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {} } } }),
        theirs({ 'f:containers': { 'k:{"name":"proxy"}': { '.': {}, 'f:image': {}, 'f:name': {} } } }),
      ],
      applied: { containers: [{ name: 'main', image: 'm' }] },
    },
    {
      says: 'matches a list item by all of its keys',
      spec: {
        ports: [
          { port: 80, protocol: 'UDP' },
          { port: 80, protocol: 'TCP', name: 'http' },
        ],
      },
      owners: [own({ 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} } } })],
      applied: { ports: [{ port: 80, protocol: 'TCP', name: 'http' }] },
    },
    {
      says: 'finds an item of a set by its value',
      spec: { finalizers: ['a', 'b'] },
      owners: [own({ 'f:finalizers': { '.': {}, 'v:"b"': {} } })],
      applied: { finalizers: ['b'] },
    },
    {
      says: 'keeps an atomic list as a whole',
      spec: { args: [{ a: 1 }, { b: 2 }] },
      owners: [own({ 'f:args': {} })],
      applied: { args: [{ a: 1 }, { b: 2 }] },
    },
    {
      says: 'keeps an atomic map as a whole',
      spec: { selector: { matchLabels: { app: 'orders' } } },
      owners: [own({ 'f:selector': {} })],
      applied: { selector: { matchLabels: { app: 'orders' } } },
    },
    {
      says: 'keeps a map empty that was applied empty, even if others fill it',
      spec: { config: { kind: 'ConfigMap' } },
      owners: [own({ 'f:config': {} }), theirs({ 'f:config': { 'f:kind': {} } })],
      applied: { config: {} },
    },
    {
      says: 'keeps null, false and 0',
      spec: { a: null, b: false, c: 0 },
      owners: [own({ 'f:a': {}, 'f:b': {}, 'f:c': {} })],
      applied: { a: null, b: false, c: 0 },
    },
    {
      says: 'combines two entries of the composer',
      spec: { a: 1, b: 2 },
      owners: [own({ 'f:a': {} }), own({ 'f:b': {} })],
      applied: { a: 1, b: 2 },
    },
  ])('$says', ({ spec, owners, applied }) => {
    expect(lastApplied(object(spec, owners))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'orders', namespace: 'shop' },
      spec: applied,
    })
  })

  test("keeps our labels and annotations, and omits Crossplane's own and the owner references", () => {
    const labels = { 'app.kubernetes.io/name': 'orders', 'crossplane.io/composite': 'orders-x' }
    const annotations = { 'crossplane.io/composition-resource-name': 'deployment' }
    const fields = {
      'f:metadata': {
        'f:labels': { 'f:app.kubernetes.io/name': {}, 'f:crossplane.io/composite': {} },
        'f:annotations': { 'f:crossplane.io/composition-resource-name': {} },
        'f:ownerReferences': { 'k:{"uid":"x"}': {} },
      },
    }
    const observed = object({}, [entry(COMPOSER, fields)], { labels, annotations, ownerReferences: [{ uid: 'x' }] })
    expect(lastApplied(observed)?.metadata).toEqual({
      name: 'orders',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/name': 'orders' },
    })
  })

  test.each([
    { says: 'no owners', owners: [] },
    { says: 'owners other than the composer', owners: [theirs({ 'f:a': {} })] },
    { says: 'the composer as the owner of the status only', owners: [entry(COMPOSER, {}, { subresource: 'status' })] },
    { says: 'a manager that is not text', owners: [{ ...own({}), manager: { toString: 1, valueOf: 1 } }] },
    { says: 'the composer with operation Update', owners: [entry(COMPOSER, { 'f:spec': {} }, { operation: 'Update' })] },
  ])('is undefined with $says', ({ owners }) => {
    expect(lastApplied(object({ a: 1 }, owners))).toBeUndefined()
  })
})

/** The fields that an apply of the value would own. A list is keyed by `name`, as those of containers and variables. */
function ownedBy(value: Json | undefined): JsonObject {
  if (Array.isArray(value) && value.length > 0 && value.every(item => isObject(item) && typeof item.name === 'string'))
    return Object.fromEntries(value.map((item: JsonObject) => [`k:${JSON.stringify({ name: item.name })}`, { '.': {}, ...ownedBy(item) }]))
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [`f:${name}`, ownedBy(inner)]))
  return {}
}

const name = fc.stringMatching(/^[a-z.:/-]{1,6}$/)
const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean())
const { value: anything } = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.dictionary(name, tie('value'), { minKeys: 1, maxKeys: 4 }),
    fc.uniqueArray(fc.record({ name, image: scalar, inner: tie('value') }), { selector: item => item.name, maxLength: 3 }),
    fc.array(scalar, { maxLength: 3 }),
  ),
}))

test('law: returns what was applied, whatever others add', () => {
  fc.assert(
    fc.property(fc.dictionary(name, anything), fc.dictionary(fc.stringMatching(/^[A-Z]{1,4}$/), anything), (applied, added) => {
      const spec = { ...applied, ...added } as JsonObject
      const observed = object(spec, [own(ownedBy(applied as JsonObject)), theirs(ownedBy(added as JsonObject))])
      expect(lastApplied(observed)?.spec ?? {}).toEqual(applied)
    }),
    { numRuns: RUNS },
  )
})
