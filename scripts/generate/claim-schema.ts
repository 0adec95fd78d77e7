// The XRD's schema as the published JSON Schema of a whole claim.
import { builtIn } from '../../src/claim/defaults.ts'
import { machinery } from '../../src/claim/machinery.ts'
import type { Schema } from '../../src/claim/schema.ts'
import { at, type Json } from '../../src/json.ts'
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
            Object.entries(machinery).map(([name, type]): [string, Schema] => [
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
    ...(description && { markdownDescription: markdown(schema, example, shown) }),
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
  const allOf = written.flatMap((rule): object[] => {
    const said = ruleSchema(rule, schema)
    return said ? [said] : []
  })
  return { 'x-kubernetes-validations': written, ...(allOf.length > 0 && { allOf }) }
}

const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

function markdown(schema: Schema, example: Json | undefined, shown: Json | undefined): string {
  const standard = schema.default ?? shown
  return [
    schema.description,
    schema.enum && `One of ${schema.enum.map(code).join(', ')}.`,
    standard !== undefined && `Default: ${code(standard)}.`,
    example !== undefined && `Example: ${code(example)}`,
  ]
    .filter(Boolean)
    .join('\n\n')
}
