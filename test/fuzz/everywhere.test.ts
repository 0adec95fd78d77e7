// In all that people and Crossplane give us, one place after the other holds what nobody expects there. Each place is met for
// certain: of a hundred thousand random files one found what this finds in seconds.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { root } from '../fixtures/claim-files.ts'
import { type ClaimDocument, compositeOf, put } from '../fixtures/claims.ts'
import { allLiving, desiredBy, inputs, manifestsOf } from './calls.ts'
import { pathsOf, unpolluted } from './hostile.ts'
import { answered } from './targets.ts'
import { answerTo, type Call, requestOf, sound } from './wire.ts'

/** No type that is wanted anywhere, and String() throws. */
const monsters: readonly Json[] = [{ toString: 1, valueOf: 1, toJSON: 1 }, [{ toString: 1 }, null]]

const read = (file: string) => parse(readFileSync(`${root}${file}`, 'utf8')) as JsonObject
const exampleOf = (name: string) => read(`examples/${name}-claim.yaml`) as ClaimDocument

/** What goes wrong where, of all places in a value. */
async function troubles(value: Json, trial: (spoilt: Json) => unknown): Promise<string[]> {
  const found: string[] = []
  for (const path of pathsOf(value)) {
    for (const monster of monsters) {
      try {
        await trial(put(value, path, monster))
        unpolluted()
      } catch (error) {
        found.push(`${path.join('.')}: ${JSON.stringify(monster)}: ${error instanceof Error ? error.stack : error}`)
      }
    }
  }
  return found
}

const migrated = readdirSync(`${root}test/fixtures/agent-executor`).map(file => read(`test/fixtures/agent-executor/${file}`))
const made = (example: string) => manifestsOf(exampleOf(example))

test.each<[string, Json, string[][]]>([
  ['a workload that is migrated', migrated, [['migrate'], ['migrate', '--adopt', '-o', 'json']]],
  ['a workload of ours that is migrated', made('full'), [['migrate']]],
  ['a Knative Service that is imported with its eventing', made('knative-kafka-broker-triggers'), [['import', 'knative']]],
  ['a Knative Service that is imported with a split', made('knative-canary'), [['import', 'knative']]],
  [
    'a claim that is validated and rendered',
    [exampleOf('full')],
    [
      ['validate', '--strict'],
      ['render', '-o', 'tree'],
    ],
  ],
])('nothing breaks in any place of %s', async (_, manifests, commands) => {
  const text = (items: Json) => Buffer.from(JSON.stringify({ kind: 'List', items }))
  const trial = async (items: Json) => {
    for (const command of commands) await answered(command, text(items))
  }
  expect(await troubles(manifests, trial)).toEqual([])
})

test.each(inputs)('nothing breaks in any place of a call, with input %#', async input => {
  const claim = exampleOf('full')
  const composite = compositeOf({ ...claim, metadata: { ...claim.metadata, annotations: { 'platform.bizmatters.io/adopt': 'true' } } })
  const ask = (part: Call) => sound(answerTo(requestOf({ composite, input, ...part })))
  expect(await troubles(composite, spoilt => ask({ composite: spoilt }))).toEqual([])
  expect(await troubles(input, spoilt => ask({ input: spoilt }))).toEqual([])
  for (const [key, object] of Object.entries(allLiving(desiredBy(composite, input)))) {
    expect(await troubles(object ?? {}, spoilt => ask({ observed: { [key]: spoilt } }))).toEqual([])
    expect(await troubles(object ?? {}, spoilt => ask({ required: { [key]: spoilt } }))).toEqual([])
  }
})
