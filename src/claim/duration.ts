const UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

/** The milliseconds of a duration such as `1h30m` or `1500ms`, which a pattern of the schema has accepted. */
export const milliseconds = (duration: string): number =>
  [...duration.matchAll(/([0-9]{1,6})(ms|h|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS],
    0,
  )

export const seconds = (duration: string): number => Math.ceil(milliseconds(duration) / 1000)
