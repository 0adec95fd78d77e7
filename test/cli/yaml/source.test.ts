import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { Code, Path } from '../../../src/claim/findings.ts'
import { locateFinding, readSource } from '../../../src/cli/yaml/source.ts'

const values = (text: string) => readSource('f.yaml', text).documents.map(({ value }) => value)
const findings = (text: string) =>
  readSource('f.yaml', text).findings.map(({ line, column, code, problem }) => `${line}:${column} ${code} ${problem}`)

describe('reads what kubectl reads', () => {
  // Recorded from kubectl's own reader by test/e2e/kubectl.
  const recorded: { text: string; values?: unknown[]; error?: string }[] = JSON.parse(
    readFileSync(new URL('kubectl-yaml.json', import.meta.url), 'utf8'),
  )
  test.each(recorded)('$text', ({ text, values, error }) => {
    const read = readSource('f.yaml', text)
    const refusals = read.findings.filter(({ code }) => code === 'YAML_SYNTAX')
    if (error !== undefined) return expect(refusals).not.toEqual([])
    expect(refusals).toEqual([])
    expect(JSON.stringify(read.documents.map(document => document.value))).toBe(JSON.stringify(values))
  })
})

describe('one text, many documents', () => {
  test.each([
    { says: 'nothing', text: '', read: [] },
    { says: 'comments only', text: '# nothing\n---\n# here\n', read: [] },
    { says: 'empty documents between', text: '---\n---\na: 1\n---\n\n---\nb: 2\n---\n', read: [{ a: 1 }, { b: 2 }] },
    { says: 'a comment after the marker', text: 'a: 1\n--- # next\nb: 2', read: [{ a: 1 }, { b: 2 }] },
    { says: 'a marker inside a block, which is text', text: 'a: |\n  ---\n  b\n', read: [{ a: '---\nb\n' }] },
    { says: 'an end marker', text: 'a: 1\n...\n---\nb: 2\n...\n', read: [{ a: 1 }, { b: 2 }] },
    { says: 'a block at the end of a file without a last line break', text: 'a: |\n  x', read: [{ a: 'x\n' }] },
    {
      says: 'brackets closed directly below their key',
      text: 'a: {\n  b: [ # why\n    1,\n  ],\n}\nc: {\n}',
      read: [{ a: { b: [1] }, c: {} }],
    },
    { says: 'a byte order mark', text: '\uFEFFa: 1', read: [{ a: 1 }] },
    { says: 'Windows line breaks', text: 'a: 1\r\n---\r\nb: |\r\n  x\r\n  y\r\n', read: [{ a: 1 }, { b: 'x\ny\n' }] },
    { says: 'JSON', text: '{"a": "x\\/y",\n\t"b": [1, null]}', read: [{ a: 'x/y', b: [1, null] }] },
    { says: 'a stream of JSON', text: '{"a": "}"}\n{"b": [{}]} {"c": 1}', read: [{ a: '}' }, { b: [{}] }, { c: 1 }] },
    {
      says: 'a List, whose items are unwrapped',
      text: 'kind: List\nitems:\n- kind: A\n- kind: BList\n  items: [{kind: B}]\n',
      read: [{ kind: 'A' }, { kind: 'B' }],
    },
    { says: 'a kind that only sounds like a List', text: 'kind: PlayList\nspec: 1', read: [{ kind: 'PlayList', spec: 1 }] },
    { says: 'nulls, which are kept', text: 'a:\nb: ~\nc: [null]', read: [{ a: null, b: null, c: [null] }] },
  ])('$says', ({ text, read }) => {
    expect(readSource('f.yaml', text).findings).toEqual([])
    expect(values(text)).toEqual(read)
  })

  test('reads the neighbours of a broken document', () => {
    const { documents, findings } = readSource('f.yaml', 'a: 1\n---\nb: "\n---\nc: 3\n')
    expect(documents.map(({ index, value }) => ({ index, value }))).toEqual([
      { index: 0, value: { a: 1 } },
      { index: 1, value: { c: 3 } },
    ])
    expect(findings).toMatchObject([{ code: 'YAML_SYNTAX', file: 'f.yaml', line: 3, column: 4, source: 'b: "' }])
  })
})

