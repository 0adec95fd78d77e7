// Where a position of a YAML text is, by indentation alone: a text that is being typed is often not valid YAML yet.

export type Step = string | number

/** A key of the text, with its position in its line. */
export interface KeyPlace {
  readonly path: readonly Step[]
  readonly line: number
  readonly from: number
  readonly to: number
}

/** What is typed at a position. */
export interface Typing {
  readonly kind: 'key' | 'value'
  /** Of the object for a key, of the value for a value. */
  readonly path: readonly Step[]
  /** Where the typed word begins in its line. */
  readonly from: number
  readonly word: string
}

interface Level {
  readonly column: number
  readonly path: readonly Step[]
  readonly isItem: boolean
  count: number
}

const KEY = /^("[^"]*"|'[^']*'|[^\s#:'"&*!{}[\],][^#:]*?)\s*:(?=\s|$)/
const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/, '$2')
const isBreak = (line: string) => /^(---|\.\.\.)(\s|$)/.test(line)

/** Reads lines one after the other, and remembers which keys and items are open. */
function reader() {
  let levels: Level[] = [root()]
  let blockColumn: number | undefined
  const top = () => levels[levels.length - 1] as Level
  const close = (isOpen: (level: Level) => boolean) => {
    while (levels.length > 1 && !isOpen(top())) levels.pop()
  }
  const openItem = (column: number) => {
    close(level => level.column < column || (level.column === column && !level.isItem))
    const list = top()
    levels.push({ column, path: [...list.path, list.count++], isItem: true, count: 0 })
  }
  /** The object that has a key at this column. */
  const objectAt = (column: number) => {
    close(level => level.column < column)
    return top().path
  }
  return {
    objectAt,
    openItem,
    read(line: string, number: number): KeyPlace | undefined {
      if (isBreak(line)) {
        levels = [root()]
        blockColumn = undefined
        return undefined
      }
      const indent = line.length - line.trimStart().length
      if (line.trim() === '') return undefined
      if (blockColumn !== undefined && indent > blockColumn) return undefined
      blockColumn = undefined
      if (line.trimStart().startsWith('#')) return undefined
      let column = indent
      for (let dash = /^-(\s+|$)/.exec(line.slice(column)); dash !== null; dash = /^-(\s+|$)/.exec(line.slice(column))) {
        openItem(column)
        column += dash[0].length
      }
      const found = KEY.exec(line.slice(column))
      if (found === null) return undefined
      const [, name = ''] = found
      const path = [...objectAt(column), unquoted(name)]
      levels.push({ column, path, isItem: false, count: 0 })
      if (/^[|>][-+\d]*\s*(#.*)?$/.test(line.slice(column + found[0].length).trim())) blockColumn = column
      return { path, line: number, from: column, to: column + name.length }
    },
  }
}

const root = (): Level => ({ column: -1, path: [], isItem: false, count: 0 })

/** The keys of the document in which a line is. Lines count from 0. */
export function keysAround(lines: readonly string[], line: number): KeyPlace[] {
  const { read } = reader()
  const { start, end } = documentAround(lines, line)
  return lines.slice(start, end).flatMap((text, index) => read(text, start + index) ?? [])
}

function documentAround(lines: readonly string[], line: number): { start: number; end: number } {
  let start = line
  while (start > 0 && !isBreak(lines[start] ?? '')) start--
  const next = lines.findIndex((text, index) => index > line && isBreak(text))
  return { start, end: next < 0 ? lines.length : next }
}

/** The last key at or before a line, or the path of the document. */
export function keyAt(lines: readonly string[], line: number, column: number): KeyPlace | undefined {
  return keysAround(lines, line).find(key => key.line === line && key.from <= column)
}

const ITEMS = /^\s*(?:-\s+)*/

/** What is typed at a position; undefined in a comment. */
export function typingAt(lines: readonly string[], line: number, column: number): Typing | undefined {
  const text = (lines[line] ?? '').slice(0, column)
  if (/(^|\s)#/.test(text)) return undefined
  const { start } = documentAround(lines, line)
  const { read, objectAt, openItem } = reader()
  for (const [index, before] of lines.slice(start, line).entries()) read(before, start + index)
  const head = ITEMS.exec(text)?.[0] ?? ''
  const rest = text.slice(head.length)
  const pair = KEY.exec(rest)
  if (pair !== null) {
    const place = read(text, line)
    const value = rest.slice(pair[0].length)
    const word = value.trimStart()
    return place && { kind: 'value', path: place.path, from: column - word.length, word }
  }
  if (/\s/.test(rest.trim())) return undefined
  for (const dash of head.matchAll(/-/g)) openItem(dash.index)
  return { kind: 'key', path: objectAt(head.length), from: head.length, word: rest }
}
