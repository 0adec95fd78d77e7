// Evaluates the CEL rules of the XRD, so that each rule is written once and the API server and this code agree.
import { type CelInput, CelScalar, celEnv, celMap, celMethod, isCelError, listType, parse, plan } from '@bufbuild/cel'
import { at, isObject, type Json } from '../kubernetes/json.ts'
import { type Code, type Finding, formatPath, type Path } from './findings.ts'
import { compilePattern } from './pattern.ts'
import type { Rule, Schema } from './schema.ts'

// Kubernetes adds a list library to standard CEL; our rules use only sum() of it.
const environment = celEnv({
  re2: { compile: memoized(compilePattern) },
  funcs: [
    celMethod('sum', listType(CelScalar.DYN), [], CelScalar.DOUBLE, function () {
      let total = 0
      for (const value of this) total += Number(value)
      return total
    }),
  ],
})

/** The rules have only a few patterns. They are ours and tested, so they need neither the safety nor the cost of RE2. */
function memoized<T>(compile: (pattern: string) => T): (pattern: string) => T {
  const known = new Map<string, T>()
  return pattern => {
    const regexp = known.get(pattern) ?? compile(pattern)
    known.set(pattern, regexp)
    return regexp
  }
}

type Visit = (value: Json, path: Path, findings: Finding[]) => void

/** Plans every rule of a schema and its children once; undefined if there is none, so that validation skips the value. */
export function planRules(schema: Schema): Visit | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []).map(rule => planRule(rule, schema))
  const isOfObject = schema.type === 'object'
  const unique = planUnique(schema)
  const below = planChildren(schema)
  if (rules.length === 0 && unique === undefined && below === undefined) return undefined
  return (value, path, findings) => {
    // has() says of a list only that it lacks the field.
    if (rules.length > 0 && (!isOfObject || isObject(value))) {
      const self = toCel(value)
      for (const checkRule of rules) checkRule(self, value, path, findings)
    }
    unique?.(value, path, findings)
    below?.(value, path, findings)
  }
}

function planChildren(schema: Schema): Visit | undefined {
  const items = schema.items && planRules(schema.items)
  if (items !== undefined)
    return (value, path, findings) => {
      if (Array.isArray(value)) for (const [index, item] of value.entries()) items(item, [...path, index], findings)
    }
  const entry = typeof schema.additionalProperties === 'object' ? planRules(schema.additionalProperties) : undefined
  if (entry !== undefined)
    return (value, path, findings) => {
      if (isObject(value))
        for (const [name, below] of Object.entries(value)) if (below !== undefined) entry(below, [...path, name], findings)
    }
  const properties: [string, Visit][] = []
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const visit = planRules(property)
    if (visit !== undefined) properties.push([name, visit])
  }
  if (properties.length === 0) return undefined
  return (value, path, findings) => {
    for (const [name, visit] of properties) {
      const below = at(value, name)
      if (below !== undefined) visit(below, [...path, name], findings)
    }
  }
}

/** Converts an object to a CEL map once, instead of once for each rule. */
const toCel = (value: Json) => (isObject(value) ? celMap(new Map(Object.entries(value) as [string, CelInput][])) : value) as CelInput

/** CEL reports a missing field as an error, and its stack trace, which nothing reads, would cost the most time. */
function withoutStacks<T>(evaluate: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return evaluate()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** `self` is the value as a CEL value. */
type CheckRule = (self: CelInput, value: Json, path: Path, findings: Finding[]) => void

function planRule(rule: Rule, schema: Schema): CheckRule {
  const evaluate = plan(environment, parse(rule.rule))
  const explain = planMessage(rule)
  const steps = (rule.fieldPath ?? '').split('.').filter(step => step !== '')
  const scalar = schema.type !== 'object' && schema.type !== 'array'
  return (self, value, path, findings) => {
    const result = withoutStacks(() => evaluate({ self }))
    // An error means a value of the wrong type or a missing field, which the structure has already reported.
    if (result === true || isCelError(result)) return
    const code = codeOf(rule, scalar)
    const found = code === 'REQUIRED' ? undefined : at(value, ...steps)
    findings.push({
      code,
      path: [...path, ...steps],
      problem: explain(self),
      ...(isObject(found) || Array.isArray(found) ? {} : { found }),
    })
  }
}

/** Like the API server, uses `message` if the expression fails. */
function planMessage({ message, messageExpression }: Rule): (self: CelInput) => string {
  if (messageExpression === undefined) return () => message
  const evaluate = plan(environment, parse(messageExpression))
  return self => {
    const said = withoutStacks(() => evaluate({ self }))
    return typeof said === 'string' ? said : message
  }
}

function codeOf({ reason = 'FieldValueInvalid', fieldPath }: Rule, scalar: boolean): Code {
  if (fieldPath === '.metadata.name') return 'NAME'
  switch (reason) {
    case 'FieldValueRequired':
      return 'REQUIRED'
    case 'FieldValueDuplicate':
      return 'DUPLICATE'
    case 'FieldValueForbidden':
      return scalar ? 'RESERVED' : 'CONFLICT'
    case 'FieldValueInvalid':
      return scalar ? 'OUT_OF_RANGE' : 'CONFLICT'
    default:
      return reason satisfies never
  }
}

/** Finds duplicate entries, as the API server does for `x-kubernetes-list-type: map`. */
function planUnique(schema: Schema): Visit | undefined {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || keys === undefined) return undefined
  if (!Array.isArray(keys) || keys.some(key => typeof key !== 'string'))
    throw new Error('x-kubernetes-list-map-keys must be a list of names')
  return (value, path, findings) => {
    if (!Array.isArray(value) || value.length < 2) return
    const seen = new Map<string, Path>()
    value.forEach((item: unknown, index) => {
      const values = keys.map(key => at(item, key))
      if (values.includes(undefined)) return
      const id = JSON.stringify(values)
      const here = keys.length === 1 ? [...path, index, ...keys] : [...path, index]
      const first = seen.get(id)
      if (first === undefined) seen.set(id, here)
      else if (keys.length === 1)
        findings.push({ code: 'DUPLICATE', path: here, problem: `must not be the same as ${formatPath(first)}`, found: values[0] })
      else findings.push({ code: 'DUPLICATE', path: here, problem: `must not have the same ${keys.join(' and ')} as ${formatPath(first)}` })
    })
  }
}
