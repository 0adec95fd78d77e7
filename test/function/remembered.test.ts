import fc from 'fast-check'
import { expect, test } from 'vitest'
import { remembered } from '../../src/function/remembered.ts'
import type { JsonObject } from '../../src/json.ts'
import { RUNS } from '../claims.ts'

/** Remembers, and counts how often it had to work. */
function counting(mostCharacters: number) {
  const asked: JsonObject[] = []
  const answer = remembered((question: JsonObject) => {
    asked.push(question)
    return Object.entries(question)
  }, mostCharacters)
  return { answer, asked }
}

test('works once for what is asked twice, whichever object it comes as', () => {
  const { answer, asked } = counting(1000)
  expect(answer({ a: [1, 'x'] })).toBe(answer({ a: [1, 'x'] }))
  expect(asked).toEqual([{ a: [1, 'x'] }])
})

test('law: what is remembered changes no answer', () => {
  // Alike in JSON or in spelling, and not the same.
  const value = fc.constantFrom<unknown>(
    1,
    '1',
    true,
    'true',
    null,
    'null',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    [],
    {},
    [null],
    [Number.NaN],
    { a: 1 },
    '{"a":1}',
  )
  const { answer } = counting(60)
  const question = fc.dictionary(fc.constantFrom('a', 'b', '"', ''), value) as fc.Arbitrary<JsonObject>
  fc.assert(
    fc.property(question, question => {
      expect(answer(question)).toEqual(Object.entries(question))
    }),
    { numRuns: RUNS },
  )
})

test('forgets what was not asked for lately, once there is too much', () => {
  // Two in each generation.
  const { answer, asked } = counting('{"n":"a"}'.length * 4)
  for (const n of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) answer({ n })
  expect(asked.map(({ n }) => n)).toEqual(['a', 'b', 'c', 'd', 'b'])
})

test('law: what it keeps stays within its bound', () => {
  const { answer, asked } = counting(100)
  for (let round = 0; round < 3; round++) for (let n = 0; n < 100; n++) answer({ n })
  expect(asked.length).toBeGreaterThan(200)
})
