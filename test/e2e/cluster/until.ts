import { setTimeout as delay } from 'node:timers/promises'

export interface Timing {
  readonly timeoutMs?: number
  readonly everyMs?: number
  /** Throws if waiting cannot succeed. */
  readonly check?: () => void
}

// Crossplane holds a composite for up to two minutes after it lost the function during a call.
const TIMEOUT_MS = 240_000
const EVERY_MS = 200

/** Polls until there is a result, and throws the last error after the timeout. Errors before that are ignored. */
export async function until<T>(what: string, poll: () => Promise<T> | T, timing: Timing = {}): Promise<NonNullable<T>> {
  const { timeoutMs = TIMEOUT_MS, everyMs = EVERY_MS, check } = timing
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    check?.()
    try {
      last = await poll()
      if (last !== undefined && last !== null && last !== false) return last as NonNullable<T>
    } catch (error) {
      last = error instanceof Error ? error.message : error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not after ${timeoutMs / 1000} s${last ? `; last: ${String(last)}` : ''}`)
    await delay(everyMs)
  }
}
