// What the platform forbids to every claim.
import claimSchema from '../../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import { crossplaneFields } from '../claim/crossplane-fields.ts'
import { milliseconds } from '../claim/duration.ts'
import type { Finding, Path } from '../claim/findings.ts'
import type { Runtime } from '../claim/generated/types.ts'
import { child, inlined, type Schema } from '../claim/schema.ts'
import { at, type Json, type JsonObject } from '../kubernetes/json.ts'
import { didYouMean } from '../text/did-you-mean.ts'

export interface Policy {
  readonly maxReplicas?: number
  readonly maxGracePeriod: string
  readonly registries?: readonly string[]
  readonly digest?: 'Required'
  readonly forbid?: readonly string[]
  readonly require?: readonly string[]
  readonly propagateLabels?: readonly string[]
}

/** Every policy that the spec of a claim breaks. The spec has the defaults of the schema, but may be invalid otherwise. */
export const checkPolicy = (spec: Json | undefined, policy: Policy): Finding[] => [
  ...tooManyReplicas(spec, policy),
  ...tooLong(spec, policy),
  ...['image', 'mesh.canary.image'].flatMap(field => wrongImage(spec, field, policy)),
  // A build yields a digest.
  ...wrongImage(spec, 'build.output.image', policy.registries ? { registries: policy.registries } : {}),
  ...(policy.forbid ?? []).flatMap(field => (isSet(spec, field) ? broken(field, 'must not be set') : [])),
  ...(policy.require ?? []).flatMap(field =>
    at(spec, ...field.split('.')) === undefined && canHave(spec, field) ? broken(field, 'must be set') : [],
  ),
]

/** Fields of one runtime. */
const ofRuntime: Readonly<Partial<Record<string, Runtime>>> = {
  knative: 'Knative',
  processing: 'Deployment',
  priority: 'Deployment',
  updates: 'Deployment',
  'mesh.hosts': 'Deployment',
  'mesh.timeout': 'Deployment',
  'mesh.retries': 'Deployment',
  'mesh.cors': 'Deployment',
  'mesh.canary': 'Deployment',
  'mesh.circuitBreaker': 'Deployment',
  'mesh.callers': 'Deployment',
  'mesh.rateLimit': 'Deployment',
  'observability.metrics.port': 'Deployment',
}

function canHave(spec: Json | undefined, field: string): boolean {
  const steps = field.split('.')
  const runtime = steps.map((_, index) => ofRuntime[steps.slice(0, index + 1).join('.')]).find(one => one !== undefined)
  return runtime === undefined || runtime === at(spec, 'runtime')
}

const broken = (field: string, problem: string, found?: Json): Finding[] => [
  { code: 'POLICY', path: ['spec', ...field.split('.')], problem: `${problem} on this platform`, ...(found !== undefined && { found }) },
]

const counts = [
  'scaling.minReplicas',
  'scaling.maxReplicas',
  'knative.autoscaling.minScale',
  'knative.autoscaling.maxScale',
  'knative.autoscaling.initialScale',
  'knative.autoscaling.activationScale',
  'mesh.canary.replicas',
]

function tooManyReplicas(spec: Json | undefined, { maxReplicas }: Policy): Finding[] {
  if (maxReplicas === undefined) return []
  return counts.flatMap(field => {
    const count = at(spec, ...field.split('.'))
    if (count === 0 && field.endsWith('.maxScale')) return broken(field, `must be from 1 to ${maxReplicas}`, count)
    return typeof count === 'number' && count > maxReplicas ? broken(field, `must be at most ${maxReplicas}`, count) : []
  })
}

function tooLong(spec: Json | undefined, { maxGracePeriod }: Policy): Finding[] {
  const duration = at(spec, 'processing', 'maxDuration')
  const isLonger = typeof duration === 'string' && milliseconds(duration) > milliseconds(maxGracePeriod)
  return isLonger ? broken('processing.maxDuration', `must be at most ${maxGracePeriod}`, duration) : []
}

