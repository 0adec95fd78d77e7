import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, distance } from '../../src/text/did-you-mean.ts'

const fields = [
  'image',
  'imagePullSecrets',
  'size',
  'environment',
  'runtime',
  'nats',
  'scaling',
  'env',
  'secretRefs',
  'httpPort',
  'healthPath',
]

describe('nearest', () => {
  test.each([
    { says: 'two letters swapped', word: 'iamge', meant: 'image' },
    { says: 'a letter missing', word: 'runtme', meant: 'runtime' },
    { says: 'an extra letter', word: 'imagge', meant: 'image' },
    { says: 'a wrong letter', word: 'siye', meant: 'size' },
    { says: 'a missing plural', word: 'imagePullSecret', meant: 'imagePullSecrets' },
    { says: 'a wrong plural', word: 'environments', meant: 'environment' },
    { says: 'upper and lower case', word: 'HTTPPort', meant: 'httpPort' },
    { says: 'case before a candidate of one edit', word: 'SIZE', candidates: ['sizes', 'size'], meant: 'size' },
    { says: 'snake case', word: 'http_port', meant: 'httpPort' },
    { says: 'kebab case', word: 'image-pull-secrets', meant: 'imagePullSecrets' },
    { says: 'case and plural at once', word: 'secretref', meant: 'secretRefs' },
    { says: 'the nearest of several', word: 'smal', candidates: ['small', 'seal', 'smaller'], meant: 'small' },
    { says: 'the first of equals', word: 'bat', candidates: ['cat', 'hat'], meant: 'cat' },
    { says: 'nothing if no candidate is near', word: 'replicaCount', meant: undefined },
    { says: 'nothing if a short word is a different word', word: 'min', candidates: ['max'], meant: undefined },
    { says: 'nothing for a single letter', word: 'x', candidates: ['y'], meant: undefined },
    { says: 'nothing for an empty word', word: '', meant: undefined },
    { says: 'nothing for a single s', word: 's', candidates: ['-', '_'], meant: undefined },
    { says: 'nothing among no candidates', word: 'image', candidates: [], meant: undefined },
    { says: 'nothing for a word as long as a page', word: 'a'.repeat(1_000_000), meant: undefined },
    { says: 'not the word itself', word: 'size', meant: undefined },
  ])('$says', ({ word, candidates, meant }) => {
    expect(didYouMean(word, candidates ?? fields)).toBe(meant)
  })

  test('finds a word of the schema after any single typing mistake', () => {
    const slip = fc.record({
      field: fc.constantFrom(...fields.filter(({ length }) => length > 3)),
      at: fc.nat(),
      kind: fc.constantFrom('drop', 'double'),
    })
    fc.assert(
      fc.property(slip, ({ field, at, kind }) => {
        const i = at % field.length
        const typed = kind === 'drop' ? field.slice(0, i) + field.slice(i + 1) : field.slice(0, i + 1) + field.slice(i)
        expect(didYouMean(typed, fields)).toBe(field)
      }),
    )
  })
})

test('the distance is symmetric, and zero only for equal words', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(distance(a, b)).toBe(distance(b, a))
      expect(distance(a, b) === 0).toBe(a === b)
    }),
  )
})
