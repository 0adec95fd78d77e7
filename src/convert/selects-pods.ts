import { at, isObject, items, type Json, type JsonObject } from '../kubernetes/json.ts'

/**
 * Whether a selector finds the pods of this workload. The selector of a Service is a map of labels. An empty one selects
 * nothing or everything, so it was not written for these pods.
 */
export function selectsPods(selector: Json | undefined, workload: JsonObject): boolean {
  const labels = at(workload, 'spec', 'template', 'metadata', 'labels')
  const expressions = items(at(selector, 'matchExpressions'))
  const plain = at(selector, 'matchLabels') ?? (expressions.length > 0 ? {} : selector)
  const wanted = Object.entries(isObject(plain) ? plain : {})
  return (
    wanted.length + expressions.length > 0 &&
    wanted.every(([name, value]) => at(labels, name) === value) &&
    expressions.every(expression => matches(expression, labels))
  )
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement */
function matches(expression: Json, labels: Json | undefined): boolean {
  const key = at(expression, 'key')
  const label = typeof key === 'string' ? at(labels, key) : undefined
  const values = items(at(expression, 'values'))
  switch (at(expression, 'operator')) {
    case 'In':
      return label !== undefined && values.includes(label)
    case 'NotIn':
      return label === undefined || !values.includes(label)
    case 'Exists':
      return label !== undefined
    case 'DoesNotExist':
      return label === undefined
    default:
      return false
  }
}
