// The same verdict everywhere. The one table of differences, each with its reason, stands in docs/validation.md; it is made of
// the comments of the files. `crossplane resource validate` has its own suite: test/e2e/crossplane/verdict.test.ts.
import { spawnSync } from 'node:child_process'
import { RunFunctionRequest, Severity } from '@crossplane-org/function-sdk-typescript'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sortDocuments } from '../src/cli/claim-documents.ts'
import { validate } from '../src/cli/validate.ts'
import { readSource } from '../src/cli/yaml/source.ts'
import { runFunction } from '../src/function/run-function.ts'
import { at, isObject, type Json, type JsonObject } from '../src/kubernetes/json.ts'
import { builtInPlatform } from '../src/platform/platform.ts'
import { validateClaim } from '../src/reconcile/parse-claim.ts'
import { recorded } from './cli/io.ts'
import { type ClaimFile, claimFiles, type Expectation, invalidFiles, root, surprises, validFiles } from './fixtures/claim-files.ts'
import { type ClaimDocument, claims, compositeOf, mutate, mutations, put, RUNS } from './fixtures/claims.ts'

interface Told extends Expectation {
  readonly file: string
}

/** What `eds validate` says of files, in its order. */
async function validated(files: readonly ClaimFile[], ...flags: string[]): Promise<{ code: number; told: Told[] }> {
  const { io, stdout } = recorded()
  const code = await validate.execute(['--output', 'json', ...flags, ...files.map(({ name }) => `${root}${name}`)], io)
  const { findings } = JSON.parse(stdout()) as { findings: { file: string; path: string; code: string; message: string }[] }
  return { code, told: findings.map(({ file, path, code, message }) => ({ file: file.slice(root.length), path, code, says: message })) }
}

/** In place of each whole sentence the words that are expected of it, so that a difference is short to read. */
const words = (told: readonly Told[], expected: readonly Expectation[]) =>
  told.map(({ path, code, says }, index) => {
    const wanted = expected[index]?.says ?? ''
    return { path, code, says: says.includes(wanted) ? wanted : says }
  })

const asked = (composite: JsonObject): RunFunctionRequest =>
  RunFunctionRequest.decode(
    RunFunctionRequest.encode(RunFunctionRequest.fromPartial({ observed: { composite: { resource: composite }, resources: {} } })).finish(),
  )

const functionAccepts = (composite: JsonObject): boolean =>
  runFunction(asked(composite)).results.every(({ severity }) => severity !== Severity.SEVERITY_FATAL)

/** As itself in a namespace, which is Crossplane 2's own way, and as the composite that Crossplane makes of a claim. */
function bothLayouts(claim: JsonObject): JsonObject[] {
  const metadata = isObject(claim.metadata) ? claim.metadata : {}
  const settled: JsonObject = { ...claim, metadata: { namespace: 'shop', ...metadata } }
  const isNamed = typeof metadata.name === 'string' && claim.apiVersion !== undefined && isObject(claim.spec)
  return isNamed ? [settled, { ...compositeOf(settled as ClaimDocument), apiVersion: claim.apiVersion ?? '' }] : [settled]
}

const named = (files: readonly ClaimFile[]) => files.map(file => [file.name, file] as const)

describe('eds validate', () => {
  const verdicts = validated(claimFiles, '--quiet')

  test.each(named(claimFiles))('%s gets what it expects', async (name, { expected }) => {
    const told = (await verdicts).told.filter(({ file }) => file === name)
    expect(words(told, expected)).toEqual(expected)
  })

  test.each(named(validFiles.filter(({ advice }) => advice.length > 0)))('%s is warned of what it expects', async (_, file) => {
    const lenient = await validated([file])
    expect([lenient.code, words(lenient.told, file.advice)]).toEqual([0, file.advice])
    expect(await validated([file], '--strict')).toEqual({ ...lenient, code: 1 })
  })

  test('has no findings for the other valid claims', async () => {
    expect(await validated(validFiles.filter(({ advice }) => advice.length === 0))).toEqual({ code: 0, told: [] })
  })
})

test('a fixture exists for every finding code of a claim', () => {
  const codes = new Set(invalidFiles.flatMap(({ expected }) => expected.map(({ code }) => code)))
  expect([...codes].sort()).toEqual([
    'BAD_FORMAT',
    'CONFLICT',
    'DUPLICATE',
    'DUPLICATE_KEY',
    'NAME',
    'NOT_ALLOWED',
    'OUT_OF_RANGE',
    'REQUIRED',
    'RESERVED',
    'UNKNOWN_FIELD',
    'UNSUPPORTED',
    'WRONG_TYPE',
    'YAML_SYNTAX',
  ])
})

describe('the same verdict', () => {
  test('from ajv-cli with the published schema', () => {
    const files = claimFiles.map(({ name }) => name)
    const { stdout } = spawnSync('scripts/validate-claim.sh', files, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
    const accepted = new Set(stdout.split('\n').flatMap(line => (line.endsWith('  valid') ? [line.slice(0, -'  valid'.length)] : [])))
    expect(surprises('ajv', ({ name }) => accepted.has(name))).toEqual([])
  })

  test('from the function, in whatever form the claim arrives', () => {
    const accepts = ({ name, text }: ClaimFile): boolean => {
      const { claims } = sortDocuments(readSource(name, text).documents)
      return claims.length > 0 && claims.flatMap(({ claim }) => bothLayouts(claim)).every(functionAccepts)
    }
    expect(surprises('function', accepts)).toEqual([])
  })

  const belowSpec = mutations.filter(({ path }) => path.startsWith('spec') || path === 'metadata.name')
  const broken = fc.tuple(claims(), fc.constantFrom(...belowSpec)).map(([valid, mutation]) => mutate(valid, mutation))
  /** Replaces a random value with any JSON. */
  const scrambled = fc.tuple(claims(), fc.nat(), fc.jsonValue()).map(([valid, where, value]) => {
    const places = placesOf(valid.spec, ['spec'])
    return put(valid, places[where % places.length] ?? ['spec'], value as Json) as ClaimDocument
  })

  test.each([
    { says: 'valid claims', documents: claims() },
    { says: 'claims with one mistake', documents: broken },
    { says: 'claims with anything anywhere', documents: scrambled },
  ])('law: validation accepts exactly what the function accepts: $says', ({ documents }) => {
    fc.assert(
      fc.property(documents, document => {
        const accepted = validateClaim(document, builtInPlatform).findings.length === 0
        for (const layout of bothLayouts(document)) expect(functionAccepts(layout)).toBe(accepted)
      }),
      { numRuns: RUNS },
    )
  })
})

function placesOf(value: Json | undefined, path: (string | number)[]): (string | number)[][] {
  const below = isObject(value) ? Object.keys(value) : Array.isArray(value) ? value.map((_, index) => index) : []
  return [path, ...below.flatMap(step => placesOf(at(value, step), [...path, step]))]
}
