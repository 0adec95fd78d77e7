import type { Json } from '../kubernetes/json.ts'

/** A CEL rule as Kubernetes adds it to a schema. */
export interface Rule {
  readonly rule: string
  readonly message: string
  /** A CEL expression for a message that names what was found. */
  readonly messageExpression?: string
  readonly fieldPath?: string
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate'
}

/** The part of JSON Schema that structural Kubernetes schemas use. */
export interface Schema {
  readonly $schema?: string
  readonly $id?: string
  readonly $ref?: string
  readonly $defs?: { readonly [name: string]: Schema }
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly title?: string
  readonly description?: string
  readonly markdownDescription?: string
  readonly examples?: readonly Json[]
  readonly default?: Json
  readonly enum?: readonly string[]
  readonly const?: Json
  readonly properties?: { readonly [name: string]: Schema }
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly allOf?: readonly object[]
  readonly deprecated?: boolean
  readonly 'x-kubernetes-validations'?: readonly Rule[]
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  /** Whether `default` is only documentation, because the platform can set another default. */
  readonly 'x-platform-default'?: boolean
}

/** The schema of a value one step down, or undefined if there is none. */
export function child(schema: Schema, step: string | number): Schema | undefined {
  if (typeof step === 'number') return schema.items
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, step)) return schema.properties[step]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** The schema with every reference to `#/$defs/…` replaced by its definition. */
export function inlined(schema: Schema, defs: Schema['$defs'] = schema.$defs): Schema {
  const { $ref, $defs: _, ...own } = schema
  const target = $ref === undefined ? undefined : defs?.[$ref.replace('#/$defs/', '')]
  const { properties, items, additionalProperties: entry, ...rest } = target ? { ...inlined(target, defs), ...own } : own
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, s]) => [name, inlined(s, defs)])) }),
    ...(items && { items: inlined(items, defs) }),
    ...(entry !== undefined && { additionalProperties: typeof entry === 'object' ? inlined(entry, defs) : entry }),
  }
}
