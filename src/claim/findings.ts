import { printable } from '../text/printable.ts'

/** Where a value stands: `['spec', 'env', 0, 'name']`. */
export type Path = readonly (string | number)[]

/**
 * The closed set of codes that a finding may carry, each with its line in the docs.
 * A code is a promise to whoever filters on it: add, never rename.
 */
export const codes = {
  REQUIRED: 'A field that must be there is missing.',
  UNKNOWN_FIELD: 'The API has no field of this name; the API server would drop it or refuse it.',
  WRONG_TYPE: 'The value is of another type than the field takes, such as a number where text is asked for.',
  NOT_ALLOWED: 'The value is not one of the few that the field takes.',
  BAD_FORMAT: 'The text does not have the form that the field asks for.',
  OUT_OF_RANGE: 'A number, a length or a count is below the least or above the most that is allowed.',
  CONFLICT: 'Two fields, each fine alone, do not go together.',
  DUPLICATE: 'The same name stands in two places, and only one could win.',
  RESERVED: 'The name or number belongs to the platform or to Knative.',
  NAME: 'The name of the claim, or one derived from it, is not one that Kubernetes takes.',
  NO_NAMESPACE: 'It cannot be told which namespace the service belongs to.',
  UNSUPPORTED: 'The platform has not enabled what the claim asks for.',
  DEPRECATED: 'The field still works and has a successor.',
  NO_EFFECT: 'Nothing comes of the field, as another one makes it idle.',
  UNPINNED_IMAGE: 'The image has no tag, the tag "latest", or no digest where one is asked for, so it can change under the same name.',
  YAML_SYNTAX: 'The file is not the YAML or JSON that it is meant to be.',
  DUPLICATE_KEY: 'A mapping has the same key twice; kubectl would silently keep the last one.',
  TOO_MANY: 'There are more findings in the document than are listed.',
} as const satisfies Record<string, string>

export type Code = keyof typeof codes

export interface Finding {
  readonly code: Code
  readonly path: Path
  /** What is wrong and what is allowed, without the path and without what was found. */
  readonly problem: string
  /** What stood there, where showing it helps. */
  readonly found?: unknown
  /** Of the values that are allowed the one that was most likely meant. */
  readonly meant?: string
}

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/
const SHOWN_LENGTH = 60
const LONGEST_KEY = 253

/** `spec.env[0].name`; a key that is not a plain word stands in brackets and quotes. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (step.length > LONGEST_KEY || !PLAIN_KEY.test(step)) text += `[${JSON.stringify(shorten(step, LONGEST_KEY))}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}

const shorten = (text: string, length: number) => (text.length > length ? `${text.slice(0, length)}…` : text)

function show(found: unknown): string {
  if (typeof found === 'string') return `'${shorten(found, SHOWN_LENGTH)}'`
  if (Array.isArray(found)) return found.length === 0 ? 'an empty list' : 'a list'
  if (typeof found === 'object' && found !== null) return Object.keys(found).length === 0 ? 'an empty object' : 'an object'
  return String(found)
}

/** `spec.size: must be one of [micro, small], got 'smal', did you mean 'small'?` */
export function sentence({ path, problem, found, meant }: Finding): string {
  const where = path.length === 0 ? '' : `${formatPath(path)}: `
  const got = found === undefined ? '' : `, got ${show(found)}`
  return printable(`${where}${problem}${got}${meant === undefined ? '' : `, did you mean '${meant}'?`}`)
}
