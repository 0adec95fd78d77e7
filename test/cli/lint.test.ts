import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eds } from '../../src/cli/eds.ts'
import { recorded } from './io.ts'

const folder = mkdtempSync(join(tmpdir(), 'eds-lint-'))
const start = process.cwd()

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: orders}\nspec: {ports: [{port: 80}]}\n'
const trigger = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: orders}
spec:
  broker: shop
`
const route = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: orders, namespace: shop}
spec:
  http:
    - route:
        - destination: {host: orders, port: {number: 8080}}
`
const files: Readonly<Record<string, string>> = {
  'good.yaml': `${service}---\n# nothing\n---\nreplicas: 2\n`,
  'wrong.yaml': `${service.replace('orders}', 'orders, namespace: shop}')}---\n${route}`,
  'trigger.yaml': trigger,
  'list.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [JSON.parse('{"apiVersion":"v1","kind":"Namespace"}')] }),
  'broken.yaml': 'a: [\n',
  'claim.yaml': 'apiVersion: platform.bizmatters.io/v1alpha1\nkind: EventDrivenService\nmetadata: {name: orders}\n',
  'values.yaml': 'image: x\n',
}

beforeAll(() => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(start)
  rmSync(folder, { recursive: true })
})

async function run(args: readonly string[], stdin?: string) {
  const { io, stdout, stderr } = recorded(stdin === undefined ? {} : { stdin })
  const code = await eds(['lint', ...args], io)
  return { code, stdout: stdout(), stderr: stderr() }
}

const wrongPort =
  'wrong.yaml:12:54  spec.http[0].route[0].destination.port.number: Service shop/orders has only port 80, got 8080  [MISSING_PORT]\n'
const noBroker = (namespace: string) => `trigger.yaml:5:11  spec.broker: namespace ${namespace} has no Broker shop  [MISSING_BROKER]\n`
const none = 'eds lint: the input contains no Kubernetes object\n'

test.each([
  { title: 'objects without a finding', args: ['good.yaml'], code: 0, stdout: '', stderr: '1 object valid\n' },
  {
    title: 'a finding with its line',
    args: ['wrong.yaml'],
    code: 1,
    stdout: wrongPort,
    stderr: '1 of 2 objects valid, 1 finding in 1 file\n',
  },
  { title: 'standard input', args: ['-'], stdin: service, code: 0, stdout: '', stderr: '1 object valid\n' },
  { title: 'a List', args: ['list.json'], code: 0, stdout: '', stderr: '1 object valid\n' },
  {
    title: 'a reference out of the files',
    args: ['trigger.yaml'],
    code: 0,
    stdout: '',
    stderr: '1 object valid\n1 reference leads out of the files; --complete reports what they lack\n',
  },
  {
    title: 'complete files',
    args: ['trigger.yaml', '--complete', '-q'],
    code: 1,
    stdout: noBroker('default'),
    stderr: '',
  },
  {
    title: 'the namespace of objects that name none',
    args: ['trigger.yaml', '--complete', '-n', 'shop', '-q'],
    code: 1,
    stdout: noBroker('shop'),
    stderr: '',
  },
  {
    title: 'a claim, which is to be rendered first',
    args: ['claim.yaml'],
    code: 0,
    stdout: '',
    stderr: 'eds: claim.yaml: to lint what EventDrivenService orders becomes, render it first: eds render\n1 object valid\n',
  },
  { title: 'no object', args: ['values.yaml'], code: 2, stdout: '', stderr: none },
  {
    title: 'a missing file',
    args: ['none.yaml'],
    code: 2,
    stdout: '',
    stderr: 'eds: none.yaml: no such file or directory\n0 objects valid, 1 file not read\n',
  },
])('reads $title', async ({ args, stdin, code, stdout, stderr }) => {
  expect(await run(args, stdin)).toEqual({ code, stdout, stderr })
})

test('reports invalid YAML with its line', async () => {
  const { code, stdout } = await run(['broken.yaml', 'good.yaml', '-q'])
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^broken\.yaml:\d+:\d+ {2}.*\[YAML_SYNTAX\]\n$/)])
})

test('prints JSON of objects', async () => {
  const { stdout } = await run(['wrong.yaml', '-o', 'json'])
  expect(JSON.parse(stdout)).toMatchObject({
    summary: { files: 1, objects: 2, validObjects: 1, errors: 1, warnings: 0 },
    findings: [{ file: 'wrong.yaml', line: 12, code: 'MISSING_PORT', path: 'spec.http[0].route[0].destination.port.number' }],
    unreadable: [],
  })
})

test('prints JUnit of its own name, with a case for each object', async () => {
  const { stdout } = await run(['wrong.yaml', '-o', 'junit'])
  expect(stdout).toContain('<testsuites name="eds lint" tests="2" failures="1" errors="0">')
  expect(stdout).toContain('name="VirtualService shop/orders"')
})
