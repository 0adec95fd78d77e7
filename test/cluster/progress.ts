// What happens while one waits: a line for each step, and on a terminal the seconds that the one at hand has taken so far.
const EVERY_MS = 1_000
// In a log, a step that takes no longer is not worth a line.
const WORTH_MS = 2_000

export interface Progress {
  /** A step is done. */
  readonly say: (line: string) => void
  /** A step begins. */
  readonly begin: (line: string) => void
  readonly end: () => void
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const isTerminal = stream.isTTY === true
  let at: { readonly line: string; readonly since: number } | undefined
  const clear = () => {
    if (isTerminal) stream.write('\r\u001B[K')
  }
  const draw = () => {
    if (at === undefined || !isTerminal) return
    const seconds = Math.round((Date.now() - at.since) / 1000)
    clear()
    stream.write(`${at.line} … ${seconds} s`)
  }
  let telling: NodeJS.Timeout | undefined
  const ticking = setInterval(draw, EVERY_MS).unref()
  return {
    say: line => {
      clear()
      stream.write(`${line}\n`)
      draw()
    },
    begin: line => {
      at = { line, since: Date.now() }
      clearTimeout(telling)
      if (isTerminal) draw()
      else telling = setTimeout(() => stream.write(`${line} …\n`), WORTH_MS)
    },
    end: () => {
      clearInterval(ticking)
      clearTimeout(telling)
      at = undefined
      clear()
    },
  }
}
