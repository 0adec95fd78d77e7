// Translates CEL rules to JSON Schema, for editors and ajv-cli, which do not support CEL. Omits a rule that it cannot translate,
// so the schema never rejects a value that the rule accepts.
import { parse } from '@bufbuild/cel'
import type { Rule, Schema } from '../../src/claim/schema.ts'

type Expression = ReturnType<typeof parse>['expr']
type Translated = Readonly<Record<string, unknown>>

export function ruleSchema({ rule, message }: Rule, owner: Schema): Translated | undefined {
  const translated = translate(parse(rule).expr, owner)
  return translated && { $comment: message, ...translated }
}

function translate(expression: Expression, owner: Schema): Translated | undefined {
  const { exprKind } = expression
  if (exprKind.case === 'selectExpr') return exprKind.value.testOnly ? present(expression, owner) : isTrue(pathOf(expression), owner)
  if (exprKind.case !== 'callExpr') return undefined
  const { function: name, args, target } = exprKind.value
  const [left, right] = args
  switch (name) {
    case '_||_': {
      // Nulls are removed before validation, so no value equals null.
      const sides = translateAll(
        operands(expression, name).filter(side => !comparesWithNull(side, '_==_')),
        owner,
      )
      return sides && either(sides)
    }
    case '_&&_': {
      const sides = translateAll(
        operands(expression, name).filter(side => !comparesWithNull(side, '_!=_')),
        owner,
      )
      return sides && (one(sides) ?? { allOf: sides })
    }
    case '!_': {
      const inner = left && translate(left, owner)
      return inner && { not: inner }
    }
    case '_==_':
    case '_!=_': {
      const value = constant(right)
      if (value === undefined) return name === '_!=_' ? exactlyOne([left, right], owner) : undefined
      const equal = left && equals(left, value, owner)
      return equal && (name === '_==_' ? equal : { not: equal })
    }
    case '@in': {
      const list = right?.exprKind.case === 'listExpr' ? right.exprKind.value.elements.map(constant) : [undefined]
      return list.includes(undefined) ? undefined : within(pathOf(left), { enum: list }, owner)
    }
    case '_<=_': {
      const limit = constant(right)
      if (typeof limit !== 'number') return undefined
      const size = sizeOf(left)
      return size ? within(size, { [isList(size, owner) ? 'maxItems' : 'maxLength']: limit }, owner) : atMost(pathOf(left), limit, owner)
    }
    case '_>_': {
      const size = sizeOf(left)
      return size && constant(right) === 0 ? notEmpty(size, owner) : undefined
    }
    case 'matches':
    case 'endsWith': {
      const text = constant(left)
      if (typeof text !== 'string') return undefined
      return within(pathOf(target), { pattern: name === 'matches' ? text : `${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$` }, owner)
    }
    default:
      return undefined
  }
}

/** Every translation, or undefined if one of them fails. */
function translateAll(expressions: readonly (Expression | undefined)[], owner: Schema): Translated[] | undefined {
  const translated = expressions.flatMap((expression): Translated[] => {
    const one = expression && translate(expression, owner)
    return one === undefined ? [] : [one]
  })
  return translated.length === expressions.length ? translated : undefined
}

type Call = Extract<Expression['exprKind'], { case: 'callExpr' }>['value']

function callOf(expression: Expression | undefined, name: string): Call | undefined {
  const call = expression?.exprKind.case === 'callExpr' ? expression.exprKind.value : undefined
  return call?.function === name ? call : undefined
}

/** The operands of a chain such as `a || b || c`. */
const operands = (expression: Expression, name: string): Expression[] =>
  callOf(expression, name)?.args.flatMap(side => operands(side, name)) ?? [expression]

function comparesWithNull(expression: Expression, name: '_==_' | '_!=_'): boolean {
  const right = callOf(expression, name)?.args[1]
  return right?.exprKind.case === 'constExpr' && right.exprKind.value.constantKind.case === 'nullValue'
}

/** The conditions of `(a ? 1 : 0) + (b ? 1 : 0)`; undefined in place of any other summand. */
const counted = (sum: Expression): (Expression | undefined)[] =>
  operands(sum, '_+_').map(summand => {
    const [condition, yes, no] = callOf(summand, '_?_:_')?.args ?? []
    return constant(yes) === 1 && constant(no) === 0 ? condition : undefined
  })

/** The path of a list or string whose size is taken. */
const sizeOf = (expression: Expression | undefined): string[] | undefined => pathOf(callOf(expression, 'size')?.target)

