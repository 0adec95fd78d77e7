import { expect, test } from 'vitest'
import type { Json } from '../../src/kubernetes/json.ts'
import { differenceOf } from './compare.ts'

test.each<{ title: string; ours: Json; theirs: Json; difference: string | undefined }>([
  { title: 'equal values in another order', ours: { a: 1, b: [{ c: 'x' }] }, theirs: { b: [{ c: 'x' }], a: 1 }, difference: undefined },
  { title: 'another value', ours: { a: { b: [1, 2] } }, theirs: { a: { b: [1, 3] } }, difference: 'a.b.1: 2 and 3' },
  { title: 'another type', ours: { a: '8080' }, theirs: { a: 8080 }, difference: 'a: "8080" and 8080' },
  { title: 'a missing field', ours: { a: 1, b: 2 }, theirs: { a: 1 }, difference: 'b: 2 and nothing' },
  { title: 'an additional field', ours: { a: { b: 1 } }, theirs: { a: { b: 1, c: null } }, difference: 'a.c: nothing and null' },
  { title: 'an additional item', ours: [1], theirs: [1, 2], difference: '1: nothing and 2' },
  { title: 'a list instead of a map', ours: { a: [] }, theirs: { a: {} }, difference: 'a: [] and {}' },
  { title: 'a string instead of a list of its letters', ours: { a: ['x'] }, theirs: { a: 'x' }, difference: 'a: ["x"] and "x"' },
])('compares $title', ({ ours, theirs, difference }) => expect(differenceOf(ours, theirs)).toBe(difference))
