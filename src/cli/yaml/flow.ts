import { lexemesOf } from './lexemes.ts'

/**
 * Replaces line breaks between brackets by spaces, so that offsets stay the same: go-yaml ignores the indentation there, but
 * js-yaml rejects a closing bracket that is directly below its key.
 */
export function joinFlowLines(text: string): string {
  let joined = ''
  let last = ''
  for (const { text: lexeme, offset, type, brackets } of lexemesOf(text)) {
    const isBlank = type === 'newline' || type === 'space' || type === 'comment'
    const isJoined = brackets > 0 && (type === 'comment' || (type === 'newline' && (OPENS.test(last) || closesAt(text, offset))))
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