function equals(left: Expression, value: string | number | boolean, owner: Schema): Translated | undefined {
  const size = sizeOf(left)
  if (size !== undefined) {
    const some = value === 0 ? notEmpty(size, owner) : undefined
    return some && { not: some }
  }
  if (callOf(left, '_+_') !== undefined) return value === 1 ? exactlyOne(counted(left), owner) : undefined
  return within(pathOf(left), { const: value }, owner)
}

/** Translates `not a or b` to `if a then b`, for which editors report the missing field. */
function either(sides: readonly Translated[]): Translated {
  const conditions = sides.filter(isDenial).map(({ not }) => not)
  const consequences = sides.filter(side => !isDenial(side))
  const last = consequences.length === 0 ? conditions.pop() : undefined
  const then = last === undefined ? (one(consequences) ?? { anyOf: consequences }) : denied(last)
  return conditions.length === 0 ? then : { if: one(conditions) ?? { allOf: conditions }, then }
}

const one = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined)

interface Denial extends Translated {
  readonly not: Translated
}

const isDenial = (schema: Translated): schema is Denial => Object.keys(schema).join() === 'not'

/** Negates a schema at the deepest possible level, so the error is at the field and not at its object. */
function denied({ properties, required = [], ...rest }: Translated): Translated {
  const fields = Object.entries((properties ?? {}) as Record<string, Translated>)
  const [field] = fields
  const [name] = required as string[]
  if (rest.const === true) return { const: false }
  if (Object.keys(rest).length > 0 || fields.length > 1)
    return { not: { ...(properties !== undefined && { properties, required }), ...rest } }
  if (field === undefined) return { properties: { [name ?? '']: false } }
  return { properties: { [field[0]]: denied(field[1]) }, ...(name === undefined && { required: [field[0]] }) }
}

function exactlyOne(sides: readonly (Expression | undefined)[], owner: Schema): Translated | undefined {
  const oneOf = translateAll(sides, owner)
  return oneOf && { oneOf }
}

/** The steps below self, or undefined for anything else. */
function pathOf(expression: Expression | undefined): string[] | undefined {
  if (expression?.exprKind.case === 'identExpr') return expression.exprKind.value.name === 'self' ? [] : undefined
  if (expression?.exprKind.case !== 'selectExpr') return undefined
  const above = pathOf(expression.exprKind.value.operand)
  return above && [...above, expression.exprKind.value.field]
}

const schemaAt = (path: readonly string[], owner: Schema): Schema | undefined =>
  path.reduce<Schema | undefined>((above, step) => above?.properties?.[step], owner)

const notEmpty = (path: string[], owner: Schema): Translated | undefined =>
  within(path, { [isList(path, owner) ? 'minItems' : 'minLength']: 1 }, owner)

const isList = (path: readonly string[], owner: Schema): boolean => schemaAt(path, owner)?.type === 'array'

/** Translates a boolean field. */
const isTrue = (path: string[] | undefined, owner: Schema): Translated | undefined =>
  path && schemaAt(path, owner)?.type === 'boolean' ? within(path, { const: true }, owner) : undefined

const atMost = (path: string[] | undefined, maximum: number, owner: Schema): Translated | undefined =>
  path && schemaAt(path, owner)?.type === 'integer' ? within(path, { maximum }, owner) : undefined

function present(expression: Expression, owner: Schema): Translated | undefined {
  const path = pathOf(expression) ?? []
  const field = path.at(-1)
  // The API server adds a field that has a default.
  if (field === undefined || schemaAt(path, owner)?.default !== undefined) return undefined
  return within(path.slice(0, -1), { required: [field] }, owner)
}

/** A constraint on a field. A missing field violates it, unless the default satisfies it. */
function within(path: string[] | undefined, constraint: Translated, owner: Schema): Translated | undefined {
  if (path === undefined) return undefined
  const [step, ...rest] = path
  if (step === undefined) return constraint
  const schema = owner.properties?.[step]
  const inner = within(rest, constraint, schema ?? {})
  const filled = schema?.default !== undefined && constraint.const === schema.default
  return { properties: { [step]: inner }, ...(filled ? {} : { required: [step] }) }
}

function constant(expression: Expression | undefined): string | number | boolean | undefined {
  const kind = expression?.exprKind.case === 'constExpr' ? expression.exprKind.value.constantKind : undefined
  switch (kind?.case) {
    case 'stringValue':
    case 'boolValue':
      return kind.value
    case 'int64Value':
      return Number(kind.value)
    default:
      return undefined
  }
}
