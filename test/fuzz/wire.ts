// Encodes requests by hand, including requests that no client would send.
import { FunctionRunnerServiceService, type RunFunctionResponse } from '@crossplane-org/function-sdk-typescript'
import { Client, credentials } from '@grpc/grpc-js'
import fc from 'fast-check'
import { createLog } from '../../src/function/log.ts'
import { createMetrics } from '../../src/function/metrics.ts'
import { runFunction } from '../../src/function/run-function.ts'
import { createRunner, serviceNames } from '../../src/function/runner-service.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'

/** Bytes of a message. The field numbers are those of Crossplane's run_function.proto. */
type Bytes = Uint8Array

function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80)
  return [...bytes, left]
}

const field = (number: number, ...content: readonly Bytes[]): Bytes => {
  const bytes = Buffer.concat(content)
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}

/** Encodes lone surrogates as they are, which is not valid UTF-8. */
const text = (value: string): Bytes =>
  Buffer.concat(
    Array.from(value.match(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\s\S]/gu) ?? [], sign => {
      const code = sign.charCodeAt(0)
      return sign.length === 1 && code >= 0xd800 && code <= 0xdfff
        ? Buffer.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
        : Buffer.from(sign)
    }),
  )

function number(value: number): Bytes {
  const bytes = Buffer.alloc(9, 0x11)
  bytes.writeDoubleLE(value, 1)
  return bytes
}

/** google.protobuf.Value */
function anyValue(value: Json | undefined): Bytes {
  if (value === null || value === undefined) return Buffer.of(0x08, 0)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return field(3, text(value))
  if (typeof value === 'boolean') return Buffer.of(0x20, value ? 1 : 0)
  if (Array.isArray(value)) return field(6, ...value.map((item: Json) => field(1, anyValue(item))))
  return field(5, structOf(value as JsonObject))
}

/** google.protobuf.Struct; a value that is not an object becomes an empty Struct. */
const structOf = (value: Json | undefined): Bytes =>
  Buffer.concat(
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([key, item]) => field(1, field(1, text(key)), field(2, anyValue(item))))
      : [],
  )

export interface Call {
  readonly composite?: Json | undefined
  readonly observed?: JsonObject
  readonly desired?: JsonObject
  readonly input?: Json | undefined
  readonly context?: Json | undefined
  readonly required?: JsonObject | undefined
}

const resource = (value: Json | undefined) => field(1, structOf(value))
const resources = (all: JsonObject = {}) =>
  Object.entries(all).map(([key, value]) => field(2, field(1, text(key)), field(2, resource(value))))

export const requestOf = ({ composite, observed, desired, input, context, required }: Call): Buffer =>
  Buffer.concat([
    // The function composes nothing until a client that supports required resources has sent them.
    field(1, field(1, text('fuzz')), Buffer.of(0x12, ...(required === undefined ? [1, 1] : [2, 1, 2]))),
    field(2, ...(composite === undefined ? [] : [field(1, resource(composite))]), ...resources(observed)),
    ...(desired === undefined ? [] : [field(3, ...resources(desired))]),
    ...(input === undefined ? [] : [field(4, structOf(input))]),
    ...(context === undefined ? [] : [field(5, structOf(context))]),
    ...Object.entries(required ?? {}).map(([key, value]) => field(8, field(1, text(key)), field(2, field(1, resource(value))))),
  ])

const { responseDeserialize } = FunctionRunnerServiceService.runFunction
const runner = createRunner(
  runFunction,
  createMetrics(),
  createLog({ debugging: true }, () => {}),
)

/** Answers like the server; undefined if the bytes are not a request, for which gRPC returns an error. */
export function answerTo(request: Buffer): RunFunctionResponse | undefined {
  let answered: { readonly error: unknown; readonly bytes: Buffer | null | undefined } | undefined
  runner.runFunction({ request } as Parameters<typeof runner.runFunction>[0], (error, bytes) => {
    answered = { error, bytes }
  })
  if (answered?.error) return undefined
  if (!answered?.bytes) throw new Error('no answer')
  return responseDeserialize(answered.bytes)
}

/** Throws if the function reports an internal error, because it must answer every request. */
export function requireNoInternalError(response: RunFunctionResponse | undefined): void {
  const broken = response?.results.find(({ message }) => message.startsWith('internal error'))
  if (broken !== undefined) throw new Error(broken.message)
}

type Damage = (bytes: Buffer) => Buffer

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const position = (share: number, { length }: Buffer) => Math.floor(share * length)

/** Damage that a faulty or malicious client may do to a request. */
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(at, fc.nat(7)).map(
    ([share, bit]): Damage =>
      bytes => {
        const place = position(share, bytes)
        if (bytes.length > 0) bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
        return bytes
      },
  ),
  at.map(
    (share): Damage =>
      bytes =>
        bytes.subarray(0, position(share, bytes)),
  ),
  fc.tuple(at, fc.uint8Array({ maxLength: 12 })).map(
    ([share, added]): Damage =>
      bytes => {
        const place = position(share, bytes)
        return Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place)])
      },
  ),
  fc.tuple(at, at).map(
    ([a, b]): Damage =>
      bytes => {
        const [from, to] = [position(Math.min(a, b), bytes), position(Math.max(a, b), bytes)]
        return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
      },
  ),
)

/** Deeply nested fields, for example a Struct in a Struct. */
const nested = fc.tuple(fc.constantFrom(1, 2, 5, 6), fc.nat(400), fc.constantFrom(2, 3, 4, 5)).map(([number, depth, outer]) => {
  let bytes: Bytes = Buffer.alloc(0)
  for (let level = 0; level < depth; level++)
    bytes = number === 5 ? field(5, field(1, field(1, text('x')), field(2, bytes))) : field(number, bytes)
  return Buffer.from(field(outer, bytes))
})

/** Damaged requests and random bytes. */
export const wire = (requests: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(requests, fc.array(damage, { minLength: 1, maxLength: 4 }))
        .map(([bytes, all]) => all.reduce((b, d) => d(b), bytes)),
    },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)) },
    { weight: 1, arbitrary: nested },
    { weight: 1, arbitrary: fc.tuple(requests, requests).map(all => Buffer.concat(all)) },
  )

/** A client that sends bytes unchanged, and returns undefined if gRPC rejects them. */
export function clientOf(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const send = (bytes: Buffer) =>
    new Promise<RunFunctionResponse | undefined>(resolve => {
      client.makeUnaryRequest(
        `/${serviceNames[0]}/RunFunction`,
        (raw: Buffer) => raw,
        responseDeserialize,
        bytes,
        (_, response) => resolve(response),
      )
    })
  return { send, close: () => client.close() }
}
