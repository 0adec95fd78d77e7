// Summarizes a list of measurements.

/** The nearest-rank percentile; NaN for an empty list. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export interface Growth {
  /** The cost of one more, by least squares. */
  readonly slope: number
  /** The k of y = x^k, from the slope between the logarithms: 1 is linear, 2 quadratic. */
  readonly exponent: number
}

function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

/** How y grows with x, given as pairs, after subtracting the cost at zero. */
export function growthOf(points: readonly (readonly [number, number])[], atNone: number): Growth {
  const beyond = points.map(([x, y]): [number, number] => [Math.log(x), Math.log(y - atNone)])
  return { slope: slopeOf(points), exponent: slopeOf(beyond) }
}
