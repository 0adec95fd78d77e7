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
      // Nulls are removed before validation, so a comparison with null is always false.
      const sides = disjuncts(expression)
        .filter(side => !comparesWithNull(side))
        .map(side => translate(side, owner))
      return sides.every(side => side !== undefined) ? either(sides) : undefined
    }
    case '_&&_': {
      const sides = [left, right].filter(side => side && !comparesWithNull(side, '_!=_')).map(side => side && translate(side, owner))
      if (sides.includes(undefined)) return undefined
      return sides.length === 1 ? sides[0] : { allOf: sides }
    }
    case '!_': {
      const inner = left && translate(left, owner)
      return inner && { not: inner }
    }
    case '_==_':
    case '_!=_': {
      const value = constant(right)
      if (value === undefined && name === '_!=_') return exclusive([left, right], owner)
      const counted = name === '_==_' && value === 1 ? countedConditions(left) : undefined
      if (counted !== undefined) return exclusive(counted, owner)
      const list = sizeOf(left)
      if (list !== undefined) return name === '_==_' && value === 0 ? within(pathOf(list), { maxItems: 0 }, owner) : undefined
      const equal = value === undefined ? undefined : within(pathOf(left), { const: value }, owner)
      return equal && (name === '_==_' ? equal : { not: equal })
    }
    case '@in': {
      const list = right?.exprKind.case === 'listExpr' ? right.exprKind.value.elements.map(constant) : [undefined]
      return list.includes(undefined) ? undefined : within(pathOf(left), { enum: list }, owner)
    }
    case '_<=_': {
      const size = sizeOf(left)
      const limit = constant(right)
      if (limit === undefined) return undefined
      return size ? within(pathOf(size), { maxLength: limit }, owner) : within(pathOf(left), { maximum: limit }, owner)
    }
    case '_>_': {
      const size = sizeOf(left)
      return size && constant(right) === 0 ? within(pathOf(size), { minItems: 1 }, owner) : undefined
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

const disjuncts = (expression: Expression): Expression[] =>
  expression.exprKind.case === 'callExpr' && expression.exprKind.value.function === '_||_'
    ? expression.exprKind.value.args.flatMap(disjuncts)
    : [expression]

/** The value of which an expression is the size. */
const sizeOf = (expression: Expression | undefined): Expression | undefined =>
  expression?.exprKind.case === 'callExpr' && expression.exprKind.value.function === 'size' ? expression.exprKind.value.target : undefined

/** The conditions of a sum of `condition ? 1 : 0`; undefined for anything else. */
function countedConditions(expression: Expression | undefined): Expression[] | undefined {
  if (expression?.exprKind.case !== 'callExpr') return undefined
  const { function: name, args } = expression.exprKind.value
  const [first, second, third] = args
  if (name === '_?_:_') return first !== undefined && constant(second) === 1 && constant(third) === 0 ? [first] : undefined
  if (name !== '_+_') return undefined
  const [left, right] = [countedConditions(first), countedConditions(second)]
  return left && right && [...left, ...right]
}

function comparesWithNull({ exprKind }: Expression, operator = '_==_'): boolean {
  const right = exprKind.case === 'callExpr' && exprKind.value.function === operator ? exprKind.value.args[1] : undefined
  return right?.exprKind.case === 'constExpr' && right.exprKind.value.constantKind.case === 'nullValue'
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
  if (Object.keys(rest).length > 0 || fields.length > 1)
    return { not: { ...(properties !== undefined && { properties, required }), ...rest } }
  if (field === undefined) return { properties: { [name ?? '']: false } }
  return { properties: { [field[0]]: denied(field[1]) }, ...(name === undefined && { required: [field[0]] }) }
}

/** Exactly one of them is true. */
function exclusive(sides: readonly (Expression | undefined)[], owner: Schema): Translated | undefined {
  const oneOf = sides.map(side => side && translate(side, owner))
  return oneOf.includes(undefined) ? undefined : { oneOf }
}

/** The steps below self, or undefined for anything else. */
function pathOf(expression: Expression | undefined): string[] | undefined {
  if (expression?.exprKind.case === 'identExpr') return expression.exprKind.value.name === 'self' ? [] : undefined
  if (expression?.exprKind.case !== 'selectExpr') return undefined
  const above = pathOf(expression.exprKind.value.operand)
  return above && [...above, expression.exprKind.value.field]
}

/** Translates a boolean field. */
function isTrue(path: string[] | undefined, owner: Schema): Translated | undefined {
  const schema = path?.reduce<Schema | undefined>((above, step) => above?.properties?.[step], owner)
  return schema?.type === 'boolean' ? within(path, { const: true }, owner) : undefined
}

function present(expression: Expression, owner: Schema): Translated | undefined {
  const path = pathOf(expression)
  const last = path?.at(-1)
  return path === undefined || last === undefined ? undefined : within(path.slice(0, -1), { required: [last] }, owner)
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