function wrongImage(spec: Json | undefined, field: string, { registries, digest }: Pick<Policy, 'registries' | 'digest'>): Finding[] {
  const image = at(spec, ...field.split('.'))
  if (typeof image !== 'string') return []
  const from = `${repositoryOf(image)}/`
  return [
    ...(registries === undefined || registries.some(registry => from.startsWith(`${registry}/`))
      ? []
      : broken(field, `must come from one of [${registries.join(', ')}]`, image)),
    ...(digest === undefined || image.includes('@') ? [] : broken(field, 'must have a digest', image)),
  ]
}

const DOCKER_HUB = 'docker.io'

/** With its registry, and with the path that Docker Hub adds: https://github.com/distribution/reference */
function repositoryOf(image: string): string {
  const [named = ''] = image.split('@')
  const parts = named.split('/')
  const [first = ''] = parts
  const namesHost = parts.length > 1 && /[.:]|^localhost$/.test(first)
  const [host, path] = namesHost ? [first.replace(/^index\.docker\.io$/, DOCKER_HUB), parts.slice(1)] : [DOCKER_HUB, parts]
  const [name = ''] = path.at(-1)?.split(':') ?? []
  const library = host === DOCKER_HUB && path.length === 1 ? ['library'] : []
  return [host, ...library, ...path.slice(0, -1), name].join('/')
}

let schemaOfSpec: Schema | undefined
/** Read on the first use, because most platforms neither forbid nor require a field. */
const specSchema = (): Schema => (schemaOfSpec ??= readSpecSchema())

/** Without Crossplane's own fields, which never reach the function. */
function readSpecSchema(): Schema {
  const spec = inlined(claimSchema as Schema).properties?.spec ?? {}
  const own = Object.entries(spec.properties ?? {}).filter(([name]) => !Object.hasOwn(crossplaneFields, name))
  return { ...spec, properties: Object.fromEntries(own) }
}

/** A value that the schema fills in counts as not set. */
function isSet(value: Json | undefined, field: string): boolean {
  const path = field.split('.')
  const found = at(value, ...path)
  if (found === undefined || found === null) return false
  const schema = path.reduce<Schema | undefined>((above, step) => above && child(above, step), specSchema())
  return schema?.default === undefined || schema['x-platform-default'] === true || found !== schema.default
}

/** A policy that names fields which the API does not have, or that no claim can meet. */
export const wrongPolicy = (policy: Policy): Finding[] => [
  ...(['forbid', 'require'] as const).flatMap(list =>
    (policy[list] ?? []).flatMap((field, index) => unknownField(field, ['policy', list, index])),
  ),
  ...(policy.forbid ?? []).flatMap((field, index): Finding[] => {
    const required = [...(specSchema().required ?? []), ...(policy.require ?? [])].find(one => `${one}.`.startsWith(`${field}.`))
    if (required === undefined) return []
    return [
      { code: 'CONFLICT', path: ['policy', 'forbid', index], problem: `must not be required: every claim needs ${required}`, found: field },
    ]
  }),
]

function unknownField(field: string, path: Path): Finding[] {
  const steps = field.split('.')
  let { properties = {} } = specSchema()
  for (const [index, step] of steps.entries()) {
    const schema = Object.hasOwn(properties, step) ? properties[step] : undefined
    if (schema === undefined) {
      const near = didYouMean(step, Object.keys(properties))
      const meant = index === 0 && step === 'spec' ? steps.slice(1) : near === undefined ? [] : steps.with(index, near)
      const problem = 'must be a field of a claim below spec'
      return [{ code: 'NOT_ALLOWED', path, problem, found: field, ...(meant.length > 0 && { meant: meant.join('.') }) }]
    }
    properties = schema.properties ?? {}
  }
  return []
}

/** The labels of Crossplane and Knative, and those that the function sets itself. */
const OTHERS =
  /^(?:(?:[a-z]+\.)*(?:crossplane\.io|knative\.dev|istio\.io)|azure\.workload\.identity)\/|^app\.kubernetes\.io\/(?:name|component|managed-by|version)$/

/** The labels of a claim that its objects get too. */
export function propagatedLabels(labels: JsonObject, { propagateLabels = [] }: Policy): Readonly<Record<string, string>> {
  if (propagateLabels.length === 0) return {}
  const isWanted = (name: string) =>
    propagateLabels.some(wanted => (wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted))
  return Object.fromEntries(
    Object.entries(labels)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && isWanted(entry[0]) && !OTHERS.test(entry[0]))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}
