import { expect, test } from 'vitest'
import type { Json } from '../../src/kubernetes/json.ts'
import { differenceOf } from './compare.ts'

test.each<{ says: string; ours: Json; theirs: Json; difference: string | undefined }>([
  { says: 'the same in another order', ours: { a: 1, b: [{ c: 'x' }] }, theirs: { b: [{ c: 'x' }], a: 1 }, difference: undefined },
  { says: 'another value', ours: { a: { b: [1, 2] } }, theirs: { a: { b: [1, 3] } }, difference: 'a.b.1: 2 and 3' },
  { says: 'another type', ours: { a: '8080' }, theirs: { a: 8080 }, difference: 'a: "8080" and 8080' },
  { says: 'a field less', ours: { a: 1, b: 2 }, theirs: { a: 1 }, difference: 'b: 2 and nothing' },
  { says: 'a field more', ours: { a: { b: 1 } }, theirs: { a: { b: 1, c: null } }, difference: 'a.c: nothing and null' },
  { says: 'an item more', ours: [1], theirs: [1, 2], difference: '1: nothing and 2' },
  { says: 'a list for a map', ours: { a: [] }, theirs: { a: {} }, difference: 'a: [] and {}' },
  { says: 'a text for a list of its letters', ours: { a: ['x'] }, theirs: { a: 'x' }, difference: 'a: ["x"] and "x"' },
])('$says', ({ ours, theirs, difference }) => expect(differenceOf(ours, theirs)).toBe(difference))
