// A claim that shows a field, for the links of the reference: an example of the project, or else a valid claim of the tests, or else
// a claim that is made of the example in the schema.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { parse, parseDocument, stringify } from 'yaml'
import schema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import inputSchema from '../../schemas/input.schema.json' with { type: 'json' }
import { inlined, type Schema } from '../../src/claim/schema.ts'
import { isObject, type Json } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { validateClaim } from '../../src/reconcile/parse-claim.ts'
import { readPlatform } from '../src/playground/engine.ts'
import { readExamples, readText, root } from './examples.ts'

/** As the playground packs a text. */
const packed = (text: string) => deflateRawSync(text).toString('base64url')

export const linkToClaim = (text: string) => `claim=${packed(text)}`

interface Source {
  readonly link: string
  readonly value: unknown
  /** The input of the platform that the claim needs. */
  readonly platform?: string | undefined
  readonly length: number
}

const byLength = (a: Source, b: Source) => a.length - b.length

const examples: readonly Source[] = readExamples()
  .map(({ name, text, platform }): Source => {
    const value = parseDocument(text).toJS() as unknown
    return { link: `example=${name}`, value, platform, length: text.length + (platform?.length ?? 0) }
  })
  .sort(byLength)

const FOLDER = 'test/fixtures/claims/valid'
const fixtures: readonly Source[] = readdirSync(join(root, FOLDER))
  .filter(name => name.endsWith('.yaml'))
  .map(name => readText(`${FOLDER}/${name}`))
  .flatMap((text): Source[] => {
    try {
      return [{ link: linkToClaim(withoutRemarks(text)), value: parse(text), length: text.length }]
    } catch {
      // Some of these show what YAML itself may look like.
      return []
    }
  })
  .sort(byLength)

/** The remarks of the tests are for the tests. */
function withoutRemarks(text: string): string {
  return text.replace(/^(?:#.*\n)+/, '')
}

/** The fragment of the playground that shows a field such as `spec.env[].name`; undefined if no claim has it. */
export function exampleFor(field: string): string | undefined {
  const steps = field.split(/\.|(?=\[\])/)
  const found = [...examples, ...fixtures].find(({ value }) => has(value, steps))
  const link = found?.link ?? madeFor(steps)
  return link && `${link}&at=${encodeURIComponent(field).replaceAll('%5B%5D', '[]').replace(/\[\]$/, '')}`
}

function has(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return true
  if (step === '[]') return Array.isArray(value) && value.some(item => has(item, rest))
  if (step === '<name>' || step === '*') return isObject(value) && Object.values(value).some(below => has(below, rest))
  return isObject(value) && Object.hasOwn(value, step) && has(value[step], rest)
}

const fields = inlined(schema as Schema)

/** A platform with what only some platforms have. */
const RICH = stringify({
  apiVersion: inputSchema.properties.apiVersion.const,
  kind: inputSchema.properties.kind.const,
  natsServers: { main: { url: 'nats://nats.central.svc:4222', monitoringEndpoint: 'nats.central.svc:8222' } },
  priorities: { high: 'high-priority' },
  features: { identity: 'GCP' },
})

/** The shortest example with the field added, if that is valid on its platform. */
function madeFor([, ...steps]: readonly string[]): string | undefined {
  for (const { value, platform } of [...examples, ...fixtures, ...examples.slice(0, 1).map(first => ({ ...first, platform: RICH }))]) {
    if (!isObject(value) || !isObject(value.spec)) continue
    const spec = put(value.spec, steps, fields.properties?.spec)
    const made = [
      { ...value, spec },
      { ...value, spec: without(spec, 'url', 'monitoringEndpoint') },
    ]
    const fits = made.find(claim => validateClaim(claim as Json, platformOf(platform)).findings.length === 0)
    if (fits !== undefined) return `${linkToClaim(stringify(fits))}${platform === undefined ? '' : `&platform=${packed(platform)}`}`
  }
  return undefined
}

const platformOf = (input: string | undefined) => readPlatform(input ?? '').platform ?? builtInPlatform

/** A named server of NATS takes the place of these fields. */
function without(spec: Json, ...names: readonly string[]): Json {
  if (!isObject(spec) || !isObject(spec.nats)) return spec
  return { ...spec, nats: Object.fromEntries(Object.entries(spec.nats).filter(([name]) => !names.includes(name))) }
}

function put(value: Json | undefined, [step, ...rest]: readonly string[], schema: Schema | undefined): Json {
  if (step === undefined) return filled(schema)
  if (step === '[]') {
    const [first, ...others] = Array.isArray(value) ? (value as Json[]) : []
    return [put(first, rest, schema?.items), ...others]
  }
  const below = schema?.properties?.[step]
  const own = isObject(value) ? value : Object.fromEntries((schema?.required ?? []).map(name => [name, filled(schema?.properties?.[name])]))
  // The example of a list shows more than that of an item.
  if (rest.length === 1 && rest[0] === '[]' && below?.examples !== undefined) return { ...own, [step]: filled(below) }
  return { ...own, [step]: put(own[step], rest, below) }
}

/** The example of the schema, or the least that it allows. */
function filled({ type, examples: said, enum: words, default: standard, minimum, properties, required = [], items }: Schema = {}): Json {
  if (said?.[0] !== undefined) return said[0]
  if (words?.[0] !== undefined) return words[0]
  if (standard !== undefined) return standard
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return minimum ?? 1
  if (type === 'array') return [filled(items)]
  if (type === 'object') {
    const names = required.length > 0 ? required : Object.keys(properties ?? {}).slice(0, 1)
    return Object.fromEntries(names.map(name => [name, filled(properties?.[name])]))
  }
  return 'value'
}
