import { describe, expect, test } from 'vitest'
import { growthOf, median, percentile } from './figures.ts'

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  test.each([
    { share: 0.5, is: 50 },
    { share: 0.99, is: 99 },
    { share: 1, is: 100 },
    { share: 0, is: 1 },
  ])('$share of 1 to 100 is $is', ({ share, is }) => expect(percentile(hundred, share)).toBe(is))

  test('does not change the list', () => {
    const values = [3, 1, 2]
    expect(median(values)).toBe(2)
    expect(values).toEqual([3, 1, 2])
  })

  test('of an empty list is NaN', () => expect(median([])).toBeNaN())
})

describe('growthOf', () => {
  const points = (cost: (count: number) => number) => [10, 100, 1000].map((count): [number, number] => [count, cost(count)])

  test.each([
    { title: 'linear', cost: (count: number) => 7 + 2 * count, exponent: 1 },
    { title: 'quadratic', cost: (count: number) => 7 + 2 * count ** 2, exponent: 2 },
    { title: 'square root', cost: (count: number) => 7 + 2 * Math.sqrt(count), exponent: 0.5 },
  ])('finds the exponent of $title growth', ({ cost, exponent }) => {
    expect(growthOf(points(cost), cost(0)).exponent).toBeCloseTo(exponent)
  })

  test('finds the cost of one more', () =>
    expect(
      growthOf(
        points(count => 7 + 2 * count),
        7,
      ).slope,
    ).toBeCloseTo(2))
})
