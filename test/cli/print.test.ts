import fc from 'fast-check'
import { load, YAML11_SCHEMA } from 'js-yaml'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { painter } from '../../src/cli/print/color.ts'
import { factsOf } from '../../src/cli/print/facts.ts'
import { printFindings } from '../../src/cli/print/findings.ts'
import { printJson, printYaml } from '../../src/cli/print/manifests.ts'
import { printTree } from '../../src/cli/print/tree.ts'
import { type LocatedFinding, readSource } from '../../src/cli/yaml/source.ts'

const finding: LocatedFinding = {
  file: 'claims/worker.yaml',
  line: 7,
  column: 9,
  source: '  size: xlarge',
  code: 'NOT_ALLOWED',
  path: ['spec', 'size'],
  problem: 'must be one of [micro, small]',
  found: 'xlarge',
}
const plain = { write: () => undefined, isTerminal: false, color: false, width: 80 }
const terminal = { ...plain, isTerminal: true }

describe('a finding', () => {
  test.each([
    {
      title: 'is one line in a pipe',
      out: plain,
      printed: "claims/worker.yaml:7:9  spec.size: must be one of [micro, small], got 'xlarge'  [NOT_ALLOWED]\n",
    },
    {
      title: 'shows how YAML parsed the value',
      out: plain,
      more: { found: true, hint: 'YAML reads the plain word yes as true: quote it' },
      printed:
        'claims/worker.yaml:7:9  spec.size: must be one of [micro, small], got true (YAML reads the plain word yes as true: quote it)  [NOT_ALLOWED]\n',
    },
    {
      title: 'shows its line on a terminal',
      out: terminal,
      more: { problem: 'is wrong', found: undefined },
      printed: 'claims/worker.yaml:7:9  spec.size: is wrong  [NOT_ALLOWED]\n    7 |   size: xlarge\n      |         ^\n',
    },
    {
      title: 'keeps the caret in place behind a tab and a control character',
      out: terminal,
      more: { problem: 'is wrong', found: undefined, source: '\t\u0007a: x', column: 6 },
      printed: 'claims/worker.yaml:7:6  spec.size: is wrong  [NOT_ALLOWED]\n    7 |  \\u0007a: x\n      |           ^\n',
    },
    {
      title: 'shows a part of a long line',
      out: { ...terminal, width: 50 },
      more: { problem: 'is wrong', found: undefined, source: `${'a'.repeat(500)}X${'b'.repeat(500)}`, column: 501 },
      printed: `claims/worker.yaml:7:501  spec.size: is wrong  [NOT_ALLOWED]\n    7 | ${'a'.repeat(20)}X${'b'.repeat(20)}\n      | ${' '.repeat(20)}^\n`,
    },
    {
      title: 'has colors if they are enabled',
      out: { ...plain, color: true },
      more: { problem: 'is wrong', found: undefined },
      printed: '\u001B[1mclaims/worker.yaml:7:9\u001B[22m  spec.size: is wrong  \u001B[2m[NOT_ALLOWED]\u001B[22m\n',
    },
    {
      title: 'escapes control characters',
      out: plain,
      more: { file: 'a\nb', found: '\u001B[31m\u202Ered\n' },
      printed: "a\\u000ab:7:9  spec.size: must be one of [micro, small], got '\\u001b[31m\\u202ered\\u000a'  [NOT_ALLOWED]\n",
    },
  ])('$title', ({ out, more, printed }) => {
    const { found, ...rest } = { ...finding, ...more }
    expect(printFindings([found === undefined ? rest : { ...rest, found }], out)).toBe(printed)
  })

  test('is listed in the order of its file', () => {
    const at = (file: string, line: number, column = 1) => ({ ...finding, file, line, column })
    const lines = printFindings([at('b', 9), at('a', 1), at('b', 2, 5), at('b', 2)], plain).split('\n')
    expect(lines.map(line => line.split(' ')[0])).toEqual(['b:2:1', 'b:2:5', 'b:9:1', 'a:1:1', ''])
  })
})

