import { env as platformVariables, resourceAttributes } from '../capabilities/workload/env.ts'
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { definedFields } from './fields.ts'

/** The variables by which the platform passes spec.nats. */
export const natsVariables = { url: 'NATS_URL', stream: 'NATS_STREAM_NAME', consumer: 'NATS_CONSUMER_GROUP' } as const

/** The platform sets these itself, so no claim may name them. */
const RESERVED: readonly string[] = [...Object.values(natsVariables), 'PORT']

const nameOf = (variable: Json) => textOf(at(variable, 'name'))

export const variableValue = (env: readonly Json[], name: string): Json | undefined =>
  at(
    env.find(variable => nameOf(variable) === name),
    'value',
  )

/** The environment that the platform's own variable names; undefined if the variable is the author's. */
export function environmentOf(
  env: readonly Json[],
  claim: Pick<ResolvedClaim, 'namespace' | 'image'>,
  { environments }: Platform,
): string | undefined {
  const attributes = variableValue(env, 'OTEL_RESOURCE_ATTRIBUTES')
  return Object.keys(environments).find(environment => attributes === resourceAttributes({ ...claim, environment }))
}

/** Plain variables, without those that the platform sets for this claim. */
export function plainVariables(env: readonly Json[], claim: ResolvedClaim): JsonObject[] {
  const own = platformVariables({ ...claim, variables: [] })
  return env
    .filter(variable => at(variable, 'valueFrom') === undefined && !RESERVED.includes(nameOf(variable)))
    .map(variable => ({ name: at(variable, 'name') ?? '', value: at(variable, 'value') ?? '' }))
    .filter(({ name, value }) => !own.some(variable => variable.name === name && variable.value === value))
}

const references = {
  secretRefs: { key: 'secretKeyRef', whole: 'secretRef' },
  configRefs: { key: 'configMapKeyRef', whole: 'configMapRef' },
} as const

/** Single keys of Secrets or ConfigMaps, then whole ones. Adjacent keys of one object share an entry, so that the order is kept. */
export function refsOf(field: keyof typeof references, env: readonly Json[], envFrom: readonly Json[]): JsonObject[] {
  const { key, whole } = references[field]
  const refs: { name: Json; env: JsonObject[]; optional?: true }[] = []
  for (const variable of env) {
    const from = at(variable, 'valueFrom', key)
    if (!isObject(from) || RESERVED.includes(nameOf(variable))) continue
    const entry = { key: from.key ?? '', name: at(variable, 'name') ?? '' }
    const optional = from.optional === true
    const last = refs.at(-1)
    if (last !== undefined && last.name === from.name && (last.optional ?? false) === optional) last.env.push(entry)
    else refs.push({ name: from.name ?? '', env: [entry], ...(optional && { optional }) })
  }
  const bulk = envFrom.flatMap(source => {
    const from = at(source, whole)
    const optional = at(from, 'optional') === true ? true : undefined
    return from === undefined ? [] : [definedFields({ name: at(from, 'name'), envFrom: true, prefix: at(source, 'prefix'), optional })]
  })
  return [...refs, ...bulk]
}
