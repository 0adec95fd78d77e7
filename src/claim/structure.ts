// Validates with JSON Schema, using ajv, and turns its errors into findings.
import { Ajv2020, type AnySchemaObject, type ErrorObject } from 'ajv/dist/2020.js'
import { at, isObject, type Json, setField, textOf } from '../kubernetes/json.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { type Finding, formatPath, type Path } from './findings.ts'
import { compilePattern } from './pattern.ts'
import { child, type Schema } from './schema.ts'

/** Keywords of Kubernetes and of editors that do not affect validity. */
const vocabulary = [
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-platform-default',
  'markdownDescription',
]

// ajv only uses the name in standalone code, which we do not generate.
const regExp = Object.assign(compilePattern, { code: 'compilePattern' })

/** Compiles a schema, also given with inlined references, into a validator that returns one finding for each path. */
export function compileStructure(schema: Schema, described: Schema): (value: unknown) => Finding[] {
  // The first claim waits for this, so compiling must be fast: our generated and tested schemas are not validated again, the
  // code is not optimized and is generated once for each $ref, and errors do not carry schema and data.
  const ajv = new Ajv2020({ allErrors: true, strict: true, validateSchema: false, inlineRefs: false, code: { optimize: false, regExp } })
  for (const word of vocabulary) ajv.addKeyword(word)
  const validate = ajv.compile(withoutTranslatedRules(schema) as AnySchemaObject)
  return value => {
    if (validate(value)) return []
    const findings = new Map<string, Finding>()
    for (const error of validate.errors ?? []) {
      const finding = findingOf(error, value, described)
      const place = JSON.stringify(finding.path)
      if (!findings.has(place)) findings.set(place, finding)
    }
    return [...findings.values()]
  }
}

/**
 * The published schema repeats some CEL rules under allOf, for validators without CEL.
 * We evaluate the rules themselves, because their messages are better.
 */
function withoutTranslatedRules(schema: Schema): Schema {
  const { allOf: _, properties, items, $defs, ...rest } = schema
  const each = (schemas: { readonly [name: string]: Schema }) =>
    Object.fromEntries(Object.entries(schemas).map(([name, s]) => [name, withoutTranslatedRules(s)]))
  return {
    ...rest,
    ...($defs && { $defs: each($defs) }),
    ...(properties && { properties: each(properties) }),
    ...(items && { items: withoutTranslatedRules(items) }),
  }
}

const types: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function findingOf(error: ErrorObject, root: unknown, schema: Schema): Finding {
  const path = pathOf(error.instancePath, root)
  const found = at(root, ...path) as Json
  const own = path.reduce((above: Schema, step) => child(above, step) ?? {}, schema)
  // The schema of another version may have numbers.
  const allowed = (own.enum ?? []).map(textOf)
  switch (error.keyword) {
    case 'required':
      return { code: 'REQUIRED', path: [...path, String(error.params.missingProperty)], problem: 'required field missing' }
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty)
      return { code: 'UNKNOWN_FIELD', path: [...path, name], problem: `unknown field${suggestedField(name, path, own, schema)}` }
    }
    case 'type':
      return { code: 'WRONG_TYPE', path, problem: `must be ${types[String(error.params.type)] ?? error.params.type}`, found }
    case 'const':
      return { code: 'NOT_ALLOWED', path, problem: `must be ${textOf(own.const)}`, found }
    case 'enum':
      return { code: 'NOT_ALLOWED', path, problem: `must be one of [${allowed.join(', ')}]`, found, ...suggestedValue(found, allowed) }
    case 'pattern':
      return { code: 'BAD_FORMAT', path, problem: `must be a valid ${textOf(own.title ?? 'value')}${example(own)}`, found }
    case 'minimum':
    case 'maximum':
      return { code: 'OUT_OF_RANGE', path, problem: `must be ${range(own.minimum, own.maximum)}`, found }
    case 'minLength':
    case 'maxLength':
      return outOfRange(path, range(own.minLength, own.maxLength), 'character', [...String(found)].length)
    case 'minItems':
    case 'maxItems':
      return outOfRange(path, range(own.minItems, own.maxItems), 'item', Array.isArray(found) ? found.length : 0)
    case 'minProperties':
    case 'maxProperties':
      return outOfRange(path, range(own.minProperties, own.maxProperties), 'field', isObject(found) ? Object.keys(found).length : 0)
    default:
      return { code: 'BAD_FORMAT', path, problem: error.message ?? `fails ${error.keyword}` }
  }
}

