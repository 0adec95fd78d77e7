// Says where a text stops being valid YAML, and how to fix it. js-yaml, which reads almost twice as fast, reports where it gave up; the
// yaml package has a code for each kind of mistake. The code and the text decide, not the English message of either.
import { parseEvents, YAMLException } from 'js-yaml'
import { type ErrorCode, parseAllDocuments } from 'yaml'
import { lexemesOf } from './lexemes.ts'
import { MAX_LEVELS } from './limits.ts'

export interface SyntaxProblem {
  readonly offset: number
  readonly problem: string
}

interface Line {
  readonly start: number
  readonly text: string
}

interface Evidence {
  readonly text: string
  /** Where js-yaml gave up. */
  readonly stopped: number
  readonly stoppedLine: Line
  /** Where the mistake starts, and its code; undefined if the yaml package finds none or was not asked. */
  readonly began: number
  readonly beganLine: Line
  readonly code: ErrorCode | undefined
  /** Whether a '[' or '{' is still open where js-yaml gave up. */
  readonly isInFlow: boolean
  /** The start of the quote that is still open where the mistake starts. */
  readonly openQuote: number | undefined
}

interface Explanation {
  readonly fits: (evidence: Evidence) => boolean
  readonly problem: (evidence: Evidence) => string
  readonly offset: (evidence: Evidence) => number
}

