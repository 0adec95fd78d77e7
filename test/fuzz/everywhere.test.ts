// Replaces every single value of the inputs of people and Crossplane by an unexpected one. Random files hit a given value too
// rarely: one in a hundred thousand found what this finds in seconds.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { root } from '../fixtures/claim-files.ts'
import { type ClaimDocument, compositeOf, put } from '../fixtures/claims.ts'
import { allObserved, desiredBy, inputs, manifestsOf } from './calls.ts'
import { pathsOf, requireCleanPrototypes } from './hostile.ts'
import { requireAnswer } from './targets.ts'
import { answerTo, type Call, requestOf, requireNoInternalError } from './wire.ts'

/** Values that have no expected type and that make String() throw. */
const monsters: readonly Json[] = [{ toString: 1, valueOf: 1, toJSON: 1 }, [{ toString: 1 }, null]]

const read = (file: string) => parse(readFileSync(`${root}${file}`, 'utf8')) as JsonObject
const exampleOf = (name: string) => read(`examples/${name}-claim.yaml`) as ClaimDocument

/** The errors of a trial for every path in a value. */
async function errorsFor(value: Json, trial: (corrupted: Json) => unknown): Promise<string[]> {
  const found: string[] = []
  for (const path of pathsOf(value)) {
    for (const monster of monsters) {
      try {
        await trial(put(value, path, monster))
        requireCleanPrototypes()
      } catch (error) {
        found.push(`${path.join('.')}: ${JSON.stringify(monster)}: ${error instanceof Error ? error.stack : error}`)
      }
    }
  }
  return found
}

const migrated = readdirSync(`${root}test/fixtures/agent-executor`).map(file => read(`test/fixtures/agent-executor/${file}`))
const manifests = (example: string) => manifestsOf(exampleOf(example))

test.each<[string, Json, string[][]]>([
  ['a workload for migrate', migrated, [['migrate'], ['migrate', '--adopt', '-o', 'json']]],
  ['composed manifests for migrate', manifests('full'), [['migrate']]],
  ['a Knative Service with eventing for import', manifests('knative-kafka-broker-triggers'), [['import', 'knative']]],
  ['a Knative Service with a traffic split for import', manifests('knative-canary'), [['import', 'knative']]],
  [
    'a claim for validate and render',
    [exampleOf('full')],
    [
      ['validate', '--strict'],
      ['render', '-o', 'tree'],
    ],
  ],
])('survives an unexpected value anywhere in %s', async (_, items, commands) => {
  const text = (items: Json) => Buffer.from(JSON.stringify({ kind: 'List', items }))
  const trial = async (items: Json) => {
    for (const command of commands) await requireAnswer(command, text(items))
  }
  expect(await errorsFor(items, trial)).toEqual([])
})

test.each(inputs)('survives an unexpected value anywhere in a call with input %#', async input => {
  const claim = exampleOf('full')
  const composite = compositeOf({ ...claim, metadata: { ...claim.metadata, annotations: { 'platform.bizmatters.io/adopt': 'true' } } })
  const call = (part: Call) => requireNoInternalError(answerTo(requestOf({ composite, input, ...part })))
  expect(await errorsFor(composite, corrupted => call({ composite: corrupted }))).toEqual([])
  expect(await errorsFor(input, corrupted => call({ input: corrupted }))).toEqual([])
  for (const [key, object] of Object.entries(allObserved(desiredBy(composite, input)))) {
    expect(await errorsFor(object ?? {}, corrupted => call({ observed: { [key]: corrupted } }))).toEqual([])
    expect(await errorsFor(object ?? {}, corrupted => call({ required: { [key]: corrupted } }))).toEqual([])
  }
})
