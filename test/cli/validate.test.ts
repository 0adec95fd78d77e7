import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import { printYaml } from '../../src/cli/print/manifests.ts'
import { findingsOf } from '../../src/cli/report/file-report.ts'
import { formatNames } from '../../src/cli/report/formats.ts'
import { createFileValidator, PART_LENGTH, partsOf } from '../../src/cli/validate/file-validator.ts'
import { progressOn } from '../../src/cli/validate/progress.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claims, compositeOf, mutate, mutations, RUNS } from '../fixtures/claims.ts'
import { gateways } from '../fixtures/mesh.ts'
import { recorded } from './io.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'eds-validate-'))
const start = process.cwd()

const claim = (name = 'worker', more = '') => `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata:
  name: ${name}
  namespace: shop
spec:
  image: ghcr.io/acme/worker:1.4.2
  nats:
    stream: ORDERS
    consumer: workers
${more}`
const wrong = claim('worker', '  size: xlarge\n')
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {size: xlarge}\n'

const files: Readonly<Record<string, string | Buffer>> = {
  'good.yaml': claim(),
  'good.json': JSON.stringify({
    apiVersion: 'platform.bizmatters.io/v1alpha1',
    kind: 'EventDrivenService',
    metadata: { name: 'worker' },
    spec: { image: 'acme/worker:1', nats: { stream: 'S', consumer: 'c' } },
  }),
  'wrong.yaml': wrong,
  'mixed.yaml': `${configMap}---\n${claim('a')}---\n# nothing\n---\nvalues: of an EventDrivenService\n---\n${claim('b')}---\n: - broken, and not ours: [\n`,
  'old.yaml': claim('old', '  secret1Name: orders-db\n').replace(':1.4.2', ''),
  'binary.yaml': Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]),
  'others/config.yaml': configMap,
  'others/package.json': '{"name": "x"}',
  'others/broken.yaml': 'a: [\n{{ template }}',
  'empty/readme.txt': 'nothing here',
  'deep/a/good.yaml': claim('a'),
  'deep/b/wrong.yaml': wrong,
  'deep/b/values.yaml': 'image: x\n',
  'no-schema.json': '{"type": "nonsense", "properties": {"spec": {"type": "nonsense"}}}',
  'no-rule.json':
    '{"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-validations": [{"rule": "self ==", "message": "x"}]}}}',
  'no-names.json': '{"type": "object", "properties": {"spec": {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": "name"}}}',
  'no-json.json': '{"type": ',
  'other-schema.json': '{"type": "object", "properties": {}}',
  'input.yaml': 'apiVersion: fn.platform.bizmatters.io/v1alpha1\nkind: Input\nfeatures: {knativeInitContainers: true}\n',
}

beforeAll(() => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  writeFileSync(join(folder, 'huge.yaml'), '')
  truncateSync(join(folder, 'huge.yaml'), 100 * 1024 * 1024)
  const schema = JSON.parse(readFileSync(join(root, 'schemas/eventdrivenservice.schema.json'), 'utf8'))
  schema.properties.spec.properties.size.enum.push('xlarge')
  writeFileSync(join(folder, 'next-schema.json'), JSON.stringify(schema))
  schema.properties.spec.properties.env = { type: 'string' }
  schema.properties.spec.properties.size = { enum: [1, 2] }
  schema.properties.spec.properties.environment = { type: 'string', deprecated: true, description: {} }
  writeFileSync(join(folder, 'strange-schema.json'), JSON.stringify(schema))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(start)
  rmSync(folder, { recursive: true })
})

async function run(args: readonly string[], given: Parameters<typeof recorded>[0] = {}) {
  const { io, stdout, stderr } = recorded(given)
  const code = await eds(['validate', ...args], io)
  return { code, stdout: stdout(), stderr: stderr() }
}

