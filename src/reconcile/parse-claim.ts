import schema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import type { Capability } from '../capabilities/capability.ts'
import { capabilities } from '../capabilities/index.ts'
import { checkClaim } from '../claim/checks.ts'
import { type Finding, formatPath } from '../claim/findings.ts'
import type { EventDrivenServiceSpec } from '../claim/generated/types.ts'
import { type IdentifiedClaim, identifyClaim, missingIdentity } from '../claim/identity.ts'
import { resolveClaim } from '../claim/resolve.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import type { Schema } from '../claim/schema.ts'
import { compileValidator, type Validate } from '../claim/validate.ts'
import { at, isObject, type Json, type JsonObject, nonEmptyText } from '../kubernetes/json.ts'
import { type Names, ownNames, withNames } from '../platform/names.ts'
import type { Platform } from '../platform/platform.ts'
import { checkPolicy, propagatedLabels } from '../platform/policy.ts'

export type Parsed = { readonly ok: true; readonly claim: ResolvedClaim } | { readonly ok: false; readonly findings: readonly Finding[] }

export const API_VERSION = schema.properties.apiVersion.const

const validateSchema = compileValidator(schema as Schema)

const validators = new WeakMap<Platform, Validate>()

/** Most platforms have no names of their own, and share one validator. */
function validatorFor(platform: Platform): Validate {
  const known = validators.get(platform)
  if (known !== undefined) return known
  const names = ownNames(platform)
  const validate = Object.keys(names).length === 0 ? validateSchema : namedValidator(names)
  validators.set(platform, validate)
  return validate
}

/** The validator that was compiled last: it costs 0.1 s, and platforms that are derived from each other have the same names. */
let lastNamed: { readonly key: string; readonly validate: Validate } | undefined

function namedValidator(names: Names): Validate {
  const key = JSON.stringify(names)
  if (lastNamed?.key !== key) lastNamed = { key, validate: compileValidator(withNames(schema as unknown as JsonObject, names) as Schema) }
  return lastNamed.validate
}

/** Turns a claim or composite into a resolved claim, or into all its findings. */
export const parseClaim = (composite: JsonObject, platform: Platform, all?: readonly Capability[]): Parsed =>
  parseIdentified(identifyClaim(composite), platform, all)

export function parseIdentified({ identity, document, labels }: IdentifiedClaim, platform: Platform, all?: readonly Capability[]): Parsed {
  const { value, findings } = validateClaim(document, platform, { capabilities: all })
  const missing = missingIdentity(identity)
  const { name, namespace } = identity
  if (findings.length + missing.length > 0 || name === undefined || namespace === undefined)
    return { ok: false, findings: [...missing, ...findings] }
  const { spec } = value as unknown as { spec: EventDrivenServiceSpec }
  return { ok: true, claim: resolveClaim(spec, name, namespace, platform, propagatedLabels(labels, platform.policy)) }
}

export interface Validation {
  /** Instead of the schema of this version. */
  readonly validate?: Validate | undefined
  readonly capabilities?: readonly Capability[] | undefined
}

/** All findings of a claim as its author wrote it: schema, CEL rules, then the checks in code. */
export function validateClaim(
  document: Json,
  platform: Platform,
  { validate = validatorFor(platform), capabilities: all = capabilities }: Validation = {},
): ReturnType<Validate> {
  if (hasMoreValues(document, MOST_VALUES))
    return { value: document, findings: [{ code: 'OUT_OF_RANGE', path: [], problem: `must have at most ${MOST_VALUES} values in all` }] }
  const { value, findings } = validate(document)
  // A schema of another version may accept what the checks can't read.
  const own = validatorFor(platform)
  if (validate !== own && own({ ...(value as JsonObject), apiVersion: API_VERSION }).findings.length > 0) return { value, findings }
  const [name, namespace] = ['name', 'namespace'].map(field => nonEmptyText(at(value, 'metadata', field)))
  const spec = validFields(value, findings)
  const checks = all.flatMap(({ check }) => check?.(spec, name ?? '', platform, namespace) ?? [])
  // Of a value that is wrong anyway, one finding is enough.
  const told = new Set(findings.map(({ path }) => formatPath(path)))
  const policy = checkPolicy(at(value, 'spec'), platform.policy).filter(({ path }) => !told.has(formatPath(path)))
  return { value, findings: [...findings, ...checkClaim(spec), ...checks, ...policy] }
}

// Kubernetes stores no object of this size, and checking each value would take minutes.
const MOST_VALUES = 100_000

function hasMoreValues(value: Json, most: number): boolean {
  const left: unknown[] = [value]
  for (let count = 0; left.length > 0; count++) {
    if (count + left.length > most) return true
    const next = left.pop()
    if (typeof next === 'object' && next !== null) for (const below of Object.values(next)) left.push(below)
  }
  return false
}

/** The valid fields of the spec, so that one mistake does not hide another. */
function validFields(value: Json, findings: readonly Finding[]): Partial<EventDrivenServiceSpec> {
  const spec = at(value, 'spec')
  if (!isObject(spec)) return {}
  const wrong = new Set(findings.map(({ path }) => path[1]))
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !wrong.has(field)))
}