describe('reports', () => {
  test.each([
    { says: 'a tab', text: 'a:\n\tb: 1', finding: '2:1 YAML_SYNTAX a tab cannot indent YAML: use spaces' },
    { says: 'an open quote', text: 'a: "x\nb: 2', finding: '1:4 YAML_SYNTAX the quote " is never closed' },
    {
      says: 'an open quote that a later one closes',
      text: 's:\n  a: "x\n  b: "y"',
      finding: '2:6 YAML_SYNTAX the quote " is never closed',
    },
    {
      says: 'a quote inside quotes',
      text: "a: 'it's'",
      finding: "1:8 YAML_SYNTAX text after the closing quote: inside single quotes write ' as ''",
    },
    {
      says: 'an unknown escape',
      text: 'a: "\\d"',
      finding: "1:5 YAML_SYNTAX '\\d' is not an escape: inside double quotes write a backslash as \\\\",
    },
    { says: 'a reserved character', text: 'a: @x', finding: "1:4 YAML_SYNTAX a value cannot start with '@': quote it" },
    {
      says: 'too little indentation',
      text: 'a:\n  b: 1\n c: 2',
      finding: '3:2 YAML_SYNTAX the indentation does not match the lines around it',
    },
    {
      says: 'too much indentation',
      text: 'a:\n  b: 1\n   c: 2',
      finding: '3:4 YAML_SYNTAX indented deeper than the line above, which has a value already',
    },
    { says: 'two colons', text: 'a: b: c', finding: "1:5 YAML_SYNTAX a second ': ' on the line: quote the value" },
    { says: 'no space after a colon', text: 'a:1\nb: 2', finding: "1:3 YAML_SYNTAX a space is missing after ':'" },
    { says: 'no space after a quoted key', text: "'a':1", finding: "1:4 YAML_SYNTAX a space is missing after ':'" },
    { says: 'no space after a dash', text: 'a:\n  -b\n  c: 1', finding: "2:3 YAML_SYNTAX a space is missing after '-'" },
    { says: 'no colon', text: 'a: 1\nfoo\nb: 2', finding: "2:1 YAML_SYNTAX expected 'key: value' here" },
    { says: 'an open list', text: 'a: [1, 2\nb: 3', finding: "2:1 YAML_SYNTAX a '[' or '{' above is not closed before this" },
    { says: 'a forgotten comma', text: '{\n  "a": 1\n  "b": 2\n}', finding: '2:8 YAML_SYNTAX a comma is missing after this' },
    {
      says: 'an extra bracket',
      text: 'a: 1\n]',
      finding: "2:1 YAML_SYNTAX does not belong to anything above: check the indentation, or add a missing '---'",
    },
    { says: 'a Helm value', text: 'a:\n  b: {{ .x }}', finding: "2:6 YAML_SYNTAX '{{ … }}' is a template: render it, or quote it" },
    {
      says: 'a Helm block',
      text: '{{- if .x }}\na: 1\n{{- end }}',
      finding: "1:1 YAML_SYNTAX '{{ … }}' is a template: render it, or quote it",
    },
    {
      says: 'a merge conflict',
      text: '<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x',
      finding: '1:1 YAML_SYNTAX unresolved merge conflict',
    },
    {
      says: 'a bracket that closes another kind of bracket',
      text: '{"a": 1]}',
      finding: "1:8 YAML_SYNTAX ']' does not close what is open here",
    },
    { says: 'an extra comma', text: 'a: [1,,2]', finding: "1:7 YAML_SYNTAX a value is missing before this ','" },
    {
      says: 'an item with the wrong indentation',
      text: 'a:\n  - b: 1\n   - c: 2',
      finding: '3:4 YAML_SYNTAX the indentation does not match the lines around it',
    },
    { says: 'a list on the line of its key', text: 'a: - b', finding: "1:4 YAML_SYNTAX unexpected '-'" },
    {
      says: 'a second key after an anchor',
      text: 'a: &x b: c',
      finding: "1:4 YAML_SYNTAX a second ': ' on the line: quote the value",
    },
    {
      says: 'a control character',
      text: 'a: "\x07"',
      finding: '1:5 YAML_SYNTAX control character: write it as an escape in double quotes, such as "\\x07"',
    },
    {
      says: 'content after a marker',
      text: 'a: 1\n---  |\n b',
      finding: "2:6 YAML_SYNTAX kubectl accepts only a comment after '---': start a new line",
    },
    { says: 'a directive', text: '%YAML 1.1\n---\na: 1', finding: '1:1 YAML_SYNTAX kubectl rejects YAML directives: remove this line' },
    {
      says: 'a second document after an end marker',
      text: 'a: 1\n...\nb: 2',
      finding: "3:1 YAML_SYNTAX kubectl ignores everything after '...': start the next document with '---'",
    },
    {
      says: 'an anchor that kubectl rejects',
      text: 'a: &x.y b',
      finding: "1:5 YAML_SYNTAX the anchor '&x.y' must have a name of letters, digits, '-' and '_'",
    },
    { says: 'invalid base64', text: 'a: !!binary "%"', finding: '1:14 YAML_SYNTAX must be base64, because its tag is !!binary' },
    {
      says: 'a mistake before endless nesting',
      text: `a: @x\nb: ${'['.repeat(100_000)}`,
      finding: "1:4 YAML_SYNTAX a value cannot start with '@': quote it",
    },
    {
      says: 'an unknown alias',
      text: 'a: *.example.com',
      finding: "1:4 YAML_SYNTAX the anchor '&.example.com' is missing: quote text that starts with '*'",
    },
    { says: 'an alias of itself', text: 'a: &x [*x]', finding: "1:8 YAML_SYNTAX '*x' is inside its own anchor '&x'" },
    { says: 'infinity', text: 'a: .inf', finding: "1:4 YAML_SYNTAX '.inf' is a number that JSON does not have: quote it if it is text" },
    { says: 'a key that is not text', text: '? [a]\n: 1', finding: '1:3 YAML_SYNTAX a key must be text, not a map or a list' },
    {
      says: 'a mistake before endless nesting',
      text: `a: b: c\n${'['.repeat(100_000)}`,
      finding: "1:5 YAML_SYNTAX a second ': ' on the line: quote the value",
    },
    {
      says: 'a mistake before an endless list',
      text: `a: b: c\n${'- '.repeat(100_000)}`,
      finding: "1:5 YAML_SYNTAX a second ': ' on the line: quote the value",
    },
    { says: 'endless nesting', text: '['.repeat(100_000), finding: '1:100 YAML_SYNTAX nested too deeply' },
    {
      says: 'a duplicate key',
      text: 'a:\n  b: 1\n  b: 2',
      finding: '3:3 DUPLICATE_KEY must not repeat the key at 2:3: kubectl would keep only this one',
    },
    {
      says: 'a merge over a key',
      text: 'x: &x {a: 1}\nz:\n  a: 2\n  <<: *x',
      finding: "4:3 DUPLICATE_KEY this merge overrides the key on line 3: put '<<' first, or remove the key",
    },
  ])('$says', ({ text, finding }) => {
    expect(findings(text)).toEqual([finding])
  })

  test('limits how far nested aliases expand', () => {
    const [first = '', ...names] = 'abcdefghij'
    const lines = names.map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[i]}`)}]`)
    expect(findings([`${first}: &${first} [1]`, ...lines].join('\n'))).toEqual([
      expect.stringContaining('the aliases expand to more than 100000 values'),
    ])
  })

  test('reads __proto__ as a key', () => {
    const [value] = values('__proto__: {polluted: true}\nconstructor: 1')
    expect(Object.keys(Object(value))).toEqual(['__proto__', 'constructor'])
    expect(Object(value).polluted).toBeUndefined()
  })
})

