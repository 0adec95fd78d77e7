// Generated events.
import fc from 'fast-check'
import { type CloudEvent, createEvent } from '../../src/cloudevents/index.ts'

const allowed = (text: string) => !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text)

/** Any Unicode that an attribute may have. */
export const attributeText = fc.string({ unit: 'binary', minLength: 1 }).filter(allowed)

const path = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=@-]{1,10}$/)
export const uriReference = fc.oneof(
  path,
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.array(path, { minLength: 1, maxLength: 3 }).map(parts => `/${parts.join('/')}`),
  fc
    .tuple(
      path,
      fc.string({ unit: 'binary' }).filter(text => !/\p{Cs}/u.test(text)),
    )
    .map(([a, b]) => `${a}?q=${encodeURIComponent(b).replaceAll("'", '%27')}`),
  fc.uuid().map(id => `urn:uuid:${id}`),
)
export const absoluteUri = fc.oneof(
  fc.webUrl({ withQueryParameters: true }),
  fc.uuid().map(id => `urn:uuid:${id}`),
)

const two = (max: number) => fc.integer({ min: 0, max }).map(number => String(number).padStart(2, '0'))
export const timestamp = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    fc.constantFrom('', '.1', '.123', '.123456789'),
    fc.oneof(
      fc.constantFrom('Z', 'z'),
      fc.tuple(fc.constantFrom('+', '-'), two(23), two(59)).map(([sign, h, m]) => `${sign}${h}:${m}`),
    ),
    fc.constantFrom('T', 't'),
  )
  .map(([date, fraction, zone, separator]) => date.toISOString().slice(0, 19).replace('T', separator) + fraction + zone)

export const extensionName = fc
  .stringMatching(/^[a-z0-9]{1,20}$/)
  .filter(name => !['id', 'source', 'type', 'subject', 'time', 'data', 'specversion', 'datacontenttype', 'dataschema'].includes(name))

const largeInteger = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter(value => !Number.isSafeInteger(Number(value)))

/** JSON as a program has it: integers that a number cannot hold are bigint. */
export const json = fc
  .jsonValue({ stringUnit: 'binary' })
  .chain(value =>
    fc.oneof(fc.constant(value), largeInteger, fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(largeInteger, fc.constant(value)))),
  )
  .map(withoutLargeNumbers)

/** A number beyond 2^53 is read as a bigint, so programs have to write one too. */
function withoutLargeNumbers(value: unknown): unknown {
  // JSON.stringify writes -0 as 0.
  if (typeof value === 'number') return Object.is(value, -0) || (Number.isInteger(value) && !Number.isSafeInteger(value)) ? 0 : value
  if (Array.isArray(value)) return value.map(withoutLargeNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutLargeNumbers(member)]))
}

const content = fc.oneof(
  fc.record({
    datacontenttype: fc.constantFrom('application/json', 'text/json; charset=utf-8', 'application/vnd.shop+json', undefined),
    data: json,
  }),
  fc.record({
    datacontenttype: fc.constantFrom('text/plain', 'application/xml', 'text/csv; charset="UTF-8"', 'image/svg+xml'),
    data: fc.oneof(
      fc.string({ unit: 'binary' }).filter(text => !/\p{Cs}/u.test(text)),
      fc.uint8Array(),
    ),
  }),
  fc.record({ datacontenttype: fc.constantFrom('application/octet-stream', 'image/png', undefined), data: fc.uint8Array() }),
  fc.record({ datacontenttype: fc.constantFrom('application/json', undefined), data: fc.constant(undefined) }),
)

export const event: fc.Arbitrary<CloudEvent> = fc
  .tuple(
    fc.record({
      id: attributeText,
      source: uriReference,
      type: attributeText,
      subject: fc.option(attributeText, { nil: undefined }),
      time: timestamp,
      dataschema: fc.option(absoluteUri, { nil: undefined }),
      extensions: fc.dictionary(extensionName, fc.oneof(attributeText, fc.constant(''), fc.boolean(), fc.integer(), fc.uint8Array())),
    }),
    content,
  )
  .map(([attributes, data]) => createEvent({ ...attributes, ...data }))
