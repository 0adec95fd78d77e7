// The calls that matter, encoded once and then moved on from call to call, byte by byte.
import { Capability, RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { isObject, type JsonObject } from '../../src/kubernetes/json.ts'
import { newborn, type Situation, settled } from './situation.ts'

export const kinds = ['first', 'steady', 'mixed'] as const
export type Kind = (typeof kinds)[number] | 'busy'

/** What each kind of call is, for whoever reads the table. */
export const meaning: Readonly<Record<(typeof kinds)[number], string>> = {
  first: 'a claim that was never seen, and nothing observed',
  steady: 'the same claim again and again, its ScaledObject moved on each time',
  mixed: '1,000 claims in turn, the ScaledObject of each moved on each time',
}

/** For how many claims they are, in turn. */
const claims: Readonly<Record<Kind, number>> = { first: Number.POSITIVE_INFINITY, steady: 1, mixed: 1000, busy: 10_000 }

// More than are ever in flight, so that no request changes while it is being sent.
const COPIES = 128

// Stand where calls differ, and are as long as what comes in their place.
const marks = { claim: '8888888888', version: '7777777777', time: '2007-07-07T07:07:07Z' }
const EPOCH_MS = Date.parse('2026-01-05T08:00:00Z')

interface Payload {
  readonly bytes: Buffer
  readonly places: Readonly<Record<keyof typeof marks, readonly number[]>>
}

export interface Calls {
  readonly kind: Kind
  readonly payloads: readonly Payload[]
}

function placesOf(mark: string, bytes: Buffer): number[] {
  const places: number[] = []
  for (let place = bytes.indexOf(mark); place >= 0; place = bytes.indexOf(mark, place + mark.length)) places.push(place)
  return places
}

function write(text: string, bytes: Buffer, places: readonly number[]): void {
  for (const place of places) for (let i = 0; i < text.length; i++) bytes[place + i] = text.charCodeAt(i)
}

const digits = (number: number) => String(number).padStart(marks.claim.length, '0')

/** The bytes of the call of this number; they stay what they are until COPIES calls later. */
export function bytesOf({ kind, payloads }: Calls, number: number): Buffer {
  const payload = payloads[number % payloads.length]
  if (payload === undefined) throw new Error(`no ${kind} call was made`)
  const { bytes, places } = payload
  write(digits(number % claims[kind]), bytes, places.claim)
  write(digits(number), bytes, places.version)
  if (places.time.length > 0) write(`${new Date(EPOCH_MS + number * 1000).toISOString().slice(0, 19)}Z`, bytes, places.time)
  return bytes
}

// Of so many entries a map of Go's is one row, which each walk begins somewhere and then goes round.
const ONE_ROW = 8

/** Crossplane is written in Go, which walks the entries of a map in another order each time. */
function shuffled<T>(value: T): T
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, field]): [string, unknown] => [key, shuffled(field)])
  if (entries.length > ONE_ROW)
    return Object.fromEntries(
      entries
        .map(entry => ({ entry, at: Math.random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ entry }) => entry),
    )
  const first = Math.floor(Math.random() * entries.length)
  return Object.fromEntries([...entries.slice(first), ...entries.slice(0, first)])
}

/** As Crossplane 2 sends it, with the input of the step in the pipeline. */
function encoded({ composite, resources, free }: Situation, input: JsonObject): Payload {
  const wrapped = Object.entries(shuffled(resources)).map(([key, resource]) => [key, { resource: shuffled(resource) }])
  const request = RunFunctionRequest.fromPartial({
    meta: {
      tag: `${marks.version}${'c3'.repeat(27)}`,
      capabilities: [
        Capability.CAPABILITY_CAPABILITIES,
        Capability.CAPABILITY_REQUIRED_RESOURCES,
        Capability.CAPABILITY_CREDENTIALS,
        Capability.CAPABILITY_CONDITIONS,
        Capability.CAPABILITY_REQUIRED_SCHEMAS,
      ],
    },
    observed: { composite: { resource: shuffled(composite) }, resources: Object.fromEntries(wrapped) },
    desired: {},
    context: {},
    input,
    requiredResources: Object.fromEntries(free.map(key => [key, { items: [] }])),
  })
  const bytes = Buffer.from(RunFunctionRequest.encode(request).finish())
  return {
    bytes,
    places: { claim: placesOf(marks.claim, bytes), version: placesOf(marks.version, bytes), time: placesOf(marks.time, bytes) },
  }
}

export function callsOf(kind: Kind, input: JsonObject): Calls {
  const situation = kind === 'first' ? newborn(marks.claim) : settled(marks.claim, marks)
  return { kind, payloads: Array.from({ length: COPIES }, () => encoded(situation, input)) }
}
