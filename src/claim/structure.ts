// What JSON Schema can judge, with ajv; its errors become findings in our own words.
import { Ajv2020, type AnySchemaObject, type ErrorObject } from 'ajv/dist/2020.js'
import type { Finding, Path } from '../findings.ts'
import { at, isObject, type Json } from '../json.ts'
import { nearest } from '../suggest.ts'
import { child, type Schema } from './schema.ts'

/** Words of Kubernetes and of editors that say nothing about what is valid. */
const vocabulary = [
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-platform-default',
  'markdownDescription',
]

/** Compiles a schema to a judge of the structure: all findings at once, one for each place. */
export function compileStructure(schema: Schema): (value: unknown) => Finding[] {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: true })
  for (const word of vocabulary) ajv.addKeyword(word)
  const validate = ajv.compile(withoutTranslatedRules(schema) as AnySchemaObject)
  return value => {
    if (validate(value)) return []
    const findings = new Map<string, Finding>()
    for (const error of validate.errors ?? []) {
      const finding = findingOf(error, value, schema)
      const place = JSON.stringify(finding.path)
      if (!findings.has(place)) findings.set(place, finding)
    }
    return [...findings.values()]
  }
}

/**
 * The published schema says again, under allOf, what it can of the CEL rules, for validators that know no CEL.
 * We evaluate the rules themselves, which have better words.
 */
function withoutTranslatedRules(schema: Schema): Schema {
  const { allOf: _, properties, items, ...rest } = schema
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, s]) => [name, withoutTranslatedRules(s)])) }),
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
  const found = error.data as Json
  const own = (error.parentSchema ?? {}) as Schema
  switch (error.keyword) {
    case 'required':
      return { code: 'REQUIRED', path: [...path, String(error.params.missingProperty)], problem: 'required field missing' }
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty)
      return { code: 'UNKNOWN_FIELD', path: [...path, name], problem: `unknown field${hint(name, path, own, schema)}` }
    }
    case 'type':
      return { code: 'WRONG_TYPE', path, problem: `must be ${types[String(error.params.type)] ?? error.params.type}`, found }
    case 'const':
      return { code: 'NOT_ALLOWED', path, problem: `must be ${own.const}`, found }
    case 'enum':
      return { code: 'NOT_ALLOWED', path, problem: `must be one of [${(own.enum ?? []).join(', ')}]`, found }
    case 'pattern':
      return { code: 'BAD_FORMAT', path, problem: `must be a valid ${own.title ?? 'value'}${example(own)}`, found }
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
  problem: `must have ${allowed} ${unit}s`,
  found: count,
})

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return `at most ${most}`
  if (most === undefined) return `at least ${least}`
  return least === most ? `exactly ${least}` : `from ${least} to ${most}`
}

const example = ({ examples }: Schema) => (examples?.[0] === undefined ? '' : ` such as '${examples[0]}'`)

/** A misspelt field, or a good one that stands one level too high or too low. */
function hint(name: string, path: Path, parent: Schema, root: Schema): string {
  const near = nearest(name, Object.keys(parent.properties ?? {}))
  if (near !== undefined) return `, did you mean '${near}'?`
  if (root.properties?.spec?.properties?.[name] !== undefined) return `, did you mean 'spec.${name}'?`
  for (const [section, { properties }] of Object.entries(parent.properties ?? {}))
    if (properties !== undefined && Object.hasOwn(properties, name)) return `, did you mean '${[...path, section, name].join('.')}'?`
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

/** Leaves out nulls, as the API server does, and fills in the schema's own defaults. Never changes its input. */
export function normalize(schema: Schema | undefined, value: Json): Json {
  if (Array.isArray(value)) return value.map(item => normalize(schema?.items, item))
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] =>
    item === null || item === undefined ? [] : [[name, normalize(schema && child(schema, name), item)]],
  )
  for (const [name, property] of Object.entries(schema?.properties ?? {}))
    if (property.default !== undefined && property['x-platform-default'] !== true && (at(value, name) ?? null) === null)
      entries.push([name, property.default])
  // fromEntries makes own properties even of a key such as __proto__.
  return Object.fromEntries(entries)
}