const CONFLICT = /^(?:<{7}|={7}|>{7})(?: |$)/
const TEMPLATE = /\{\{|\{%/
const MISSING_SPACE_AFTER_COLON = /^(\s*(?:- )*[\w.-]+:)[^\s:/]/
const MISSING_SPACE_AFTER_DASH = /^\s*-[^\s-]/
const QUOTE_BEFORE = /["'][^"']*$/

const stopped = (evidence: Evidence) => evidence.stopped
const began = (evidence: Evidence) => evidence.began
const firstWord = ({ start, text }: Line) => start + Math.max(0, text.search(/\S/))
const wordWhereStopped = ({ stoppedLine }: Evidence) => firstWord(stoppedLine)
const wordWhereBegan = ({ beganLine }: Evidence) => firstWord(beganLine)
const lineWith = (pattern: RegExp, { beganLine, stoppedLine }: Evidence) => [beganLine, stoppedLine].find(({ text }) => pattern.test(text))
const says = (sentence: string) => () => sentence

/** From the most to the least specific: the first that fits is used. */
const explanations: readonly Explanation[] = [
  {
    fits: evidence => lineWith(CONFLICT, evidence) !== undefined,
    problem: says('unresolved merge conflict'),
    offset: evidence => lineWith(CONFLICT, evidence)?.start ?? evidence.began,
  },
  {
    fits: ({ code }) => code === 'TAB_AS_INDENT',
    problem: says('a tab cannot indent YAML: use spaces'),
    offset: ({ stoppedLine }) => stoppedLine.start + Math.max(0, stoppedLine.text.indexOf('\t')),
  },
  {
    fits: evidence => lineWith(TEMPLATE, evidence) !== undefined,
    problem: says("'{{ … }}' is a template: render it, or quote it"),
    offset: evidence => {
      const line = lineWith(TEMPLATE, evidence)
      return line === undefined ? evidence.began : line.start + line.text.search(TEMPLATE)
    },
  },
  {
    fits: ({ openQuote }) => openQuote !== undefined,
    problem: ({ text, openQuote = 0 }) => `the quote ${text.charAt(openQuote)} is never closed`,
    offset: ({ openQuote = 0 }) => openQuote,
  },
  {
    fits: ({ code }) => code === 'BAD_DQ_ESCAPE',
    problem: ({ text, began }) => `'${text.slice(began, began + 2)}' is not an escape: inside double quotes write a backslash as \\\\`,
    offset: began,
  },
  {
    fits: ({ text, stopped }) => /^["']:$/.test(text.slice(Math.max(0, stopped - 2), stopped)),
    problem: says("a space is missing after ':'"),
    offset: ({ stopped }) => stopped - 1,
  },
  {
    fits: ({ code, stoppedLine, stopped }) =>
      code === 'UNEXPECTED_TOKEN' && QUOTE_BEFORE.test(stoppedLine.text.slice(0, stopped - stoppedLine.start)),
    problem: afterQuote,
    offset: stopped,
  },
  {
    fits: ({ code }) => code === 'BAD_SCALAR_START',
    problem: ({ text, began }) => `a value cannot start with '${text.charAt(began)}': quote it`,
    offset: began,
  },
  {
    fits: evidence => evidence.isInFlow && (evidence.code === 'BAD_INDENT' || isAtEnd(evidence)),
    problem: says("a '[' or '{' above is not closed before this"),
    offset: stopped,
  },
  {
    fits: ({ isInFlow, code, text, began }) => isInFlow && code === 'UNEXPECTED_TOKEN' && text.charAt(began) === ',',
    problem: says("a value is missing before this ','"),
    offset: began,
  },
  {
    fits: ({ isInFlow, text, began }) => isInFlow && /[\]}]/.test(text.charAt(began)),
    problem: ({ text, began }) => `'${text.charAt(began)}' does not close what is open here`,
    offset: began,
  },
  { fits: ({ isInFlow, code }) => isInFlow && code !== undefined, problem: says('a comma is missing after this'), offset: began },
  {
    fits: ({ beganLine }) => MISSING_SPACE_AFTER_COLON.test(beganLine.text),
    problem: says("a space is missing after ':'"),
    offset: ({ beganLine: { start, text } }) => start + (MISSING_SPACE_AFTER_COLON.exec(text)?.[1]?.length ?? 0),
  },
  {
    fits: ({ beganLine }) => MISSING_SPACE_AFTER_DASH.test(beganLine.text),
    problem: says("a space is missing after '-'"),
    offset: wordWhereBegan,
  },
  {
    fits: evidence => evidence.code !== undefined && !evidence.isInFlow && isEntry(evidence),
    problem: says('the indentation does not match the lines around it'),
    offset: wordWhereStopped,
  },
  {
    fits: ({ code, beganLine, stoppedLine }) => code === 'BLOCK_AS_IMPLICIT_KEY' && beganLine.start === stoppedLine.start,
    problem: says("a second ': ' on the line: quote the value"),
    offset: stopped,
  },
  {
    fits: ({ code }) => code === 'BLOCK_AS_IMPLICIT_KEY',
    problem: says('indented deeper than the line above, which has a value already'),
    offset: wordWhereStopped,
  },
  {
    fits: ({ code }) => code === 'BAD_INDENT',
    problem: says('the indentation does not match the lines around it'),
    offset: wordWhereStopped,
  },
  {
    fits: ({ code }) => code === 'MULTILINE_IMPLICIT_KEY' || code === 'MISSING_CHAR',
    problem: says("expected 'key: value' here"),
    offset: wordWhereBegan,
  },
  {
    fits: evidence => evidence.code === 'UNEXPECTED_TOKEN' && isAtFirstWord(evidence),
    problem: says("does not belong to anything above: check the indentation, or add a missing '---'"),
    offset: stopped,
  },
  {
    fits: ({ code }) => code === 'UNEXPECTED_TOKEN',
    problem: ({ text, began }) => `unexpected '${text.charAt(began)}'`,
    offset: began,
  },
]

const isAtFirstWord = (evidence: Evidence) => evidence.stopped <= wordWhereStopped(evidence)
const ENTRY = /^\s+(?:- |[\w./-]+:(?: |$))/
/** Whether js-yaml stopped at a whole entry of a map or a list: then its indentation is wrong. */
const isEntry = (evidence: Evidence) => isAtFirstWord(evidence) && ENTRY.test(evidence.stoppedLine.text)
const isAtEnd = ({ text, stopped }: Evidence) => text.slice(stopped).trim() === ''

function afterQuote({ stoppedLine: { start, text }, stopped }: Evidence): string {
  const before = text.slice(0, stopped - start)
  const quote = QUOTE_BEFORE.exec(before)?.[0].charAt(0) ?? "'"
  if (before.split(quote).length % 2 === 0) return `text after a closing quote: check for a missing ${quote} on the lines above`
  const way = quote === "'" ? "inside single quotes write ' as ''" : 'inside double quotes write " as \\"'
  return `text after the closing quote: ${way}`
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  return { start, text: text.slice(start, end === -1 ? undefined : end) }
}

/** The yaml package is slow, and takes a thousand times the size of the text in memory. */
const LONGEST_EXPLAINED = 1024 * 1024
/** Text after this may be nested so deeply that the yaml package overflows the stack. */
const LONGEST_AHEAD = 256

/** Where a text stops being valid YAML, and how to fix it. */
export function explainSyntax(text: string, { reason, mark }: YAMLException): SyntaxProblem {
  const stopped = mark?.position ?? 0
  if (isTooDeep(text, stopped)) return { offset: stopped, problem: 'nested too deeply' }
  const end = stopped + LONGEST_AHEAD
  const found = end > LONGEST_EXPLAINED ? undefined : errorsIn(text.slice(0, end))[0]
  // An error at the end may only exist because the text was cut there.
  const error = found !== undefined && found.pos[0] < end ? found : undefined
  const began = error?.pos[0] ?? stopped
  const lines = { stoppedLine: lineAt(text, stopped), beganLine: lineAt(text, began) }
  const evidence = { text, stopped, began, code: error?.code, ...lines, ...openIn(text, stopped, began) }
  const explanation = explanations.find(({ fits }) => fits(evidence))
  if (explanation === undefined) return { offset: stopped, problem: reason }
  return { offset: explanation.offset(evidence), problem: explanation.problem(evidence) }
}

/** Whether js-yaml only stopped because of the limit on nesting. */
function isTooDeep(text: string, stopped: number): boolean {
  try {
    parseEvents(text, { maxDepth: 2 * MAX_LEVELS })
  } catch (error) {
    return error instanceof YAMLException && error.mark?.position !== stopped
  }
  return true
}

const errorsIn = (text: string) =>
  parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }).flatMap(({ errors }) => errors)

/** Whether a bracket is open where js-yaml gave up, and which quote is open where the mistake starts. */
function openIn(text: string, stopped: number, began: number): Pick<Evidence, 'isInFlow' | 'openQuote'> {
  let isInFlow = false
  for (const { text: lexeme, offset, type, brackets } of lexemesOf(text)) {
    if (offset >= Math.max(stopped, began)) break
    if (offset < stopped) isInFlow = brackets > 0
    const isQuoted = type === 'single-quoted-scalar' || type === 'double-quoted-scalar'
    const isOpen = isQuoted && (lexeme.length === 1 || !lexeme.endsWith(lexeme.charAt(0)))
    if (isOpen && offset + lexeme.length === began) return { isInFlow, openQuote: offset }
  }
  return { isInFlow, openQuote: undefined }
}
