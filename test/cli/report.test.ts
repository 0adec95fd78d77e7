// The report formats, with strings that would break each of them.
import { load } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { codes } from '../../src/claim/findings.ts'
import type { ReportedFinding, Severity } from '../../src/cli/print/findings.ts'
import { type FileReport, findingsOf, type Outcome, tallying } from '../../src/cli/report/file-report.ts'
import { formatNames, formats } from '../../src/cli/report/formats.ts'
import { summary } from '../../src/cli/report/text.ts'

const plain = { write: () => undefined, isTerminal: false, color: false, width: 80 }

const finding = (more: Partial<ReportedFinding> = {}): ReportedFinding => ({
  file: 'claims/worker.yaml',
  line: 7,
  column: 9,
  code: 'NOT_ALLOWED',
  path: 'spec.size',
  message: "spec.size: must be one of [micro, small, medium, large], got 'xlarge'",
  severity: 'error',
  source: '  size: xlarge',
  cut: 0,
  ...more,
})

const fileReport = (findings: readonly ReportedFinding[], more: Partial<FileReport> = {}): FileReport => ({
  file: findings[0]?.file ?? 'claims/worker.yaml',
  claims: [{ name: 'shop/worker', findings }],
  findings: [],
  ...more,
})

function outcome(reports: readonly FileReport[], unreadable: Outcome['unreadable'] = []): Outcome {
  const { add, tally } = tallying()
  reports.forEach(add)
  return { command: 'validate', unit: 'claim', reports, unreadable, tally: tally() }
}

function print(name: (typeof formatNames)[number], given: Outcome): string {
  const format = formats(plain)[name]
  return 'all' in format ? format.all(given) : given.reports.map(format.each).join('')
}

/** Text that a claim or a file name may contain. */
const hostile = [
  { title: 'the end of a workflow command', text: 'a::b\n::error::c%0A%25,d:e' },
  { title: 'markup', text: `<b a="1" c='2'>&amp;</failure>]]><!--` },
  { title: 'terminal control characters', text: '\u001B[2J\u0007\r\b\u009B' },
  { title: 'bidirectional control characters', text: '\u202Ecod.exe\u2066' },
  { title: 'quotes and backslashes', text: `"'\\"\\u0000` },
  { title: 'YAML', text: '- a: &b !!x\n---\n%YAML' },
  { title: 'astral characters and a lone surrogate', text: '😀\uD800é日本\uFFFE\uFFFF' },
  { title: 'properties of every object', text: '__proto__' },
]

describe('text', () => {
  test('prints a line for each finding and marks warnings', () => {
    expect(
      print(
        'text',
        outcome([fileReport([finding(), finding({ line: 8, code: 'DEPRECATED', message: 'spec.x: old', severity: 'warning' })])]),
      ),
    ).toBe(
      "claims/worker.yaml:7:9  spec.size: must be one of [micro, small, medium, large], got 'xlarge'  [NOT_ALLOWED]\n" +
        'claims/worker.yaml:8:9  warning: spec.x: old  [DEPRECATED]\n',
    )
  })

  test.each(hostile)('keeps to its line with $title', ({ text }) => {
    expect(print('text', outcome([fileReport([finding({ file: text, message: text })])]))).toMatch(/^[^\p{Cc}\u202E\u2066]+\n$/u)
  })

  test.each([
    { title: 'valid', reports: [fileReport([])], line: '1 claim valid\n' },
    { title: 'valid in several files', reports: [fileReport([]), fileReport([], { file: 'b' })], line: '2 claims valid, 2 files read\n' },
    { title: 'invalid', reports: [fileReport([finding(), finding({ line: 9 })])], line: '0 of 1 claim valid, 2 findings in 1 file\n' },
    { title: 'with a warning', reports: [fileReport([finding({ severity: 'warning' })])], line: '1 claim valid, 1 warning\n' },
    {
      title: 'invalid YAML',
      reports: [fileReport([], { claims: [], findings: [finding()] })],
      line: '0 claims valid, 1 finding in 1 file\n',
    },
    {
      title: 'one file in two parts',
      reports: [fileReport([finding()]), fileReport([finding({ line: 900 })])],
      line: '0 of 2 claims valid, 2 findings in 1 file\n',
    },
  ])('sums up: $title', ({ reports, line }) => expect(summary(outcome(reports).tally, 0)).toBe(line))

  test('sums up: unreadable files', () => expect(summary(outcome([fileReport([])]).tally, 1)).toBe('1 claim valid, 1 file not read\n'))
})

