/** A piece of a file that can be read on its own, and its offset. */
export interface Segment {
  readonly text: string
  readonly start: number
}

const MARKER = '\n---'

/**
 * Splits before every line that starts with `---`, as kubectl does: a broken document leaves its neighbours readable, and a
 * position takes parsing one document only.
 */
export function splitDocuments(text: string): Segment[] {
  const segments: Segment[] = []
  let start = 0
  for (let at = text.indexOf(MARKER); at !== -1; at = text.indexOf(MARKER, at + 1)) {
    segments.push({ text: text.slice(start, at + 1), start })
    start = at + 1
  }
  segments.push({ text: text.slice(start), start })
  return segments
}

// One character at a time: a pattern for whole strings would scan the rest of the text for each unclosed quote.
const ESCAPE_QUOTE_OR_BRACKET = /\\.|["{}[\]]/gs

/** Splits `{…} {…}`, the JSON stream that `jq` writes and kubectl reads; undefined if the text is not one. */
export function splitJsonStream({ text, start }: Segment): Segment[] | undefined {
  const segments: Segment[] = []
  let depth = 0
  let from = 0
  let inString = false
  for (const { 0: token, index } of text.matchAll(ESCAPE_QUOTE_OR_BRACKET)) {
    if (token === '"' && depth > 0) inString = !inString
    if (inString) continue
    if (depth === 0 && (token !== '{' || text.slice(from, index).trim() !== '')) return undefined
    if (token === '{' || token === '[') depth++
    if (token !== '}' && token !== ']') continue
    depth--
    if (depth > 0) continue
    segments.push({ text: text.slice(from, index + 1), start: start + from })
    from = index + 1
  }
  const whole = depth === 0 && text.slice(from).trim() === ''
  return whole && segments.length > 1 && segments.every(({ text }) => isJson(text)) ? segments : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
