// Compares our YAML reader with kubectl's: test/e2e/kubectl/reader is kubectl's loop around k8s.io/apimachinery.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { testWith } from '../../fixtures/require-program.ts'
import { goTool } from '../go-tools.ts'
import { agree, type Compared, differences, type Reading, read } from './differences.ts'

const goTest = testWith('go')
const GENERATED = 10_000
const SEED = 16

// The fast suite uses the same texts, without Go.
const recorded: readonly { readonly text: string }[] = JSON.parse(
  readFileSync(new URL('../../cli/yaml/kubectl-yaml.json', import.meta.url), 'utf8'),
)

/** What kubectl reads from each text. */
async function ask(texts: readonly string[]): Promise<Reading[]> {
  const { status, stdout, stderr } = spawnSync(await goTool('kubectl/reader'), {
    input: texts.map(text => `${JSON.stringify(text)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`kubectl's reader ended with ${status}: ${stderr}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { values: unknown[]; error?: string })
    .map(({ values, error }) => (error === undefined ? { values } : { values, refusal: error }))
}

async function compare(texts: readonly string[]): Promise<Compared[]> {
  const readings = await ask(texts)
  expect(readings).toHaveLength(texts.length)
  return texts.map((text, index) => ({ text, kubectl: readings[index] ?? { values: [] }, ours: read(text) }))
}

/** A manifest of a few lines, with mistakes. */
const lines = fc
  .array(
    fc.record({
      indent: fc.constantFrom(0, 0, 1, 2, 2, 2, 4),
      dash: fc.constantFrom('', '', '- ', '-   ', '- - '),
      key: fc.constantFrom('a: ', 'b: ', 'c:', '"d": ', 'on: ', '1: ', '', ''),
      value: fc.constantFrom(
        ...['', 'x', '5', 'yes', '"q r"', "'s'", '[a, 1]', '{a: 1}', '[a,', '{b: c', '}', ']', '|', '>-', '- x', 'x: y', '&x y', '*x'],
        ...['!!str 5', '!!float 5', '# c', 'x # c', '"open', "it's", '0o7', '1e3'],
      ),
    }),
    { maxLength: 7 },
  )
  .map(lines => lines.map(({ indent, dash, key, value }) => ' '.repeat(indent) + dash + key + value).join('\n'))

/** YAML tokens in any order. */
const soup = fc
  .array(
    fc.constantFrom(
      ...['a', 'b', 'c: ', 'a: ', 'b: ', '"a": ', '- ', '\n', '\n', '\n  ', '\n    ', ' ', "'", '"', '[', ']', '{', '}', ', ', ',', ':'],
      ...['#', ' # ', '|\n', '>\n', '|-\n', '&a ', '*a', '<<: ', '!!int ', '!!str ', '!x ', '? ', '---\n', '\n---\n', '--- ', '...\n'],
      ...['\t', 'x', '%', '\r\n', '1', '0x1', 'yes', '~', '.inf', '\\n', '\\', '-', '=', '@', '`', '\u00e9', '2001-01-01', '1:30', '1_0'],
    ),
    { maxLength: 12 },
  )
  .map(fragments => fragments.join(''))

goTest('matches the recorded results of kubectl', async () => {
  const readings = await ask(recorded.map(({ text }) => text))
  const rows = readings.map(({ values, refusal }, index) => ({
    text: recorded[index]?.text,
    ...(refusal === undefined ? { values } : { error: refusal }),
  }))
  // JSON has no -0, so the recorded results have none either.
  expect(recorded).toEqual(JSON.parse(JSON.stringify(rows)))
})

describe('a listed difference exists', () => {
  goTest.each(differences)('$says', async ({ examples, fits }) => {
    const compared = await compare(examples)
    expect(compared.filter(agree)).toEqual([])
    expect(compared.filter(difference => !fits(difference))).toEqual([])
  })
})

describe('no other difference exists', () => {
  goTest.each([
    { says: 'lines of manifests', texts: lines },
    { says: 'any order of tokens', texts: soup },
    { says: 'any JSON', texts: fc.json({ maxDepth: 4 }) },
  ])(`in ${GENERATED} texts: $says`, async ({ texts }) => {
    const compared = await compare(fc.sample(texts, { numRuns: GENERATED, seed: SEED }))
    const apart = compared.filter(one => !agree(one) && !differences.some(({ fits }) => fits(one)))
    expect(apart).toEqual([])
    // Proves that both readers read some texts.
    expect(compared.filter(({ kubectl, ours }) => kubectl.values.length > 0 && ours.values.length > 0).length).toBeGreaterThan(1000)
  })
})
