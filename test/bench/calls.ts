// The measured calls. Each is encoded once; later calls change only the bytes that differ.
import { Capability, RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { isObject, type JsonObject } from '../../src/kubernetes/json.ts'
import { newClaim, readyClaim, type Situation } from './situation.ts'

export const kinds = ['first', 'steady', 'mixed'] as const
export type Kind = (typeof kinds)[number] | 'busy'

/** Explains each kind of call to readers of the table. */
export const meaning: Readonly<Record<(typeof kinds)[number], string>> = {
  first: 'a new claim without observed resources',
  steady: 'the same claim, whose ScaledObject changes with every call',
  mixed: '1,000 claims in turn, whose ScaledObjects change with every call',
}

/** The number of claims that take turns. */
const claims: Readonly<Record<Kind, number>> = { first: Number.POSITIVE_INFINITY, steady: 1, mixed: 1000, busy: 10_000 }

// More than the calls in flight, so no request changes while it is being sent.
const COPIES = 128

// Placeholders where calls differ, as long as their replacements.
const placeholders = { claim: '8888888888', version: '7777777777', time: '2007-07-07T07:07:07Z' }
const EPOCH_MS = Date.parse('2026-01-05T08:00:00Z')

interface Payload {
  readonly bytes: Buffer
  readonly places: Readonly<Record<keyof typeof placeholders, readonly number[]>>
}

export interface Calls {
  readonly kind: Kind
  readonly payloads: readonly Payload[]
}

function placesOf(placeholder: string, bytes: Buffer): number[] {
  const places: number[] = []
  for (let place = bytes.indexOf(placeholder); place >= 0; place = bytes.indexOf(placeholder, place + placeholder.length))
    places.push(place)
  return places
}

function write(text: string, bytes: Buffer, places: readonly number[]): void {
  for (const place of places) for (let i = 0; i < text.length; i++) bytes[place + i] = text.charCodeAt(i)
}

const digits = (number: number) => String(number).padStart(placeholders.claim.length, '0')

/** The bytes of the call with this number, which stay unchanged for the next COPIES calls. */
export function bytesOf({ kind, payloads }: Calls, number: number): Buffer {
  const payload = payloads[number % payloads.length]
  if (payload === undefined) throw new Error(`there are no ${kind} calls`)
  const { bytes, places } = payload
  write(digits(number % claims[kind]), bytes, places.claim)
  write(digits(number), bytes, places.version)
  if (places.time.length > 0) write(`${new Date(EPOCH_MS + number * 1000).toISOString().slice(0, 19)}Z`, bytes, places.time)
  return bytes
}

// Go keeps up to eight entries of a map in one bucket and iterates over it from a random start.
const ONE_BUCKET = 8

/** Go iterates over a map in a different order each time, and Crossplane is written in Go. */
function shuffled<T>(value: T): T
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, field]): [string, unknown] => [key, shuffled(field)])
  if (entries.length > ONE_BUCKET)
    return Object.fromEntries(
      entries
        .map(entry => ({ entry, at: Math.random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ entry }) => entry),
    )
  const first = Math.floor(Math.random() * entries.length)
  return Object.fromEntries([...entries.slice(first), ...entries.slice(0, first)])
}

/** The request as Crossplane 2 sends it, with the input of the pipeline step. */
function encoded({ composite, resources, free }: Situation, input: JsonObject): Payload {
  const wrapped = Object.entries(shuffled(resources)).map(([key, resource]) => [key, { resource: shuffled(resource) }])
  const request = RunFunctionRequest.fromPartial({
    meta: {
      tag: `${placeholders.version}${'c3'.repeat(27)}`,
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
    places: {
      claim: placesOf(placeholders.claim, bytes),
      version: placesOf(placeholders.version, bytes),
      time: placesOf(placeholders.time, bytes),
    },
  }
}

export function callsOf(kind: Kind, input: JsonObject): Calls {
  const situation = kind === 'first' ? newClaim(placeholders.claim) : readyClaim(placeholders.claim, placeholders)
  return { kind, payloads: Array.from({ length: COPIES }, () => encoded(situation, input)) }
}
