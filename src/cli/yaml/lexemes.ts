import { CST, Lexer } from 'yaml'

export interface Lexeme {
  readonly text: string
  readonly offset: number
  readonly type: CST.TokenType | 'content' | null
  /** The number of brackets that are open after it. */
  readonly brackets: number
}

/** The lexemes of a text. Joined, they are the text: the signals of the yaml package between them are left out. */
export function* lexemesOf(text: string): Generator<Lexeme> {
  let offset = 0
  let brackets = 0
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    const type: Lexeme['type'] = isContent ? 'content' : CST.tokenType(lexeme)
    isContent = type === 'scalar'
    if (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end') continue
    if (type === 'flow-map-start' || type === 'flow-seq-start') brackets++
    if (type === 'flow-map-end' || type === 'flow-seq-end') brackets--
    yield { text: lexeme, offset, type, brackets }
    offset += lexeme.length
  }
}
