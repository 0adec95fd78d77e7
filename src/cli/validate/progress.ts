import type { Output } from '../io.ts'

export interface Progress {
  /** Tells how far it has come, where somebody watches and not too often. */
  tell(claims: number): void
  /** Takes away what was told, so that a line of its own can stand there. */
  clear(): void
}

// What is over before anybody wonders needs no progress.
const PATIENCE_MS = 500
const PACE_MS = 100

/** One line on a terminal that is written over. */
export function progressOn({ isTerminal, write }: Pick<Output, 'isTerminal' | 'write'>, now = () => performance.now()): Progress {
  if (!isTerminal) return { tell() {}, clear() {} }
  let next = now() + PATIENCE_MS
  let isShown = false
  return {
    tell(claims) {
      if (now() < next) return
      next = now() + PACE_MS
      isShown = true
      write(`\r${claims.toLocaleString('en')} claims …\u001B[K`)
    },
    clear() {
      if (isShown) write('\r\u001B[K')
      isShown = false
    },
  }
}
