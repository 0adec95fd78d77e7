import { describe, expect, test } from 'vitest'
import {
  CloudEventError,
  createEvent,
  parseBatch,
  parseEvent,
  parseHttp,
  parseHttpEvents,
  parseNats,
  serializeHttp,
  UnsupportedFormatError,
} from '../../src/cloudevents/index.ts'

const encoder = new TextEncoder()
const envelope = { specversion: '1.0', id: '1', source: '/s', type: 't' }
const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const text = JSON.stringify(envelope)

describe('header values', () => {
  test.each([
    { value: 'Euro € 😀', header: 'Euro%20%E2%82%AC%20%F0%9F%98%80' },
    { value: '100%', header: '100%25' },
    { value: 'say "hi"', header: 'say%20%22hi%22' },
    { value: "~!'()*", header: "~!'()*" },
  ])("'$value' is written as $header", ({ value, header }) => {
    const event = createEvent({ type: 't', source: '/s', subject: value })
    expect(serializeHttp(event).headers['ce-subject']).toBe(header)
    expect(parseHttp(serializeHttp(event)).subject).toBe(value)
  })

  test.each([
    { says: 'needless encoding in lower case', header: '%61%e2%82%ac', value: 'a€' },
    { says: 'quotes and escapes of old senders', header: '"a \\"b\\" \\\\ c"', value: 'a "b" \\ c' },
    { says: 'quotes around encoding', header: '"a%20b"', value: 'a b' },
    { says: 'only one round of decoding', header: '%2541', value: '%41' },
    { says: 'spaces', header: 'a b', value: 'a b' },
  ])('$says is read', ({ header, value }) => expect(parseHttp({ headers: { ...headers, 'ce-subject': header } }).subject).toBe(value))

  test.each([
    { says: 'an overlong encoding', header: '%C0%A0' },
    { says: 'half of a character', header: '%E2%82' },
    { says: 'a lone percent sign', header: '100%' },
    { says: 'Latin-1', header: 'ü' },
    { says: 'an open quote', header: '"a' },
    { says: 'an encoded control character', header: '%0A' },
  ])('$says is refused', ({ header }) => expect(() => parseHttp({ headers: { ...headers, 'ce-subject': header } })).toThrow(/subject: /))
})