const claim = `# a comment
kind: EventDrivenService
metadata: {name: worker, "namespace": team}
spec:
  image: &i "x/y:1"
  nats:
    url: nats://n:4222
  env:
    - name: A
      value: yes
    - {name: B, value: 0777}
    - name: C
      value:
    - name: D
      value: |
        text
  copy: *i
---
kind: List
items:
  - kind: A
    spec: 5
`

describe('finds the position of', () => {
  const place = (path: Path, at: 'key' | 'value', index = 0) => {
    const position = readSource('f.yaml', claim).documents[index]?.locate(path, at)
    return `${position?.line}:${position?.column}`
  }
  test.each([
    { says: 'a key', path: ['spec', 'image'], at: 'key', is: '5:3' },
    { says: 'a value after its anchor', path: ['spec', 'image'], at: 'value', is: '5:13' },
    { says: 'a quoted key', path: ['metadata', 'namespace'], at: 'key', is: '3:26' },
    { says: 'one of several values on a line', path: ['metadata', 'name'], at: 'value', is: '3:18' },
    { says: 'a value in a list', path: ['spec', 'env', 0, 'value'], at: 'value', is: '10:14' },
    { says: 'an item of a list', path: ['spec', 'env', 1], at: 'key', is: '11:7' },
    { says: 'an empty value, at its key', path: ['spec', 'env', 2, 'value'], at: 'value', is: '13:7' },
    { says: 'a block of text', path: ['spec', 'env', 3, 'value'], at: 'value', is: '16:9' },
    { says: 'an alias', path: ['spec', 'copy'], at: 'value', is: '17:9' },
    { says: 'a missing field, at its parent', path: ['spec', 'nats', 'stream'], at: 'value', is: '6:3' },
    { says: 'a missing field, at its deepest existing ancestor', path: ['spec', 'knative', 'autoscaling', 'class'], at: 'key', is: '4:1' },
    { says: 'a missing field of the root', path: ['apiVersion'], at: 'key', is: '2:1' },
    { says: 'the root', path: [], at: 'value', is: '2:1' },
    { says: 'an item of a List', path: ['spec'], at: 'value', index: 1, is: '22:11' },
    { says: 'a missing field of an item of a List', path: ['metadata', 'name'], at: 'key', index: 1, is: '21:5' },
  ] as const)('$says', ({ path, at, is, ...rest }) => {
    expect(place(path, at, 'index' in rest ? rest.index : 0)).toBe(is)
  })

  test.each([
    { says: 'a wrong value, at the value', code: 'NOT_ALLOWED', path: ['spec', 'nats', 'url'], is: '7:10', hint: undefined },
    { says: 'an unknown field, at its key', code: 'UNKNOWN_FIELD', path: ['spec', 'nats', 'url'], is: '7:5', hint: undefined },
    { says: 'a wrong object, at its key', code: 'CONFLICT', path: ['spec', 'nats'], is: '6:3', hint: undefined },
    { says: 'a missing field', code: 'REQUIRED', path: ['spec', 'nats', 'stream'], is: '6:3', hint: undefined },
    {
      says: 'a word that should be text',
      code: 'WRONG_TYPE',
      path: ['spec', 'env', 0, 'value'],
      is: '10:14',
      hint: 'YAML reads the plain word yes as true: quote it',
    },
    {
      says: 'an octal',
      code: 'OUT_OF_RANGE',
      path: ['spec', 'env', 1, 'value'],
      is: '11:24',
      hint: 'YAML reads the plain word 0777 as 511',
    },
  ] as const)('finds the position and hint of $says', ({ code, path, is, hint }) => {
    const [document] = readSource('f.yaml', claim).documents
    if (document === undefined) throw new Error('no document')
    const { line, column, ...located } = locateFinding(document, { code: code satisfies Code, path, problem: 'must be a string' })
    expect(`${line}:${column}`).toBe(is)
    expect(located.hint).toBe(hint)
  })

  test.each([
    { says: 'hints at a plain number', text: 'a: 5', hint: 'YAML reads the plain word 5 as a number: quote it' },
    { says: 'hints at a plain boolean', text: 'a: true', hint: 'YAML reads the plain word true as a boolean: quote it' },
    { says: 'gives no hint for quoted text', text: 'a: "yes"', hint: undefined },
    { says: 'gives no hint for a map', text: 'a: {}', hint: undefined },
  ])('$says', ({ text, hint }) => {
    const [document] = readSource('f.yaml', text).documents
    expect(document && locateFinding(document, { code: 'WRONG_TYPE', path: ['a'], problem: 'must be a string' }).hint).toBe(hint)
  })
})

