import { printable } from '../text/printable.ts'

/** The path of a value: `['spec', 'env', 0, 'name']`. */
export type Path = readonly (string | number)[]

/**
 * The codes that a finding can have, each with its line in the docs.
 * Users filter by code: add codes, never rename them.
 */
export const codes = {
  REQUIRED: 'A required field is missing.',
  UNKNOWN_FIELD: 'The API has no field of this name; the API server would drop or reject it.',
  WRONG_TYPE: 'The value has the wrong type, such as a number instead of text.',
  NOT_ALLOWED: 'The value is not one of the allowed values.',
  BAD_FORMAT: 'The text does not have the format of the field.',
  OUT_OF_RANGE: 'A number, a length or a count is below the minimum or above the maximum.',
  CONFLICT: 'Two fields that are valid alone exclude each other.',
  DUPLICATE: 'The same name occurs twice, and only one of the two could take effect.',
  RESERVED: 'The name or number belongs to the platform or to Knative.',
  NAME: 'Kubernetes does not accept the name of the claim, or a name derived from it.',
  NO_NAMESPACE: 'The namespace of the service is unknown.',
  UNSUPPORTED: 'The platform has not enabled a feature that the claim uses.',
  POLICY: 'The claim breaks a limit that the platform sets for every claim.',
  DEPRECATED: 'The field still works, but has a successor.',
  NO_EFFECT: 'The field has no effect because of another field.',
  BUSY_REPLICAS: 'The autoscaler will ask replicas to finish that still work on long messages.',
  UNPINNED_IMAGE: 'The image has no digest, and no tag or the tag "latest", so a new image can appear under the same name.',
  SAME_HOST: 'Two claims or two objects want the same host, and it is undefined which of them gets its requests.',
  MISSING_SERVICE: 'A route or a rule leads to a Service that does not exist.',
  MISSING_PORT: 'A route leads to a port that its Service does not have.',
  MISSING_SUBSET: 'A route leads to a subset that no DestinationRule has for its host.',
  MISSING_GATEWAY: 'A route names a gateway or a listener that does not exist.',
  HOST_OUTSIDE_GATEWAY: 'A route has a host that none of its gateways serves.',
  MISSING_SINK: 'Events go to an object that does not exist.',
  MISSING_BROKER: 'A Trigger names a Broker that does not exist.',
  SELECTS_NOTHING: 'A policy, a Service or a subset selects no pods.',
  TOKEN_NOT_REQUIRED: 'An ALLOW policy asks for a token, but another ALLOW policy lets requests in without one.',
  UNUSED_FIELD: 'A generator of an ApplicationSet gives a field that no template uses.',
  UNKNOWN_TEMPLATE_FIELD: 'A template of an ApplicationSet uses a field that no generator gives.',
  SAME_FOR_ALL: 'An ApplicationSet makes Applications that all deploy the same files to the same place.',
  SHARED_FILES: 'Two Applications deploy the same files to the same place.',
  RENAMED_TARGET: 'A kustomization renames an object, but not a reference to it.',
  MISSING_HEALTH: 'Argo CD has no script for the health of claims, so it shows failing ones as healthy.',
  TRACKED_BY_LABEL: 'Argo CD tracks objects by label, and prunes the composites of claims.',
  YAML_SYNTAX: 'The file is not valid YAML or JSON.',
  DUPLICATE_KEY: 'A mapping has the same key twice; kubectl would silently keep the last one.',
  TOO_MANY: 'The document has more findings than are listed.',
} as const satisfies Record<string, string>

export type Code = keyof typeof codes

export interface Finding {
  readonly code: Code
  readonly path: Path
  /** What is wrong and what is allowed, without the path and the value found. */
  readonly problem: string
  /** The value found, if showing it helps. */
  readonly found?: unknown
  /** The allowed value that the author most likely meant. */
  readonly meant?: string
}

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/
const SHOWN_LENGTH = 60
const LONGEST_KEY = 253

/** `spec.env[0].name`; a key that is not a plain word gets brackets and quotes. */
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

/** A URL must not contain a password, but may. */
const withoutPassword = (text: string) => text.replace(/:\/\/[^/@]{1,1000}@/, '://…@')

function show(found: unknown): string {
  if (typeof found === 'string') return `'${shorten(withoutPassword(found), SHOWN_LENGTH)}'`
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
