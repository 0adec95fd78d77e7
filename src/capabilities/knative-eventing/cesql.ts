// Checks the syntax of a CloudEvents SQL expression, because Knative rejects a Trigger with an invalid one.
// Our own, because the parsers of CloudEvents are in Go and Java: the `cloudevents` package for JavaScript has none.
// https://github.com/cloudevents/spec/blob/main/cesql/cesql_1.0.md, with the lexer of Knative: a sign directly before digits
// belongs to the number, so `a -1` is two values in a row, and `a - 1` a difference.

const SPACE = /[ \t\r\n]+/y
const TOKEN =
  /(?<string>"(?:\\[\s\S]|""|[^"\\])*"|'(?:\\[\s\S]|''|[^'\\])*')|(?<word>[A-Za-z][A-Za-z_]*(?![A-Za-z0-9_])|[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)|(?<integer>[+-]?[0-9]+)|(?<sign><=|>=|<>|!=|[(),*/%+\-=<>])/y

const KEYWORDS = ['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE']
const BINARY = ['*', '/', '%', '+', '-', '=', '!=', '<>', '>=', '<=', '<', '>', 'AND', 'OR', 'XOR']
const [MIN, MAX] = [-(2 ** 31), 2 ** 31 - 1]
const DEEPEST = 100

interface Token {
  /** A keyword or a sign itself; otherwise the type of the token. */
  readonly kind: string
  readonly text: string
  readonly at: number
}

class CesqlError extends Error {}

/** The problem of an expression, or undefined if it is valid. */
export function cesqlProblem(expression: string): string | undefined {
  try {
    const tokens = tokensOf(expression)
    const end = readExpression(tokens, 0, 0)
    if (end < tokens.length) fail(tokens[end], 'an operator')
    return undefined
  } catch (error) {
    if (error instanceof CesqlError) return error.message
    throw error
  }
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < expression.length) {
    SPACE.lastIndex = at
    if (SPACE.test(expression)) {
      at = SPACE.lastIndex
      continue
    }
    TOKEN.lastIndex = at
    const { 0: text = '', groups = {} } = TOKEN.exec(expression) ?? {}
    if (text === '') throw new CesqlError(`unexpected '${expression.slice(at, at + 10)}' at character ${at + 1}`)
    tokens.push({ kind: kindOf(text, groups), text, at })
    at = TOKEN.lastIndex
  }
  return tokens
}

function kindOf(text: string, groups: Readonly<Record<string, string | undefined>>): string {
  if (groups.word !== undefined) {
    const word = text.toUpperCase()
    if (KEYWORDS.includes(word)) return word
    if (text.includes('_')) return 'function'
    return /[0-9]/.test(text) ? 'name with digits' : 'name'
  }
  if (groups.integer !== undefined) {
    if (Number(text) < MIN || Number(text) > MAX) throw new CesqlError(`${text} is not a 32-bit integer`)
    return 'integer'
  }
  return groups.string === undefined ? text : 'string'
}

function fail(token: Token | undefined, expected: string): never {
  throw new CesqlError(
    token === undefined ? `expected ${expected} at the end` : `expected ${expected} at character ${token.at + 1}, got '${token.text}'`,
  )
}

/** Each reader takes the position of its first token and returns the position after its last. */
function readExpression(tokens: readonly Token[], start: number, depth: number): number {
  if (depth > DEEPEST) throw new CesqlError('nested too deeply')
  let at = readValue(tokens, start, depth)
  for (;;) {
    const kind = tokens[at]?.kind
    const [verb, after] = kind === 'NOT' ? [tokens[at + 1]?.kind, at + 2] : [kind, at + 1]
    if (verb === 'LIKE') at = expect(tokens, after, 'a quoted text', 'string')
    else if (verb === 'IN') at = readList(tokens, expect(tokens, after, "'('", '('), depth)
    else if (kind !== undefined && BINARY.includes(kind)) at = readValue(tokens, at + 1, depth)
    else return at
  }
}

function readValue(tokens: readonly Token[], start: number, depth: number): number {
  let at = start
  while (tokens[at]?.kind === 'NOT' || tokens[at]?.kind === '-') at++
  const token = tokens[at]
  const called = tokens[at + 1]?.kind === '('
  switch (token?.kind) {
    case 'EXISTS':
      return expect(tokens, at + 1, 'the name of an attribute', 'name', 'name with digits')
    case '(':
      return expect(tokens, readExpression(tokens, at + 1, depth + 1), "')'", ')')
    case 'name':
    case 'function':
      if (called) return tokens[at + 2]?.kind === ')' ? at + 3 : readList(tokens, at + 2, depth)
      return token.kind === 'name' ? at + 1 : fail(tokens[at + 1], "'(' after a function name")
    case 'name with digits':
    case 'integer':
    case 'string':
    case 'TRUE':
    case 'FALSE':
      return at + 1
    default:
      return fail(token, 'a value')
  }
}

function readList(tokens: readonly Token[], start: number, depth: number): number {
  let at = readExpression(tokens, start, depth + 1)
  while (tokens[at]?.kind === ',') at = readExpression(tokens, at + 1, depth + 1)
  return expect(tokens, at, "',' or ')'", ')')
}

const expect = (tokens: readonly Token[], at: number, expected: string, ...kinds: readonly string[]): number =>
  kinds.includes(tokens[at]?.kind ?? '') ? at + 1 : fail(tokens[at], expected)
