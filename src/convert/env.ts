import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
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

/** Plain variables, without those that the platform sets for this service. */
export const plainVariables = (env: readonly Json[], service: string): JsonObject[] =>
  env
    .filter(variable => at(variable, 'valueFrom') === undefined && !RESERVED.includes(nameOf(variable)))
    .map(variable => ({ name: at(variable, 'name') ?? '', value: at(variable, 'value') ?? '' }))
    .filter(({ name, value }) => name !== 'OTEL_SERVICE_NAME' || value !== service)

/** Single keys of secrets, then whole secrets. Adjacent keys of one secret share an entry, so that the order is kept. */
export function secretRefs(env: readonly Json[], envFrom: readonly Json[]): JsonObject[] {
  const refs: { name: Json; env: JsonObject[] }[] = []
  for (const variable of env) {
    const from = at(variable, 'valueFrom', 'secretKeyRef')
    if (!isObject(from) || RESERVED.includes(nameOf(variable))) continue
    const key = { secretKey: from.key ?? '', envName: at(variable, 'name') ?? '' }
    const last = refs.at(-1)
    if (last !== undefined && last.name === from.name) last.env.push(key)
    else refs.push({ name: from.name ?? '', env: [key] })
  }
  const whole = envFrom
    .filter(source => at(source, 'secretRef') !== undefined)
    .map(source => definedFields({ name: at(source, 'secretRef', 'name'), envFrom: true, prefix: at(source, 'prefix') }))
  return [...refs, ...whole]
}
