// What happens while one waits: a line for each step, and on a terminal the seconds that the one at hand has taken so far.
const EVERY_MS = 1_000
// In a log, a step that takes no longer is not worth a line.
const WORTH_MS = 2_000
// Of a terminal that does not say how wide it is.
const COLUMNS = 80

export interface Progress {
  /** A step is done. */
  readonly say: (line: string) => void
  /** A step begins. */
  readonly begin: (line: string) => void
  /** Nothing is said from then on. */
  readonly end: () => void
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const isTerminal = stream.isTTY === true
  let at: { readonly line: string; readonly since: number } | undefined
  let isOver = false
  const clear = () => {
    if (isTerminal) stream.write('\r\u001B[K')
  }
  const draw = () => {
    if (at === undefined || !isTerminal) return
    const took = ` … ${Math.round((Date.now() - at.since) / 1000)} s`
    // Only the row of the cursor can be cleared, so a line that wraps would leave its beginning behind.
    const room = (stream.columns || COLUMNS) - 1 - took.length
    const line = at.line.length > room ? `${at.line.slice(0, room - 1)}…` : at.line
    clear()
    stream.write(`${line}${took}`)
  }
  let telling: NodeJS.Timeout | undefined
  const ticking = setInterval(draw, EVERY_MS).unref()
  return {
    say: line => {
      if (isOver) return
      clear()
      stream.write(`${line}\n`)
      draw()
    },
    begin: line => {
      if (isOver) return
      at = { line, since: Date.now() }
      clearTimeout(telling)
      if (isTerminal) draw()
      else telling = setTimeout(() => stream.write(`${line} …\n`), WORTH_MS)
    },
    end: () => {
      isOver = true
      clearInterval(ticking)
      clearTimeout(telling)
      at = undefined
      clear()
    },
  }
}
