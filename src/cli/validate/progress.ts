import type { Output } from '../io.ts'

export interface Progress {
  /** Shows the number of claims so far, at a limited rate. */
  show(claims: number): void
  /** Erases the progress line before other output. */
  clear(): void
}

// A short run needs no progress.
const DELAY_MS = 500
const INTERVAL_MS = 100

/** Overwrites one line on a terminal. */
export function progressOn({ isTerminal, write }: Pick<Output, 'isTerminal' | 'write'>, now = () => performance.now()): Progress {
  if (!isTerminal) return { show() {}, clear() {} }
  let next = now() + DELAY_MS
  let isShown = false
  return {
    show(claims) {
      if (now() < next) return
      next = now() + INTERVAL_MS
      isShown = true
      write(`\r${claims.toLocaleString('en')} claims …\u001B[K`)
    },
    clear() {
      if (isShown) write('\r\u001B[K')
      isShown = false
    },
  }
}
