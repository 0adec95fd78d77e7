// Measures the core in process: each example, and how the cost grows with the size of a claim.
import { readdirSync, readFileSync } from 'node:fs'
import { Capability, RunFunctionRequest, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { parse } from 'yaml'
import { runFunction } from '../../src/function/run-function.ts'
import { decodeRequest } from '../../src/function/wire/decode.ts'
import { encodeResponse } from '../../src/function/wire/encode.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { compose } from '../../src/reconcile/compose.ts'
import { parseClaim } from '../../src/reconcile/parse-claim.ts'
import { root } from '../fixtures/claim-files.ts'
import { claim } from '../fixtures/claims.ts'
import { bytesOf, callsOf, type Kind, kinds } from './calls.ts'
import { growthOf } from './figures.ts'
import { own } from './programs.ts'

const WARM_UP = { calls: 1000, ms: 400 }
const SAMPLES = 5
const SAMPLE_MS = 40

/** Microseconds of CPU for one call: the minimum of several samples, because other load only adds to it. */
function microseconds(call: () => unknown): number {
  const hotMs = performance.now() + WARM_UP.ms
  for (let i = 0; i < WARM_UP.calls && performance.now() < hotMs; i++) call()
  const samples = Array.from({ length: SAMPLES }, () => {
    const untilMs = performance.now() + SAMPLE_MS
    const before = process.cpuUsage()
    let calls = 0
    for (; performance.now() < untilMs; calls++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / calls
  })
  return Math.min(...samples)
}

const stages = ['parse', 'compose', 'call'] as const

/** In microseconds. A call is everything from the bytes of a request to the bytes of the response, for a cached claim. */
export type Cost = Readonly<Record<(typeof stages)[number], number>>

function costOf(document: JsonObject): Cost {
  const parsed = parseClaim(document, builtInPlatform)
  if (!parsed.ok) throw new Error(`the claim of the benchmark is invalid: ${JSON.stringify(parsed.findings)}`)
  const request = RunFunctionRequest.fromPartial({
    meta: { tag: 'bench', capabilities: [Capability.CAPABILITY_CAPABILITIES] },
    observed: { composite: { resource: document } },
  })
  const bytes = Buffer.from(RunFunctionRequest.encode(request).finish())
  return {
    parse: microseconds(() => parseClaim(document, builtInPlatform)),
    compose: microseconds(() => compose(parsed.claim, builtInPlatform, {})),
    call: microseconds(() => encodeResponse(runFunction(decodeRequest(bytes)))),
  }
}

export const examples = (): { example: string; cost: Cost }[] =>
  readdirSync(`${root}examples`)
    .filter(file => file.endsWith('-claim.yaml'))
    .map(file => ({
      example: file.replace('-claim.yaml', ''),
      cost: costOf(parse(readFileSync(`${root}examples/${file}`, 'utf8')) as JsonObject),
    }))

export interface Spent {
  readonly kind: Kind
  readonly decode: number
  readonly answer: number
  readonly encode: number
}

/** The time of each stage of a call, in microseconds. */
export function spent(): Spent[] {
  return kinds.map(kind => {
    const calls = callsOf(kind, own.input)
    let number = 0
    const decoded = () => decodeRequest(bytesOf(calls, number++))
    const responses = calls.payloads.map(() => runFunction(decoded()))
    const decode = microseconds(decoded)
    return {
      kind,
      decode,
      // Answers each request once, because a cached claim is answered faster.
      answer: microseconds(() => runFunction(decoded())) - decode,
      encode: microseconds(() => encodeResponse(responses[number++ % responses.length] as RunFunctionResponse)),
    }
  })
}

const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

interface Growing {
  readonly what: string
  /** Up to the maximum of the schema. */
  readonly counts: readonly number[]
  readonly spec: (count: number) => JsonObject
}

const growing: readonly Growing[] = [
  {
    what: 'env',
    counts: [10, 100, 1000],
    spec: count => ({ env: many(count, i => ({ name: `VARIABLE_${i}`, value: `value ${i}` })) }),
  },
  {
    what: 'secretRefs',
    counts: [10, 50, 200],
    spec: count => ({ secretRefs: many(count, i => ({ name: `secret-${i}`, env: [{ secretKey: 'key', envName: `SECRET_${i}` }] })) }),
  },
  {
    what: 'triggers',
    counts: [10, 30, 100],
    spec: count => ({ eventing: { triggers: many(count, i => ({ name: `t-${i}`, filter: { type: `event.${i}` } })) } }),
  },
]

/** The cost of one more entry, and the exponent of the growth: 1 is linear. */
export function growth() {
  return growing.flatMap(({ what, counts, spec }) => {
    const none = costOf(claim())
    const costs = counts.map(count => ({ count, cost: costOf(claim(spec(count))) }))
    return stages.map(stage => ({
      what,
      stage,
      none: none[stage],
      costs: costs.map(({ count, cost }) => ({ count, microseconds: cost[stage] })),
      ...growthOf(
        costs.map(({ count, cost }): [number, number] => [count, cost[stage]]),
        none[stage],
      ),
    }))
  })
}