const withoutColor = (text: string) => text.replaceAll(/\p{Cc}\[\d+m/gu, '')

const finding = (file: string) => `${file}:11:9  spec.size: must be one of [micro, small, medium, large], got 'xlarge'  [NOT_ALLOWED]\n`

test.each([
  { title: 'a valid claim', args: ['good.yaml'], code: 0, stdout: '', stderr: '1 claim valid\n' },
  { title: 'JSON', args: ['good.json'], code: 0, stdout: '', stderr: '1 claim valid\n' },
  {
    title: 'an invalid claim',
    args: ['wrong.yaml'],
    code: 1,
    stdout: finding('wrong.yaml'),
    stderr: '0 of 1 claim valid, 1 finding in 1 file\n',
  },
  { title: 'claims among other manifests', args: ['mixed.yaml'], code: 0, stdout: '', stderr: '2 claims valid\n' },
  {
    title: 'a directory',
    args: ['deep'],
    code: 1,
    stdout: finding('deep/b/wrong.yaml'),
    stderr: '1 of 2 claims valid, 1 finding in 1 file\n',
  },
  { title: 'a glob', args: ['deep/**/good.*'], code: 0, stdout: '', stderr: '1 claim valid\n' },
  { title: 'standard input', args: ['-'], stdin: claim(), code: 0, stdout: '', stderr: '1 claim valid\n' },
  {
    title: 'piped standard input without operands',
    args: [],
    stdin: wrong,
    code: 1,
    stdout: finding('<stdin>'),
    stderr: '0 of 1 claim valid, 1 finding in 1 file\n',
  },
  { title: 'quiet without findings', args: ['good.yaml', '-q'], code: 0, stdout: '', stderr: '' },
  { title: 'quiet with a finding', args: ['wrong.yaml', '--quiet'], code: 1, stdout: finding('wrong.yaml'), stderr: '' },
])('$title', async ({ args, stdin, code, stdout, stderr }) => {
  expect(await run(args, stdin === undefined ? {} : { stdin })).toEqual({ code, stdout, stderr })
})

describe('warns of two claims that want one host', () => {
  const withHosts = (name: string, hosts: string) => claim(name, `  httpPort: 8080\n  mesh:\n    hosts: ${hosts}\n`)
  const warning =
    "b.yaml:13:13  warning: spec.mesh.hosts[0]: claim shop/a has the same host (a.yaml:13:13): in one cluster it is undefined which of them gets its requests, got 'x.example.com'  [SAME_HOST]\n"

  test.each([
    { title: 'in two files', files: { 'a.yaml': withHosts('a', '[x.example.com]'), 'b.yaml': withHosts('b', '[x.example.com]') } },
    {
      title: 'but not of two versions of a claim',
      files: { 'a.yaml': withHosts('a', '[x.example.com]'), 'b.yaml': withHosts('a', '[x.example.com]') },
    },
    { title: 'but not of two hosts', files: { 'a.yaml': withHosts('a', '[x.example.com]'), 'b.yaml': withHosts('b', '[y.example.com]') } },
  ])('$title', ({ title, files }) => {
    const platform = { ...builtInPlatform, mesh: { trustDomain: 'cluster.local', natsBypass: true, gateway: gateways.Istio } }
    const validateFile = createFileValidator({ platform, advice: 'warning' })
    const reports = Object.entries(files).flatMap(([file, text]) => [...validateFile({ file, text })])
    const { io, stdout } = recorded()
    for (const { message, severity, ...finding } of reports.flatMap(findingsOf).filter(({ code }) => code === 'SAME_HOST'))
      io.stdout.write(`${finding.file}:${finding.line}:${finding.column}  ${severity}: ${message}  [${finding.code}]\n`)
    expect(stdout()).toBe(title.startsWith('but') ? '' : warning)
  })
})

describe('reports in one line', () => {
  const none = 'eds validate: the input contains no EventDrivenService\n'

  test.each([
    {
      title: 'a missing file',
      args: ['none.yaml'],
      stderr: 'eds: none.yaml: no such file or directory\n0 claims valid, 1 file not read\n',
    },
    {
      title: 'a binary file',
      args: ['binary.yaml'],
      stderr: 'eds: binary.yaml: is binary, not YAML or JSON\n0 claims valid, 1 file not read\n',
    },
    {
      title: 'a file that is too large',
      args: ['huge.yaml'],
      stderr: 'eds: huge.yaml: is larger than 64 MiB\n0 claims valid, 1 file not read\n',
    },
    {
      title: 'a directory without manifests',
      args: ['empty'],
      stderr: 'eds: empty: has no .yaml, .yml or .json files\n0 claims valid, 1 file not read\n',
    },
    { title: 'a directory without claims', args: ['others'], stderr: none },
    { title: 'an empty standard input', args: ['-'], stdin: '', stderr: none },
    { title: 'a terminal without operands', args: [], stderr: 'eds validate: name a file or a directory, or pipe a claim in\n' },
    {
      title: 'an unknown flag',
      args: ['--stict'],
      stderr: 'eds validate: unknown flag --stict, did you mean --strict?\nSee: eds validate --help\n',
    },
    {
      title: 'an unknown format',
      args: ['-o', 'sarrif'],
      stderr:
        "eds validate: -o must be one of [text, json, yaml, github, sarif, junit], got 'sarrif'; did you mean sarif?\nSee: eds validate --help\n",
    },
    { title: 'a missing schema', args: ['good.yaml', '--schema', 'none.json'], stderr: 'eds: none.json: no such file or directory\n' },
    {
      title: 'a schema that is not JSON',
      args: ['good.yaml', '--schema', 'no-json.json'],
      stderr: /^eds: no-json\.json: is not valid JSON: line 1: .*\n$/,
    },
    {
      title: 'an invalid schema',
      args: ['good.yaml', '--schema', 'no-schema.json'],
      stderr: /^eds: no-schema\.json: is not a valid schema: .*nonsense.*\n$/,
    },
    {
      title: 'a schema with an invalid rule',
      args: ['good.yaml', '--schema', 'no-rule.json'],
      stderr: /^eds: no-rule\.json: is not a valid schema: .*\n$/,
    },
    {
      title: 'a schema with invalid list-map keys',
      args: ['good.yaml', '--schema', 'no-names.json'],
      stderr: /^eds: no-names\.json: is not a valid schema: x-kubernetes-list-map-keys must be a list of names\n$/,
    },
    {
      title: 'a schema of something else',
      args: ['good.yaml', '--schema', 'other-schema.json'],
      stderr: /^eds: other-schema\.json: is not an EventDrivenService schema: .*\n$/,
    },
    {
      title: 'a schema that is a claim',
      args: ['good.yaml', '--schema', 'good.yaml'],
      stderr: /^eds: good\.yaml: is not an EventDrivenService schema.*\n$/,
    },
    {
      title: 'a missing function input',
      args: ['good.yaml', '--input', 'none.yaml'],
      stderr: 'eds: none.yaml: no such file or directory\n',
    },
  ])('$title', async ({ args, stdin, stderr }) => {
    const ran = await run(args, stdin === undefined ? {} : { stdin })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    if (typeof stderr === 'string') expect(ran.stderr).toBe(stderr)
    else expect(ran.stderr).toMatch(stderr)
  })

  test.skipIf(process.getuid?.() === 0)('permission denied', async () => {
    writeFileSync('locked.yaml', claim())
    chmodSync('locked.yaml', 0)
    expect(await run(['locked.yaml'])).toMatchObject({
      code: 2,
      stderr: 'eds: locked.yaml: permission denied\n0 claims valid, 1 file not read\n',
    })
  })

  test('a broken link', async () => {
    symlinkSync('nowhere', 'dangling.yaml')
    expect(await run(['dangling.yaml'])).toMatchObject({ code: 2 })
  })

  test('an unreadable file among others, which are still validated', async () => {
    expect(await run(['none.yaml', 'wrong.yaml', 'good.yaml'])).toEqual({
      code: 2,
      stdout: finding('wrong.yaml'),
      stderr: 'eds: none.yaml: no such file or directory\n1 of 2 claims valid, 1 finding in 1 file, 1 file not read\n',
    })
  })

  test('no claims, which --if-present accepts', async () => {
    expect(await run(['others', '--if-present'])).toEqual({ code: 0, stdout: '', stderr: '0 claims valid, 3 files read\n' })
  })
})

describe('--strict', () => {
  const lines = (how: string) =>
    `old.yaml:7:10  ${how}spec.image: must be pinned: use a tag other than 'latest', or a digest, got 'ghcr.io/acme/worker'  [UNPINNED_IMAGE]\n` +
    `old.yaml:11:3  ${how}spec.secret1Name: deprecated: use a secretRefs entry with envFrom true  [DEPRECATED]\n`

  test.each([
    { title: 'prints warnings without the flag', args: [], code: 0, stdout: lines('warning: '), stderr: '1 claim valid, 2 warnings\n' },
    {
      title: 'prints errors with the flag',
      args: ['--strict'],
      code: 1,
      stdout: lines(''),
      stderr: '0 of 1 claim valid, 2 findings in 1 file\n',
    },
    { title: 'prints no warnings with --quiet', args: ['--quiet'], code: 0, stdout: '', stderr: '' },
    { title: 'prints errors with --quiet', args: ['--quiet', '--strict'], code: 1, stdout: lines(''), stderr: '' },
  ])('$title', async ({ args, code, stdout, stderr }) => {
    expect(await run(['old.yaml', ...args])).toEqual({ code, stdout, stderr })
  })

  test('does not add advice to a path with an error', async () => {
    const { stdout } = await run(['-', '--strict'], { stdin: wrong.replace('ghcr.io/acme/worker:1.4.2', 'Not An Image') })
    expect(stdout.match(/\[\w+\]$/gm)).toEqual(['[BAD_FORMAT]', '[NOT_ALLOWED]'])
  })
})

describe('--schema', () => {
  test('validates against another version', async () => {
    expect(await run(['wrong.yaml', '--schema', 'next-schema.json'])).toMatchObject({ code: 0 })
    expect((await run(['-', '--schema', 'next-schema.json'], { stdin: wrong.replace('xlarge', 'huge') })).stdout).toContain(
      "must be one of [micro, small, medium, large, xlarge], got 'huge'",
    )
  })

  test('the published schema gives the same findings as the default', async () => {
    const schema = join(root, 'schemas/eventdrivenservice.schema.json')
    for (const name of ['good.yaml', 'wrong.yaml', join(root, 'test/fixtures/claims/invalid/secret-ref-shadows-env.yaml')])
      expect(await run([name, '--schema', schema])).toEqual(await run([name]))
  })

  test('accepts a schema that permits values the checks cannot read', async () => {
    expect(await run(['-', '--schema', 'strange-schema.json'], { stdin: claim('a', '  env: text\n') })).toMatchObject({ code: 0 })
  })

  test('accepts a schema with numbers and objects as enum values', async () => {
    expect((await run(['wrong.yaml', '--schema', 'strange-schema.json'])).stdout).toContain("must be one of [1, 2], got 'xlarge'")
  })
})

test('--input enables the features of the platform', async () => {
  const knative = claim('a', '  runtime: Knative\n  initContainer: {command: [x]}\n')
  expect((await run(['-'], { stdin: knative })).stdout).toContain('[UNSUPPORTED]')
  expect(await run(['-', '--input', 'input.yaml'], { stdin: knative })).toMatchObject({ code: 0 })
})

describe('a composite', () => {
  const composite = (more = '') => claim('orders-x7k2p', more).replace('kind: Event', 'kind: XEvent').replace('  namespace: shop\n', '')

  test.each([
    {
      title: 'of a claim',
      text: composite('  claimRef: {apiVersion: a, kind: b, name: orders, namespace: shop}\n  resourceRefs: []\n'),
      found: [],
    },
    { title: 'without a namespace', text: composite(), found: ['NO_NAMESPACE'] },
    {
      title: 'with a Crossplane field',
      text: `${composite('  claimRef: {name: orders, namespace: shop}\n')}sepc: {}\n`,
      found: ['UNKNOWN_FIELD'],
    },
    {
      title: 'with metadata that is text',
      text: composite().replace(/metadata:\n.*/, 'metadata: text'),
      found: ['REQUIRED', 'NO_NAMESPACE'],
    },
  ])('$title', async ({ text, found }) => {
    const { findings } = JSON.parse((await run(['-o', 'json', '-'], { stdin: text })).stdout)
    expect(findings.map(({ code }: { code: string }) => code).sort()).toEqual(found.sort())
  })
})

describe('on a terminal', () => {
  test('shows the line with a caret', async () => {
    const { stdout } = await run(['wrong.yaml'], { isTerminal: true, stdin: '' })
    expect(withoutColor(stdout)).toBe(`${finding('wrong.yaml')}   11 |   size: xlarge\n      |         ^\n`)
  })

  test('shows the part of a very long line around the column', async () => {
    const stdin = JSON.stringify({
      apiVersion: 'platform.bizmatters.io/v1alpha1',
      kind: 'EventDrivenService',
      metadata: { name: 'a', annotations: { long: 'x'.repeat(100_000) } },
      spec: { image: 'a/b:1', nats: { stream: 'S', consumer: 'c' }, size: 'xlarge', env: [{ name: 'A', value: 'y'.repeat(100_000) }] },
    })
    const { stdout } = await run(['-'], { isTerminal: true, stdin })
    const [, shown = '', caret = ''] = withoutColor(stdout).split('\n')
    expect(shown.slice(caret.indexOf('^'))).toMatch(/^"xlarge"/)
    expect(stdout.length).toBeLessThan(1000)
  })

  describe('progress', () => {
    function watched(isTerminal: boolean) {
      let now = 0
      const written: string[] = []
      const progress = progressOn({ isTerminal, write: text => written.push(text) }, () => now)
      return { progress, written, at: (time: number) => (now = time) }
    }

    test('appears after a delay and at a limited rate', () => {
      const { progress, written, at } = watched(true)
      progress.show(1)
      at(499)
      progress.show(2)
      expect(written).toEqual([])
      at(500)
      progress.show(1000)
      progress.show(1001)
      at(601)
      progress.show(2000)
      expect(written).toEqual(['\r1,000 claims …\u001B[K', '\r2,000 claims …\u001B[K'])
    })

    test('is erased once before other output', () => {
      const { progress, written, at } = watched(true)
      progress.clear()
      at(500)
      progress.show(1)
      progress.clear()
      progress.clear()
      expect(written.slice(1)).toEqual(['\r\u001B[K'])
    })

    test('is not shown outside a terminal', () => {
      const { progress, written, at } = watched(false)
      at(10_000)
      progress.show(1)
      progress.clear()
      expect(written).toEqual([])
    })
  })
})

describe('large input', () => {
  test('10,000 findings in one claim', async () => {
    const fields = Array.from({ length: 10_000 }, (_, index) => `  unknown${String(index).padStart(4, '0')}: ${index}\n`).join('')
    const { code, stdout, stderr } = await run(['-'], { stdin: claim('a', fields) })
    const lines = stdout.trimEnd().split('\n')
    expect({ code, stderr, lines: lines.length }).toEqual({
      code: 1,
      stderr: '0 of 1 claim valid, 1,001 findings in 1 file\n',
      lines: 1001,
    })
    expect(lines[0]).toBe('<stdin>:1:1  9000 more findings in this document are not listed  [TOO_MANY]')
    expect(lines.at(-1)).toBe('<stdin>:1010:3  spec.unknown0999: unknown field  [UNKNOWN_FIELD]')
  })

  test.each(formatNames)('10,000 findings in one claim say how many are left out: %s', async format => {
    const fields = Array.from({ length: 10_000 }, (_, index) => `  unknown${String(index).padStart(4, '0')}: ${index}\n`).join('')
    const { stdout } = await run(['-', '-o', format], { stdin: claim('a', fields) })
    expect(stdout).toContain('9000 more findings in this document are not listed')
    expect(stdout).not.toContain('unknown1000')
  })

  test.each([
    { title: 'a key repeated many times', text: `${claim()}${'  size: x\n'.repeat(300_000)}`, problem: /298999 more findings/ },
    {
      title: 'more values than an object may contain',
      text: `${claim()}  env: [${'1,'.repeat(100_000)}]\n`,
      problem: /at most 100000 values/,
    },
    {
      title: 'more entries than fit into memory',
      text: `${claim()}  env: [${'1,'.repeat(1_000_000)}]\n`,
      problem: /must have at most 1000000 lines/,
    },
    {
      title: 'a text longer than the limit',
      text: `${claim()}  healthPath: ${'a'.repeat(8_000_000)}\n`,
      problem: /at most 1024 characters, got 8000000/,
    },
    {
      title: 'an image longer than the limit',
      text: claim().replace(/image: .*/, `image: ${'a'.repeat(8_000_000)}`),
      problem: /to 512 characters, got 8000000/,
    },
    { title: 'escaped quotes that are never closed', text: `{"EventDrivenService": "${'\\"'.repeat(200_000)}`, problem: /not closed/ },
  ])('$title', async ({ text, problem }) => {
    const { code, stdout } = await run(['-'], { stdin: text })
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(problem) })
  })

  test('validates a large file in parts and reports correct positions', async () => {
    const texts = Array.from({ length: 600 }, (_, index) =>
      index % 100 === 7 ? claim(`a${index}`, '  size: xlarge\n  size: small\n') : claim(`a${index}`),
    )
    const text = texts.join('---\n')
    expect([...partsOf(text)].length).toBeGreaterThan(1)
    const { stdout, stderr } = await run(['-'], { stdin: text })
    const first = text.split('\n').flatMap((line, index) => (line === '  size: xlarge' ? [index + 1] : []))
    expect(stdout).toBe(
      first
        .map(
          line =>
            `<stdin>:${line + 1}:3  spec.size: must not repeat the key at ${line}:3: kubectl would keep only this one  [DUPLICATE_KEY]\n`,
        )
        .join(''),
    )
    expect(stderr).toBe('600 claims valid, 6 findings in 1 file\n')
  })

  test.each([
    { title: 'Unix line breaks', lineBreak: '\n' },
    { title: 'Windows line breaks', lineBreak: '\r\n' },
  ])('the parts add up to the file: $title', ({ lineBreak }) => {
    const text = Array.from({ length: 600 }, (_, index) => claim(`a${index}`))
      .join('---\n')
      .replaceAll('\n', lineBreak)
    const parts = [...partsOf(text)]
    expect(parts.map(part => part.text).join('')).toBe(text)
    const lines = text.split(lineBreak)
    for (const part of parts) expect(part.text.split(lineBreak)[0]).toBe(lines[part.firstLine - 1])
  })

  test('a document that cannot be split stays whole', () => {
    const text = `%YAML 1.1\n---\n${claim().repeat(PART_LENGTH / 100)}`
    expect([...partsOf(text)]).toEqual([{ text, firstLine: 1 }])
  })
})

describe('law: eds validate accepts what the function accepts', () => {
  const validateFile = createFileValidator({ platform: builtInPlatform })
  const isValid = (document: JsonObject) =>
    [...validateFile({ file: 'a.yaml', text: printYaml([document]) })].flatMap(findingsOf).length === 0

  test('any valid claim and its composite', () => {
    fc.assert(
      fc.property(claims(), valid => {
        expect(isValid(valid)).toBe(true)
        expect(isValid(compositeOf(valid))).toBe(true)
      }),
      { numRuns: RUNS },
    )
  })

  test.each(mutations)('and rejects $title like the function', mutation => {
    fc.assert(
      fc.property(claims(), valid => {
        const broken = mutate(valid, mutation)
        expect(isValid(broken)).toBe(false)
        if (broken.kind === valid.kind && broken.apiVersion === valid.apiVersion) expect(parseClaim(broken, builtInPlatform).ok).toBe(false)
      }),
      { numRuns: 20 },
    )
  })
})
