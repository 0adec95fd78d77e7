import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CloudEvent,
  createEvent,
  parseBatch,
  parseEvent,
  parseHttp,
  parseHttpEvents,
  parseNats,
  serializeBatch,
  serializeEvent,
  serializeHttp,
  serializeHttpBatch,
  serializeNats,
  validateEvent,
} from '../../src/cloudevents/index.ts'
import { event } from './arbitrary.ts'

const natsHeaders = (headers: readonly (readonly [string, string])[]) => headers.map(([name, value]) => [name, [value]] as const)

/** Each way of writing an event and reading it again. */
const trips: Readonly<Record<string, (event: CloudEvent) => CloudEvent | undefined>> = {
  'the JSON format': sent => parseEvent(serializeEvent(sent)),
  'HTTP in binary mode': sent => parseHttp(serializeHttp(sent)),
  'HTTP in structured mode': sent => parseHttp(serializeHttp(sent, { mode: 'structured' })),
  'Headers of fetch': sent => {
    const { headers, body } = serializeHttp(sent)
    return parseHttp({ headers: new Headers(headers), body })
  },
  'NATS in binary mode': sent => {
    const { headers, data } = serializeNats(sent)
    return parseNats({ headers: natsHeaders(headers), data })
  },
  'NATS in structured mode': sent => {
    const { headers, data } = serializeNats(sent, { mode: 'structured' })
    return parseNats({ headers: natsHeaders(headers), data })
  },
  'NATS without headers': sent => parseNats({ data: serializeNats(sent, { mode: 'structured' }).data }),
}

test.each(Object.entries(trips))('%s keeps any event', (_, trip) =>
  fc.assert(
    fc.property(event, sent => {
      expect(trip(sent)).toEqual(sent)
    }),
  ),
)

test('either mode decodes to the same event, over each protocol and the other', () =>
  fc.assert(
    fc.property(event, sent => {
      for (const first of Object.values(trips))
        for (const second of Object.values(trips)) {
          const passed = first(sent)
          expect(passed && second(passed)).toEqual(sent)
        }
    }),
    { numRuns: 50 },
  ))

test('a batch keeps its events', () =>
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), sent => {
      expect(parseBatch(serializeBatch(sent))).toEqual(sent)
      expect(parseHttpEvents(serializeHttpBatch(sent))).toEqual(sent)
    }),
  ))

test('what is read is valid', () =>
  fc.assert(
    fc.property(event, sent => {
      expect(validateEvent(sent)).toEqual([])
    }),
  ))

test('headers are printable ASCII', () =>
  fc.assert(
    fc.property(event, sent => {
      for (const value of Object.values(serializeHttp(sent).headers)) expect(value).toMatch(/^[\x20-\x7e]*$/)
      for (const [, value] of serializeNats(sent).headers) expect(value).toMatch(/^[\x20-\x7e]*$/)
    }),
  ))

const base = { id: '1', source: '/s', type: 't', time: '2026-01-01T00:00:00Z' }

describe('data', () => {
  test.each([
    { says: 'a large integer', data: 9007199254740993n, json: '9007199254740993' },
    { says: 'a large integer in an object', data: { n: [-12345678901234567890n] }, json: '{"n":[-12345678901234567890]}' },
    { says: 'digits in a string', data: '12345678901234567890', json: '"12345678901234567890"' },
    { says: 'escapes before digits', data: '\\"12345678901234567890', json: '"\\\\\\"12345678901234567890"' },
    { says: 'a member called __proto__', data: JSON.parse('{"__proto__":1}'), json: '{"__proto__":1}' },
    { says: 'null', data: null, json: 'null' },
    { says: 'false', data: false, json: 'false' },
    { says: 'zero', data: 0, json: '0' },
    { says: 'an empty string', data: '', json: '""' },
  ])('$says is kept in JSON', ({ data, json }) => {
    const sent = createEvent({ ...base, data })
    expect(serializeEvent(sent)).toContain(`"data":${json}`)
    expect(new TextDecoder().decode(serializeHttp(sent).body)).toBe(json)
    for (const trip of Object.values(trips)) expect(trip(sent)?.data).toEqual(data)
  })

  test('an unpaired surrogate is kept in JSON', () => {
    const sent = createEvent({ ...base, data: '\ud800' })
    for (const trip of Object.values(trips)) expect(trip(sent)?.data).toBe('\ud800')
  })

  test.each([
    { says: 'bytes in JSON', datacontenttype: 'application/json', data: new TextEncoder().encode('{"a":1}'), is: { a: 1 } },
    { says: 'text in an unknown type', datacontenttype: 'application/x-thing', data: 'ü', is: Uint8Array.of(0xc3, 0xbc) },
    { says: 'a byte order mark in text', datacontenttype: 'text/plain', data: '\ufeffa', is: '\ufeffa' },
    { says: 'text that is not UTF-8', datacontenttype: 'text/plain', data: Uint8Array.of(0xff), is: Uint8Array.of(0xff) },
    { says: 'another charset', datacontenttype: 'text/plain; charset=iso-8859-1', data: Uint8Array.of(0xfc), is: Uint8Array.of(0xfc) },
    { says: 'no bytes', datacontenttype: 'text/plain', data: '', is: undefined },
  ])('$says has one form', ({ datacontenttype, data, is }) => {
    const sent = createEvent({ ...base, datacontenttype, data })
    expect(sent.data).toEqual(is)
    for (const trip of Object.values(trips)) expect(trip(sent)).toEqual(sent)
  })

  test.each([
    { says: 'an object in text', init: { datacontenttype: 'text/plain', data: {} }, problem: /data: must be a string or bytes/ },
    { says: 'a function', init: { data: () => 1 }, problem: /data: cannot be written as JSON/ },
    {
      says: 'bytes that are not JSON',
      init: { datacontenttype: 'application/json', data: Uint8Array.of(1) },
      problem: /data: is not JSON/,
    },
  ])('$says is refused', ({ init, problem }) => expect(() => serializeEvent(createEvent({ ...base, ...init }))).toThrow(problem))
})

test('a number out of range is refused, not rounded', () =>
  expect(() => parseEvent('{"specversion":"1.0","id":"1","source":"s","type":"t","data":1e999}')).toThrow(/out of range/))
