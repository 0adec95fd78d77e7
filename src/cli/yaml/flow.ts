import { CST, Lexer } from 'yaml'

/**
 * Replaces line breaks between brackets by spaces, so that offsets stay the same: go-yaml ignores the indentation there, but
 * js-yaml rejects a closing bracket that is directly below its key.
 */
export function joinFlowLines(text: string): string {
  let joined = ''
  let brackets = 0
  let last = ''
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    const type: CST.TokenType | 'content' | null = isContent ? 'content' : CST.tokenType(lexeme)
    isContent = type === 'scalar'
    // These are signals between the lexemes, not text.
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

// Elsewhere a line break may be part of a multi-line text.
const OPENS = /^[[{,:]$/
const CLOSES = /\s*[\]},]/y

function closesAt(text: string, offset: number): boolean {
  CLOSES.lastIndex = offset
  return CLOSES.test(text)
}
