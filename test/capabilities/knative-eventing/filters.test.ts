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

describe('rejects', () => {
  test.each<{ says: string; filter: Json; finds: string[] }>([
    { says: 'a filter that is not an object', filter: 'a', finds: ["filters[0]: must be an object, got 'a' [WRONG_TYPE]"] },
    { says: 'no dialect', filter: {}, finds: ['filters[0]: must have one of [exact, prefix, suffix, cesql, all, any, not] [REQUIRED]'] },
    {
      says: 'two dialects',
      filter: { exact: { a: 'b' }, cesql: 'TRUE' },
      finds: ['filters[0].cesql: must be in its own filter: filters[0].exact is in the same filter [CONFLICT]'],
    },
    {
      says: 'an unknown dialect',
      filter: { contains: {} },
      finds: ['filters[0].contains: unknown field, must be one of [exact, prefix, suffix, cesql, all, any, not] [UNKNOWN_FIELD]'],
    },
    {
      says: 'a dialect named like a method',
      filter: { all: [{ constructor: {} }] },
      finds: ['filters[0].all[0].constructor: unknown field, must be one of [exact, prefix, suffix, cesql, all, any, not] [UNKNOWN_FIELD]'],
    },
    {
      says: 'invalid attribute names',
      filter: { any: [{ exact: { Type: 'a', 'a-b': 'c', ok: 'd' } }] },
      finds: ['Type', 'a-b'].map(
        name =>
          `filters[0].any[0].exact.${name}: must be the name of a CloudEvents attribute: lower-case letters and digits, starting with a letter [BAD_FORMAT]`,
      ),
    },
    {
      says: 'a value that is not text',
      filter: { not: { prefix: { a: 1 } } },
      finds: ['filters[0].not.prefix.a: must be a string, got 1 [WRONG_TYPE]'],
    },
    {
      says: 'a list instead of a map',
      filter: { suffix: ['a'] },
      finds: ['filters[0].suffix: must be an object, got a list [WRONG_TYPE]'],
    },
    { says: 'no attributes', filter: { exact: {} }, finds: ['filters[0].exact: must have at least 1 field, got 0 [OUT_OF_RANGE]'] },
    { says: 'a map instead of a list', filter: { all: {} }, finds: ['filters[0].all: must be a list, got an empty object [WRONG_TYPE]'] },
    { says: 'none of several', filter: { any: [] }, finds: ['filters[0].any: must have at least 1 item, got 0 [OUT_OF_RANGE]'] },
    { says: 'an expression that is not text', filter: { cesql: 7 }, finds: ['filters[0].cesql: must be a string, got 7 [WRONG_TYPE]'] },
    {
      says: 'an invalid expression',
      filter: { all: [{ cesql: 'a AND' }] },
      finds: ["filters[0].all[0].cesql: must be a valid CloudEvents SQL expression: expected a value at the end, got 'a AND' [BAD_FORMAT]"],
    },
    {
      says: 'eleven levels',
      filter: nested(11),
      finds: [`filters[0]${'.not'.repeat(11)}: must not be nested deeper than 10 filters [OUT_OF_RANGE]`],
    },
  ])('$says', ({ filter, finds }) => expect(findings(filter)).toEqual(finds))
})
