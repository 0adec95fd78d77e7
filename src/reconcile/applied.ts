// Reads what Crossplane applied last from an object, by the fields that Crossplane owns in it:
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
import { at, isObject, items, type Json, type JsonObject, setField, textOf } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'

const MANAGER = 'apiextensions.crossplane.io/composed'
/** Prefix of the labels and annotations that Crossplane adds. */
const CROSSPLANE = 'crossplane.io/'

/** The manifest that, applied again, changes nothing. Undefined if the object does not say who owns its fields. */
export function lastApplied(observed: JsonObject): JsonObject | undefined {
  const entries = items(at(observed, 'metadata', 'managedFields'))
  const [own, ...more] = fieldsOf(entries.filter(isComposer))
  if (own === undefined) return undefined
  const others = fieldsOf(entries.filter(entry => !isComposer(entry)))
  const taken = take(observed, merge(own, ...more), others)
  if (!isObject(taken)) return undefined
  const { apiVersion, kind } = observed
  return { ...taken, apiVersion, kind, metadata: metadataOf(observed, taken.metadata) }
}

/** Whether an entry of managedFields lists what Crossplane applied for a composite. */
export const isComposer = (entry: Json): boolean =>
  textOf(at(entry, 'manager')).startsWith(MANAGER) && at(entry, 'operation') === 'Apply' && at(entry, 'subresource') === undefined

export const fieldsOf = (entries: readonly Json[]): JsonObject[] => entries.map(entry => at(entry, 'fieldsV1')).filter(isObject)

/** The part of a value that the fields list, without what others own below them. */
function take(value: Json | undefined, fields: JsonObject, others: readonly JsonObject[]): Json | undefined {
  const steps = stepsOf(fields)
  if (steps.length === 0) return others.some(other => stepsOf(other).length > 0) ? emptied(value) : value
  if (Array.isArray(value))
    return value.flatMap((item: Json, index) => {
      const step = steps.find(step => isAt(step, item, index))
      return step === undefined ? [] : [takeItem(item, step, fields, others)]
    })
  if (!isObject(value)) return value
  const taken: { [name: string]: Json | undefined } = {}
  for (const step of steps) {
    const name = step.slice(2)
    if (step.startsWith('f:') && Object.hasOwn(value, name))
      setField(taken, name, take(value[name], below(fields, step), othersBelow(others, step)))
  }
  return taken
}

/** The field `.` stands for the value itself. */
export const stepsOf = (fields: JsonObject): string[] => Object.keys(fields).filter(step => step !== '.')

const emptied = (value: Json | undefined): Json | undefined => (Array.isArray(value) ? [] : isObject(value) ? {} : value)

export function isAt(step: string, item: Json, index: number): boolean {
  if (step.startsWith('k:')) return Object.entries(keysOf(step)).every(([name, value]) => at(item, name) === value)
  if (step.startsWith('v:')) return JSON.stringify(item) === JSON.stringify(JSON.parse(step.slice(2)))
  return step === `i:${index}`
}

const keysOf = (step: string): JsonObject => JSON.parse(step.slice(2)) as JsonObject

function takeItem(item: Json, step: string, fields: JsonObject, others: readonly JsonObject[]): Json {
  const taken = take(item, below(fields, step), othersBelow(others, step)) ?? null
  return step.startsWith('k:') && isObject(taken) ? { ...keysOf(step), ...taken } : taken
}

export function below(fields: JsonObject, step: string): JsonObject {
  const inner = fields[step]
  return isObject(inner) ? inner : {}
}

export const othersBelow = (others: readonly JsonObject[], step: string): JsonObject[] => others.map(other => below(other, step))

function metadataOf(observed: JsonObject, taken: Json | undefined): JsonObject {
  const own = (field: string) => {
    const values = Object.entries(at(taken, field) ?? {}).filter(([name]) => !name.startsWith(CROSSPLANE))
    return values.length === 0 ? {} : { [field]: Object.fromEntries(values) }
  }
  const namespace = at(observed, 'metadata', 'namespace')
  return {
    name: at(observed, 'metadata', 'name'),
    ...(namespace !== undefined && { namespace }),
    ...own('labels'),
    ...own('annotations'),
  }
}
