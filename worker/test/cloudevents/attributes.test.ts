import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CloudEvent,
  CloudEventError,
  createEvent,
  parseEvent,
  parseHttp,
  parseNats,
  validateEvent,
} from '../../src/cloudevents/index.ts'
import { absoluteUri, attributeText, extensionName, timestamp, uriReference } from './arbitrary.ts'

const minimal = { specversion: '1.0', id: '1', source: '/orders', type: 'order.placed' }

type Attributes = Readonly<Record<string, unknown>>

/** What each way into the library says of attributes: JSON, HTTP headers, NATS headers, and a check of an object. */
const ways: Readonly<Record<string, (attributes: Attributes) => readonly string[]>> = {
  'in the JSON format': attributes => problemsIn(() => parseEvent(JSON.stringify(attributes))),
  'in HTTP headers': attributes => problemsIn(() => parseHttp({ headers: httpHeaders(attributes) })),
  'in NATS headers': attributes =>
    problemsIn(() =>
      parseNats({ headers: Object.entries(attributes).map(([name, value]) => [`ce-${name}`, [encoded(value)]]), data: new Uint8Array() }),
    ),
  'in an object': ({ extensions = {}, ...attributes }) => validateEvent({ ...attributes, extensions }),
}

const encoded = (value: unknown) => (typeof value === 'string' && !/\p{Cs}/u.test(value) ? encodeURIComponent(value) : String(value))

const httpHeaders = (attributes: Attributes) =>
  Object.entries(attributes).map(
    ([name, value]) => (name === 'datacontenttype' ? ['content-type', String(value)] : [`ce-${name}`, encoded(value)]) as [string, string],
  )

function problemsIn(parse: () => unknown): readonly string[] {
  try {
    parse()
    return []
  } catch (error) {
    if (error instanceof CloudEventError) return error.problems
    throw error
  }
}

describe.each(Object.entries(ways))('%s', (_, problemsOf) => {
  test('the required attributes are enough', () => expect(problemsOf(minimal)).toEqual([]))

  test.each(Object.keys(minimal))('%s is required', name => {
    const { [name as 'id']: _, ...rest } = minimal
    expect(problemsOf(rest)).toEqual([`${name}: is missing`])
  })

  test.each(['id', 'source', 'type', 'subject', 'dataschema', 'time', 'specversion'])('%s must not be empty', name =>
    expect(problemsOf({ ...minimal, [name]: '' })).toEqual([expect.stringMatching(new RegExp(`^${name}: must`))]),
  )

  test.each(['0.3', '1', '1.0.2', '2.0', ' 1.0'])("specversion '%s' is refused", specversion =>
    expect(problemsOf({ ...minimal, specversion })).toEqual([expect.stringContaining("specversion: must be '1.0'")]),
  )

  test.each([
    { name: 'source', arbitrary: uriReference },
    { name: 'dataschema', arbitrary: absoluteUri },
    { name: 'time', arbitrary: timestamp },
    { name: 'id', arbitrary: attributeText },
    { name: 'type', arbitrary: attributeText },
    { name: 'subject', arbitrary: attributeText },
  ])('accepts any $name that the grammar allows', ({ name, arbitrary }) =>
    fc.assert(
      fc.property(arbitrary, value => {
        expect(problemsOf({ ...minimal, [name]: value })).toEqual([])
      }),
    ),
  )

  test.each([
    { name: 'source', values: ['a b', 'ü', '%', '%zz', '1:x', 'a#b#c', '//[::1', '//[::g]/', 'http://a:b/', '<x>', '"'] },
    { name: 'dataschema', values: ['/relative', 'schema', '//host/x', 'http://host/x#fragment', 'ht tp://x'] },
    {
      name: 'time',
      values: [
        'yesterday',
        '2026-02-30T00:00:00Z',
        '2025-02-29T00:00:00Z',
        '1900-02-29T00:00:00Z',
        '2026-13-01T00:00:00Z',
        '2026-01-01T24:00:00Z',
        '2026-01-01T00:60:00Z',
        '2026-01-01T00:00:61Z',
        '2026-01-01T00:00:60Z',
        '2026-01-01T00:00:00',
        '2026-01-01 00:00:00Z',
        '2026-01-01',
        '2026-01-01T00:00:00.Z',
        '2026-01-01T00:00:00+24:00',
        '2026-01-01T00:00:00+0000',
      ],
    },
    {
      name: 'datacontenttype',
      values: ['json', 'application/', '/json', 'application/json;', 'text/plain; charset', 'a b/c', 'text/plain; a="b'],
    },
  ])('refuses a $name that the grammar does not allow', ({ name, values }) => {
    expect(values.filter(value => problemsOf({ ...minimal, [name]: value }).length !== 1)).toEqual([])
  })

  test.each([
    {
      name: 'source',
      values: ['/', '#', '?', 'a', './a:b', 'http://[::1]:80/x?y#z', 'http://[v1.x]/', 'mailto:a@b.c', 'urn:x', '//h', 'http://h:/'],
    },
    { name: 'dataschema', values: ['urn:x', 'http://host/x?y', 'a:'] },
    { name: 'time', values: ['2016-12-31T23:59:60Z', '2017-01-01T05:29:60.5+05:30', '2024-02-29T00:00:00z', '2000-02-29t00:00:00-00:00'] },
    {
      name: 'datacontenttype',
      values: ['application/json', 'APPLICATION/JSON', 'text/plain;charset=utf-8', 'text/x; a="b c\\"d" ; e=f', 'image/svg+xml'],
    },
  ])('accepts a $name at the edge of the grammar', ({ name, values }) => {
    expect(values.flatMap(value => problemsOf({ ...minimal, [name]: value }))).toEqual([])
  })

  test.each(['\u0000', 'a\nb', '\u007f', '\u0085', '\ufffe', '\u{1fffe}', '\ufdd0'])('refuses the text %j', text =>
    expect(problemsOf({ ...minimal, id: text, subject: text })).toHaveLength(2),
  )
})

