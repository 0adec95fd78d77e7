// The core in process: each example, and how the cost grows with what a claim holds.
import { readdirSync, readFileSync } from 'node:fs'
import { RunFunctionRequest, RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { parse } from 'yaml'
import { parseClaim } from '../../src/claim/parse.ts'
import { builtInPlatform } from '../../src/claim/platform.ts'
import { compose } from '../../src/compose.ts'
import { runFunction } from '../../src/function/run.ts'
import type { JsonObject } from '../../src/json.ts'

const WARM_UP = 300
const SAMPLE_MS = 400

/** Microseconds for one call, over about as long as a sample takes. */
export function microseconds(call: () => unknown): number {
  for (let i = 0; i < WARM_UP; i++) call()
  const start = performance.now()
  let calls = 0
  for (; performance.now() - start < SAMPLE_MS; calls++) call()
  return ((performance.now() - start) / calls) * 1000
}

export const examples = (): { name: string; claim: JsonObject }[] =>
  readdirSync('examples')
    .filter(file => file.endsWith('-claim.yaml'))
    .map(file => ({ name: file.replace('-claim.yaml', ''), claim: parse(readFileSync(`examples/${file}`, 'utf8')) as JsonObject }))

/** The claim as Crossplane sends it: a composite, encoded. */
export const encoded = (claim: JsonObject, resources: Record<string, JsonObject> = {}): Uint8Array =>
  RunFunctionRequest.encode(
    RunFunctionRequest.fromPartial({
      meta: { tag: 'bench' },
      observed: {
        composite: { resource: claim },
        resources: Object.fromEntries(Object.entries(resources).map(([key, resource]) => [key, { resource }])),
      },
    }),
  ).finish()

function cost(claim: JsonObject) {
  const parsed = parseClaim(claim, builtInPlatform)
  if (!parsed.ok) throw new Error(`the bench has an invalid claim: ${JSON.stringify(parsed.findings)}`)
  const bytes = encoded(claim)
  return {
    'parse µs': microseconds(() => parseClaim(claim, builtInPlatform)).toFixed(0),
    'compose µs': microseconds(() => compose(parsed.claim, builtInPlatform, {})).toFixed(0),
    'whole call µs': microseconds(() => RunFunctionResponse.encode(runFunction(RunFunctionRequest.decode(bytes))).finish()).toFixed(0),
  }
}

export const benchExamples = () => Object.fromEntries(examples().map(({ name, claim }) => [name, cost(claim)]))

const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

const grown = (count: number): Record<string, JsonObject> => ({
  env: { env: many(count, i => ({ name: `VARIABLE_${i}`, value: `value ${i}` })) },
  secrets: { secretRefs: many(Math.min(count, 200), i => ({ name: `secret-${i}`, env: [{ secretKey: 'key', envName: `SECRET_${i}` }] })) },
  triggers: { eventing: { triggers: many(Math.min(count, 100), i => ({ name: `t-${i}`, filter: { type: `event.${i}` } })) } },
})

export function benchGrowth(): Record<string, ReturnType<typeof cost>> {
  const base = { image: 'ghcr.io/acme/worker:1.0.0', nats: { stream: 'S', consumer: 'c' } }
  const rows = [10, 100, 1000].flatMap(count =>
    Object.entries(grown(count)).map(([what, spec]): [string, ReturnType<typeof cost>] => [
      `${Math.min(count, what === 'env' ? 1000 : what === 'secrets' ? 200 : 100)} ${what}`,
      cost({
        apiVersion: 'platform.bizmatters.io/v1alpha1',
        kind: 'EventDrivenService',
        metadata: { name: 'bench', namespace: 'bench' },
        spec: { ...base, ...spec },
      }),
    ]),
  )
  return Object.fromEntries(rows)
}
