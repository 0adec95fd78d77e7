import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { render } from '../../src/cli/render.ts'
import { readSource } from '../../src/cli/yaml/source.ts'
import { at, isObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { recorded } from './io.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'eds-render-'))
const start = process.cwd()

const claim = (name: string, more = '') => `apiVersion: platform.bizmatters.io/v1alpha1
kind: EventDrivenService
metadata:
  name: ${name}
spec:
  image: ghcr.io/acme/worker:1.0.0
  nats:
    stream: JOBS
    consumer: workers
${more}`

const composite = `apiVersion: platform.bizmatters.io/v1alpha1
kind: XEventDrivenService
metadata:
  name: worker-abcde
spec:
  claimRef: {apiVersion: platform.bizmatters.io/v1alpha1, kind: EventDrivenService, name: worker, namespace: shop}
  image: ghcr.io/acme/worker:1.0.0
  nats: {stream: JOBS, consumer: workers}
`
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n'
const deployment = (name: string, more = '') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: default${more}}\nspec: {replicas: 0}\n`
const input = (more: string) => `apiVersion: fn.platform.bizmatters.io/v1alpha1\nkind: Input\n${more}`

const files: Readonly<Record<string, string>> = {
  'claim.yaml': claim('worker'),
  'two.yaml': `${claim('one')}---\n${configMap}---\n${claim('two')}`,
  'composite.yaml': composite,
  'homeless.yaml': composite.replace(/ {2}claimRef.*\n/, ''),
  'wrong.yaml': claim('worker', '  size: xlarge\n  imagePullSecret: x\n  env: [{name: A, value: yes}]\n'),
  'kinds.yaml': `${claim('worker').replace('EventDrivenService', 'EventdrivenService')}---\nspec: {}\n---\njust text\n`,
  'broken.yaml': 'kind: "\n',
  'other.yaml': configMap,
  'observed.yaml': deployment('worker'),
  'annotated.yaml': deployment('renamed', ', annotations: {crossplane.io/composition-resource-name: deployment}'),
  'foreign.yaml': deployment(
    'worker2',
    ', annotations: {crossplane.io/composition-resource-name: deployment}, labels: {crossplane.io/claim-name: worker2}',
  ),
  'namespaced.yaml': deployment(
    'worker2',
    ', annotations: {crossplane.io/composition-resource-name: deployment}, labels: {crossplane.io/composite: worker2}',
  ),
  'elsewhere.yaml': deployment('worker', ', annotations: {crossplane.io/composition-resource-name: deployment}').replace(
    'namespace: default',
    'namespace: elsewhere',
  ),
  'input.yaml': input('defaults: {size: micro}\n'),
  'names.yaml': input('sizes: {tiny: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 128Mi}}}\nenvironments: {qa: {size: tiny}}\n'),
  'composition.yaml': `apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nspec:\n  pipeline:\n    - step: first\n    - step: ours\n      input:\n        ${input(
    'defaults: {size: micro}',
  ).replaceAll('\n', '\n        ')}\n`,
  'wrong-input.yaml': input('defaults:\n  size: tiny\n'),
}

beforeAll(() => {
  process.chdir(folder)
  for (const [name, content] of Object.entries(files)) writeFileSync(name, content)
})

afterAll(() => {
  process.chdir(start)
  rmSync(folder, { recursive: true })
})

async function run(args: readonly string[], options?: Parameters<typeof recorded>[0]) {
  const { io, stdout, stderr } = recorded(options)
  const exit = await render.execute(args, io)
  return { exit, stdout: stdout(), stderr: stderr() }
}

/** `Deployment shop/worker` for each manifest printed. */
const names = (yaml: string) =>
  readSource('stdout', yaml).documents.map(
    ({ value }) => `${at(value, 'kind')} ${at(value, 'metadata', 'namespace')}/${at(value, 'metadata', 'name')}`,
  )
const resources = (place: string) => [
  ...['ServiceAccount', 'Deployment', 'Service'].map(kind => `${kind} ${place}`),
  `ScaledObject ${place}-scaler`,
  `PodDisruptionBudget ${place}`,
]
const printed = (yaml: string, kind: string) =>
  readSource('stdout', yaml)
    .documents.map(({ value }) => value)
    .find(value => at(value, 'kind') === kind)
const cpu = (yaml: string) => at(printed(yaml, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'resources', 'requests', 'cpu')

describe('renders', () => {
  test.each([
    { title: 'a claim in the namespace default', args: ['claim.yaml'], names: resources('default/worker') },
    { title: 'a claim in the given namespace', args: ['claim.yaml', '-n', 'shop'], names: resources('shop/worker') },
    { title: 'a composite in the namespace of its claim', args: ['composite.yaml'], names: resources('shop/worker') },
    {
      title: 'a composite without a claim in the given namespace',
      args: ['homeless.yaml', '-n', 'shop'],
      names: resources('shop/worker-abcde'),
    },
    {
      title: 'several claims from several files',
      args: ['two.yaml', 'claim.yaml'],
      names: ['one', 'two', 'worker'].flatMap(name => resources(`default/${name}`)),
    },
    { title: 'standard input', args: [], stdin: claim('piped'), names: resources('default/piped') },
    { title: 'standard input if it is named', args: ['-'], stdin: claim('piped'), names: resources('default/piped') },
  ])('$title', async ({ args, names: wanted, stdin }) => {
    const { exit, stdout } = await run(args, stdin === undefined ? undefined : { stdin })
    expect(names(stdout)).toEqual(wanted)
    expect(exit).toBe(0)
  })

  test('reports which documents it skips', async () => {
    expect((await run(['two.yaml'])).stderr).toBe('two.yaml:12:1: skipped because ConfigMap settings is not an EventDrivenService\n')
  })

  test.each([
    { title: 'the default size', args: [], is: '500m' },
    { title: 'the size from the environment', args: ['--environment', 'development'], is: '250m' },
    { title: 'the size from the function input', args: ['--input', 'input.yaml'], is: '100m' },
    { title: "the size from the platform's own environment", args: ['--input', 'names.yaml', '--environment', 'qa'], is: '50m' },
    { title: 'the size from the function input in a Composition', args: ['--input', 'composition.yaml'], is: '100m' },
  ])('$title', async ({ args, is }) => {
    expect(cpu((await run(['claim.yaml', ...args])).stdout)).toBe(is)
  })

  test.each([
    { title: 'a new Deployment', args: [], replicas: 1 },
    { title: 'an existing Deployment, matched by name', args: ['--observed', 'observed.yaml'], replicas: undefined },
    { title: 'an existing Deployment, matched by annotation', args: ['--observed', 'annotated.yaml'], replicas: undefined },
    { title: "another claim's Deployment", args: ['--observed', 'foreign.yaml'], replicas: 1 },
    { title: "another composite's Deployment, without a claim", args: ['--observed', 'namespaced.yaml'], replicas: 1 },
    { title: "another namespace's Deployment", args: ['--observed', 'elsewhere.yaml'], replicas: 1 },
    { title: 'unrelated objects only', args: ['--observed', 'other.yaml'], replicas: 1 },
  ])('$title', async ({ args, replicas }) => {
    const { exit, stdout } = await run(['claim.yaml', ...args])
    expect(exit).toBe(0)
    expect(at(printed(stdout, 'Deployment'), 'spec', 'replicas')).toBe(replicas)
  })

  test('a summary of a size without a CPU limit', async () => {
    expect((await run(['claim.yaml', '--input', 'names.yaml', '--environment', 'qa', '-o', 'tree'])).stdout).toContain(
      '50m–∞ CPU, 64Mi–128Mi memory',
    )
  })

  test('the same resources as JSON', async () => {
    const json = JSON.parse((await run(['claim.yaml', '-o', 'json'])).stdout)
    const yaml = readSource('stdout', (await run(['claim.yaml'])).stdout).documents.map(({ value }) => value)
    expect(json).toEqual({ apiVersion: 'v1', kind: 'List', items: yaml })
  })

  test('a tree with readiness if objects were observed', async () => {
    expect((await run(['claim.yaml', '-o', 'tree'])).stdout).not.toMatch(/ready|Creating/)
    const { stdout } = await run(['claim.yaml', '-o', 'tree', '--observed', 'observed.yaml'])
    expect(stdout).toMatch(
      /^EventDrivenService default\/worker .*size medium\n├─ ServiceAccount worker \(serviceaccount\) +Creating\n├─ Deployment .* ready {2}/,
    )
  })

  test('the response of the function', async () => {
    const file = join(root, 'examples/full-claim.yaml')
    const [value] = readSource(file, readFileSync(file, 'utf8')).documents.map(({ value }) => value)
    const parsed = isObject(value) ? parseClaim(value, builtInPlatform) : undefined
    if (!parsed?.ok) throw new Error('the full example is not a claim')
    const wanted = compose(parsed.claim, builtInPlatform, {}).resources.map(({ desired }) => desired)
    const { stdout } = await run([file])
    expect(readSource('stdout', stdout).documents.map(({ value }) => value)).toEqual(JSON.parse(JSON.stringify(wanted)))
  })
})

describe('rejects', () => {
  test.each([
    {
      title: 'each problem in its own line',
      args: ['wrong.yaml', 'claim.yaml'],
      exit: 1,
      stderr: `wrong.yaml:10:9  spec.size: must be one of [micro, small, medium, large], got 'xlarge'  [NOT_ALLOWED]
