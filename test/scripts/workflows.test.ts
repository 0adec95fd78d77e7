// What actionlint does not look at: the action and the hook that other repositories use, and what every workflow owes.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly description?: string; readonly default?: unknown }>>
  readonly runs: { readonly using: string; readonly steps: readonly Step[] }
}

interface Hook {
  readonly id: string
  readonly entry: string
  readonly language: string
}

/** Every `run`, however deep it stands. */
const scriptsOf = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, below]) => (name === 'run' ? [String(below)] : scriptsOf(below)))

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const workflows = readdirSync(new URL('../../.github/workflows', import.meta.url)).map(name => `.github/workflows/${name}`)

describe.each([...workflows, 'action.yml'])('%s', file => {
  test('pins the actions of others by commit, with the version beside it', () => {
    const used = [...read(file).matchAll(/uses: (.*)$/gm)].map(([, what = '']) => what).filter(what => !what.startsWith('./'))
    expect(used.filter(what => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$/.test(what))).toEqual([])
  })

  test('puts nothing that a stranger can write into a script', () => {
    const scripts = scriptsOf(parse(read(file)))
    expect(scripts).not.toEqual([])
    expect(scripts.filter(script => /\$\{\{\s*(?:inputs|github\.(?:event|head_ref))/.test(script))).toEqual([])
  })
})

test.each(workflows)('%s may do only what it says', file => {
  expect(parse(read(file))).toHaveProperty('permissions')
})

test('a release verifies what it has signed before it is published, and what it has attested', () => {
  const { publish, attest } = (parse(read('.github/workflows/release.yml')) as { jobs: Record<string, { steps: readonly Step[] }> }).jobs
  const scripts = (job = publish) => (job?.steps ?? []).map(({ run = '' }) => run)
  const first = (what: RegExp) => scripts().findIndex(script => what.test(script))
  expect(first(/cosign sign /)).toBeGreaterThanOrEqual(0)
  expect(first(/cosign verify .*--certificate-oidc-issuer https:.*--certificate-identity "https:/s)).toBeGreaterThan(first(/cosign sign /))
  expect(first(/gh release create/)).toBeGreaterThan(first(/cosign verify /))
  expect(scripts(attest).at(-1)).toMatch(/gh attestation verify/)
})

describe('the action', () => {
  const { inputs, runs } = parse(read('action.yml')) as Action

  test('says what each input is, has a default for it, and uses it', () => {
    const given = runs.steps.flatMap(({ env = {} }) => Object.values(env)).join(' ')
    for (const [name, { description, default: standard }] of Object.entries(inputs)) {
      expect([name, typeof description, typeof standard]).toEqual([name, 'string', 'string'])
      expect(given).toContain(`\${{ inputs.${name} }}`)
    }
  })

  test('is one that GitHub can run: composite, with a shell for each script', () => {
    expect(runs.using).toBe('composite')
    for (const { uses, run } of runs.steps) expect([uses, run].filter(Boolean)).toHaveLength(1)
    expect(runs.steps.filter(({ run, shell }) => run !== undefined && shell !== 'bash')).toEqual([])
  })
})

test('the pre-commit hook runs a command that the package has', () => {
  const hooks = parse(read('.pre-commit-hooks.yaml')) as Hook[]
  expect(hooks.map(({ id, language }) => ({ id, language }))).toEqual([{ id: 'validate-claims', language: 'node' }])
  for (const { entry } of hooks) expect(Object.keys(manifest.bin)).toContain(entry.split(' ')[0])
})

test('the bill of materials of the image lists none of the worker library', () => {
  expect(scriptsOf(parse(read('.github/workflows/release.yml'))).filter(script => script.includes('npm sbom'))).toEqual([
    expect.stringContaining('--workspaces=false'),
  ])
})