const outOfRange = (path: Path, allowed: string, unit: string, count: number): Finding => ({
  code: 'OUT_OF_RANGE',
  path,
  problem: `must have ${allowed} ${unit}${allowed.endsWith(' 1') ? '' : 's'}`,
  found: count,
})

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return `at most ${most}`
  if (most === undefined) return `at least ${least}`
  return least === most ? `exactly ${least}` : `from ${least} to ${most}`
}

const example = ({ examples }: Schema) => (examples?.[0] === undefined ? '' : ` such as '${textOf(examples[0])}'`)

/** The allowed value that was misspelt or abbreviated. Words with different first letters are different words: xlarge does not mean large. */
function suggestedValue(found: Json, allowed: readonly string[]): Pick<Finding, 'meant'> {
  if (typeof found !== 'string' || found.length < 2) return {}
  const lower = found.toLowerCase()
  const alike = allowed.filter(word => word.charAt(0).toLowerCase() === lower.charAt(0))
  const meant = didYouMean(found, alike) ?? alike.find(word => word.toLowerCase().startsWith(lower))
  return meant === undefined ? {} : { meant }
}

/** A misspelt field, or a valid one that is one level too high or too low. */
function suggestedField(name: string, path: Path, parent: Schema, root: Schema): string {
  const fields = Object.entries(parent.properties ?? {}).filter(([, { deprecated }]) => deprecated !== true)
  const near = didYouMean(
    name,
    fields.map(([field]) => field),
  )
  if (near !== undefined) return `, did you mean '${near}'?`
  if (Object.hasOwn(root.properties?.spec?.properties ?? {}, name)) return `, did you mean 'spec.${name}'?`
  for (const [section, { properties }] of fields)
    if (properties !== undefined && Object.hasOwn(properties, name)) return `, did you mean '${formatPath([...path, section, name])}'?`
  return ''
}

/** A JSON pointer, with list positions as numbers. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = []
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(at(root, ...path)) ? Number(step) : step)
  }
  return path
}

type Normalize = (value: Json) => Json

/**
 * Omits nulls, as the API server does, and adds the defaults of the schema. Never changes its input.
 * The fields are in the order of the schema, because the fields of a request have no fixed order.
 */
export function normalizer(schema: Schema): Normalize {
  const fields = Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    normalize: normalizer(property),
    byDefault: property['x-platform-default'] === true ? undefined : property.default,
  }))
  const known = new Set(fields.map(({ name }) => name))
  const item = schema.items === undefined ? anything : normalizer(schema.items)
  const other = typeof schema.additionalProperties === 'object' ? normalizer(schema.additionalProperties) : anything

  return value => {
    if (Array.isArray(value)) return value.map((entry: Json) => item(entry))
    if (!isObject(value)) return value
    const normalized: { [name: string]: Json } = {}
    for (const { name, normalize, byDefault } of fields) {
      const own = Object.hasOwn(value, name) ? value[name] : undefined
      if (own !== undefined && own !== null) setField(normalized, name, normalize(own))
      else if (byDefault !== undefined) setField(normalized, name, byDefault)
    }
    const others = Object.keys(value).filter(name => !known.has(name))
    for (const name of others.sort()) {
      const own = value[name]
      if (own !== undefined && own !== null) setField(normalized, name, other(own))
    }
    return normalized
  }
}

const ofAnything = normalizer({})
// Normalizes values that no schema describes.
function anything(value: Json): Json {
  return ofAnything(value)
}
