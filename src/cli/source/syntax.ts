import type { YAMLException } from 'js-yaml'
import { parseAllDocuments } from 'yaml'

export interface SyntaxProblem {
  readonly offset: number
  readonly problem: string
}

interface Line {
  readonly start: number
  readonly text: string
}

/** Two witnesses: js-yaml, which is fast, says where it gave up; the yaml package says where the mistake began. */
interface Evidence {
  readonly text: string
  readonly reason: string
  readonly stopped: number
  readonly stoppedLine: Line
  readonly message: string
  readonly began: number
  readonly beganLine: Line
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

/** From the most telling to the least: the first that fits is said. */
const explanations: readonly Explanation[] = [
  {
    fits: ({ reason }) => reason.includes('null byte') || reason.includes('non-printable'),
    problem: says('a control character: YAML takes it only as an escape in double quotes, such as "\\x07"'),
    offset: stopped,
  },
  { fits: ({ reason }) => reason.includes('maxDepth'), problem: says('nested too deeply'), offset: stopped },
  {
    fits: evidence => lineWith(CONFLICT, evidence) !== undefined,
    problem: says('a merge conflict that is not resolved'),
    offset: evidence => lineWith(CONFLICT, evidence)?.start ?? evidence.began,
  },
  {
    fits: ({ reason, message }) => reason.startsWith('tab characters') || message.startsWith('Tabs'),
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
    fits: ({ message }) => message.startsWith('Missing closing'),
    problem: ({ message }) => `the quote ${quoteOf(message)} is never closed`,
    offset: ({ message, text, stopped }) => Math.max(0, text.lastIndexOf(quoteOf(message), stopped - 1)),
  },
  {
    fits: ({ message }) => message.startsWith('Invalid escape'),
    problem: ({ text, began }) => `'${text.slice(began, began + 2)}' is no escape: inside of double quotes a backslash is written \\\\`,
    offset: began,
  },
  {
    fits: ({ text, stopped }) => /^["']:$/.test(text.slice(Math.max(0, stopped - 2), stopped)),
    problem: says("a space is missing after ':'"),
    offset: ({ stopped }) => stopped - 1,
  },
  {
    fits: ({ message, stoppedLine, stopped }) =>
      message.startsWith('Unexpected') && QUOTE_BEFORE.test(stoppedLine.text.slice(0, stopped - stoppedLine.start)),
    problem: afterQuote,
    offset: stopped,
  },
  {
    fits: ({ message }) => message.startsWith('Plain value cannot start'),
    problem: ({ text, began }) => `a value cannot start with '${text.charAt(began)}': quote it`,
    offset: began,
  },
  { fits: ({ reason }) => reason.startsWith('missed comma'), problem: says('a comma is missing after this'), offset: began },
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
    fits: ({ message, beganLine, stoppedLine }) => message.startsWith('Nested mappings') && beganLine.start === stoppedLine.start,
    problem: says("a second ': ' on the line: quote the value"),
    offset: stopped,
  },
  {
    fits: ({ message }) => message.startsWith('Nested mappings'),
    problem: says('indented deeper than the line above, which has a value already'),
    offset: wordWhereStopped,
  },
  {
    fits: ({ message, reason }) => message.startsWith('Flow ') || reason.includes('flow collection'),
    problem: says("a '[' or '{' above is not closed before this"),
    offset: stopped,
  },
  {
    fits: ({ message }) => message.startsWith('All '),
    problem: says('indented unlike the lines that it stands among'),
    offset: wordWhereStopped,
  },
  {
    fits: ({ message }) => message.startsWith('Implicit '),
    problem: says("expected 'key: value' here"),
    offset: wordWhereBegan,
  },
  {
    fits: ({ reason }) => reason.startsWith('end of the stream'),
    problem: says("belongs to nothing above it: is the indentation right, or a '---' missing?"),
    offset: stopped,
  },
]

const quoteOf = (message: string) => (message.includes('"') ? '"' : "'")

function afterQuote({ stoppedLine: { start, text }, stopped }: Evidence): string {
  const before = text.slice(0, stopped - start)
  const quote = QUOTE_BEFORE.exec(before)?.[0].charAt(0) ?? "'"
  if (before.split(quote).length % 2 === 0) return `text after a closing quote: is a ${quote} missing on a line above?`
  const way = quote === "'" ? "inside of single quotes ' is written ''" : 'inside of double quotes " is written \\"'
  return `text after the closing quote: ${way}`
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', start)
  return { start, text: text.slice(start, end === -1 ? undefined : end) }
}

/** The second witness takes its time, and a thousand times the memory. */
const LONGEST_EXPLAINED = 1024 * 1024

// The yaml package recurses, and near the end of the stack V8 ends the process when it has to compile a regular expression.
const DEEPEST_EXPLAINED = 500
const DEEP_LINE = new RegExp(`^[ ?:-]{${DEEPEST_EXPLAINED}}`, 'm')

/** An upper bound: brackets in quotes and comments count too. */
function isDeep(text: string): boolean {
  if (DEEP_LINE.test(text)) return true
  let depth = 0
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1)
    if (depth > DEEPEST_EXPLAINED) return true
  }
  return false
}

/** Where a text stops being YAML, and what to do about it. */
export function explainSyntax(text: string, { reason, mark }: YAMLException): SyntaxProblem {
  const stopped = mark?.position ?? 0
  const errors = parseAllDocuments(text.length > LONGEST_EXPLAINED || isDeep(text) ? '' : text, {
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  }).flatMap(({ errors }) => errors)
  const began = errors[0]?.pos[0] ?? stopped
  const message = errors[0]?.message ?? ''
  const evidence = { text, reason, stopped, stoppedLine: lineAt(text, stopped), message, began, beganLine: lineAt(text, began) }
  const explanation = explanations.find(({ fits }) => fits(evidence))
  if (explanation === undefined) return { offset: stopped, problem: reason }
  return { offset: explanation.offset(evidence), problem: explanation.problem(evidence) }
}
