// No text makes a regular expression slow: recheck proves from the pattern that its time is linear in the text.
import { readdirSync, readFileSync } from 'node:fs'
import { check } from 'recheck'
import { describe, expect, test } from 'vitest'
import definition from '../schemas/eventdrivenservice.schema.json' with { type: 'json' }
import input from '../schemas/input.schema.json' with { type: 'json' }
import { root } from './fixtures/claim-files.ts'

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
      return Array.from(`${code}\n`.replaceAll(/^ +\//gm, '= /').matchAll(LITERAL), ([, source = '', flags = '']) => ({
        where: `src/${file} /${source}/${flags}`,
        regexp: new RegExp(source, flags),
      }))
    })

/** Where recheck is right about the pattern, but the text it needs never comes. A pattern that turns safe has to leave this list. */
const harmless: Readonly<Record<string, string>> = {
  '^( *)(- +)?(?:([A-Za-z_][\\w./-]*):(?: +(.*))?|(.+))$': 'the text is one line, and only a line break makes it slow',
  '^\\[(.*)\\] *(?: #.*)?$': 'the text is part of one line, and only a line break makes it slow',
}

// recheck counts steps, and takes a text that is slow on the clock for an attack too: on a busy machine a wrong verdict.
const options = { timeout: null, attackTimeout: null, incubationTimeout: null }
const attackOn = async ({ source, flags }: RegExp) => {
  const verdict = await check(source, flags, options)
  if (verdict.status === 'safe') return undefined
  return verdict.status === 'vulnerable' ? verdict.attack.pattern : verdict.error.kind
}

describe('recheck', () => {
  test.each([
    { regexp: /^(?:a+)+$/, attacked: true },
    { regexp: /^(?:a|aa)+$/, attacked: true },
    { regexp: /a*$/, attacked: true },
    { regexp: /^a+$/, attacked: false },
    { regexp: /^[a-z]+(?:-+[a-z]+)*$/, attacked: false },
  ])('finds an attack on $regexp: $attacked', async ({ regexp, attacked }) => {
    expect((await attackOn(regexp)) !== undefined).toBe(attacked)
  })
})

const published = [...schemaPatterns('claim', definition), ...schemaPatterns('input', input)]
const patterns = [...new Map([...published, ...codePatterns()].map(pattern => [String(pattern.regexp), pattern])).values()]

test('finds the patterns of the schemas and of the code', () => {
  expect(published.length).toBeGreaterThan(40)
  expect(patterns.length).toBeGreaterThan(100)
})

test('lists no harmless pattern that no longer exists', () => {
  const sources = patterns.map(({ regexp }) => regexp.source)
  expect(Object.keys(harmless).filter(source => !sources.includes(source))).toEqual([])
})

test.each(patterns)('no text makes $where slow', { timeout: 120_000 }, async ({ regexp }) => {
  const attack = await attackOn(regexp)
  if (regexp.source in harmless) expect(attack).toBeDefined()
  else expect(attack).toBeUndefined()
})
