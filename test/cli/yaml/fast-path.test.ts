import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { parseEvents } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { construct } from '../../../src/cli/yaml/construct.ts'
import { readPlainYaml } from '../../../src/cli/yaml/fast-path.ts'

const careful = (text: string) => construct(text, parseEvents(text, {}))

describe('reads plain', () => {
  test.each([
    { says: 'nested maps', text: 'a:\n  b:\n    c: 1\n  d: x\ne: z\n', value: { a: { b: { c: 1 }, d: 'x' }, e: 'z' } },
    { says: 'lists, indented or not', text: 'a:\n- 1\n- x\nd:\n  - --z\n', value: { a: [1, 'x'], d: ['--z'] } },
    { says: 'maps in lists', text: 'a:\n- b: 2\n  c:\n  - d: 3\n- e: 4\n', value: { a: [{ b: 2, c: [{ d: 3 }] }, { e: 4 }] } },
    { says: 'a list at the root', text: '- a\n- b: 1\n', value: ['a', { b: 1 }] },
    { says: 'words of YAML 1.1', text: 'a: yes\nb: 0777\nc: ~\nd: 12:30\n', value: { a: true, b: 511, c: null, d: '12:30' } },
    { says: 'simple quotes', text: `a: "yes" # why\nb: 'x: y'\nc: ""\n`, value: { a: 'yes', b: 'x: y', c: '' } },
    {
      says: 'comments and empty lines',
      text: '--- # first\n# second\n\na: x#y # third\nb: # fourth\n  c: 1\n',
      value: { a: 'x#y', b: { c: 1 } },
    },
    { says: 'keys without values, in order', text: 'a:\nb: 1\nc:\n', value: { a: null, b: 1, c: null } },
    {
      says: 'flow lists',
      text: 'a: [x, "y z", 5, -1, -c, cd /x && y]\nb: []\n',
      value: { a: ['x', 'y z', 5, -1, '-c', 'cd /x && y'], b: [] },
    },
  ])('$says', ({ text, value }) => {
    expect(readPlainYaml(text)?.value).toEqual(value)
  })

  test('most examples', () => {
    const folder = new URL('../../../examples/', import.meta.url)
    const texts = readdirSync(folder)
      .filter(name => name.endsWith('.yaml'))
      .map(name => readFileSync(new URL(name, folder), 'utf8'))
    const read = texts.filter(text => readPlainYaml(text) !== undefined)
    expect(read.map(text => readPlainYaml(text)?.value)).toEqual(read.map(text => careful(text).values[0]))
    expect(read.length).toBeGreaterThan(texts.length / 2)
  })
})

describe('leaves to the careful reader', () => {
  test.each([
    ...['a: |\n  x\n', 'a: x\n  y\n', 'a: "x\n  y"\n', 'a: "\\n"\n', "a: 'it''s'\n", 'a: &x 1\n', 'a: *x\n', 'a: !!str 1\n', 'a: {b: 1}\n'],
    ...['<<: {a: 1}\n', '? a\n: b\n', '"a": 1\n', 'yes: 1\n', '1: 2\n', '__proto__: 1\n', 'a: [b, [c]]\n', 'a: [b: c]\n', 'a: [b,]\n'],
    ...['a: 1\na: 2\n', 'a: b: c\n', 'a: b:\n', 'a:\tb\n', '\ta: 1\n', 'a: @b\n', 'a: .inf\n', 'a:\n  b: 1\n c: 2\n', 'a: 1\n  b: 2\n'],
    ...[
      'a: 1\r\nb: 2\n',
      'a: 1\n- b\n',
      'a:\n- b\n  c: 1\n',
      '',
      '# nothing\n',
      'text\n',
      '{"a": 1}\n',
      'a: \u0085b\n',
      '%YAML 1.1\n---\na: 1\n',
    ],
  ])('%j', text => {
    expect(readPlainYaml(text)).toBeUndefined()
  })
})

test('reads the same values as the careful reader', () => {
  const sign = fc.string({ unit: fc.constantFrom(...'ab01:#-[],"\'{}&*!|>%@`~ ._/+=$?'), maxLength: 8 })
  const value = fc.oneof(
    fc.constantFrom(
      'x',
      '5',
      'yes',
      '~',
      '"q r"',
      "'s'",
      '[a, 1]',
      '[]',
      '-1',
      '- x',
      '1.5',
      'http://x:1/y',
      'x y',
      'x #c',
      '#c',
      'x: y',
      'x:',
      '{}',
      '|',
      '*a',
      '-',
      '"',
      "'a'b",
      '[a',
      'a]',
      '=',
      '~x',
      '(x',
      'x"y',
      '... ',
      '---',
    ),
    sign,
    fc
      .array(fc.oneof(sign, fc.constantFrom('a', '"b"', "'c'", '-1', '- x', '-c', ' ', 'a b', '"', "'")))
      .map(items => `[${items.join(', ')}]`),
  )
  const line = fc.record({
    indent: fc.constantFrom(0, 0, 1, 2, 2, 2, 4, 4, 6),
    dash: fc.constantFrom('', '', '', '- ', '-   ', '-', '- - '),
    key: fc.constantFrom('a: ', 'b: ', 'c: ', 'a:', 'b:', 'c:', 'a.b/c: ', 'd:  ', 'on: ', '<<: ', '', ''),
    value: fc.oneof({ weight: 1, arbitrary: fc.constant('') }, { weight: 2, arbitrary: value }),
  })
  const text = fc
    .array(
      line.map(({ indent, dash, key, value }) => `${' '.repeat(indent)}${dash}${key}${value}`),
      { maxLength: 8 },
    )
    .chain(lines => fc.constantFrom('', '\n').map(end => lines.join('\n') + end))
  let quick = 0
  fc.assert(
    fc.property(text, text => {
      const read = readPlainYaml(text)
      if (read === undefined) return
      quick++
      expect(careful(text)).toEqual({ values: [read.value], hasDuplicates: false })
    }),
    { numRuns: 5000 },
  )
  expect(quick).toBeGreaterThan(100)
})
