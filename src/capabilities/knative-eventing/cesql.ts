// Whether a CloudEvents SQL expression can be read. Knative refuses a Trigger with one that can't.
// https://github.com/cloudevents/spec/blob/main/cesql/cesql_1.0.md, with the lexer's habits of Knative's own reader:
// a sign directly before digits belongs to them, so that `a -1` is two values in a row, and `a - 1` a difference.

const SPACE = /[ \t\r\n]+/y
const TOKEN =
  /(?<string>"(?:\\[\s\S]|""|[^"\\])*"|'(?:\\[\s\S]|''|[^'\\])*')|(?<word>[A-Za-z][A-Za-z_]*(?![A-Za-z0-9_])|[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*)|(?<integer>[+-]?[0-9]+)|(?<sign><=|>=|<>|!=|[(),*/%+\-=<>])/y

const KEYWORDS = ['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE']
const BINARY = ['*', '/', '%', '+', '-', '=', '!=', '<>', '>=', '<=', '<', '>', 'AND', 'OR', 'XOR']
const [LEAST, MOST] = [-(2 ** 31), 2 ** 31 - 1]
const DEEPEST = 100

interface Token {
  /** A keyword or a sign as it is; else what it is. */
  readonly kind: string
  readonly text: string
  readonly at: number
}

class CesqlError extends Error {}

/** What is wrong with an expression, or undefined. */
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
    if (text === '') throw new CesqlError(`can't read '${expression.slice(at, at + 10)}' at character ${at + 1}`)
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
    if (Number(text) < LEAST || Number(text) > MOST) throw new CesqlError(`${text} is not a whole number of 32 bits`)
    return 'integer'
  }
  return groups.string === undefined ? text : 'string'
}

function fail(token: Token | undefined, expected: string): never {
  throw new CesqlError(
    token === undefined
      ? `ends where ${expected} is expected`
      : `has '${token.text}' at character ${token.at + 1} where ${expected} is expected`,
  )
}

/** Each reader takes the position of what it reads and returns the one after it. */
function readExpression(tokens: readonly Token[], start: number, depth: number): number {
  if (depth > DEEPEST) throw new CesqlError('is nested too deep')
  let at = readValue(tokens, start, depth)
  for (;;) {
    const kind = tokens[at]?.kind
    const [verb, after] = kind === 'NOT' ? [tokens[at + 1]?.kind, at + 2] : [kind, at + 1]
    if (verb === 'LIKE') at = expect(tokens, after, 'a text in quotes', 'string')
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
      return token.kind === 'name' ? at + 1 : fail(tokens[at + 1], "'(' after the name of a function")
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
