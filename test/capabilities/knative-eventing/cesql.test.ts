// npm run test:knative checks that Knative's own parser agrees.
import { describe, expect, test } from 'vitest'
import { cesqlProblem } from '../../../src/capabilities/knative-eventing/cesql.ts'

describe('accepts', () => {
  test.each([
    'TRUE',
    'type',
    'subject1',
    "type = 'order.created'",
    `source LIKE '%shop%' and not (amount > 1000 OR EXISTS region)`,
    'type NOT LIKE "a""b" XOR id NOT IN (\'a\', \'b\', LENGTH(id))',
    "CONCAT('a', 'it\\'s', 'it''s') <> LEFT(id, 3)",
    'is_bool(a)',
    'NOW()',
    '- - 1 + 2 * -3 % 4 / 5',
    'a = NOT b',
    '2147483647 >= -2147483648',
    ' \t\r\na',
    `${'('.repeat(50)}a${')'.repeat(50)}`,
  ])('%s', expression => expect(cesqlProblem(expression)).toBeUndefined())
})

describe('rejects', () => {
  test.each([
    { expression: '', problem: 'expected a value at the end' },
    { expression: 'a AND', problem: 'expected a value at the end' },
    { expression: 'a b', problem: "expected an operator at character 3, got 'b'" },
    { expression: 'a -1', problem: "expected an operator at character 3, got '-1'" },
    { expression: 'a == b', problem: "expected a value at character 4, got '='" },
    { expression: 'a NOT = b', problem: "expected an operator at character 3, got 'NOT'" },
    { expression: 'a NOT AND b', problem: "expected an operator at character 3, got 'NOT'" },
    { expression: 'a LIKE b', problem: "expected a quoted text at character 8, got 'b'" },
    { expression: 'a IN b', problem: "expected '(' at character 6, got 'b'" },
    { expression: 'a IN ()', problem: "expected a value at character 7, got ')'" },
    { expression: 'a IN (b', problem: "expected ',' or ')' at the end" },
    { expression: '(a', problem: "expected ')' at the end" },
    { expression: 'EXISTS 1', problem: "expected the name of an attribute at character 8, got '1'" },
    { expression: 'is_bool', problem: "expected '(' after a function name at the end" },
    { expression: 'f1(a)', problem: "expected an operator at character 3, got '('" },
    { expression: 'f(a b)', problem: "expected ',' or ')' at character 5, got 'b'" },
    { expression: 'AND', problem: "expected a value at character 1, got 'AND'" },
    { expression: "a = 'b", problem: "unexpected ''b' at character 5" },
    { expression: 'a & b', problem: "unexpected '& b' at character 3" },
    { expression: '2147483648', problem: '2147483648 is not a 32-bit integer' },
    { expression: '('.repeat(1000), problem: 'nested too deeply' },
  ])('$expression', ({ expression, problem }) => expect(cesqlProblem(expression)).toBe(problem))
})
