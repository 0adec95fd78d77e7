// Writes docs/reference.md: every field of the claim and of the function's input.

import type { Capability } from '../../src/capabilities/capability.ts'
import { capabilities } from '../../src/capabilities/index.ts'
import { crossplaneFields } from '../../src/claim/crossplane-fields.ts'
import { codes } from '../../src/claim/findings.ts'
import type { Schema } from '../../src/claim/schema.ts'
import { generated } from './definition.ts'

export function reference(claim: Schema, input: Schema, all: readonly Capability[] = capabilities): string {
  const spec = claim.properties?.spec ?? {}
  return `<!-- ${generated} -->
# Reference

## EventDrivenService

${claim.description}

A default marked *platform* is the built-in one: an environment or the platform (the function's input) may have another.

${table(spec, 'spec')}

### Rules across fields

${ruleList(claim, '')}

## Conditions and resources

What a claim becomes. The condition reports on the resources; the ClusterRole in \`package/runtime/rbac/\` lets Crossplane manage them.

| condition | kind | comes with | role |
|---|---|---|---|
${all.flatMap(kindRows).join('\n')}

## Input of the function

${input.description} Set it in the Composition. The function refuses input that it does not understand.

${table(input, '')}

## Codes

Every finding ends with a code.

| code | meaning |
|---|---|
${Object.entries(codes)
  .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
  .join('\n')}
`
}

const kindRows = ({ condition, role, kinds }: Capability) =>
  kinds.map(
    ({ apiVersion, kind, product }) =>
      `| \`${condition}Ready\` | ${kind} \`${apiVersion}\` | ${product ?? 'Kubernetes'} | \`${role.name}\` |`,
  )

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``

function table(schema: Schema, path: string): string {
  return `| field | type | default | meaning |\n|---|---|---|---|\n${rows(schema, path).join('\n')}`
}

function rows(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => path !== 'spec' || !Object.hasOwn(crossplaneFields, name))
    .filter(([, property]) => property.description !== undefined)
    .flatMap(([name, property]) => {
      const here = path === '' ? name : `${path}.${name}`
      const item = property.type === 'array' ? property.items : undefined
      const entry = typeof property.additionalProperties === 'object' ? property.additionalProperties : undefined
      const required = schema.required?.includes(name) ? ' **Required.**' : ''
      const row = `| \`${here}${item ? '[]' : ''}\` | ${cell(typeText(item ?? property))} | ${defaultText(property)} | ${cell((property.description ?? '') + required)} |`
      // Every environment has the same fields as defaults, so they are not repeated.
      const below =
        path === '' && name === 'environments' ? [] : rows(item ?? entry ?? property, `${here}${item ? '[]' : entry ? '.NAME' : ''}`)
      return [row, ...below]
    })
}

const defaultText = (schema: Schema) =>
  schema.default === undefined ? '' : `${code(schema.default)}${schema['x-platform-default'] ? ' *platform*' : ''}`

function typeText(schema: Schema): string {
  if (schema.enum) return schema.enum.map(code).join(', ')
  const { minimum, maximum } = schema
  if (minimum !== undefined || maximum !== undefined) return `${schema.type} ${minimum ?? ''}–${maximum ?? ''}`
  return schema.type ?? 'any'
}

function ruleList(schema: Schema, path: string): string {
  return rulesOf(schema, path)
    .map(({ at, message }) => `- \`${at}\`: ${message}`)
    .join('\n')
}

function rulesOf(schema: Schema, path: string): { at: string; message: string }[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(rule => ({
    at: `${path}${rule.fieldPath ?? ''}`.replace(/^\./, ''),
    message: rule.message,
  }))
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    rulesOf(property, path === '' ? name : `${path}.${name}`),
  )
  return [...own, ...properties, ...(schema.items ? rulesOf(schema.items, `${path}[]`) : [])]
}
