// Holds package/gitops to the API, the packages and the examples. Argo CD's own engine runs its scripts in npm run test:health, and
// Argo CD its Applications in npm run test:gitops.
import { readdirSync, readFileSync } from 'node:fs'
import { type CelInput, celEnv, isCelError, parse as parseCel, plan } from '@bufbuild/cel'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { at, isObject, items, type JsonObject, textOf } from '../../src/kubernetes/json.ts'
import { healthScripts } from '../e2e/gitops/scripts.ts'
import { root } from '../fixtures/claim-files.ts'
import { claimStates } from '../fixtures/claim-states.ts'

const documents = (file: string): JsonObject[] =>
  parseAllDocuments(readFileSync(`${root}package/gitops/${file}`, 'utf8'))
    .map(document => document.toJS() as unknown)
    .filter(isObject)

/** What Flux evaluates, in its order; an expression that fails means that it looks again. */
const order = { inProgress: 'InProgress', failed: 'Failed', current: 'Current' } as const
const [checks] = items(at(documents('flux/shared.yaml')[0], 'spec', 'healthCheckExprs'))
const environment = celEnv({})
const expressions = Object.entries(order).map(([name, status]) => ({
  status,
  evaluate: plan(environment, parseCel(textOf(at(checks, name)))),
}))

function statusInFlux(object: JsonObject): string {
  for (const { status, evaluate } of expressions) {
    const result = evaluate(object as Record<string, CelInput>)
    if (isCelError(result)) return 'InProgress'
    if (result === true) return status
  }
  return 'InProgress'
}

const fluxOf = { Healthy: 'Current', Progressing: 'InProgress', Degraded: 'Failed', Suspended: 'InProgress' } as const

describe('Flux sees what Argo CD sees', () => {
  test.each(claimStates)('$says: $health', ({ objects, health }) => {
    expect(objects.map(statusInFlux)).toEqual(objects.map(() => fluxOf[health]))
  })
})

const script = healthScripts()['platform.bizmatters.io/EventDrivenService'] ?? ''
const passing = [...(/local passing = \{([^}]*)\}/.exec(script)?.[1]?.matchAll(/(\w+) = true/g) ?? [])].map(([, reason]) => reason)

describe('reasons that pass', () => {
  const answers = claimStates.flatMap(({ conditions = [] }) => conditions).filter(({ ready }) => !ready)

  test('are those that the function calls transient', () => {
    const transient = new Set(answers.filter(({ transient }) => transient !== undefined).map(({ reason }) => reason))
    expect([...transient].filter(reason => !passing.includes(reason))).toEqual([])
  })

  test('are none of those that the function reports as a problem', () => {
    const problems = new Set(answers.filter(({ transient }) => transient === undefined).map(({ reason }) => reason))
    expect([...problems].filter(reason => passing.includes(reason))).toEqual([])
  })

  test('are all that src/ calls transient', () => {
    const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
      .filter(file => /^(capabilities|reconcile)\/.*\.ts$/.test(file))
      .map(file => readFileSync(`${root}src/${file}`, 'utf8'))
    const named = sources.flatMap(text => [...text.matchAll(/\b(?:inProgress|starting)\(\s*'(\w+)'/g)].map(([, reason]) => reason))
    expect(named.length).toBeGreaterThan(8)
    expect([...new Set(named)].filter(reason => !passing.includes(reason))).toEqual([])
  })

  test('are the same for Flux', () => {
    const [, list = ''] = /!\(c\.reason in \[([^\]]*)\]/.exec(textOf(at(checks, 'failed'))) ?? []
    expect([...list.matchAll(/'(\w+)'/g)].map(([, reason]) => reason).sort()).toEqual([...passing].sort())
  })
})

test('installs the package of docs/install.md', () => {
  const [configuration] = documents('platform/configuration.yaml')
  const installed = /configuration (ghcr\.io\S+)/.exec(readFileSync(`${root}docs/install.md`, 'utf8'))?.[1]
  expect(at(configuration, 'spec', 'package')).toBe(installed)
})

const environments = readdirSync(`${root}examples/environments`)
  .filter(name => name !== 'base')
  .sort()

describe('environments', () => {
  test('of Flux are those of the examples', () => {
    const paths = documents('flux/environments.yaml').map(document => textOf(at(document, 'spec', 'path')))
    expect(paths.sort()).toEqual(environments.map(name => `./examples/environments/${name}`))
  })

  test('have a namespace with Flux', () => {
    const namespaces = documents('flux/namespaces.yaml').map(({ metadata }) => at(metadata, 'name'))
    const used = environments.map(name =>
      at(parse(readFileSync(`${root}examples/environments/${name}/kustomization.yaml`, 'utf8')), 'namespace'),
    )
    expect(namespaces.sort()).toEqual(used.map(namespace => namespace ?? 'shop').sort())
  })

  test('that Argo CD and Flux sync by themselves exclude production', () => {
    const [set] = documents('argocd/applications/storefront.yaml')
    const [, list = ''] = /\(list ([^)]*)\)/.exec(textOf(at(set, 'spec', 'templatePatch'))) ?? []
    const automated = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name)
    const resumed = documents('flux/environments.yaml')
      .filter(document => at(document, 'spec', 'suspend') !== true)
      .map(document =>
        textOf(at(document, 'spec', 'path'))
          .split('/')
          .at(-1),
      )
    expect(automated).toEqual(environments.filter(name => name !== 'production'))
    expect(resumed).toEqual(automated)
  })
})

describe('paths', () => {
  const paths = ['argocd/root.yaml', 'argocd/applications/platform.yaml', 'flux/platform.yaml', 'flux/environments.yaml']
    .flatMap(documents)
    .flatMap(({ spec }) => [at(spec, 'path'), at(spec, 'source', 'path'), ...items(at(spec, 'sources')).map(source => at(source, 'path'))])
    .filter(path => path !== undefined)
    .map(textOf)

  test.each(paths)('%s exists', path => expect(readdirSync(root + path).length).toBeGreaterThan(0))
})
