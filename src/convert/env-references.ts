// A variable may refer to earlier ones. A claim renders plain values before values from secrets.
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