describe('manifests', () => {
  test('are printed as a YAML stream in order, quoted for YAML 1.1', () => {
    const list = [{ b: '1' }]
    expect(
      printYaml([
        { kind: 'B', apiVersion: 'v1', on: 'yes', list, again: list, none: undefined },
        { text: 'x\ny\n', time: '12:30' },
      ]),
    ).toBe('kind: B\napiVersion: v1\n"on": "yes"\nlist:\n  - b: "1"\nagain:\n  - b: "1"\n---\ntext: |\n  x\n  y\ntime: "12:30"\n')
  })

  test('are printed as a JSON List', () => {
    expect(JSON.parse(printJson([{ kind: 'A' }]))).toEqual({ apiVersion: 'v1', kind: 'List', items: [{ kind: 'A' }] })
  })

  test('are read back unchanged by kubectl and other YAML parsers', () => {
    const word = fc.string({ unit: fc.constantFrom(...'0123456789_+-.xXoObBeEyYnNtTfFaAiI~<=:# \n'), maxLength: 8 })
    // The package yaml drops trailing lines of spaces, which the parsers above keep.
    const text = fc.oneof(word, fc.string(), fc.string({ unit: 'binary' })).filter(text => !/\n[ \t]\s*$/.test(text))
    const { tree } = fc.letrec(tie => ({
      leaf: fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
      tree: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(text, tie('tree'), { maxKeys: 3 }),
      ),
    }))
    fc.assert(
      fc.property(fc.dictionary(text, tree, { minKeys: 1, maxKeys: 3, noNullPrototype: true }), value => {
        const manifest = JSON.parse(JSON.stringify(value))
        const yaml = printYaml([manifest, manifest])
        expect(readSource('f', yaml)).toMatchObject({ findings: [] })
        expect(readSource('f', yaml).documents.map(document => document.value)).toEqual([manifest, manifest])
        const alone = printYaml([manifest])
        expect(load(alone, { schema: YAML11_SCHEMA })).toEqual(manifest)
        expect(parse(alone, { version: '1.2' })).toEqual(manifest)
      }),
      { numRuns: 500, examples: [[{ a: '5e800', '5e800': '' }]] },
    )
  })
})

describe('a tree', () => {
  const branches = [
    { key: 'serviceaccount', manifest: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'worker' } } },
    {
      key: 'http-service',
      manifest: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'worker-http' },
        spec: { sessionAffinity: 'ClientIP', ports: [{ port: 80, targetPort: 'http' }] },
      },
    },
    {
      key: 'knative-service',
      manifest: {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        metadata: { name: 'worker' },
        spec: {
          template: {
            metadata: { annotations: { 'autoscaling.knative.dev/min-scale': '0', 'autoscaling.knative.dev/max-scale': '0' } },
            spec: { containers: [{ image: 'x/y:1', resources: { requests: { cpu: '100m' }, limits: { cpu: '1' } } }] },
          },
        },
      },
    },
  ]

  test('has a line with facts for each resource', () => {
    const tree = printTree({ root: 'EventDrivenService default/worker', facts: 'size small', branches }, painter({ color: false }))
    expect(tree.split('\n')).toEqual([
      'EventDrivenService default/worker          size small',
      '├─ ServiceAccount worker (serviceaccount)',
      '├─ Service worker-http (http-service)      80 → http, sticky by ClientIP',
      '└─ Service worker (knative-service)        x/y:1, 100m–1 CPU, 0–∞ replicas',
      '',
    ])
  })

  test('shows readiness if objects were observed', () => {
    const [first, second] = branches
    if (first === undefined || second === undefined) throw new Error('two branches are needed')
    const readiness = { ready: false, reason: 'Creating', message: 'not there yet' }
    const known = [
      { ...first, readiness: { ...readiness, ready: true } },
      { ...second, readiness },
    ]
    expect(printTree({ root: 'E d/w', facts: '', branches: known }, painter({ color: false })).split('\n')).toEqual([
      'E d/w',
      '├─ ServiceAccount worker (serviceaccount)  ready',
      '└─ Service worker-http (http-service)      Creating  80 → http, sticky by ClientIP',
      '',
    ])
  })

  test.each([
    { title: 'a name', subscriber: { ref: { name: 'worker' } }, to: 'worker' },
    { title: 'a name with a path', subscriber: { ref: { name: 'worker' }, uri: '/paid' }, to: 'worker/paid' },
    { title: 'an address', subscriber: { uri: 'http://worker.shop.svc:8080/paid' }, to: 'http://worker.shop.svc:8080/paid' },
  ])('shows the subscriber: $title', ({ subscriber, to }) => {
    const trigger = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', spec: { broker: 'shop', subscriber } }
    const source = { apiVersion: 'sources.knative.dev/v1', kind: 'KafkaSource', spec: { topics: ['a', 'b'], sink: subscriber } }
    expect([trigger, source].map(manifest => factsOf(manifest))).toEqual([`from shop, to ${to}`, `a, b, to ${to}`])
  })
})
