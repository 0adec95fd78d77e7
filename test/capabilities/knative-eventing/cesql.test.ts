// That this is also what Knative's own reader says is held by npm run test:knative.
import { describe, expect, test } from 'vitest'
import { cesqlProblem } from '../../../src/capabilities/knative-eventing/cesql.ts'

describe('reads', () => {
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

describe('refuses', () => {
  test.each([
    { expression: '', problem: 'ends where a value is expected' },
    { expression: 'a AND', problem: 'ends where a value is expected' },
    { expression: 'a b', problem: "has 'b' at character 3 where an operator is expected" },
    { expression: 'a -1', problem: "has '-1' at character 3 where an operator is expected" },
    { expression: 'a == b', problem: "has '=' at character 4 where a value is expected" },
    { expression: 'a NOT = b', problem: "has 'NOT' at character 3 where an operator is expected" },
    { expression: 'a NOT AND b', problem: "has 'NOT' at character 3 where an operator is expected" },
    { expression: 'a LIKE b', problem: "has 'b' at character 8 where a text in quotes is expected" },
    { expression: 'a IN b', problem: "has 'b' at character 6 where '(' is expected" },
    { expression: 'a IN ()', problem: "has ')' at character 7 where a value is expected" },
    { expression: 'a IN (b', problem: "ends where ',' or ')' is expected" },
    { expression: '(a', problem: "ends where ')' is expected" },
    { expression: 'EXISTS 1', problem: "has '1' at character 8 where the name of an attribute is expected" },
    { expression: 'is_bool', problem: "ends where '(' after the name of a function is expected" },
    { expression: 'f1(a)', problem: "has '(' at character 3 where an operator is expected" },
    { expression: 'f(a b)', problem: "has 'b' at character 5 where ',' or ')' is expected" },
    { expression: 'AND', problem: "has 'AND' at character 1 where a value is expected" },
    { expression: "a = 'b", problem: "can't read ''b' at character 5" },
    { expression: 'a & b', problem: "can't read '& b' at character 3" },
    { expression: '2147483648', problem: '2147483648 is not a whole number of 32 bits' },
    { expression: '('.repeat(1000), problem: 'is nested too deep' },
  ])('$expression', ({ expression, problem }) => expect(cesqlProblem(expression)).toBe(problem))
})
