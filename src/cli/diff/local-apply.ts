// Server-side apply without a server: https://kubernetes.io/docs/reference/using-api/server-side-apply/
// It fills in no defaults, runs no webhooks and refuses nothing.
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { merge } from '../../kubernetes/merge.ts'
import { groupOf } from '../../kubernetes/objects.ts'
import { below, fieldsOf, isAt, isComposer, othersBelow, stepsOf } from '../../reconcile/applied.ts'
import { keysOf } from './list-keys.ts'

/** Who owns the fields of a value. */
interface Owners {
  readonly own: JsonObject
  readonly others: readonly JsonObject[]
  /** Whether the lists of the kind are merged by key: those of CRDs are one value. */
  readonly mergesLists: boolean
}

/** What the object becomes when Crossplane applies the manifest. Without managedFields nothing is removed from it. */
export function applyLocally(wanted: JsonObject, live: JsonObject | undefined): JsonObject {
  if (live === undefined) return wanted
  const entries = items(at(live, 'metadata', 'managedFields'))
  return applyObject(wanted, live, {
    own: merge({}, ...fieldsOf(entries.filter(isComposer))),
    others: fieldsOf(entries.filter(entry => !isComposer(entry))),
    mergesLists: !groupOf(textOf(live.apiVersion)).includes('.') || groupOf(textOf(live.apiVersion)).endsWith('.k8s.io'),
  })
}

const ownersBelow = ({ own, others, mergesLists }: Owners, step: string): Owners => ({
  own: below(own, step),
  others: othersBelow(others, step),
  mergesLists,
})

function applyObject(wanted: JsonObject, live: JsonObject, owners: Owners): JsonObject {
  const kept = Object.entries(live).flatMap(([name, value]): [string, Json | undefined][] => {
    const step = `f:${name}`
    const now = wanted[name]
    if (now !== undefined) return [[name, value === undefined ? now : applyValue(name, now, value, ownersBelow(owners, step))]]
    const left = withoutOwn(value, step, owners)
    return left === undefined ? [] : [[name, left]]
  })
  return { ...wanted, ...Object.fromEntries(kept) }
}

function applyValue(name: string, wanted: Json, live: Json, owners: Owners): Json {
  if (isObject(wanted) && isObject(live)) return applyObject(wanted, live, owners)
  return Array.isArray(wanted) && Array.isArray(live) && owners.mergesLists ? applyList(name, wanted, live, owners) : wanted
}

/** Ours come in our order, and those of others in between, as structured-merge-diff places them. */
function applyList(name: string, wanted: readonly Json[], live: readonly Json[], owners: Owners): Json {
  const [ours, theirs] = [keysOf(name, wanted), keysOf(name, live)]
  if (ours === undefined || theirs === undefined) return wanted
  const applied = wanted.map((item, index) => {
    const found = live[theirs.indexOf(ours[index] ?? '')]
    return isObject(item) && isObject(found) ? applyObject(item, found, ownersBelow(owners, stepOf(found, owners))) : item
  })
  const result: Json[] = []
  let done = 0
  for (const [index, item] of live.entries()) {
    const place = ours.indexOf(theirs[index] ?? '')
    const left = place === -1 ? withoutOwn(item, stepOf(item, owners), owners) : undefined
    if (left !== undefined) result.push(left)
    if (place !== -1 && place === ours.findIndex((key, next) => next >= done && theirs.includes(key))) {
      result.push(...applied.slice(done, place + 1))
      done = place + 1
    }
  }
  return [...result, ...applied.slice(done)]
}

/** The step of managedFields that leads to an entry of a list. */
const stepOf = (item: Json, { own, others }: Owners): string =>
  [own, ...others].flatMap(stepsOf).find(step => step.startsWith('k:') && isAt(step, item, -1)) ?? ''

/** What is left of a value that we no longer apply. */
function withoutOwn(value: Json | undefined, step: string, owners: Owners): Json | undefined {
  if (!Object.hasOwn(owners.own, step)) return value
  const isShared = owners.others.some(other => Object.hasOwn(other, step))
  const inner = ownersBelow(owners, step)
  if (stepsOf(inner.own).length === 0) return isShared ? value : undefined
  if (isObject(value)) {
    const left = Object.entries(value).flatMap(([name, item]): [string, Json][] => {
      const rest = isKeyOf(step, name) ? item : withoutOwn(item, `f:${name}`, inner)
      return rest === undefined ? [] : [[name, rest]]
    })
    const isMore = left.some(([name]) => !isKeyOf(step, name))
    return isMore || isShared ? Object.fromEntries(left) : undefined
  }
  if (!Array.isArray(value)) return isShared ? value : undefined
  const left = value.flatMap((item: Json) => withoutOwn(item, stepOf(item, inner), inner) ?? [])
  return left.length > 0 || isShared ? left : undefined
}

/** The fields that tell an entry of a list from the others stay as long as any other field does. */
const isKeyOf = (step: string, field: string): boolean => step.startsWith('k:') && Object.hasOwn(JSON.parse(step.slice(2)), field)
