// The page answers what the command line answers, for every example and every claim of the tests.
import { expect, test } from 'vitest'
import { exampleClaims, platformOf } from '../../scripts/generate/examples.ts'
import { createFileValidator } from '../../src/cli/validate/file-validator.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { claimFiles } from '../../test/fixtures/claim-files.ts'
import { readExamples, readManifests } from '../build/examples.ts'
import { answer, readPlatform } from '../src/playground/engine.ts'
import { convert } from '../src/playground/manifests.ts'
import { type Situation, situations } from '../src/playground/situations.ts'

const validate = createFileValidator({ platform: builtInPlatform, advice: 'warning' })

test.each(claimFiles.map(({ name, text }) => ({ name, text })))('finds in $name what eds validate finds', ({ name, text }) => {
  const reports = [...validate({ file: name, text })]
  const told = reports
    .flatMap(({ claims, findings }) => [...findings, ...claims.flatMap(claim => claim.findings)])
    .map(({ line, column, code, message, severity }) => ({ line, column, code, message, severity }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
  const { problems } = answer(text, { platform: builtInPlatform, situation: 'new' })
  expect(problems.map(({ line, column, code, message, severity }) => ({ line, column, code, message, severity }))).toEqual(told)
})

const examples = readExamples().map(example => ({ name: example.name, example }))

test('lists every example with a claim, but not the overlays', () => {
  const files = exampleClaims()
    .map(({ file }) => file)
    .filter(file => !/\/(environments|xr)\/|functions/.test(file))
  expect(examples.map(({ name }) => `examples/${name}.yaml`).sort()).toEqual([...new Set(files)].sort())
  expect(new Set(examples.map(({ example }) => `${example.group} ${example.label}`)).size).toBe(examples.length)
})

test.each(exampleClaims().filter(({ file }) => examples.some(({ name }) => file === `examples/${name}.yaml`)))(
  'renders $file as the function does',
  example => {
    const platform = platformOf(example)
    const parsed = parseClaim(example.claim, platform)
    if (!parsed.ok) throw new Error('the example is wrong')
    const { resources, conditions } = compose(parsed.claim, platform, {})
    const shown = examples.find(({ name }) => `examples/${name}.yaml` === example.file)?.example
    const answered = answer(shown?.text ?? '', {
      platform: readPlatform(shown?.platform ?? '').platform ?? builtInPlatform,
      situation: 'new',
    })
    const [claim] = answered.claims
    expect(claim?.resources.map(({ key, readiness }) => ({ key, readiness }))).toEqual(
      resources.map(({ key, readiness }) => ({ key, readiness })),
    )
    expect(claim?.conditions).toEqual(conditions)
  },
)

test.each(examples)('$name is ready when every object runs', ({ example }) => {
  const platform = readPlatform(example.platform ?? '').platform ?? builtInPlatform
  const { claims } = answer(example.text, { platform, situation: 'running' })
  expect(claims.flatMap(({ conditions }) => conditions.filter(({ ready }) => !ready))).toEqual([])
  expect(claims.every(({ ready }) => ready)).toBe(true)
})

const textOf = (name: string) => examples.find(each => each.name === name)?.example.text ?? ''

test.each<{ situation: Situation; example: string; condition: string; reason: string; says: RegExp }>([
  { situation: 'new', example: 'minimal-claim', condition: 'WorkloadReady', reason: 'Creating', says: /does not exist yet/ },
  { situation: 'running', example: 'minimal-claim', condition: 'ScalingReady', reason: 'Ready', says: /scales Deployment orders-worker/ },
  { situation: 'zero', example: 'minimal-claim', condition: 'WorkloadReady', reason: 'ScaledToZero', says: /until messages arrive/ },
  { situation: 'stuck', example: 'minimal-claim', condition: 'WorkloadReady', reason: 'ImagePullBackOff', says: /orders-worker:1\.4\.2/ },
  { situation: 'stuck', example: 'knative-minimal-claim', condition: 'WorkloadReady', reason: 'ImagePullBackOff', says: /storefront/ },
  { situation: 'stream', example: 'minimal-claim', condition: 'ScalingReady', reason: 'TriggerError', says: /stream 'ORDERS'/ },
  { situation: 'taken', example: 'minimal-claim', condition: 'WorkloadReady', reason: 'NameTaken', says: /managed by Helm/ },
  { situation: 'crd', example: 'minimal-claim', condition: 'ScalingReady', reason: 'KindUnknown', says: /install KEDA/ },
])('says $reason for $example when the cluster is: $situation', ({ situation, example, condition, reason, says }) => {
  const { claims } = answer(textOf(example), { platform: builtInPlatform, situation })
  const said = claims[0]?.conditions.find(({ type }) => type === condition)
  expect(said?.reason).toBe(reason)
  expect(said?.message).toMatch(says)
})

test.each([
  { example: 'minimal-claim', without: ['build'] },
  { example: 'knative-minimal-claim', without: ['zero', 'stream', 'build'] },
  { example: 'mesh/hosts-claim', without: ['stream', 'build'] },
  { example: 'build/go-claim', without: [] },
])('offers for $example every situation but $without', ({ example, without }) => {
  const { text, platform } = examples.find(({ name }) => name === example)?.example ?? { text: '' }
  const world = { platform: readPlatform(platform ?? '').platform ?? builtInPlatform, situation: 'new' as const }
  const offered = answer(text, world).claims[0]?.situations ?? []
  expect(Object.keys(situations).filter(name => !offered.some(one => one === name))).toEqual(without)
})

test('shows a build that fails, and the workload once it succeeds', () => {
  const { text, platform } = examples.find(({ name }) => name === 'build/go-claim')?.example ?? { text: '' }
  const become = (situation: Situation) =>
    answer(text, { platform: readPlatform(platform ?? '').platform ?? builtInPlatform, situation }).claims[0]
  expect(become('new')?.resources.map(({ kind }) => kind)).not.toContain('Deployment')
  expect(become('running')?.resources.map(({ kind }) => kind)).toContain('Deployment')
  expect(become('build')?.conditions.find(({ type }) => type === 'BuildReady')?.message).toMatch(/exited with code 1.*kubectl -n \S+ logs/)
  expect(become('taken')?.conditions.find(({ type }) => type === 'WorkloadReady')?.reason).toBe('NameTaken')
})

test('uses the environment instead of that of the claim', () => {
  const minimum = (environment: string) =>
    answer(textOf('minimal-claim'), { platform: builtInPlatform, situation: 'new', environment }).claims[0]?.resources.find(
      ({ kind }) => kind === 'ScaledObject',
    )?.facts
  expect(minimum('production')).not.toBe(minimum('development'))
})

test('finds mistakes in the input of the platform, with the value that was meant', () => {
  const { platform, problems } = readPlatform('apiVersion: fn.platform.bizmatters.io/v1alpha1\nkind: Input\ndefaults:\n  size: smal\n')
  expect(platform).toBeUndefined()
  expect(problems).toMatchObject([{ line: 4, column: 9, fix: 'small', found: 'smal' }])
})

test('suggests the field that a misspelt one means', () => {
  const { problems } = answer(textOf('minimal-claim').replace('image:', 'iamge:'), { platform: builtInPlatform, situation: 'new' })
  expect(problems.find(({ code }) => code === 'UNKNOWN_FIELD')).toMatchObject({ found: 'iamge', fix: 'image' })
})

test('turns manifests into a claim that is valid, with the steps of the migration', () => {
  const { claim, rows, steps } = convert(readManifests(), builtInPlatform)
  expect(
    answer(claim ?? '', { platform: builtInPlatform, situation: 'new' }).problems.filter(({ severity }) => severity === 'error'),
  ).toEqual([])
  expect(rows.length).toBeGreaterThan(10)
  expect(steps.length).toBeGreaterThan(0)
})

test('turns a Knative Service into a claim', () => {
  const { claim = '', notes } = convert(
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: shop, namespace: shop}\nspec: {template: {spec: {containers: [{image: "ghcr.io/acme/shop:1"}]}}}\n',
    builtInPlatform,
  )
  expect(claim).toMatch(/runtime: Knative/)
  expect(notes.join()).toMatch(/securityContext/)
})

test.each([
  { text: 'kind: Pod\nmetadata: {name: x}\n', says: /needs a Deployment/ },
  { text: 'a: [', says: /line 1/ },
])('says why $text is no claim', ({ text, says }) => {
  const { claim, notes } = convert(text, builtInPlatform)
  expect(claim).toBeUndefined()
  expect(notes.join()).toMatch(says)
})
