// Converts the XRD's schema to the published JSON Schema of a claim.

import { crossplaneFields } from '../../src/claim/crossplane-fields.ts'
import type { Schema } from '../../src/claim/schema.ts'
import { at, isObject, type Json } from '../../src/kubernetes/json.ts'
import { builtIn } from '../../src/platform/defaults.ts'
import { type Definition, specOf } from './definition.ts'
import { ruleSchema } from './rule-schema.ts'

interface Open extends Schema {
  readonly example?: Json
}

export function claimSchema(definition: Definition): Schema {
  const { group, claimNames, versions } = definition.spec
  const { name: version, schema } = versions[0]
  const root = schema.openAPIV3Schema
  const spec = closed(specOf(definition), builtIn)
  const kind = claimNames?.kind ?? ''
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://${group}/schemas/${kind.toLowerCase()}.${version}.json`,
    title: kind,
    ...(root.description && { description: root.description }),
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    additionalProperties: false,
    ...rules(root),
    properties: {
      apiVersion: { type: 'string', const: `${group}/${version}`, description: 'The version of the API.' },
      kind: { type: 'string', const: kind, description: 'The kind of the claim.' },
      metadata: {
        type: 'object',
        description: 'Name, namespace, labels and annotations, as of every Kubernetes object.',
        required: ['name'],
        properties: {
          name: {
            type: 'string',
            title: 'name',
            minLength: 1,
            description: 'The name of the claim, and so of the service: at most 56 characters.',
          },
          namespace: {
            type: 'string',
            title: 'namespace',
            minLength: 1,
            maxLength: 63,
            pattern: '^[a-z0-9]+(?:-+[a-z0-9]+)*$',
            description: 'The namespace of the claim and of all its resources.',
          },
          labels: { type: 'object', description: 'Labels of the claim.', additionalProperties: { type: 'string' } },
          annotations: { type: 'object', description: 'Annotations of the claim.', additionalProperties: { type: 'string' } },
        },
      },
      spec: {
        ...spec,
        properties: {
          ...spec.properties,
          ...Object.fromEntries(
            Object.entries(crossplaneFields).map(([name, type]): [string, Schema] => [
              name,
              { type, description: 'A field of Crossplane: see its documentation.' },
            ]),
          ),
        },
      },
      status: { type: 'object', description: 'Written by the platform.' },
    },
  }
}

/** Forbids unknown fields at every level, and adds the built-in defaults. */
export function closed({ example, ...schema }: Open, defaults: unknown): Schema {
  const shown = schema.default === undefined && typeof defaults !== 'object' ? (defaults as Json | undefined) : undefined
  const { description, properties, items, additionalProperties } = schema
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties !== undefined
  return {
    ...schema,
    ...(example === undefined ? {} : { examples: [example] }),
    ...(shown === undefined ? {} : { default: shown, 'x-platform-default': true }),
    ...(description && { markdownDescription: markdown(schema, shown) }),
    ...rules(schema),
    ...(schema.type === 'object' && !open && { additionalProperties: false }),
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([n, s]) => [n, closed(s, at(defaults, n))])) }),
    ...(items && { items: closed(items, undefined) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: closed(additionalProperties, undefined) }),
    ...(schema.description?.startsWith('Deprecated') && { deprecated: true }),
  }
}

function rules(schema: Schema): Partial<Schema> {
  const written = schema['x-kubernetes-validations']
  if (written === undefined) return {}
  const allOf = written.flatMap(rule => {
    const translated = ruleSchema(rule, schema)
    return translated ? [withMessage(translated, rule.message) as object] : []
  })
  return { 'x-kubernetes-validations': written, ...(allOf.length > 0 && { allOf }) }
}

/** Keywords that only contain other schemas, and so never fail themselves. */
const wrappers = new Set(['$comment', 'if', 'then', 'not', 'allOf', 'anyOf', 'oneOf'])

/** Adds the rule's message as `errorMessage`, which yaml-language-server and so most editors show when a schema fails. */
function withMessage(schema: unknown, message: string): unknown {
  if (!isObject(schema)) return schema
  const nested = (below: unknown) => withMessage(below, message)
  const inside = Object.entries(schema).map(([word, below]) => {
    if (word === 'then') return [word, nested(below)]
    if (word === 'properties' && isObject(below)) return [word, Object.fromEntries(Object.entries(below).map(([n, s]) => [n, nested(s)]))]
    return [word, Array.isArray(below) && wrappers.has(word) ? below.map(nested) : below]
  })
  const forbids = Object.values(isObject(schema.properties) ? schema.properties : {}).includes(false)
  const asserts = Object.keys(schema).some(word => word !== 'properties' && !wrappers.has(word))
  return Object.fromEntries([...inside, ...(forbids || asserts ? [['errorMessage', message]] : [])])
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

// Editors show the allowed values and the examples themselves.
function markdown(schema: Schema, shown: Json | undefined): string {
  const fallback = schema.default ?? shown
  return [schema.description, fallback !== undefined && `Default: ${code(fallback)}.`].filter(Boolean).join('\n\n')
}