test('refuses unpaired surrogates', () => {
  expect(validateEvent({ ...minimal, id: '\ud800', extensions: { a: '\udc00x' } })).toHaveLength(2)
})

describe('extensions', () => {
  test('may have any name of letters and digits, also one of Object', () =>
    fc.assert(
      fc.property(fc.oneof(extensionName, fc.constantFrom('constructor', 'valueof', '1')), name => {
        expect(parseEvent(JSON.stringify({ ...minimal, [name]: 'x' })).extensions[name]).toBe('x')
      }),
    ))

  test.each(['Upper', 'under_score', 'da-sh', 'ü', '', 'a b'])("are refused with the name '%s'", name => {
    expect(problemsIn(() => parseEvent(JSON.stringify({ ...minimal, [name]: 'x' })))).toHaveLength(1)
    expect(problemsIn(() => createEvent({ ...minimal, extensions: { [name]: 'x' } }))).toHaveLength(1)
  })

  test.each(['id', 'data', 'datacontenttype'])('cannot be called %s', name =>
    expect(problemsIn(() => createEvent({ ...minimal, extensions: { [name]: 'x' } }))).toEqual([
      `${name}: is no extension, because the specification defines it`,
    ]),
  )

  test.each([
    { value: 5, is: '5' },
    { value: -2147483648, is: '-2147483648' },
    { value: true, is: 'true' },
    { value: 'x', is: 'x' },
    { value: '', is: '' },
  ])('$value is the string $is', ({ value, is }) => {
    expect(parseEvent(JSON.stringify({ ...minimal, ext: value })).extensions.ext).toBe(is)
    expect(createEvent({ ...minimal, extensions: { ext: value } }).extensions.ext).toBe(is)
  })

  test.each([2147483648, 1.5, {}, [], [1]])('the value %j is refused', value =>
    expect(problemsIn(() => parseEvent(JSON.stringify({ ...minimal, ext: value })))).toEqual([
      expect.stringContaining('ext: must be a string'),
    ]),
  )

  test('of other types become canonical strings', () =>
    expect(createEvent({ ...minimal, extensions: { bytes: Uint8Array.of(1, 2), at: new Date(0) } }).extensions).toEqual({
      bytes: 'AQI=',
      at: '1970-01-01T00:00:00.000Z',
    }))
})

test('null in JSON leaves an attribute out', () => {
  const event = parseEvent(JSON.stringify({ ...minimal, subject: null, ext: null, time: null }))
  expect(Object.keys(event)).toEqual(['specversion', 'id', 'source', 'type', 'extensions'])
  expect(problemsIn(() => parseEvent(JSON.stringify({ ...minimal, id: null })))).toEqual(['id: is missing'])
})

test('every problem is reported at once', () =>
  expect(problemsIn(() => parseEvent('{"id":"","time":"now","Bad":1}'))).toEqual([
    expect.stringContaining('specversion: is missing'),
    expect.stringContaining('id: must be'),
    'source: is missing',
    'type: is missing',
    expect.stringContaining('time: must be'),
    expect.stringContaining('"Bad": an attribute name'),
  ]))

test('attributes must be strings', () =>
  expect(problemsIn(() => parseEvent(JSON.stringify({ ...minimal, id: 1, source: true })))).toHaveLength(2))

test('createEvent fills in an ID, the time and the content type', () => {
  const event: CloudEvent<{ total: number }, 'order.placed'> = createEvent({ type: 'order.placed', source: '/orders', data: { total: 3 } })
  expect(event).toMatchObject({ datacontenttype: 'application/json', data: { total: 3 }, specversion: '1.0' })
  expect(event.id).toMatch(/^[0-9a-f-]{36}$/)
  expect(Math.abs(Date.parse(event.time ?? '') - Date.now())).toBeLessThan(60_000)
})

test.each([
  { says: 'no object', value: [], problem: 'an event must be an object' },
  { says: 'no extensions', value: minimal, problem: 'extensions: must be an object' },
  { says: 'an extension in the wrong place', value: { ...minimal, extensions: {}, ext: 'x' }, problem: 'ext: belongs into extensions' },
])('validateEvent finds $says', ({ value, problem }) => expect(validateEvent(value)).toEqual([problem]))
