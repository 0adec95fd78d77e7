// The three calls that matter, encoded once and then moved on from call to call, byte by byte.
import { Capability, RunFunctionRequest } from '@crossplane-org/function-sdk-typescript'
import { isObject, type JsonObject } from '../../src/json.ts'
import { compositeFor, type Situation, situationOf } from './observed.ts'

export const kinds = ['first', 'steady', 'mixed'] as const
export type Kind = (typeof kinds)[number]

/** What each kind of call is, for whoever reads the table. */
export const meaning: Readonly<Record<Kind, string>> = {
  first: 'nothing observed, and a claim that was never seen',
  steady: 'the same claim, its ScaledObject moved on',
  mixed: '1,000 claims in turn, the ScaledObject of each moved on',
}

// More than are ever in flight, so that no request changes while it is being sent.
const COPIES = 128
const CLAIMS = 1000

// Stand where each call says something else; as long as what comes in their place.
const COUNTER = '7777777777'
const TIME = '2007-07-07T07:07:07Z'
const EPOCH_MS = Date.parse('2026-01-05T08:00:00Z')

export interface Payload {
  readonly bytes: Buffer
  readonly counters: readonly number[]
  readonly times: readonly number[]
}

const placesOf = (mark: string, bytes: Buffer): number[] => {
  const places: number[] = []
  for (let place = bytes.indexOf(mark); place >= 0; place = bytes.indexOf(mark, place + mark.length)) places.push(place)
  return places
}

export const payload = (bytes: Buffer): Payload => ({ bytes, counters: placesOf(COUNTER, bytes), times: placesOf(TIME, bytes) })

/** Makes it the call of this number, in place. */
export function move({ bytes, counters, times }: Payload, number: number): Buffer {
  const digits = String(number).padStart(COUNTER.length, '0')
  for (const place of counters) bytes.write(digits, place, 'latin1')
  if (times.length > 0) {
    const time = `${new Date(EPOCH_MS + number * 1000).toISOString().slice(0, -'.000Z'.length)}Z`
    for (const place of times) bytes.write(time, place, 'latin1')
  }
  return bytes
}

/** Crossplane is written in Go, which sends the entries of a map in another order each time. */
function shuffled<T>(value: T): T
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, field]): [string, unknown, number] => [key, shuffled(field), Math.random()])
  return Object.fromEntries(entries.sort(([, , a], [, , b]) => a - b).map(([key, field]) => [key, field]))
}

/** As Crossplane 2 sends it, with the input of the step in the pipeline. */
function request({ composite, resources }: Situation, input: JsonObject | undefined, requiredResources: readonly string[]): Payload {
  const observed = Object.fromEntries(Object.entries(shuffled(resources)).map(([key, resource]) => [key, { resource: shuffled(resource) }]))
  return payload(
    Buffer.from(
      RunFunctionRequest.encode(
        RunFunctionRequest.fromPartial({
          meta: {
            tag: `${COUNTER}${'c3'.repeat(27)}`,
            capabilities: [
              Capability.CAPABILITY_CAPABILITIES,
              Capability.CAPABILITY_REQUIRED_RESOURCES,
              Capability.CAPABILITY_CREDENTIALS,
              Capability.CAPABILITY_CONDITIONS,
              Capability.CAPABILITY_REQUIRED_SCHEMAS,
            ],
          },
          observed: { composite: { resource: shuffled(composite) }, resources: observed },
          input,
          // Asked for by the call before, and none of them found: every name is free.
          requiredResources: Object.fromEntries(requiredResources.map(key => [key, { items: [] }])),
        }),
      ).finish(),
    ),
  )
}

const id = (number: number) => String(number).padStart(COUNTER.length, '0')
const moment = { resourceVersion: COUNTER, time: TIME }

export function payloads(kind: Kind, input: JsonObject | undefined): Payload[] {
  switch (kind) {
    case 'first': {
      const situation = { composite: compositeFor(COUNTER), resources: {} }
      const keys = Object.keys(situationOf(COUNTER, moment).resources)
      return Array.from({ length: COPIES }, () => request(situation, input, keys))
    }
    case 'steady': {
      const situation = situationOf(id(1), moment)
      return Array.from({ length: COPIES }, () => request(situation, input, []))
    }
    case 'mixed':
      return Array.from({ length: CLAIMS }, (_, number) => request(situationOf(id(number), moment), input, []))
    default:
      return kind satisfies never
  }
}
