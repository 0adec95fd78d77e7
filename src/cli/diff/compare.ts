// Compares an object with what it would become.
import type { Path } from '../../claim/findings.ts'
import { isObject, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { parseQuantity } from '../../kubernetes/quantity.ts'
import { sortKeys } from '../../kubernetes/sort-keys.ts'
import { INNER_MANIFEST } from '../observed.ts'
import { keysOf } from './list-keys.ts'

export interface Change {
  /** Entries of a list with keys go by their key; containers by their index. */
  readonly path: Path
  readonly from?: Json
  readonly to?: Json
  /** Whether the last step leads to an entry of a list. */
  readonly isEntry?: true
  /** Only the order of the entries changes. */
  readonly isOrder?: true
}

export const compareObjects = (before: JsonObject, after: JsonObject): Change[] => visit(withoutNoise(before), withoutNoise(after), [])

const NOISE = /^(?:managedFields|resourceVersion|generation|uid|creationTimestamp|selfLink|ownerReferences|finalizers|generateName)$/
/** Crossplane's own, and the name of whoever wrote to a Knative object last. */
const FOREIGN = /^(?:crossplane\.io\/|(?:serving|eventing|sources)\.knative\.dev\/(?:creator|lastModifier)$)/

function withoutNoise({ status: _, apiVersion: _version, ...object }: JsonObject): JsonObject {
  const metadata = isObject(object.metadata) ? object.metadata : {}
  const kept = Object.entries(metadata).flatMap(([field, value]): [string, Json | undefined][] => {
    if (NOISE.test(field)) return []
    const isMap = (field === 'labels' || field === 'annotations') && isObject(value)
    return [[field, isMap ? Object.fromEntries(Object.entries(value).filter(([name]) => !FOREIGN.test(name))) : value]]
  })
  return { ...object, metadata: Object.fromEntries(kept) }
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.values(value).every(isEmpty))

function visit(from: Json | undefined, to: Json | undefined, path: Path): Change[] {
  if (isEmpty(from) && isEmpty(to)) return []
  if (isObject(from) && isObject(to))
    return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap(name => visit(from[name], to[name], [...path, name]))
  if (Array.isArray(from) && Array.isArray(to)) return visitLists(from, to, path)
  if (isSame(from, to, path)) return []
  return [changeOf(from, to, path)]
}

const changeOf = (from: Json | undefined, to: Json | undefined, path: Path): Change => ({
  path,
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
})

function visitLists(from: readonly Json[], to: readonly Json[], path: Path): Change[] {
  const list = path.at(-1)
  const [before, after] = [keysOf(list, from), keysOf(list, to)]
  if (before === undefined || after === undefined) return visitByIndex(from, to, path)
  const isIndexed = list === 'containers' || list === 'initContainers'
  const changes = [...new Set([...before, ...after])].flatMap(key => {
    const [was, is] = [before.indexOf(key), after.indexOf(key)]
    const place = [...path, isIndexed ? (is === -1 ? was : is) : key]
    return was === -1 || is === -1 ? [{ ...changeOf(from[was], to[is], place), isEntry: true as const }] : visit(from[was], to[is], place)
  })
  const [stayed, stays] = [before.filter(key => after.includes(key)), after.filter(key => before.includes(key))]
  return stayed.join('\n') === stays.join('\n') ? changes : [...changes, { path, from: stayed, to: stays, isOrder: true }]
}

function visitByIndex(from: readonly Json[], to: readonly Json[], path: Path): Change[] {
  const isPlain = [...from, ...to].some(item => !isObject(item))
  if (!isPlain && from.length === to.length) return from.flatMap((item, index) => visit(item, to[index], [...path, index]))
  return isSame(from, to, path) ? [] : [changeOf(from, to, path)]
}

const QUANTITIES = /^(?:requests|limits)$/

/** A quantity can be spelt in several ways. */
function isSame(from: Json | undefined, to: Json | undefined, path: Path): boolean {
  if (from === undefined || to === undefined) return false
  if (QUANTITIES.test(String(path.at(-2))) || path.at(-1) === 'sizeLimit') {
    const quantity = parseQuantity(from)
    if (quantity !== undefined && quantity === parseQuantity(to)) return true
  }
  return JSON.stringify(sortKeys(from)) === JSON.stringify(sortKeys(to))
}

/** The path in the inner manifest. */
export const innerPath = (object: JsonObject, path: Path): Path =>
  object.kind === 'Object' && INNER_MANIFEST.every((step, index) => path[index] === step) ? path.slice(INNER_MANIFEST.length) : path
