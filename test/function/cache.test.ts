import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentKey, createCache } from '../../src/function/cache.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { RUNS } from '../fixtures/claims.ts'

/** A cache that records the requests it computed an answer for. */
function noting(maxCharacters: number) {
  const worked: Json[] = []
  const remember = createCache<readonly Json[]>(maxCharacters)
  const answer = (question: Json) =>
    remember(question, () => {
      worked.push(question)
      return [question]
    })
  return { answer, worked }
}

test('computes one answer for equal requests, whatever the object and the order of its fields', () => {
  const { answer, worked } = noting(1000)
  expect(answer({ a: [1, 'x'], b: null })).toBe(answer({ b: null, a: [1, 'x'] }))
  expect(worked).toEqual([{ a: [1, 'x'], b: null }])
})

describe('content', () => {
  // Similar in JSON or in spelling, but different.
  const leaf = fc.constantFrom<Json>(1, '1', '1;', true, 'true', null, 'null', Number.NaN, Number.POSITIVE_INFINITY, '', '"0:', '[]', '{}')
  const { value } = fc.letrec<{ value: Json }>(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.string(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '"', '', '1:', '__proto__'), tie('value'), { maxKeys: 3 }),
    ),
  }))

  test('law: is equal only for equal values', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        let same = true
        try {
          expect(one).toEqual(other)
        } catch {
          same = false
        }
        expect(contentKey(one) === contentKey(other)).toBe(same)
      }),
      { numRuns: RUNS },
    )
  })

  const reversed = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(reversed)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value as JsonObject)
        .reverse()
        .map(([name, field]) => [name, reversed(field as Json)]),
    )
  }

  test('law: ignores the order of fields', () => {
    fc.assert(
      fc.property(value, value => {
        expect(contentKey(reversed(value))).toBe(contentKey(value))
      }),
      { numRuns: RUNS },
    )
  })

  test.each([
    [{ a: '', b: '' }, { a: '0:1:b"0:' }],
    [['a', 'b'], ['a"1:b']],
    [[[1], 2], [[1, 2]]],
    [{ a: { b: 1 }, c: 1 }, { a: { b: 1, c: 1 } }],
    [{ a: 1 }, { a: '1' }],
  ])('%j is not %j', (one, other) => expect(contentKey(one)).not.toBe(contentKey(other)))
})

test('evicts the oldest answers when the cache is full', () => {
  // Two in each generation.
  const { answer, worked } = noting(contentKey({ n: 'a' }).length * 4)
  for (const n of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) answer({ n })
  expect(worked).toEqual(['a', 'b', 'c', 'd', 'b'].map(n => ({ n })))
})

test('evicts nothing that is requested in turn while everything fits into half the cache', () => {
  const { answer, worked } = noting(contentKey(10).length * 90 * 2)
  for (let round = 0; round < 4; round++) for (let n = 10; n < 100; n++) answer(n)
  expect(worked).toHaveLength(90)
})

test('law: never exceeds its limit', () => {
  const { answer, worked } = noting(100)
  for (let round = 0; round < 3; round++) for (let n = 0; n < 100; n++) answer({ n })
  expect(worked.length).toBeGreaterThan(200)
})
