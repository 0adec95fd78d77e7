// The XRD's schema as the published JSON Schema of a whole claim.

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
            description: 'The namespace in which all resources are made.',
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
              { type, description: "Crossplane's own; see its documentation." },
            ]),
          ),
        },
      },
      status: { type: 'object', description: 'Written by the platform.' },
    },
  }
}

/** Refuses unknown fields at every level, and shows the built-in defaults. */
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
    ...(schema.description?.startsWith('Deprecated') && { deprecated: true }),
  }
}

function rules(schema: Schema): Partial<Schema> {
  const written = schema['x-kubernetes-validations']
  if (written === undefined) return {}
  const allOf = written.flatMap(rule => {
    const said = ruleSchema(rule, schema)
    return said ? [inWords(said, rule.message) as object] : []
  })
  return { 'x-kubernetes-validations': written, ...(allOf.length > 0 && { allOf }) }
}

/** What only holds other schemas, so that it never fails by itself. */
const wrappers = new Set(['$comment', 'if', 'then', 'not', 'allOf', 'anyOf', 'oneOf'])

/** yaml-language-server, and so most editors, say `errorMessage` where a schema fails, in place of words of their own. */
function inWords(said: unknown, message: string): unknown {
  if (!isObject(said)) return said
  const told = (below: unknown) => inWords(below, message)
  const inside = Object.entries(said).map(([word, below]) => {
    if (word === 'then') return [word, told(below)]
    if (word === 'properties' && isObject(below)) return [word, Object.fromEntries(Object.entries(below).map(([n, s]) => [n, told(s)]))]
    return [word, Array.isArray(below) && wrappers.has(word) ? below.map(told) : below]
  })
  const forbids = Object.values(isObject(said.properties) ? said.properties : {}).includes(false)
  const asserts = Object.keys(said).some(word => word !== 'properties' && !wrappers.has(word))
  return Object.fromEntries([...inside, ...(forbids || asserts ? [['errorMessage', message]] : [])])
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

// Editors add the allowed values and the examples themselves.
function markdown(schema: Schema, shown: Json | undefined): string {
  const standard = schema.default ?? shown
  return [schema.description, standard !== undefined && `Default: ${code(standard)}.`].filter(Boolean).join('\n\n')
}
