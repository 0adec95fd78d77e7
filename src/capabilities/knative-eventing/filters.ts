// The filters of a Trigger. They nest, which a Kubernetes schema can't express, so code checks them.

import { type Finding, formatPath, type Path } from '../../claim/findings.ts'
import { isObject, type Json } from '../../kubernetes/json.ts'
import { cesqlProblem } from './cesql.ts'

const dialects = ['exact', 'prefix', 'suffix', 'cesql', 'all', 'any', 'not'] as const
type Dialect = (typeof dialects)[number]

const DEEPEST = 10
/** The schema's limit for a filter at the top level. */
const LONGEST_EXPRESSION = 4096

/** Finds everything in a list of filters that Knative would reject. */
export const checkFilters = (filters: readonly unknown[], path: Path, depth = 0): Finding[] =>
  filters.flatMap((filter, index) => checkFilter(filter, [...path, index], depth))

function checkFilter(filter: unknown, path: Path, depth: number): Finding[] {
  if (!isObject(filter)) return [{ code: 'WRONG_TYPE', path, problem: 'must be an object', found: filter }]
  if (depth > DEEPEST) return [{ code: 'OUT_OF_RANGE', path, problem: `must not be nested deeper than ${DEEPEST} filters` }]
  const names = Object.keys(filter)
  const unknown = names.filter(name => !isDialect(name))
  if (unknown.length > 0)
    return unknown.map(name => ({
      code: 'UNKNOWN_FIELD',
      path: [...path, name],
      problem: `unknown field, must be one of [${dialects.join(', ')}]`,
    }))
  const [dialect, second] = names.filter(isDialect)
  if (dialect === undefined) return [{ code: 'REQUIRED', path, problem: `must have one of [${dialects.join(', ')}]` }]
  if (second !== undefined)
    return [
      {
        code: 'CONFLICT',
        path: [...path, second],
        problem: `must be in its own filter: ${formatPath([...path, dialect])} is in the same filter`,
      },
    ]
  return checkDialect(dialect, filter[dialect], [...path, dialect], depth)
}

const isDialect = (name: string): name is Dialect => (dialects as readonly string[]).includes(name)

function checkDialect(dialect: Dialect, value: Json | undefined, path: Path, depth: number): Finding[] {
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return checkAttributes(value, path)
    case 'cesql': {
      if (typeof value !== 'string') return [{ code: 'WRONG_TYPE', path, problem: 'must be a string', found: value }]
      if (value.length > LONGEST_EXPRESSION)
        return [{ code: 'OUT_OF_RANGE', path, problem: `must have at most ${LONGEST_EXPRESSION} characters`, found: value.length }]
      const problem = cesqlProblem(value)
      return problem === undefined
        ? []
        : [{ code: 'BAD_FORMAT', path, problem: `must be a valid CloudEvents SQL expression: ${problem}`, found: value }]
    }
    case 'all':
    case 'any':
      if (!Array.isArray(value)) return [{ code: 'WRONG_TYPE', path, problem: 'must be a list', found: value }]
      if (value.length === 0) return [{ code: 'OUT_OF_RANGE', path, problem: 'must have at least 1 item', found: 0 }]
      return checkFilters(value, path, depth + 1)
    case 'not':
      return checkFilter(value, path, depth + 1)
    default:
      return dialect satisfies never
  }
}

function checkAttributes(value: Json | undefined, path: Path): Finding[] {
  if (!isObject(value)) return [{ code: 'WRONG_TYPE', path, problem: 'must be an object', found: value }]
  if (Object.keys(value).length === 0) return [{ code: 'OUT_OF_RANGE', path, problem: 'must have at least 1 field', found: 0 }]
  return Object.entries(value).flatMap(([name, wanted]): Finding[] => {
    const here = [...path, name]
    if (!/^[a-z][a-z0-9]*$/.test(name))
      return [
        {
          code: 'BAD_FORMAT',
          path: here,
          problem: 'must be the name of a CloudEvents attribute: lower-case letters and digits, starting with a letter',
        },
      ]
    return typeof wanted === 'string' ? [] : [{ code: 'WRONG_TYPE', path: here, problem: 'must be a string', found: wanted }]
  })
}
