/** Throw it to have the event delivered again after a while. Any other error does the same, after the delay of `retry.backoff`. */
export class Retry extends Error {
  override readonly name = 'Retry'
  readonly afterMs: number

  /** The delay is a number of milliseconds, or a text such as 30s. */
  constructor(after: Duration, reason = 'the handler asked for a retry', options?: ErrorOptions) {
    super(reason, options)
    this.afterMs = milliseconds(after)
  }
}

/** Throw it if no retry can help. The event becomes a dead letter. */
export class Reject extends Error {
  override readonly name = 'Reject'
}

/** The worker cannot start. The message says what is missing, and which field of the claim provides it. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}

/** Milliseconds, or a number with a unit, such as 500ms, 30s, 15m, 2h or 1d. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export function milliseconds(duration: Duration): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|[smhd])$/.exec(typeof duration === 'number' ? `${duration}ms` : duration) ?? []
  if (digits === undefined) throw new TypeError(`a duration must be a number of milliseconds or a text such as 30s, got '${duration}'`)
  return Number(digits) * MS[unit as keyof typeof MS]
}

export function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'an object without a text'
  }
}