describe('github', () => {
  /** Parses a workflow command like the runner: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
  function read(line: string) {
    const [, command = '', list = '', data = ''] = /^::(\w+) ([^\n]*?)::([^\n]*)\n$/.exec(line) ?? []
    const decoded = (text: string) =>
      text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%')
    const properties = Object.fromEntries(list.split(',').map(pair => [pair.split('=')[0], decoded(pair.slice(pair.indexOf('=') + 1))]))
    return { command, properties, data: decoded(data) }
  }

  test.each<{ severity: Severity }>([{ severity: 'error' }, { severity: 'warning' }])('annotates with an $severity', ({ severity }) => {
    expect(print('github', outcome([fileReport([finding({ severity })])]))).toBe(
      `::${severity} file=claims/worker.yaml,line=7,col=9,title=NOT_ALLOWED::spec.size: must be one of [micro, small, medium, large], got 'xlarge'\n`,
    )
  })

  test.each(hostile)('one command, whatever is in it: $title', ({ text }) => {
    const { command, properties, data } = read(print('github', outcome([fileReport([finding({ file: text, message: `is ${text}` })])])))
    expect(command).toBe('error')
    expect(properties).toEqual({ file: text, line: '7', col: '9', title: 'NOT_ALLOWED' })
    expect(data).toMatch(/^is [^\p{Cc}]+$/u)
  })
})

describe('json and yaml', () => {
  const is = {
    summary: { files: 1, claims: 1, validClaims: 0, errors: 1, warnings: 0 },
    findings: [
      {
        file: 'claims/worker.yaml',
        line: 7,
        column: 9,
        severity: 'error',
        code: 'NOT_ALLOWED',
        path: 'spec.size',
        message: "spec.size: must be one of [micro, small, medium, large], got 'xlarge'",
      },
    ],
    unreadable: [{ file: 'x.yaml', reason: 'permission denied' }],
  }
  const given = outcome([fileReport([finding()])], [{ file: 'x.yaml', reason: 'permission denied' }])

  test('json', () => expect(print('json', given)).toBe(`${JSON.stringify(is, null, 2)}\n`))
  test('yaml', () => expect(parse(print('yaml', given))).toEqual(is))

  test.each(hostile.filter(({ title }) => !title.includes('lone surrogate')))('is read back the same: $title', ({ text }) => {
    const given = outcome([fileReport([finding({ file: text, message: text })])])
    const expected = { findings: [{ file: text, message: text }] }
    expect(JSON.parse(print('json', given))).toMatchObject(expected)
    expect(parse(print('yaml', given))).toMatchObject(expected)
    expect(load(print('yaml', given))).toMatchObject(expected)
  })
})

describe('sarif', () => {
  interface Log {
    readonly version: string
    readonly runs: readonly [
      {
        readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
        readonly invocations: readonly [{ readonly executionSuccessful: boolean; readonly toolExecutionNotifications: readonly object[] }]
        readonly results: readonly {
          readonly ruleId: string
          readonly ruleIndex: number
          readonly level: string
          readonly message: { readonly text: string }
          readonly locations: readonly [
            { readonly physicalLocation: { readonly artifactLocation: { readonly uri: string }; readonly region: object } },
          ]
        }[]
      },
    ]
  }
  const log = (given: Outcome): Log => JSON.parse(print('sarif', given))

  test('has a rule for every code, and results that refer to them', () => {
    const findings = Object.keys(codes).map(code => finding({ code: code as keyof typeof codes }))
    const { version, runs } = log(outcome([fileReport(findings)]))
    const [{ tool, results }] = runs
    expect(version).toBe('2.1.0')
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(codes))
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
    expect(results).toHaveLength(findings.length)
  })

  test('reports location and severity', () => {
    const [{ results }] = log(outcome([fileReport([finding({ severity: 'warning' })])])).runs
    expect(results[0]).toMatchObject({
      level: 'warning',
      locations: [
        { physicalLocation: { region: { startLine: 7, startColumn: 9 } }, logicalLocations: [{ fullyQualifiedName: 'spec.size' }] },
      ],
    })
  })

  test.each([
    { file: 'claims/worker.yaml', uri: 'claims/worker.yaml' },
    { file: './claims/worker.yaml', uri: 'claims/worker.yaml' },
    { file: 'my claims/50%#1?.yaml', uri: 'my%20claims/50%25%231%3F.yaml' },
    { file: '../claims/ä.yaml', uri: '../claims/%C3%A4.yaml' },
    { file: '/srv/claims/worker 1.yaml', uri: 'file:///srv/claims/worker%201.yaml' },
    { file: '<stdin>', uri: '%3Cstdin%3E' },
  ])('names $file as $uri', ({ file, uri }) => {
    const [{ results }] = log(outcome([fileReport([finding({ file })])])).runs
    expect(results[0]?.locations[0].physicalLocation.artifactLocation.uri).toBe(uri)
  })

  test('reports unreadable files', () => {
    const [{ invocations }] = log(outcome([], [{ file: 'x.yaml', reason: 'permission denied' }])).runs
    expect(invocations[0]).toEqual({
      executionSuccessful: false,
      toolExecutionNotifications: [{ level: 'error', message: { text: 'x.yaml: permission denied' } }],
    })
  })

  test.each(hostile)('is JSON with $title', ({ text }) => {
    const [{ results }] = log(outcome([fileReport([finding({ message: text })])])).runs
    expect(results[0]?.message.text).not.toMatch(/[\p{Cc}\u202E]/u)
  })
})

describe('junit', () => {
  interface Element {
    readonly name: string
    readonly attributes: Readonly<Record<string, string>>
    readonly children: Element[]
    text: string
  }
  const decoded = (text: string) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&')
  const TOKEN = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos);[^"<&]*)*")*)(\/?)>|((?:[^<&]|&(?:amp|lt|gt|quot|apos);)+)/y

  /** Parses the XML of a report, and rejects malformed XML. */
  function read(xml: string): Element {
    const head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    expect(xml.startsWith(head)).toBe(true)
    expect(xml.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u)
    const root: Element = { name: '', attributes: {}, children: [], text: '' }
    const open = [root]
    TOKEN.lastIndex = head.length
    while (TOKEN.lastIndex < xml.length) {
      const at = TOKEN.lastIndex
      const match = TOKEN.exec(xml)
      if (match === null) throw new Error(`no XML at ${at}: ${xml.slice(at, at + 40)}`)
      const [, end, name = '', list = '', alone, text] = match
      const here = open[0] ?? root
      if (text !== undefined) here.text += decoded(text)
      else if (end === '/') expect(open.shift()?.name).toBe(name)
      else {
        const attributes = Object.fromEntries(
          [...list.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key, value = '']) => [key, decoded(value)]),
        )
        const element: Element = { name, attributes, children: [], text: '' }
        here.children.push(element)
        if (alone !== '/') open.unshift(element)
      }
    }
    expect(open).toHaveLength(1)
    const [suites] = root.children
    if (suites === undefined) throw new Error('empty')
    return suites
  }

  test('has a case for each claim', () => {
    const given = outcome(
      [
        { file: 'a.yaml', claims: [{ name: 'shop/one', findings: [] }], findings: [] },
        // The second part of the same file.
        { file: 'a.yaml', claims: [{ name: 'shop/two', findings: [finding(), finding({ line: 8 })] }], findings: [] },
        {
          file: 'b.yaml',
          claims: [{ name: 'three', findings: [finding({ severity: 'warning' })] }],
          findings: [finding({ code: 'YAML_SYNTAX' })],
        },
        { file: 'none.yaml', claims: [], findings: [] },
      ],
      [{ file: 'x.yaml', reason: 'permission denied' }],
    )
    const suites = read(print('junit', given))
    expect(suites.attributes).toEqual({ name: 'eds validate', tests: '5', failures: '2', errors: '1' })
    const seen = suites.children.map(({ attributes, children }) => ({
      suite: attributes,
      cases: children.map(({ attributes, children }) => `${attributes.classname} ${attributes.name}: ${children.map(({ name }) => name)}`),
    }))
    expect(seen).toEqual([
      { suite: { name: 'a.yaml', tests: '2', failures: '1', errors: '0' }, cases: ['a.yaml shop/one: ', 'a.yaml shop/two: failure'] },
      { suite: { name: 'b.yaml', tests: '2', failures: '1', errors: '0' }, cases: ['b.yaml YAML: failure', 'b.yaml three: system-out'] },
      { suite: { name: 'x.yaml', tests: '1', failures: '0', errors: '1' }, cases: ['x.yaml x.yaml: error'] },
    ])
  })

  test('lists all problems of a claim in its failure', () => {
    const [failure] =
      read(print('junit', outcome([fileReport([finding({ message: 'spec.a: is wrong' }), finding({ line: 8, message: 'spec.b: too' })])])))
        .children[0]?.children[0]?.children ?? []
    expect(failure?.attributes).toEqual({ message: 'spec.a: is wrong, and 1 more', type: 'NOT_ALLOWED' })
    expect(failure?.text).toBe(
      'claims/worker.yaml:7:9  spec.a: is wrong  [NOT_ALLOWED]\nclaims/worker.yaml:8:9  spec.b: too  [NOT_ALLOWED]',
    )
  })

  test.each(hostile)('is well-formed with $title', ({ text }) => {
    const report: FileReport = { file: text, claims: [{ name: text, findings: [finding({ file: text, message: text })] }], findings: [] }
    const suites = read(print('junit', outcome([report], [{ file: text, reason: text }])))
    expect(suites.children).toHaveLength(2)
    expect(suites.children[0]?.children[0]?.children[0]?.name).toBe('failure')
  })
})

test('findings of a file are in line order across claims', () => {
  const at = (line: number, column: number) => finding({ line, column })
  const report: FileReport = {
    file: 'a',
    claims: [
      { name: 'one', findings: [at(9, 1), at(2, 5)] },
      { name: 'two', findings: [at(2, 3)] },
    ],
    findings: [at(4, 1)],
  }
  expect(findingsOf(report).map(({ line, column }) => [line, column])).toEqual([
    [2, 3],
    [2, 5],
    [4, 1],
    [9, 1],
  ])
})

test('formats and format names match', () => expect(Object.keys(formats(plain))).toEqual([...formatNames]))
