import {
  Capability,
  Ready,
  type Resource,
  RunFunctionRequest,
  RunFunctionResponse,
  Severity,
  type State,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRequest } from '../../src/function/wire/decode.ts'
import { encodeResponse } from '../../src/function/wire/encode.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { RUNS } from '../fixtures/claims.ts'

const encoded = (request: Partial<RunFunctionRequest>) =>
  Buffer.from(RunFunctionRequest.encode(RunFunctionRequest.fromPartial(request)).finish())

// The SDK's decoder drops a member of this name, and keeps -0.
const key = fc.string({ unit: 'grapheme' }).filter(key => key !== '__proto__')
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
const { object } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.integer(),
    fc.double().map(number => number || 0),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}))
const bytes = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
const resource: fc.Arbitrary<Resource> = fc.record({
  resource: fc.option(object, { nil: undefined }),
  connectionDetails: fc.dictionary(key, bytes, { maxKeys: 2 }),
  ready: fc.constantFrom(Ready.READY_UNSPECIFIED, Ready.READY_TRUE, Ready.READY_FALSE),
})
const state: fc.Arbitrary<State | undefined> = fc.option(
  fc.record({ composite: fc.option(resource, { nil: undefined }), resources: fc.dictionary(key, resource, { maxKeys: 3 }) }),
  { nil: undefined },
)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

