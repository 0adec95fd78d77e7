// Generates TypeScript types for the spec, which users write, and the status, which the function writes.
import type { Schema } from '../../src/claim/schema.ts'
import { generated } from './definition.ts'

export function typesSource(spec: Schema, status: Schema): string {
  return `// ${generated}

export type Runtime = ${union(spec.properties?.runtime)}

export interface EventDrivenServiceSpec ${objectType(spec, '')}

export interface EventDrivenServiceStatus ${objectType(status, '')}
`
}

const union = (schema: Schema | undefined) => (schema?.enum ?? []).map(value => `'${value}'`).join(' | ')

function typeOf(schema: Schema, indent: string): string {
  switch (schema.type) {
    case 'string':
      return schema.enum ? union(schema) : 'string'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'array': {
      const item = schema.items ? typeOf(schema.items, indent) : 'unknown'
      return `readonly ${/[|{]/.test(item[0] ?? '') || item.includes(' | ') ? `(${item})` : item}[]`
    }
    case 'object':
    case undefined:
      if (schema.properties) return objectType(schema, indent)
      if (typeof schema.additionalProperties === 'object')
        return `{ readonly [name: string]: ${typeOf(schema.additionalProperties, indent)} }`
      return '{ readonly [name: string]: unknown }'
    default:
      return schema.type satisfies never
  }
}

/** The platform may have other names than those of the schema. */
const platformNamed = new Set(['size', 'environment', 'priority'])

function objectType(schema: Schema, indent: string): string {
  const inner = `${indent}  `
  const fields = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const type = indent === '' && platformNamed.has(name) ? 'string' : typeOf(property, inner)
    const optional = schema.required?.includes(name) || property.default !== undefined ? '' : '?'
    return `${inner}/** ${property.description ?? ''} */\n${inner}readonly ${name}${optional}: ${type}\n`
  })
  return `{\n${fields.join('')}${indent}}`
}
