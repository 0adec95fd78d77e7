// The fields that the generators of an ApplicationSet give, and those that its templates use.
import type { Path } from '../claim/findings.ts'
import { at, isObject, items, type Json, nonEmptyText } from '../kubernetes/json.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { listOf } from './routes.ts'
import { eachOf, type Report } from './rule.ts'

export const APPLICATION_SET = 'argoproj.io/ApplicationSet'

interface Field {
  /** `cluster`, and `values.tier` for the additional values of a generator. */
  readonly name: string
  readonly path: Path
}

interface Given {
  readonly fields: readonly Field[]
  /** Whether `fields` are all, so that a template cannot use others. */
  readonly isAll: boolean
}

/** The fields of all generators together: a matrix or a merge joins them, and several generators share the template. */
function givenBy(owner: Json | undefined, path: Path): Given {
  const parts = listOf(owner, 'generators').map(([generator, place]): Given => {
    const here = [...path, ...place]
    const joined = ['matrix', 'merge'].find(kind => isObject(at(generator, kind)))
    if (joined !== undefined) return givenBy(at(generator, joined), [...here, joined])
    const elements = listOf(at(generator, 'list'), 'elements').flatMap(([element, of]) => fieldsOf(element, [...here, 'list', ...of]))
    const kind = isObject(generator) ? Object.keys(generator).find(key => key !== 'selector') : undefined
    const values = kind === undefined ? [] : fieldsOf(at(generator, kind, 'values'), [...here, kind, 'values'], 'values.')
    return { fields: [...elements, ...values], isAll: kind === 'list' && at(generator, 'list', 'elementsYaml') === undefined }
  })
  return { fields: parts.flatMap(({ fields }) => fields), isAll: parts.length > 0 && parts.every(({ isAll }) => isAll) }
}

const fieldsOf = (value: Json | undefined, path: Path, prefix = ''): Field[] =>
  isObject(value) ? Object.keys(value).map(key => ({ name: `${prefix}${key}`, path: [...path, key] })) : []

interface Use extends Field {
  /** Whether the field is of the generators for sure, and not of a value that the template walks through. */
  readonly isCertain: boolean
}

/** `.` or `$` alone, which may be any field: `index . "a"`, `toJson .`, `range $key, $value := .` */
const EVERYTHING = '.'

/** The fields that the texts of a value use, with the place of each text. */
function usesIn(value: Json | undefined, path: Path, isGo: boolean): Use[] {
  if (typeof value === 'string') return usesOf(value, isGo).map(use => ({ ...use, path }))
  if (Array.isArray(value)) return value.flatMap((entry, index) => usesIn(entry, [...path, index], isGo))
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => [
    ...usesOf(key, isGo).map(use => ({ ...use, path: [...path, key] })),
    ...usesIn(entry, [...path, key], isGo),
  ])
}

function usesOf(text: string, isGo: boolean): Omit<Use, 'path'>[] {
  // A raw string holds the template of another program, and `/*` outside of a comment is a pattern. Without their ends, strings and
  // comments last to the end of the text.
  const actions = [...text.replace(/`[^`]*(?:`|$)|(?<=\{\{(?:- )?)\/\*.*?(?:\*\/|$)/gs, '').matchAll(/\{\{([^{}]*)\}\}/g)].map(
    ([, action = '']) => action,
  )
  if (!isGo) return actions.map(action => ({ name: action.trim().replace(/\[.*/, ''), isCertain: true }))
  // Inside of these, a field may belong to something else than the generators.
  const isCertain = !actions.some(action => /\b(?:range|with|define|template)\b/.test(action))
  return actions
    .map(action => action.replace(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gs, '""'))
    .flatMap(action => [...action.matchAll(/(?<![\w.)])(?:\$?\.([A-Za-z_]\w*(?:\.\w+)*)|\$?\.(?![\w.])|\$(?![\w.]))/g)])
    .map(([, name = EVERYTHING]) => ({ name, isCertain }))
}

/** Whether one of two fields is the other, or contains it. */
const overlap = (one: string, other: string) => one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`)

const isGo = (value: Json) => at(value, 'spec', 'goTemplate') === true

export const unusedField = eachOf([APPLICATION_SET], object => {
  const { value } = object
  const uses = usesIn(at(value, 'spec'), ['spec'], isGo(value)).map(({ name }) => name)
  if (uses.includes(EVERYTHING)) return []
  const read = readIn(at(value, 'spec', 'generators'))
  const unused = givenBy(at(value, 'spec'), ['spec']).fields.filter(
    ({ name }) => !uses.some(use => overlap(use, name)) && !read.includes(name),
  )
  const first = new Map([...unused].reverse().map(field => [field.name, field]))
  return [...first.values()]
    .reverse()
    .map(
      ({ name, path }): Report => ({ object, path, problem: `no template of the ApplicationSet uses ${name}, so that it changes nothing` }),
    )
})

/** Selectors and the keys of a merge, which read fields without a template. */
function readIn(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value.flatMap(readIn)
  if (!isObject(value)) return []
  const { matchLabels, matchExpressions, mergeKeys, ...others } = value
  const labels = isObject(matchLabels) ? Object.keys(matchLabels) : []
  const keys = items(matchExpressions).flatMap(expression => at(expression, 'key') ?? [])
  return [...labels, ...keys, ...items(mergeKeys), ...Object.values(others).flatMap(readIn)]
}

export const unknownField = eachOf([APPLICATION_SET], object => {
  const { value } = object
  const { fields, isAll } = givenBy(at(value, 'spec'), ['spec'])
  if (!isAll) return []
  const names = [...new Set(fields.map(({ name }) => name))]
  return ['template', 'templatePatch']
    .flatMap(part => usesIn(at(value, 'spec', part), ['spec', part], isGo(value)))
    .filter(({ name, isCertain }) => isCertain && name !== EVERYTHING && !names.some(given => overlap(given, name)))
    .map(({ name, path }): Report => {
      const problem = `no generator gives the field ${name}: they give ${names.join(', ') || 'none'}`
      return { object, path, problem, meant: didYouMean(name, names) }
    })
})

/** A template of one place and one source makes Applications that all deploy the same. */
export const sameForAll = eachOf([APPLICATION_SET], object => {
  const { value } = object
  const spec = at(value, 'spec', 'template', 'spec')
  const lists = listOf(at(value, 'spec'), 'generators')
  const isOne = lists.length === 1 && listOf(at(lists[0]?.[0], 'list'), 'elements').length === 1
  const hasPatch = nonEmptyText(at(value, 'spec', 'templatePatch')) !== undefined
  const hasOwn = JSON.stringify(lists).includes('"template":')
  if (lists.length === 0 || isOne || hasPatch || hasOwn || !isObject(spec) || JSON.stringify(spec).includes('{{')) return []
  const problem = 'must use a field of the generators: all Applications of the set deploy the same files to the same place'
  return [{ object, path: ['spec', 'template', 'spec'], problem }]
})
