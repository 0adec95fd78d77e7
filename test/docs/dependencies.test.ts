// Holds docs/dependencies.md to what is bundled, and what is bundled to licences that we may ship.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { root } from '../fixtures/claim-files.ts'
import { rowsUnder, withBlock } from './markdown.ts'

interface Bundled {
  readonly name: string
  readonly license: string
  readonly neededBy: readonly string[]
  readonly bytes: Readonly<Partial<Record<string, number>>>
  readonly notices: string
}

const permitted = ['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']
const programs = ['function.js', 'eds.js']
const file = `${root}docs/dependencies.md`
const page = readFileSync(file, 'utf8')
const listed = execFileSync(process.execPath, ['scripts/build.mjs', '--packages'], { cwd: root, encoding: 'utf8' })
const packages = JSON.parse(listed) as readonly Bundled[]

function table(): string {
  const rows = packages.map(({ name, license, neededBy, bytes }) => {
    const by = neededBy.map(other => (other === manifest.name ? 'us' : `\`${other}\``)).join(', ')
    return `| \`${name}\` | ${license} | ${by} | ${programs.map(program => (bytes[program] ? 'yes' : '–')).join(' | ')} |`
  })
  return ['| package | licence | needed by | function.js | eds.js |', '|---|---|---|---|---|', ...rows].join('\n')
}

test('docs/dependencies.md lists what is in the bundles', async () => {
  await expect(withBlock(page, 'bundles', table())).toMatchFileSnapshot(file)
})

test('docs/dependencies.md has a reason for each dependency', () => {
  const rows = rowsUnder(page, '## Direct dependencies')
  expect(rows.map(([name]) => name)).toEqual(Object.keys(manifest.dependencies).map(name => `\`${name}\``))
  expect(rows.filter(([, why = '']) => why.length < 20)).toEqual([])
})

test('what our code needs is what package.json asks for: neither more nor less', () => {
  const ours = packages.filter(({ neededBy }) => neededBy.includes(manifest.name)).map(({ name }) => name)
  expect(ours).toEqual(Object.keys(manifest.dependencies).sort())
})

/** The licences of an SPDX expression that hold all at once; of a choice, each counts. */
const licensesIn = (expression: string) => expression.split(/[()\s]+/).filter(word => !['', 'AND', 'OR'].includes(word))

test.each(packages)('$name may be shipped, with its notices', ({ license, notices }) => {
  expect(licensesIn(license).filter(id => !permitted.includes(id))).toEqual([])
  expect(notices).toMatch(/copyright/i)
  if (license !== 'Apache-2.0') expect(notices).toMatch(/permission|redistribution/i)
})