describe('HTTP', () => {
  test.each([
    { says: 'in binary mode', message: { headers, body: '' }, count: 1 },
    {
      says: 'with headers in any case',
      message: { headers: { 'CE-SpecVersion': '1.0', 'Ce-Id': '1', 'ce-source': '/s', 'CE-TYPE': 't' } },
      count: 1,
    },
    { says: 'in structured mode', message: { headers: { 'content-type': 'application/cloudevents+json' }, body: text }, count: 1 },
    {
      says: 'with a charset',
      message: { headers: { 'content-type': 'Application/CloudEvents+JSON; charset="UTF-8"' }, body: text },
      count: 1,
    },
    {
      says: 'in a batch',
      message: { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: `[${text},${text}]` },
      count: 2,
    },
    { says: 'in an empty batch', message: { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[]' }, count: 0 },
  ])('an event $says is read', ({ message, count }) => expect(parseHttpEvents(message)).toHaveLength(count))

  test.each([
    { says: 'without any attribute', message: { headers: { 'content-type': 'application/json' }, body: '{}' }, problem: /neither headers/ },
    { says: 'in Avro', message: { headers: { 'content-type': 'application/cloudevents+avro' } }, problem: /not supported/ },
    {
      says: 'in Latin-1',
      message: { headers: { 'content-type': 'application/cloudevents+json; charset=latin1' } },
      problem: /is not UTF-8/,
    },
    {
      says: 'that is not JSON',
      message: { headers: { 'content-type': 'application/cloudevents+json' }, body: '{' },
      problem: /message is not JSON/,
    },
    {
      says: 'that is an array',
      message: { headers: { 'content-type': 'application/cloudevents+json' }, body: '[]' },
      problem: /must be a JSON object/,
    },
    { says: 'with ce-datacontenttype', message: { headers: { ...headers, 'ce-datacontenttype': 'a/b' } }, problem: /header content-type/ },
    { says: 'with a header that is no attribute', message: { headers: { ...headers, 'ce-a-b': 'x' } }, problem: /attribute name/ },
    {
      says: 'with data and data_base64',
      message: {
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({ ...envelope, data: 1, data_base64: '' }),
      },
      problem: /next to data_base64/,
    },
    {
      says: 'with broken Base64',
      message: { headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify({ ...envelope, data_base64: 'a' }) },
      problem: /Base64/,
    },
    {
      says: 'with data that is not a string in text',
      message: {
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify({ ...envelope, datacontenttype: 'text/plain', data: 1 }),
      },
      problem: /must be a string, because/,
    },
    {
      says: 'with broken JSON as data',
      message: { headers: { ...headers, 'content-type': 'application/json' }, body: '{' },
      problem: /data: is not JSON/,
    },
    {
      says: 'in a batch with a mistake',
      message: { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: `[${text},{}]` },
      problem: /event 1 of the batch: specversion: is missing/,
    },
  ])('an event $says is refused', ({ message, problem }) => {
    expect(() => parseHttpEvents(message)).toThrow(CloudEventError)
    expect(() => parseHttpEvents(message)).toThrow(problem)
  })

  test('an unknown format differs from a mistake', () =>
    expect(() => parseHttpEvents({ headers: { 'content-type': 'application/cloudevents+protobuf' } })).toThrow(UnsupportedFormatError))

  test('a batch is not one event', () =>
    expect(() => parseHttp({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[]' })).toThrow(/batch of 0 events/))
})

describe('the JSON format', () => {
  test('data without a content type is JSON, and says so afterwards', () =>
    expect(parseEvent(JSON.stringify({ ...envelope, data: '1' }))).toMatchObject({ datacontenttype: 'application/json', data: '1' }))

  test('data_base64 is decoded by the content type', () => {
    const data = (datacontenttype: string | undefined) =>
      parseEvent(JSON.stringify({ ...envelope, datacontenttype, data_base64: 'eyJhIjoxfQ==' })).data
    expect(data('application/json')).toEqual({ a: 1 })
    expect(data('text/plain')).toBe('{"a":1}')
    expect(data(undefined)).toEqual(encoder.encode('{"a":1}'))
  })

  test('a batch is an array', () => expect(() => parseBatch('{}')).toThrow(/must be a JSON array/))
})

describe('NATS', () => {
  const data = encoder.encode(text)
  test.each([
    {
      says: 'structured, with the content type',
      message: { headers: [['Content-Type', ['application/cloudevents+json']]] as const, data },
    },
    { says: 'structured, without headers as in version 1.0.2', message: { data } },
    {
      says: 'binary',
      message: {
        headers: Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]] as const),
        data: encoder.encode(''),
      },
    },
  ])('reads an event that is $says', ({ message }) => expect(parseNats(message)).toMatchObject(envelope))

  test('the content type of binary mode is ce-datacontenttype', () => {
    const message = {
      headers: Object.entries({ ...headers, 'ce-datacontenttype': 'application/json' }).map(([name, value]) => [name, [value]] as const),
      data,
    }
    expect(parseNats(message)).toMatchObject({ datacontenttype: 'application/json', data: envelope })
  })

  test.each([
    { says: 'text', data: 'hello' },
    { says: 'nothing', data: '' },
    { says: 'other JSON', data: '{"id":1}' },
    { says: 'an event inside other JSON', data: JSON.stringify({ event: envelope }) },
    { says: 'an array', data: `[${text}]` },
    { says: 'broken JSON', data: '{"specversion" "id" "source" "type"' },
  ])('$says is no event', ({ data }) => expect(parseNats({ data: encoder.encode(data) })).toBeUndefined())

  test.each([
    { says: 'a format that is not supported', headers: { 'content-type': 'application/cloudevents+avro' }, problem: /not supported/ },
    { says: 'a missing attribute', headers: { 'ce-id': '1' }, problem: /source: is missing/ },
  ])('$says is refused', ({ headers, problem }) =>
    expect(() => parseNats({ headers: Object.entries(headers).map(([name, value]) => [name, [value]]), data })).toThrow(problem),
  )
})
