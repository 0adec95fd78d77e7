// Reports progress: a line for each step, and on a terminal the seconds of the current step.
const EVERY_MS = 1_000
// A log has no line for a shorter step.
const WORTH_MS = 2_000
// The width of a terminal that does not report it.
const COLUMNS = 80

export interface Progress {
  /** Reports a completed step. */
  readonly say: (line: string) => void
  /** Reports a new current step. */
  readonly begin: (line: string) => void
  /** Stops all reports. */
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
    // Only the row of the cursor can be cleared, so a line must not wrap.
    const room = (stream.columns || COLUMNS) - 1 - took.length
    const line = at.line.length > room ? `${at.line.slice(0, room - 1)}…` : at.line
    clear()
    stream.write(`${line}${took}`)
  }
  let delayedLine: NodeJS.Timeout | undefined
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
      clearTimeout(delayedLine)
      if (isTerminal) draw()
      else delayedLine = setTimeout(() => stream.write(`${line} …\n`), WORTH_MS)
    },
    end: () => {
      isOver = true
      clearInterval(ticking)
      clearTimeout(delayedLine)
      at = undefined
      clear()
    },
  }
}
