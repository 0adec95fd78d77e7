// The values of a claim's fields that the platform can name itself.
import { at, isObject, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { environments, sizes } from './defaults.ts'
import type { Platform } from './platform.ts'

export type Names = Readonly<Partial<Record<'size' | 'environment' | 'priority', readonly string[]>>>

/** The fields for which the platform has other names than the API; empty for most platforms. */
export function ownNames({ sizes: ownSizes, environments: ownEnvironments, priorities }: Platform): Names {
  const hasMore = (own: object, builtIn: object) => Object.keys(own).some(name => !Object.hasOwn(builtIn, name))
  return {
    ...(hasMore(ownSizes, sizes) && { size: Object.keys(ownSizes) }),
    ...(hasMore(ownEnvironments, environments) && { environment: Object.keys(ownEnvironments) }),
    ...(Object.keys(priorities).length > 0 && { priority: Object.keys(priorities) }),
  }
}

/** The published schema of a claim, of any version, whose enumerations have these names. */
export function withNames(schema: JsonObject, names: Names): JsonObject {
  const spec = at(schema, 'properties', 'spec', 'properties')
  const enumerated = Object.entries(names).filter(([field]) => at(spec, field, 'enum') !== undefined)
  if (enumerated.length === 0) return schema
  const named = enumerated.map(([field, values]): [string, Json] => [
    field,
    { ...(at(spec, field) as JsonObject), enum: values, ...examples(at(spec, field), values) },
  ])
  return withAt(schema, ['properties', 'spec', 'properties'], { ...(isObject(spec) ? spec : {}), ...Object.fromEntries(named) })
}

/** An example must stay valid. */
const examples = (field: Json | undefined, values: readonly string[]): JsonObject =>
  values.includes(textOf(at(field, 'examples', 0))) ? {} : { examples: values.slice(0, 1) }

function withAt(object: JsonObject, [step = '', ...rest]: readonly string[], value: Json): JsonObject {
  const below = object[step]
  return { ...object, [step]: rest.length === 0 ? value : withAt(isObject(below) ? below : {}, rest, value) }
}
