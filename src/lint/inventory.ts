// The objects of all files, and what rules ask about them.
import type { Path } from '../claim/findings.ts'
import { at, isObject, type Json, type JsonObject, nonEmptyText } from '../kubernetes/json.ts'
import { groupKindOf } from '../kubernetes/objects.ts'
import { grouped } from './grouped.ts'

export interface LintObject {
  readonly value: JsonObject
  /** Such as `apps/Deployment`, and `/Service` for the core group. */
  readonly groupKind: string
  readonly name: string
  readonly namespace: string
}

export type Labels = Readonly<Record<string, unknown>>

interface Pods {
  readonly namespace: string
  readonly labels: Labels
}

export interface Inventory {
  readonly objects: readonly LintObject[]
  readonly ofKind: (groupKind: string) => readonly LintObject[]
  readonly find: (groupKind: string, namespace: string, name: string) => LintObject | undefined
  /** The pods that the objects create, by their template. */
  readonly pods: readonly Pods[]
}

/** `namespace` is that of objects that name none. */
export function inventoryOf(values: readonly JsonObject[], namespace: string): Inventory {
  const objects = values.map((value): LintObject => {
    const given = (field: string) => nonEmptyText(at(value, 'metadata', field))
    return { value, groupKind: groupKindOf(value), name: given('name') ?? '', namespace: given('namespace') ?? namespace }
  })
  const kinds = grouped(objects, ({ groupKind }) => groupKind)
  const byName = new Map(objects.map(object => [keyOf(object.groupKind, object.namespace, object.name), object]))
  return {
    objects,
    ofKind: groupKind => kinds.get(groupKind) ?? [],
    find: (groupKind, namespace, name) => byName.get(keyOf(groupKind, namespace, name)),
    pods: objects.flatMap(podsOf),
  }
}

const keyOf = (...parts: readonly string[]) => parts.join(' ')

/** The same object in two files is two versions of it. */
export const isOther = (one: LintObject, other: LintObject): boolean => one.namespace !== other.namespace || one.name !== other.name

/** `VirtualService shop/orders`, for a sentence. */
export const say = ({ value, namespace, name }: LintObject): string => `${String(value.kind)} ${namespace}/${name}`

/** The paths of the templates of pods, in Deployments, Jobs and kinds like them. */
const templates: readonly Path[] = [
  ['spec', 'template'],
  ['spec', 'jobTemplate', 'spec', 'template'],
  ['spec', 'jobTargetRef', 'template'],
  [],
]

function podsOf({ value, groupKind, namespace, name }: LintObject): Pods[] {
  return templates.flatMap(path => {
    if (!Array.isArray(at(value, ...path, 'spec', 'containers'))) return []
    // Knative labels the pods of a Service.
    const added = groupKind === KNATIVE_SERVICE ? { 'serving.knative.dev/service': name } : {}
    return [{ namespace, labels: { ...labelsAt(value, [...path, 'metadata', 'labels']), ...added } }]
  })
}

export const KNATIVE_SERVICE = 'serving.knative.dev/Service'
/** Also the namespaced resource of this kind. */
export const CLAIM = 'platform.bizmatters.io/EventDrivenService'
export const SERVICE = '/Service'

export function labelsAt(value: Json | undefined, path: Path): Labels {
  const labels = at(value, ...path)
  return isObject(labels) ? labels : {}
}

export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([label, wanted]) => labels[label] === wanted)
