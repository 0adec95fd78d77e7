import { describe, expect, test } from 'vitest'
import { checkFilters } from '../../../src/capabilities/knative-eventing/filters.ts'
import { sentence } from '../../../src/claim/findings.ts'
import type { Json } from '../../../src/kubernetes/json.ts'

const findings = (...filters: Json[]) => checkFilters(filters, ['filters']).map(finding => `${sentence(finding)} [${finding.code}]`)
const nested = (depth: number): Json => (depth === 0 ? { cesql: 'TRUE' } : { not: nested(depth - 1) })

test.each<{ says: string; filter: Json }>([
  { says: 'equal values', filter: { exact: { type: 'a', x1: '' } } },
  { says: 'a beginning', filter: { prefix: { type: 'a' } } },
  { says: 'an end', filter: { suffix: { type: 'a' } } },
  { says: 'an expression', filter: { cesql: "type LIKE 'a%'" } },
  { says: 'all of several', filter: { all: [{ exact: { type: 'a' } }, { any: [{ cesql: 'TRUE' }] }] } },
  { says: 'ten levels', filter: nested(10) },
])('$says', ({ filter }) => expect(findings(filter)).toEqual([]))

describe('refuses', () => {
  test.each<{ says: string; filter: Json; finds: string[] }>([
    { says: 'no object', filter: 'a', finds: ["filters[0]: must be an object, got 'a' [WRONG_TYPE]"] },
    { says: 'no dialect', filter: {}, finds: ['filters[0]: needs one of [exact, prefix, suffix, cesql, all, any, not] [REQUIRED]'] },
    {
      says: 'two',
      filter: { exact: { a: 'b' }, cesql: 'TRUE' },
      finds: ['filters[0].cesql: must be in a filter of its own: filters[0].exact is in the same filter [CONFLICT]'],
    },
    {
      says: 'an unknown one',
      filter: { contains: {} },
      finds: ['filters[0].contains: unknown field, a filter is one of [exact, prefix, suffix, cesql, all, any, not] [UNKNOWN_FIELD]'],
    },
    {
      says: 'a method of objects',
      filter: { all: [{ constructor: {} }] },
      finds: [
        'filters[0].all[0].constructor: unknown field, a filter is one of [exact, prefix, suffix, cesql, all, any, not] [UNKNOWN_FIELD]',
      ],
    },
    {
      says: 'attributes that are none',
      filter: { any: [{ exact: { Type: 'a', 'a-b': 'c', ok: 'd' } }] },
      finds: ['Type', 'a-b'].map(
        name =>
          `filters[0].any[0].exact.${name}: must be named with lower-case letters and digits, and begin with a letter, as attributes of CloudEvents are [BAD_FORMAT]`,
      ),
    },
    {
      says: 'a value that is no text',
      filter: { not: { prefix: { a: 1 } } },
      finds: ['filters[0].not.prefix.a: must be a string, got 1 [WRONG_TYPE]'],
    },
    { says: 'a map that is a list', filter: { suffix: ['a'] }, finds: ['filters[0].suffix: must be an object, got a list [WRONG_TYPE]'] },
    { says: 'no attributes', filter: { exact: {} }, finds: ['filters[0].exact: must have at least 1 field, got 0 [OUT_OF_RANGE]'] },
    { says: 'a list that is a map', filter: { all: {} }, finds: ['filters[0].all: must be a list, got an empty object [WRONG_TYPE]'] },
    { says: 'none of several', filter: { any: [] }, finds: ['filters[0].any: must have at least 1 item, got 0 [OUT_OF_RANGE]'] },
    { says: 'an expression that is none', filter: { cesql: 7 }, finds: ['filters[0].cesql: must be a string, got 7 [WRONG_TYPE]'] },
    {
      says: 'one that can’t be read',
      filter: { all: [{ cesql: 'a AND' }] },
      finds: [
        "filters[0].all[0].cesql: must be a CloudEvents SQL expression, but ends where a value is expected, got 'a AND' [BAD_FORMAT]",
      ],
    },
    {
      says: 'eleven levels',
      filter: nested(11),
      finds: [`filters[0]${'.not'.repeat(11)}: must not be nested deeper than 10 filters [OUT_OF_RANGE]`],
    },
  ])('$says', ({ filter, finds }) => expect(findings(filter)).toEqual(finds))
})
