// The accepted differences between our YAML reader and kubectl's, with reasons. Any other difference is our defect.
import { isDeepStrictEqual } from 'node:util'
import { readSource } from '../../../src/cli/yaml/source.ts'

/** What a reader returns for a text: its documents, or why it rejects them. */
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

/** Reads a text as `eds` does. A duplicate key is a finding, but does not stop the reader. */
export function read(text: string): Reading {
  const { documents, findings } = readSource('f.yaml', text)
  const refusal = findings.find(({ code }) => code === 'YAML_SYNTAX')?.problem
  return { values: documents.map(({ value }) => value), ...(refusal !== undefined && { refusal }) }
}

// The API server does not keep -0.
const withoutMinusZero = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const isSameValue = (a: unknown, b: unknown) => isDeepStrictEqual(withoutMinusZero(a), withoutMinusZero(b))

/** If kubectl rejects the text, the documents it read before that do not count: it ends with an error. */
export const agree = ({ kubectl, ours }: Compared): boolean =>
  (kubectl.refusal === undefined) === (ours.refusal === undefined) &&
  (kubectl.refusal !== undefined || isSameValue(kubectl.values, ours.values))

/** Whether kubectl read only the beginning of the text. */
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
    says: 'a document that is only text',
    why: 'text is never a manifest',
    examples: ['|\na', ' --- ', '\n  a\n@b'],
    fits: ({ kubectl, ours }) => [...kubectl.values, ...ours.values].some(value => typeof value === 'string'),
  },
  {
    says: 'kubectl reads text in quotes or brackets whose next line is indented less than its key',
    why: 'YAML requires the indentation, and usually a quote or a bracket is missing',
    examples: ['  a: "b\n c"', '  a: [b\n c]'],
    fits: ({ kubectl, ours }) =>
      kubectl.refusal === undefined &&
      /^the quote . is never closed$|is not closed before this$|^a comma is missing after this$/.test(ours.refusal ?? ''),
  },
  {
    says: 'kubectl rejects a tab before a value or in an empty line',
    why: 'YAML allows these tabs, and they do not occur in practice',
    examples: ['-\ta', '?\ta', 'a:\n- b\n-\tc', '\t', 'a: |\n \tb'],
    fits: onlyKubectlRefuses(/\t/),
  },
  {
    says: "kubectl rejects '...' before the first value",
    why: 'YAML allows it, and it has no effect',
    examples: ['...\n', '...\na: 1'],
    fits: onlyKubectlRefuses(/^(?:---|#|\s).*|^\.\.\./),
  },
  {
    says: "kubectl rejects a value that starts with ':' in brackets, and reads 'b:' there as a key",
    why: 'YAML 1.1 and 1.2 differ, and we read 1.2 between brackets',
    examples: ['a: [:b]', 'a: {:b}', 'a: {b:}'],
    fits: ({ text }) => /[[{].*[[{,:]\s*:|[[{]:|[[{].*:\s*[\]},]/.test(text),
  },
  {
    says: 'kubectl accepts a comment without a space before it',
    why: 'YAML requires the space',
    examples: ['a: |#c\n  b'],
    fits: onlyWeRefuse(/\S#/),
  },
  {
    says: 'kubectl accepts infinity as a key',
    why: 'no key of a claim is a number',
    examples: ['.inf: a', '? .inf'],
    fits: onlyWeRefuse(/\.inf|\.nan/i),
  },
  {
    says: 'kubectl reads U+0085, U+2028 and U+2029 as line breaks',
    why: 'YAML 1.2 does not, and they do not occur in practice',
    examples: ['a: x\u2028y', 'a: \u0085b'],
    fits: ({ text }) => /[\u0085\u2028\u2029]/.test(text),
  },
  {
    says: "kubectl rejects '\\/' and surrogate pairs as escapes, unless the text is JSON",
    why: 'YAML 1.2 has them from JSON',
    examples: ['a: "\\/"', 'a: "\\ud83d\\ude00"'],
    fits: onlyKubectlRefuses(/\\\/|\\ud/i),
  },
  {
    says: 'kubectl rejects a tag without a name',
    why: 'such a tag has no meaning',
    examples: ['a: !! b'],
    fits: onlyKubectlRefuses(/!!(?:\s|$)/),
  },
  {
    says: "kubectl drops a byte order mark after '---'",
    why: 'editors write one only at the start of a file, where we drop it too',
    examples: ['a: 1\n---\n\uFEFFb: 1'],
    fits: ({ text }) => /.\uFEFF/s.test(text),
  },
  {
    says: 'kubectl accepts an unindented value below its key, if it starts with a tag or a block indicator',
    why: 'YAML requires the indentation',
    examples: ['a:\n|\nb: 1', '-\n|\n', '\n  !x \n-', '- a:\n  >-'],
    fits: onlyWeRefuse(/^\s*[|>!]/m),
  },
  {
    says: 'kubectl starts a new document after a JSON object',
    why: 'other readers read such a line differently',
    examples: ['{}a: 1'],
    fits: onlyWeRefuse(/^\s*\{.*\}[^\s]/),
  },
  {
    says: "kubectl reads an indented '---' as text",
    why: 'text is never a manifest, but the lines below it are',
    examples: [' ---\na: 1'],
    fits: onlyKubectlRefuses(/^\s+---/m),
  },
  // Last, because it reads the text once for each of its characters.
  {
    says: 'kubectl ignores everything after the first value of a document',
    why: 'a claim that is silently not applied is worse than a message: we reject the document',
    examples: ['{a: 1}\n{b: 2}', ' a: 1\nb: 2', "'a':b", '"a":b', 'a: 1\n...\nb: 2', '[1]\n[2]', '{a: b} c', 'a: 1\r---\rb: 2', 'a: "b"#c'],
    fits: stopsEarly,
  },
]
