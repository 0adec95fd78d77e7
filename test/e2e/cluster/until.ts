import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  readonly timeoutMs?: number
  readonly everyMs?: number
  /** Throws where waiting has become pointless. */
  readonly check?: () => void
}

// A reconcile of Crossplane that lost its function holds a composite for up to two minutes.
const TIMEOUT_MS = 240_000
const EVERY_MS = 200

/** Asks until the answer is one, and says what the last word was where it never came. An error counts as no answer yet. */
export async function until<T>(what: string, ask: () => Promise<T> | T, patience: Patience = {}): Promise<NonNullable<T>> {
  const { timeoutMs = TIMEOUT_MS, everyMs = EVERY_MS, check } = patience
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    check?.()
    try {
      last = await ask()
      if (last !== undefined && last !== null && last !== false) return last as NonNullable<T>
    } catch (error) {
      last = error instanceof Error ? error.message : error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not after ${timeoutMs / 1000} s${last ? `; last: ${String(last)}` : ''}`)
    await delay(everyMs)
  }
}