describe('laws', () => {
  const word = fc.string({ unit: fc.constantFrom(...'0123456789_+-.xXoObBeEyYnNtTfFaAiI~ :'), maxLength: 8 })
  const json = fc.jsonValue({ maxDepth: 4 }).map(value => JSON.parse(JSON.stringify(value), (_, item) => (Object.is(item, -0) ? 0 : item)))
  const scalar = fc.oneof(
    word,
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n + 0),
  )
  const tree = fc.oneof(
    json,
    fc.dictionary(fc.oneof(word, fc.string({ minLength: 1 })), fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), { maxKeys: 4 }),
  )

  test('reads back every written value, whatever the style', () => {
    const style = fc.record({
      lineWidth: fc.constantFrom(0, 20, 80),
      indent: fc.integer({ min: 1, max: 6 }),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
      defaultStringType: fc.constantFrom('QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
      defaultKeyType: fc.constant('QUOTE_DOUBLE' as const),
    })
    fc.assert(
      fc.property(tree, style, (value, style) => {
        fc.pre(value !== null && !/[\p{Cc}\p{Cs}]/u.test(JSON.stringify(value)))
        expect(values(stringify(value, style))).toEqual([value])
      }),
    )
  })

  test('reads JSON with any indentation', () => {
    fc.assert(
      fc.property(json, fc.constantFrom('', '  ', '\t'), (value, indent) => {
        fc.pre(value !== null)
        expect(values(JSON.stringify(value, null, indent))).toEqual([value])
      }),
    )
  })

  test('finds the position of every path', () => {
    const paths = (value: unknown): Path[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, item]) => {
            const step = Array.isArray(value) ? Number(key) : key
            return [[step], ...paths(item).map(path => [step, ...path])]
          })
        : []
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), json, { minKeys: 1 }), value => {
        const text = JSON.stringify(value, null, 1)
        const [document] = readSource('f.json', text).documents
        for (const path of paths(value)) {
          const position = document?.locate(path, 'key')
          const rest = text.split('\n')[(position?.line ?? 0) - 1]?.slice((position?.column ?? 0) - 1) ?? ''
          const last = path.at(-1)
          if (typeof last === 'string') expect(rest.startsWith(`${JSON.stringify(last)}:`)).toBe(true)
        }
      }),
    )
  })

  test('reads or rejects any text, and never throws', () => {
    const fragment = fc.constantFrom(
      ...['a: ', '- ', '\n', '\n  ', ' ', "'", '"', '[', ']', '{', '}', ',', '#', '|\n', '&a ', '*a', '<<: ', '!!int ', '? '],
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.oneof(fragment, fc.constantFrom('---\n', '...\n', '\t', 'x', '%', '\r'))).map(all => all.join('')),
    )
    fc.assert(
      fc.property(text, text => {
        for (const { line, column, problem } of readSource('f.yaml', text).findings) {
          expect(line).toBeGreaterThan(0)
          expect(column).toBeGreaterThan(0)
          expect(problem).not.toBe('')
        }
      }),
      { numRuns: 1000 },
    )
  })
})
