/** Both count from 1, as editors do; a column is counted in UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface Lines {
  position(offset: number): Position
  /** The text of a line without its line break; empty past the end. */
  text(line: number): string
}

/** The lines of a text. They are found on the first call, because a file without findings needs none. */
export function linesOf(text: string, firstLine = 1): Lines {
  let found: number[] | undefined
  const starts = () => (found ??= [0, ...Array.from(text.matchAll(/\r\n?|\n/g), ({ 0: end, index }) => index + end.length)])
  return {
    position(offset) {
      const line = lastAtOrBefore(starts(), offset)
      return { line: line + firstLine, column: offset - (starts()[line] ?? 0) + 1 }
    },
    text(line) {
      const index = line - firstLine
      const start = starts()[index] ?? text.length
      let end = starts()[index + 1] ?? text.length
      while (end > start && isBreak(text.charCodeAt(end - 1))) end--
      return text.slice(start, end)
    },
  }
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const isBreak = (code: number) => code === LINE_FEED || code === CARRIAGE_RETURN

function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((sorted[middle] ?? 0) <= value) low = middle
    else high = middle - 1
  }
  return low
}
