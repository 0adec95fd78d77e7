// A variable may refer to those before it. In a claim plain values stand before those out of secrets.
import { at, items, type Json, textOf } from '../json.ts'
import type { Pair } from './compare.ts'
import type { Row } from './row.ts'
import { mainOf } from './workload.ts'

/** The variables that would no longer find what they refer to. */
export function brokenReferences({ given, made }: Pair): Row[] {
  if (given === undefined || made === undefined) return []
  const path = `spec.template.spec.containers[${mainOf(given)}].env`
  const env = (deployment: Json, container: number) => items(at(deployment, 'spec', 'template', 'spec', 'containers', container, 'env'))
  const before = env(given, mainOf(given)).map(nameOf)
  const after = env(made, 0)
  const names = after.map(nameOf)
  return after.flatMap((variable, index): Row[] => {
    const value = at(variable, 'value')
    const lost = referencesOf(value).find(
      name => before.indexOf(name) >= 0 && before.indexOf(name) < before.indexOf(nameOf(variable)) && names.indexOf(name) > index,
    )
    if (lost === undefined || value === undefined) return []
    const because = `it will stand before ${lost}, and only what stands before can be referred to`
    return [
      {
        object: `Deployment ${textOf(at(given, 'metadata', 'name'))}`,
        path: `${path}.${nameOf(variable)}`,
        verdict: 'different',
        was: value,
        is: value,
        because,
      },
    ]
  })
}

const nameOf = (variable: Json) => textOf(at(variable, 'name'))

/** https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
const referencesOf = (value: Json | undefined): string[] =>
  typeof value === 'string' ? [...value.replaceAll('$$', '').matchAll(/\$\(([^$)]+)\)/g)].map(([, name = '']) => name) : []
