// What the schema says of a field, for completion and for the explanation at the pointer.
import { child, type Schema } from '../../../src/claim/schema.ts'
import { textOf } from '../../../src/kubernetes/json.ts'
import type { Step } from './place.ts'

export function schemaAt(schema: Schema, path: readonly Step[]): Schema | undefined {
  return path.reduce<Schema | undefined>((below, step) => below && child(below, step), schema)
}

/** `text`, `one of micro, small`, `list of objects`, `integer 1–10`. */
export function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  if (schema.const !== undefined) return textOf(schema.const)
  const { minimum, maximum } = schema
  switch (schema.type) {
    case 'string':
      return 'text'
    case 'array':
      return schema.items?.type === 'object' ? 'list of objects' : 'list'
    case 'integer':
    case 'number':
      if (minimum === undefined && maximum === undefined) return schema.type
      return `${schema.type} ${minimum ?? ''}–${maximum ?? ''}`
    default:
      return schema.type ?? 'any value'
  }
}

export interface Field {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** The fields that an object can have, without those that the text has already. */
export function fieldsOf(schema: Schema | undefined, present: ReadonlySet<string>): Field[] {
  const required = schema?.required ?? []
  return Object.entries(schema?.properties ?? {})
    .filter(([name, { deprecated }]) => deprecated !== true && !present.has(name))
    .map(([name, below]) => ({ name, schema: below, required: required.includes(name) }))
}

/** The values that a field can have, as YAML. */
export function valuesOf(schema: Schema | undefined): string[] {
  if (schema === undefined) return []
  const { enum: words, const: only, type, examples = [], default: standard } = schema
  if (words !== undefined) return [...words]
  if (only !== undefined) return [textOf(only)]
  if (type === 'boolean') return ['true', 'false']
  if (type === 'object' || type === 'array') return []
  const said = [...examples, ...(standard === undefined ? [] : [standard])].filter(value => typeof value !== 'object')
  return [...new Set(said.map(value => toScalar(value, type)))]
}

const toScalar = (value: unknown, type: Schema['type']) => {
  const text = textOf(value)
  const isPlain = /^[A-Za-z./][\w./:@+-]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text)
  return type === 'string' && !isPlain ? `'${text.replaceAll("'", "''")}'` : text
}

/** The text after a key that is completed, with the line breaks and the indentation of what comes below. */
export function afterKey(schema: Schema, column: number): string {
  const below = `\n${' '.repeat(column + 2)}`
  if (schema.type === 'array') return `:${below}- `
  const isMap = schema.type === 'object' || schema.properties !== undefined
  return isMap ? `:${below}` : ': '
}
