// No text makes a regular expression of ours run away: what it costs grows with the length of the text and not faster.
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import definition from '../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import input from '../schemas/input.schema.json' with { type: 'json' }
import { root } from './claim-files.ts'

interface Pattern {
  readonly where: string
  readonly regexp: RegExp
}

/** Every pattern of a schema, and of the rules in it. */
function schemaPatterns(where: string, value: unknown): Pattern[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, below]): Pattern[] => {
    if (typeof below !== 'string') return schemaPatterns(`${where}.${key}`, below)
    const sources =
      key === 'pattern' ? [below] : key === 'rule' ? Array.from(below.matchAll(/matches\('([^']+)'\)/g), ([, source = '']) => source) : []
    return sources.map(source => ({ where: `${where}.${key}`, regexp: new RegExp(source, 'u') }))
  })
}

const LITERAL = /(?<=(?:[=(,:[!&|?>]|return) ?)\/(?![*/])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g
const COMMENT = /^\s*(?:\/\/|\/?\*).*$/gm

const codePatterns = (): Pattern[] =>
  readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.includes('generated'))
    .flatMap(file => {
      const code = readFileSync(`${root}src/${file}`, 'utf8').replace(COMMENT, '')
      // One after another each: what is sticky would stop at once.
      return Array.from(`${code}\n`.replaceAll(/^ +\//gm, '= /').matchAll(LITERAL), ([, source = '', flags = '']) => ({
        where: `src/${file} /${source}/${flags}`,
        regexp: new RegExp(source, flags),
      }))
    })

const SHORT = 64
const LENGTHS = [16, 24, 32, SHORT, 256, 1024, 4096, 16_384]
// Below, clocks and collectors say more than the work.
const MEASURABLE_MS = 4
// A square grows by the square; this leaves room between.
const MOST_GROWTH = 2.5

/** Of this process, whatever else the machine does. */
function milliseconds(run: () => unknown): number {
  const began = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000
}

const calmly = (run: () => unknown) => Math.min(...Array.from({ length: 3 }, () => milliseconds(run)))

function grows(match: (text: string) => unknown, shorter: string, longer: string): boolean {
  const [before, now] = [calmly(() => match(shorter)), calmly(() => match(longer))]
  return now > MEASURABLE_MS && now / before > (MOST_GROWTH * longer.length) / shorter.length
}

/** Whether matching takes more than in proportion to the length, where it takes long enough to tell. */
function runsAway(match: (text: string) => unknown, textOf: (length: number) => string): boolean {
  let shorter = textOf(LENGTHS[0] ?? 0)
  for (const length of LENGTHS) {
    const text = textOf(length)
    if (milliseconds(() => match(text)) > MEASURABLE_MS && grows(match, shorter, text)) {
      // So long for so little is no noise, and four times as long would be for ever.
      if (length <= SHORT || grows(match, text, textOf(4 * length))) return true
    }
    shorter = text
  }
  return false
}

const signs = [...'aA0-._/:@ \n"\'\\$()[]{}=,!%#~\u00E9']

/** What the pattern itself speaks of, and one sign of each class, alone and in pairs. */
function pumps({ source }: RegExp): string[] {
  const spoken = signs.filter(sign => source.includes(sign))
  const own = [...new Set(['a', 'A', '0', ' ', '-', ...spoken])]
  const words = source.match(/[A-Za-z]{2,}/g) ?? []
  return [...own, ...spoken.flatMap(a => [...spoken, 'a'].filter(b => a !== b).map(b => a + b)), ...words]
}

/** Matches as often as it can, and keeps nothing: to collect matches costs more than to find them. */
const matcher = (regexp: RegExp) => (text: string) => {
  regexp.lastIndex = 0
  for (let before = 0; regexp.test(text) && regexp.global; before = regexp.lastIndex) if (regexp.lastIndex === before) regexp.lastIndex++
}

function runaways({ regexp }: Pattern): string[] {
  const match = matcher(regexp)
  const starts = ['', 'nats://a:1/']
  const ends = ['', '\u0000', '/', '"', ')']
  return pumps(regexp).flatMap(pump =>
    starts.flatMap(start =>
      ends
        .filter(end => runsAway(match, length => start + pump.repeat(length / pump.length) + end))
        .map(end => JSON.stringify([start, pump, end])),
    ),
  )
}

describe('the detector', () => {
  test.each([
    { regexp: /^(?:a+)+$/, runs: true },
    { regexp: /^(?:a|aa)+$/, runs: true },
    { regexp: /a*$/, runs: true },
    { regexp: /^a+$/, runs: false },
    { regexp: /^[a-z]+(?:-+[a-z]+)*$/, runs: false },
  ])('$regexp runs away: $runs', ({ regexp, runs }) => {
    expect(
      runsAway(
        text => regexp.test(text),
        length => `${'a'.repeat(length)}!`,
      ),
    ).toBe(runs)
  })
})

const published = [...schemaPatterns('claim', definition), ...schemaPatterns('input', input)]
const patterns = [...new Map([...published, ...codePatterns()].map(pattern => [String(pattern.regexp), pattern])).values()]

test('all of them are found', () => {
  expect(published.length).toBeGreaterThan(40)
  expect(patterns.length).toBeGreaterThan(100)
})

test.each(patterns)('$where', pattern => {
  expect(runaways(pattern)).toEqual([])
})
