// A variable may refer to those before it. In a claim plain values stand before those out of secrets.
import { at, type Json, textOf } from '../kubernetes/json.ts'

export interface BrokenReference {
  readonly name: string
  /** Where it stood. */
  readonly index: number
  readonly value: Json
  readonly problem: string
}

/** The variables that would no longer find what they refer to. */
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
    return [{ name, index, value, problem: `it will stand before ${lost}, and only what stands before can be referred to` }]
  })
}

const variableName = (variable: Json) => textOf(at(variable, 'name'))

/** https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
const referencesOf = (value: Json | undefined): string[] =>
  typeof value === 'string' ? [...value.replaceAll('$$', '').matchAll(/\$\(([^$)]+)\)/g)].map(([, name = '']) => name) : []
