// A variable may refer to earlier ones, and replaces an earlier one of its name. A claim renders plain values, then ConfigMaps, then
// Secrets.
import { at, type Json, textOf } from '../kubernetes/json.ts'

export interface BrokenReference {
  readonly name: string
  /** Its index in the given list. */
  readonly index: number
  readonly value: Json
  readonly problem: string
}

/** The variables whose references would no longer resolve. */
export function brokenReferences(given: readonly Json[], made: readonly Json[]): BrokenReference[] {
  const before = given.map(variableName)
  const after = made.map(variableName)
  return made.flatMap((variable, position): BrokenReference[] => {
    const name = variableName(variable)
    const value = at(variable, 'value')
    const index = before.indexOf(name)
    const lost = referencesOf(value).find(
      other => before.indexOf(other) >= 0 && before.indexOf(other) < index && after.indexOf(other) > position,
    )
    if (lost === undefined || value === undefined) return []
    return [{ name, index, value, problem: `it will come before ${lost}, and a variable can only refer to earlier ones` }]
  })
}

const variableName = (variable: Json) => textOf(at(variable, 'name'))

/** https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
const referencesOf = (value: Json | undefined): string[] =>
  typeof value === 'string' ? [...value.replaceAll('$$', '').matchAll(/\$\(([^$)]+)\)/g)].map(([, name = '']) => name) : []

/** The ConfigMaps whose variables no longer replace those of a Secret. */
export const movedSources = (given: readonly Json[]): BrokenReference[] =>
  given.flatMap((value, index): BrokenReference[] => {
    const name = at(value, 'configMapRef', 'name')
    const secret = given.slice(0, index).find(source => at(source, 'secretRef') !== undefined)
    if (name === undefined || secret === undefined) return []
    const problem = `it will come before Secret ${textOf(at(secret, 'secretRef', 'name'))}, and the later of two variables of a name wins`
    return [{ name: textOf(name), index, value, problem }]
  })
