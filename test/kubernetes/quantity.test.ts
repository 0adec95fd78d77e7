import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseQuantity } from '../../src/kubernetes/quantity.ts'

test.each([
  { text: '1', is: 1 },
  { text: 2, is: 2 },
  { text: 0.5, is: 0.5 },
  { text: '1.', is: 1 },
  { text: '.5', is: 0.5 },
  { text: '+1', is: 1 },
  { text: '-1', is: -1 },
  { text: '500m', is: 0.5 },
  { text: '0.1', is: 0.1 },
  { text: '100m', is: 0.1 },
  { text: '100000u', is: 0.1 },
  { text: '100000000n', is: 0.1 },
  { text: '1k', is: 1000 },
  { text: '1M', is: 1e6 },
  { text: '1G', is: 1e9 },
  { text: '1T', is: 1e12 },
  { text: '1P', is: 1e15 },
  { text: '1E', is: 1e18 },
  { text: '1e3', is: 1000 },
  { text: '1E3', is: 1000 },
  { text: '12e-1', is: 1.2 },
  { text: '1Ki', is: 1024 },
  { text: '1Mi', is: 1024 ** 2 },
  { text: '1.5Gi', is: 1.5 * 1024 ** 3 },
  { text: '1Ti', is: 1024 ** 4 },
  { text: '1Pi', is: 1024 ** 5 },
  { text: '1Ei', is: 1024 ** 6 },
])('reads $text as $is', ({ text, is }) => expect(parseQuantity(text)).toBe(is))

test.each(['', 'm', '1K', '1mi', '1e', '1e3k', '1 Gi', '1,5', 'constructor', '1toString', '--1', null, {}, undefined])('refuses %j', text =>
  expect(parseQuantity(text)).toBeUndefined(),
)

/** Neighbouring suffixes: the larger one is worth `factor` of the smaller one. */
const neighbours = [
  ...['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].map((suffix, index, all) => ({
    large: all[index + 1],
    small: suffix,
    factor: 1000,
  })),
  ...['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index, all) => ({ large: all[index + 1], small: suffix, factor: 1024 })),
].filter(({ large }) => large !== undefined)

test('law: a quantity is the same in every suffix that can express it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat({ max: 3 }), fc.constantFrom(...neighbours), (n, places, pair) => {
      // BigInt moves the point exactly.
      const scaled = `${BigInt(n) * BigInt(pair.factor)}e-${places}`
      const digits = (text: string) => Number(text).toFixed(places)
      expect(parseQuantity(`${digits(`${n}e-${places}`)}${pair.large}`)).toBe(parseQuantity(`${digits(scaled)}${pair.small}`))
    }),
  )
})

test('law: an exponent is the same as the suffix of its power of ten', () => {
  const powers = Object.entries({ n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 })
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.constantFrom(...powers),
      fc.constantFrom('e', 'E'),
      (n, [suffix, power], e) => {
        expect(parseQuantity(`${n}${suffix}`)).toBe(parseQuantity(`${n}${e}${power}`))
      },
    ),
  )
})
