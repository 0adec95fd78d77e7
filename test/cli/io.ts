import type { Io, Output } from '../../src/cli/io.ts'

export interface Recorded {
  readonly io: Io
  readonly stdout: () => string
  readonly stderr: () => string
}

export interface Recording {
  readonly stdin?: string | Uint8Array
  readonly isTerminal?: boolean
  /** Runs while a command waits. Time passes only then. */
  readonly meanwhile?: (waits: number) => void
}

/** An Io that records its output. */
export function recorded({ stdin, isTerminal = false, meanwhile }: Recording = {}): Recorded {
  let now = 0
  let waits = 0
  const out: string[] = []
  const err: string[] = []
  const output = (written: string[]): Output => ({ write: text => written.push(text), isTerminal, color: isTerminal, width: 80 })
  const chunks = (async function* () {
    if (stdin !== undefined) yield Buffer.from(stdin)
  })()
  return {
    io: {
      stdin: { chunks, isTerminal: stdin === undefined },
      stdout: output(out),
      stderr: output(err),
      clock: {
        now: () => now,
        delay: async milliseconds => {
          now += milliseconds
          waits++
          meanwhile?.(waits)
        },
      },
    },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
  }
}