describe('a request', () => {
  const request: fc.Arbitrary<RunFunctionRequest> = fc.record({
    meta: optional(fc.record({ tag: text, capabilities: fc.subarray([1, 2, 3, 4, 5] as Capability[]) })),
    observed: state,
    desired: state,
    input: optional(object),
    context: optional(object),
    extraResources: fc.dictionary(key, fc.record({ items: fc.array(resource, { maxLength: 1 }) }), { maxKeys: 1 }),
    credentials: fc.dictionary(key, fc.record({ credentialData: fc.record({ data: fc.dictionary(key, bytes) }) }), { maxKeys: 1 }),
    requiredResources: fc.dictionary(key, fc.record({ items: fc.array(resource, { maxLength: 2 }) }), { maxKeys: 2 }),
    requiredSchemas: fc.dictionary(key, fc.record({ openapiV3: optional(object) }), { maxKeys: 2 }),
  })

  test('is decoded as by the SDK, except for unread fields', () => {
    fc.assert(
      fc.property(request, request => {
        const message = encoded(request)
        const whole = RunFunctionRequest.decode(message)
        const schemas = Object.entries(whole.requiredSchemas).map(([name, { openapiV3 }]) => [name, { openapiV3: openapiV3 && {} }])
        const unread = { extraResources: {}, credentials: {}, requiredSchemas: Object.fromEntries(schemas) }
        expect(decodeRequest(message)).toEqual({ ...whole, ...unread })
      }),
      { numRuns: RUNS },
    )
  })

  test('is decoded if its capabilities are not packed', () => {
    const meta = Buffer.from([0x10, 1, 0x10, 2])
    expect(decodeRequest(Buffer.from([0x0a, meta.length, ...meta])).meta).toEqual({
      tag: '',
      capabilities: [Capability.CAPABILITY_CAPABILITIES, Capability.CAPABILITY_REQUIRED_RESOURCES],
    })
  })

  test.each(['managedFields', 'ownerReferences'])('drops the %s of observed objects, and no other field of that name', field => {
    const unread = { [field]: [{ manager: 'kubectl' }] }
    const metadata = { name: 'a', inner: unread }
    const sent = { metadata: { ...metadata, ...unread }, spec: { metadata: unread }, ...unread }
    const inState = { composite: { resource: sent }, resources: { a: { resource: sent } } }
    const request = decodeRequest(
      encoded({
        ...RunFunctionRequest.fromPartial({
          observed: inState,
          desired: inState,
          requiredResources: { a: { items: [{ resource: sent }] } },
        }),
        input: sent,
        context: sent,
      }),
    )
    for (const observed of [request.observed?.composite, request.observed?.resources.a])
      expect(observed?.resource).toEqual({ ...sent, metadata })
    for (const other of [request.desired?.composite, request.desired?.resources.a, request.requiredResources.a?.items[0]])
      expect(other?.resource).toEqual(sent)
    expect([request.input, request.context]).toEqual([sent, sent])
  })

  test('keeps every field name, however similar the names and however many', () => {
    const names = ['é', 'Ã©', 'e', '', ...Array.from({ length: 10_000 }, (_, i) => `name-${i}`), 'x'.repeat(64), 'x'.repeat(65)]
    for (const group of [names, [...names].reverse()]) {
      const input: JsonObject = Object.fromEntries(group.map(name => [name, name]))
      expect(decodeRequest(encoded({ input })).input).toEqual(input)
    }
  })

  const lengths = [0, 1, 2, 63, 64, 65, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 300]
  test.each(lengths)('has a text whole, whose name has %i characters', nameLength => {
    for (const textLength of lengths) {
      const input = { ['n'.repeat(nameLength)]: 't'.repeat(textLength), after: 'x' }
      expect(decodeRequest(encoded({ input })).input).toEqual(input)
    }
  })

  const varint = (value: number) => (value < 128 ? [value] : [(value % 128) + 128, Math.floor(value / 128)])
  const field = (tag: number, content: Buffer) => Buffer.from([tag, ...varint(content.length), ...content])
  const structOf = (member: Buffer) => field(0x22, field(0x0a, member))

  // Valid encodings of a Struct member that known writers do not produce.
  const [name, value] = [Buffer.from([0x0a, 1, 0x61]), Buffer.from([0x12, 3, 0x1a, 1, 0x62])]
  test.each([
    { title: 'in the usual order', member: [name, value] },
    { title: 'the value first', member: [value, name] },
    { title: 'two names', member: [[0x0a, 1, 0x63], name, value] },
    { title: 'two values', member: [name, [0x12, 3, 0x1a, 1, 0x63], value] },
    { title: 'another value after it', member: [name, value, [0x12, 3, 0x1a, 1, 0x63]] },
    { title: 'two kinds in a value', member: [name, [0x12, 6, 0x1a, 1, 0x63, 0x1a, 1, 0x62]] },
    { title: 'a field of its own after them', member: [name, value, [0x1a, 1, 0x63]] },
    { title: 'a field of its own within the value', member: [name, [0x12, 6, 0x1a, 1, 0x62, 0x3a, 1, 0x63]] },
    {
      title: 'lengths in more bytes than they need',
      member: [
        [0x0a, 0x81, 0, 0x61],
        [0x12, 0x84, 0, 0x1a, 0x81, 0, 0x62],
      ],
    },
    { title: 'no name', member: [value] },
    { title: 'another field instead of the name', member: [[0x3a, 1, 0x61], value] },
    { title: 'another field instead of the value', member: [name, [0x3a, 3, 0x1a, 1, 0x62]] },
    {
      title: 'what looks like a value within another field',
      member: [[0x0a, 0x81, 0, 0x61], [0x3a, 130, 1], Buffer.alloc(124), [0x12, 4, 0x1a, 2, 0x62, 0x62]],
    },
    { title: 'an empty text', member: [name, [0x12, 2, 0x1a, 0]] },
  ])('reads a member with $title as the SDK does', ({ member }) => {
    const message = structOf(Buffer.concat(member.map(part => Buffer.from(part))))
    const { input } = decodeRequest(message)
    expect(input).toEqual(RunFunctionRequest.decode(message).input)
    expect(input).toBeDefined()
  })

  test('keeps a member called __proto__ on its own object', () => {
    const message = encoded({ input: { xxproto__: { polluted: true } } })
    message.write('__proto__', message.indexOf('xxproto__'))
    const input = decodeRequest(message).input ?? {}
    expect(Object.keys(input)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  const whole = encoded({ meta: { tag: 'tag', capabilities: [] }, input: { a: [1, 'two', null, { three: true }] } })
  const deep = (levels: number) => encoded({ input: JSON.parse(`${'{"a":'.repeat(levels)}null${'}'.repeat(levels)}`) as JsonObject })
  test.each([
    { title: 'cut off', message: whole.subarray(0, -3), problem: 'the message is cut off' },
    { title: 'of a length beyond it', message: Buffer.from([0x0a, 0xff, 0xff, 0x7f]), problem: 'the message is cut off' },
    {
      title: 'a field longer than its message',
      message: Buffer.from([0x0a, 2, 0x0a, 5, 1, 2, 3, 4, 5]),
      problem: 'a field is longer than its message',
    },
    {
      title: 'a value longer than its member',
      message: structOf(Buffer.from([0x0a, 1, 0x61, 0x12, 253, 0x1a, 251, ...Buffer.alloc(251)])),
      problem: 'the message is cut off',
    },
    { title: 'a number without an end', message: Buffer.alloc(20, 0xff), problem: 'a number is longer than ten bytes' },
    { title: 'a group, which is obsolete', message: Buffer.from([0x0b, 0x0c]), problem: 'a field has an unknown wire type' },
    { title: 'nested too deep', message: deep(501), problem: 'a value is nested more than 500 levels deep' },
  ])('$title is refused', ({ message, problem }) => expect(() => decodeRequest(message)).toThrow(problem))

  test('is decoded when it is nested deeper than any real object', () =>
    expect(JSON.stringify(decodeRequest(deep(499)).input)).toHaveLength(499 * 6 + 4))

  test('of any bytes is decoded or refused', () => {
    const some = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
    const broken = fc.tuple(request.map(encoded), fc.nat(), fc.nat(255)).map(([message, position, byte]) => {
      if (message.length > 0) message[position % message.length] = byte
      return message
    })
    fc.assert(
      fc.property(fc.oneof(some, broken), message => {
        try {
          decodeRequest(message)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
      }),
      { numRuns: RUNS },
    )
  })
})

describe('an answer', () => {
  const selector = fc.record({
    apiVersion: text,
    kind: text,
    matchName: optional(text),
    matchLabels: optional(fc.record({ labels: fc.dictionary(key, text, { maxKeys: 2 }) })),
    namespace: optional(text),
  })
  const response: fc.Arbitrary<RunFunctionResponse> = fc.record({
    meta: optional(fc.record({ tag: text, ttl: optional(fc.record({ seconds: fc.nat(), nanos: fc.nat(999_999_999) })) })),
    desired: state,
    results: fc.array(
      fc.record({
        severity: fc.constantFrom(Severity.SEVERITY_FATAL, Severity.SEVERITY_NORMAL, Severity.SEVERITY_UNSPECIFIED),
        message: text,
        reason: optional(text),
        target: optional(fc.constant(Target.TARGET_COMPOSITE_AND_CLAIM)),
      }),
      { maxLength: 2 },
    ),
    context: optional(object),
    requirements: optional(
      fc.record({
        extraResources: fc.dictionary(key, selector, { maxKeys: 1 }),
        resources: fc.dictionary(key, selector, { maxKeys: 2 }),
        schemas: fc.dictionary(key, fc.record({ apiVersion: text, kind: text }), { maxKeys: 1 }),
      }),
    ),
    conditions: fc.array(
      fc.record({
        type: text,
        status: fc.constantFrom(Status.STATUS_CONDITION_TRUE, Status.STATUS_CONDITION_FALSE),
        reason: text,
        message: optional(text),
        target: optional(fc.constant(Target.TARGET_COMPOSITE)),
      }),
      { maxLength: 2 },
    ),
    output: optional(object),
  })

  test('has the same bytes as from the SDK', () => {
    fc.assert(
      fc.property(response, response => {
        expect(encodeResponse(response).toString('hex')).toBe(Buffer.from(RunFunctionResponse.encode(response).finish()).toString('hex'))
      }),
      { numRuns: RUNS },
    )
  })

  test.each([
    { title: 'long', text: 'x'.repeat(100_000) },
    { title: 'long and not ASCII', text: 'é'.repeat(100_000) },
    { title: 'half a pair', text: '\ud800' },
  ])('a text that is $title', ({ text }) => {
    const response = RunFunctionResponse.fromPartial({ context: { text, list: Array.from({ length: 2000 }, () => text.slice(0, 10)) } })
    expect(encodeResponse(response).equals(RunFunctionResponse.encode(response).finish())).toBe(true)
  })

  test('omits undefined values and refuses values that JSON does not have', () => {
    const of = (context: Record<string, unknown>) => encodeResponse({ ...RunFunctionResponse.fromPartial({}), context })
    expect(of({ a: undefined }).equals(of({}))).toBe(true)
    expect(() => of({ a: 1n })).toThrow('JSON has no bigint')
    expect(() => of({ a: [undefined] })).toThrow('JSON has no undefined')
  })
})
