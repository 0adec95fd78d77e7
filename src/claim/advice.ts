// Warnings: fields that are valid but should change.
import { at, type Json, textOf } from '../kubernetes/json.ts'
import type { Finding, Path } from './findings.ts'
import { inlined, type Schema } from './schema.ts'

/** Finds deprecated fields, fields without effect, and an unpinned image. Accepts any document, valid or not. */
export function compileAdvice(published: Schema): (document: Json) => Finding[] {
  const deprecated = deprecatedFields(inlined(published), [])
  const isSet = (document: Json, path: Path) => (at(document, ...path) ?? null) !== null
  return document => {
    const outdated = [...deprecated, ...fieldsWithoutEffect(at(document, 'spec'))].filter(({ path }) => isSet(document, path))
    return [...outdated, ...unpinned(document)]
  }
}

/** Fields that have no effect because of other fields, whether or not they are set. */
function fieldsWithoutEffect(spec: Json | undefined): Finding[] {
  const noEffect = (field: string, why: string): Finding => ({ code: 'NO_EFFECT', path: ['spec', field], problem: `has no effect ${why}` })
  if (at(spec, 'runtime') === 'Knative')
    return [noEffect('scaling', 'with runtime Knative: see knative.autoscaling'), noEffect('sessionAffinity', 'with runtime Knative')]
  return (at(spec, 'httpPort') ?? null) === null ? [noEffect('sessionAffinity', 'without httpPort')] : []
}

/** The description of a deprecated field names its replacement. */
function deprecatedFields({ properties = {} }: Schema, above: Path): Finding[] {
  return Object.entries(properties).flatMap(([name, schema]): Finding[] => {
    const path = [...above, name]
    return schema.deprecated === true ? [{ code: 'DEPRECATED', path, problem: deprecation(schema) }] : deprecatedFields(schema, path)
  })
}

function deprecation({ description = 'deprecated' }: Schema): string {
  // The schema can be a user's own.
  const text = textOf(description)
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
}

function unpinned(document: Json): Finding[] {
  const path = ['spec', 'image']
  const image = at(document, ...path)
  if (typeof image !== 'string' || image === '' || isPinned(image)) return []
  return [{ code: 'UNPINNED_IMAGE', path, problem: "must be pinned: use a tag other than 'latest', or a digest", found: image }]
}

const isPinned = (image: string) => image.includes('@') || /:(?!latest$)[^:/]+$/.test(image)
