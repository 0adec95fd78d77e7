import { CST, Lexer } from 'yaml'

/**
 * Puts what stands between brackets on one line, each character where it was: go-yaml does not look at the indentation
 * there, but js-yaml refuses a closing bracket that stands right below its key.
 */
export function joinFlowLines(text: string): string {
  let joined = ''
  let brackets = 0
  let last = ''
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    const type: CST.TokenType | 'content' | null = isContent ? 'content' : CST.tokenType(lexeme)
    isContent = type === 'scalar'
    // These stand between the lexemes, and not in the text.
    if (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end') continue
    if (type === 'flow-map-start' || type === 'flow-seq-start') brackets++
    if (type === 'flow-map-end' || type === 'flow-seq-end') brackets--
    const isBlank = type === 'newline' || type === 'space' || type === 'comment'
    const isJoined = brackets > 0 && (type === 'comment' || (type === 'newline' && (OPENS.test(last) || closesAt(text, joined.length))))
    joined += isJoined ? ' '.repeat(lexeme.length) : lexeme
    if (!isBlank) last = lexeme
  }
  return joined
}

// Elsewhere a line break may belong to a text, which it would change.
const OPENS = /^[[{,:]$/
const CLOSES = /\s*[\]},]/y

function closesAt(text: string, offset: number): boolean {
  CLOSES.lastIndex = offset
  return CLOSES.test(text)
}
