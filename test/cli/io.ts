import type { Io, Output } from '../../src/cli/io.ts'

export interface Recorded {
  readonly io: Io
  readonly stdout: () => string
  readonly stderr: () => string
}

/** An Io that records its output. */
export function recorded({ stdin, isTerminal = false }: { stdin?: string | Uint8Array; isTerminal?: boolean } = {}): Recorded {
  const out: string[] = []
  const err: string[] = []
  const output = (written: string[]): Output => ({ write: text => written.push(text), isTerminal, color: isTerminal, width: 80 })
  const chunks = (async function* () {
    if (stdin !== undefined) yield Buffer.from(stdin)
  })()
  return {
    io: { stdin: { chunks, isTerminal: stdin === undefined }, stdout: output(out), stderr: output(err) },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
  }
}
