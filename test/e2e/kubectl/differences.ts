// Where our reader of YAML differs from kubectl's, and why that is left so. Everything else is a defect of ours.
import { isDeepStrictEqual } from 'node:util'
import { readSource } from '../../../src/cli/yaml/source.ts'

/** What a reader makes of a text: its documents, or why it refuses them. */
export interface Reading {
  readonly values: readonly unknown[]
  readonly refusal?: string
}

export interface Compared {
  readonly text: string
  readonly kubectl: Reading
  readonly ours: Reading
}

export interface Difference {
  readonly says: string
  readonly why: string
  readonly examples: readonly string[]
  readonly fits: (compared: Compared) => boolean
}

/** As `eds` reads a text. A key that stands twice is a finding, but no reason not to read on. */
export function read(text: string): Reading {
  const { documents, findings } = readSource('f.yaml', text)
  const refusal = findings.find(({ code }) => code === 'YAML_SYNTAX')?.problem
  return { values: documents.map(({ value }) => value), ...(refusal !== undefined && { refusal }) }
}

// JSON has no -0 that an API server would keep.
const withoutMinusZero = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const isSameValue = (a: unknown, b: unknown) => isDeepStrictEqual(withoutMinusZero(a), withoutMinusZero(b))

/** What kubectl sent before it refused the rest makes no difference: it ends with an error. */
export const agree = ({ kubectl, ours }: Compared): boolean =>
  (kubectl.refusal === undefined) === (ours.refusal === undefined) &&
  (kubectl.refusal !== undefined || isSameValue(kubectl.values, ours.values))

/** Whether kubectl has read the beginning of the text and nothing of the rest. */
const stopsEarly = ({ text, kubectl }: Compared) =>
  kubectl.refusal === undefined &&
  Array.from(text, (_, end) => read(text.slice(0, end))).some(
    ({ values, refusal }) => refusal === undefined && isSameValue(values, kubectl.values),
  )

const onlyKubectlRefuses = (pattern: RegExp) => (compared: Compared) =>
  compared.kubectl.refusal !== undefined && compared.ours.refusal === undefined && pattern.test(compared.text)
const onlyWeRefuse = (pattern: RegExp) => (compared: Compared) =>
  compared.kubectl.refusal === undefined && compared.ours.refusal !== undefined && pattern.test(compared.text)

export const differences: readonly Difference[] = [
  {
    says: 'kubectl ignores whatever follows the first value of a document',
    why: 'a claim that is never applied is worse than a message: we refuse the document',
    examples: ['{a: 1}\n{b: 2}', ' a: 1\nb: 2', "'a':b", '"a":b', 'a: 1\n...\nb: 2', '[1]\n[2]', '{a: b} c', 'a: 1\r---\rb: 2', 'a: "b"#c'],
    fits: stopsEarly,
  },
  {
    says: 'a document that is text',
    why: 'text is not a manifest, whatever it says',
    examples: ['|\na', ' --- ', '\n  a\n@b'],
    fits: ({ kubectl, ours }) => [...kubectl.values, ...ours.values].some(value => typeof value === 'string'),
  },
  {
    says: 'kubectl reads text in quotes or brackets whose next line is indented less than its key',
    why: 'YAML demands the indentation, and nine times in ten a quote or a bracket is missing',
    examples: ['  a: "b\n c"', '  a: [b\n c]'],
    fits: ({ kubectl, ours }) =>
      kubectl.refusal === undefined &&
      /^the quote . is never closed$|is not closed before this$|^a comma is missing after this$/.test(ours.refusal ?? ''),
  },
  {
    says: 'kubectl takes no tab before a value or in an empty line',
    why: 'YAML allows these tabs, and nobody writes them',
    examples: ['-\ta', '?\ta', 'a:\n- b\n-\tc', '\t', 'a: |\n \tb'],
    fits: onlyKubectlRefuses(/\t/),
  },
  {
    says: "kubectl takes no '...' before the first value",
    why: 'YAML allows it, and nothing is lost where it means nothing',
    examples: ['...\n', '...\na: 1'],
    fits: onlyKubectlRefuses(/^(?:---|#|\s).*|^\.\.\./),
  },
  {
    says: "kubectl takes no value that starts with ':' in brackets, and reads 'b:' there as a key",
    why: 'YAML 1.1 and 1.2 differ, and we read 1.2 between brackets',
    examples: ['a: [:b]', 'a: {:b}', 'a: {b:}'],
    fits: ({ text }) => /[[{].*[[{,:]\s*:|[[{]:|[[{].*:\s*[\]},]/.test(text),
  },
  {
    says: 'kubectl takes a comment without a space before it',
    why: 'YAML demands the space',
    examples: ['a: |#c\n  b'],
    fits: onlyWeRefuse(/\S#/),
  },
  {
    says: 'kubectl takes infinity for a key',
    why: 'no key of a claim is a number',
    examples: ['.inf: a', '? .inf'],
    fits: onlyWeRefuse(/\.inf|\.nan/i),
  },
  {
    says: 'kubectl takes U+0085, U+2028 and U+2029 for line breaks',
    why: 'YAML 1.2 does not, and nobody writes them',
    examples: ['a: x\u2028y', 'a: \u0085b'],
    fits: ({ text }) => /[\u0085\u2028\u2029]/.test(text),
  },
  {
    says: "kubectl takes no '\\/' and no surrogate pairs as escapes, unless the text is JSON",
    why: 'YAML 1.2 took them over from JSON',
    examples: ['a: "\\/"', 'a: "\\ud83d\\ude00"'],
    fits: onlyKubectlRefuses(/\\\/|\\ud/i),
  },
  {
    says: 'kubectl takes no tag without a name',
    why: 'it says nothing, and nothing is lost',
    examples: ['a: !! b'],
    fits: onlyKubectlRefuses(/!!(?:\s|$)/),
  },
  {
    says: "kubectl leaves out a byte order mark after '---'",
    why: 'an editor writes one only at the beginning of a file, where we leave it out too',
    examples: ['a: 1\n---\n\uFEFFb: 1'],
    fits: ({ text }) => /.\uFEFF/s.test(text),
  },
  {
    says: 'kubectl takes a value below its key without indentation, if a tag or the sign of a block introduces it',
    why: 'YAML demands the indentation',
    examples: ['a:\n|\nb: 1', '-\n|\n', '\n  !x \n-', '- a:\n  >-'],
    fits: onlyWeRefuse(/^\s*[|>!]/m),
  },
  {
    says: 'kubectl starts over behind an object of JSON',
    why: 'a line that begins with another value says something else to everybody else',
    examples: ['{}a: 1'],
    fits: onlyWeRefuse(/^\s*\{.*\}[^\s]/),
  },
  {
    says: "kubectl takes an indented '---' for text",
    why: 'text is not a manifest, and a manifest below it is one',
    examples: [' ---\na: 1'],
    fits: onlyKubectlRefuses(/^\s+---/m),
  },
]