wrong.yaml:11:3  spec.imagePullSecret: unknown field, did you mean 'imagePullSecrets'?  [UNKNOWN_FIELD]
wrong.yaml:12:26  spec.env[0].value: must be a string, got true (YAML reads the plain word yes as true: quote it)  [WRONG_TYPE]
`,
    },
    {
      title: 'documents that only resemble a claim',
      args: ['kinds.yaml'],
      exit: 1,
      stderr: `kinds.yaml:2:7  kind: must be EventDrivenService, got 'EventdrivenService'  [NOT_ALLOWED]
kinds.yaml:11:1  kind: required field missing: is this an EventDrivenService?  [REQUIRED]
kinds.yaml:13:1  must be a Kubernetes object, got 'just text'  [WRONG_TYPE]
`,
    },
    { title: 'invalid YAML', args: ['broken.yaml'], exit: 1, stderr: 'broken.yaml:1:7  the quote " is never closed  [YAML_SYNTAX]\n' },
    {
      title: 'a composite without a namespace',
      args: ['homeless.yaml'],
      exit: 1,
      stderr: /^homeless\.yaml:3:1 {2}metadata\.namespace: required: .* \[NO_NAMESPACE\]\n$/,
    },
    {
      title: 'an invalid namespace',
      args: ['claim.yaml', '-n', 'Bad_NS'],
      exit: 1,
      stderr: /^claim\.yaml:3:1 {2}metadata\.namespace: must be a valid namespace, got 'Bad_NS' {2}\[BAD_FORMAT\]\n$/,
    },
    {
      title: 'an invalid function input',
      args: ['claim.yaml', '--input', 'wrong-input.yaml'],
      exit: 1,
      stderr: /^wrong-input\.yaml:4:9 {2}defaults\.size: must be one of .*got 'tiny' {2}\[NOT_ALLOWED\]\n$/,
    },
    {
      title: 'a file without a function input',
      args: ['claim.yaml', '--input', 'other.yaml'],
      exit: 2,
      stderr: 'eds: other.yaml: contains neither a function input nor a Composition with one\n',
    },
    { title: 'a missing file', args: ['claim.yaml', 'nope.yaml'], exit: 2, stderr: 'eds: nope.yaml: no such file or directory\n' },
    {
      title: 'a missing function input',
      args: ['claim.yaml', '--input', 'nope.yaml'],
      exit: 2,
      stderr: 'eds: nope.yaml: no such file or directory\n',
    },
    {
      title: 'missing observed objects',
      args: ['claim.yaml', '--observed', 'nope.yaml'],
      exit: 2,
      stderr: 'eds: nope.yaml: no such file or directory\n',
    },
    {
      title: 'files without a claim',
      args: ['other.yaml'],
      exit: 2,
      stderr:
        'other.yaml:2:1: skipped because ConfigMap settings is not an EventDrivenService\neds render: the input contains no EventDrivenService\n',
    },
    {
      title: 'a terminal as standard input',
      args: [],
      exit: 2,
      stderr: 'eds render: name a file or a directory, or pipe a claim in\n',
    },
    {
      title: 'an environment that the platform does not have',
      args: ['claim.yaml', '--input', 'names.yaml', '--environment', 'q'],
      exit: 2,
      stderr: "eds render: --environment must be one of [development, staging, production, qa], got 'q'; did you mean qa?\n",
    },
    {
      title: 'an unknown environment',
      args: ['--environment', 'prod'],
      exit: 2,
      stderr: /--environment must be one of \[development, staging, production\], got 'prod'/,
    },
  ])('$title without printing resources', async ({ args, exit, stderr }) => {
    const result = await run(args)
    expect(result.stderr).toMatch(stderr)
    if (typeof stderr === 'string') expect(result.stderr).toBe(stderr)
    expect(result).toMatchObject({ exit, stdout: '' })
  })
})

describe('the process', () => {
  const eds = [join(root, 'src/cli/main.ts')]
  const node = {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: `--import ${join(root, 'node_modules/tsx/dist/loader.mjs')}` },
  } as const

  test('reads standard input and writes no colors into a pipe', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...eds, 'render'], {
      ...node,
      input: claim('worker', '  size: xlarge\n'),
    })
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: "<stdin>:10:9  spec.size: must be one of [micro, small, medium, large], got 'xlarge'  [NOT_ALLOWED]\n",
    })
  })

  test('exits quietly when the reader closes the pipe', () => {
    writeFileSync('many.yaml', Array.from({ length: 500 }, (_, i) => claim(`w${i}`)).join('---\n'))
    const read = execFileSync('sh', ['-c', '"$0" "$@" 2> said | head -n 1', process.execPath, ...eds, 'render', 'many.yaml'], node)
    expect(read).toBe('apiVersion: v1\n')
    expect(readFileSync('said', 'utf8')).toBe('')
  })
})
