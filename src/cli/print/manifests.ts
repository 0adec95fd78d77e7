import { DUMP_SCHEMA, defineScalarTag, dump, NOT_RESOLVED } from 'js-yaml'
import type { Json, JsonObject } from '../../kubernetes/json.ts'
import { plainScalar } from '../yaml/plain-scalar.ts'

/** Quotes strings that kubectl's YAML parser, or any other, would read as another type, such as 5e800. */
const misread = defineScalarTag('tag:yaml.org,2002:misread', {
  implicit: true,
  resolve: text => (plainScalar(text) === text && Number.isNaN(Number(text)) ? NOT_RESOLVED : text),
  identify: () => false,
})
const schema = DUMP_SCHEMA.withTags(misread)

export const toYaml = (value: Json): string => dump(value, { schema, noRefs: true, lineWidth: -1, quoteStyle: 'double' })

/** One YAML stream, with the keys in the order in which they were built. */
export const printYaml = (manifests: readonly JsonObject[]): string => manifests.map(toYaml).join('---\n')

/** A List, the format that kubectl prints and accepts. */
export const printJson = (manifests: readonly JsonObject[]): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2)}\n`
