import { COLLECTION_STYLE, EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml'
import type { Path } from '../../claim/findings.ts'
import { isObject, setField } from '../../kubernetes/json.ts'
import { entryOffsets, nodeOffset, type OffsetMap, setOffsets } from './offsets.ts'
import { readScalar } from './scalar.ts'
import { throwYamlError } from './yaml-error.ts'

export interface DuplicateKey {
  readonly document: number
  readonly path: Path
  readonly first: number
  readonly second: number
  /** Whether a merge repeats the key. */
  readonly merged: boolean
}

/** Filled on demand: only a text with a finding needs positions. */
export interface Recording {
  readonly roots: number[]
  readonly offsets: OffsetMap
  readonly duplicates: DuplicateKey[]
}

interface Reading {
  readonly text: string
  readonly events: readonly Event[]
  readonly recording: Recording | undefined
  readonly anchors: Map<string, Anchor | 'open'>
  readonly path: (string | number)[]
  next: number
  document: number
  nodes: number
  copies: number
  hasDuplicates: boolean
}

interface Anchor {
  readonly value: unknown
  readonly nodes: number
}

/** Nested aliases grow exponentially ("billion laughs"); no manifest comes near this limit. */
const MAX_COPIED_NODES = 100_000

export interface Constructed {
  readonly values: readonly unknown[]
  readonly hasDuplicates: boolean
}

/** Builds a JSON value from the YAML events of each document, as go-yaml does for kubectl. Throws a YAMLException. */
export function construct(text: string, events: readonly Event[], recording?: Recording): Constructed {
  const reading: Reading = {
    ...{ text, events, recording, anchors: new Map(), path: [] },
    ...{ next: 0, document: -1, nodes: 0, copies: 0, hasDuplicates: false },
  }
  const values: unknown[] = []
  while (reading.next < events.length) {
    if (take(reading).type !== EVENT_ID.DOCUMENT) continue
    reading.document++
    reading.anchors.clear()
    recording?.roots.push(Math.max(0, nodeOffset(text, peek(reading))))
    values.push(peek(reading).type === EVENT_ID.POP ? null : readNode(reading))
  }
  return { values, hasDuplicates: reading.hasDuplicates }
}

const END: Event = { type: EVENT_ID.POP }
const peek = (reading: Reading): Event => reading.events[reading.next] ?? END
const take = (reading: Reading): Event => reading.events[reading.next++] ?? END

const ANCHOR = /^[\w-]+$/

function readNode(reading: Reading): unknown {
  const event = take(reading)
  if (event.type === EVENT_ID.ALIAS) return readAlias(reading, event.anchorStart, event.anchorEnd)
  const before = reading.nodes++
  const anchorAt = 'anchorStart' in event ? event.anchorStart : -1
  if (!('anchorStart' in event) || anchorAt < 0) return readContent(reading, event)
  const name = reading.text.slice(anchorAt, event.anchorEnd)
  if (!ANCHOR.test(name)) throwYamlError(reading.text, anchorAt, `the anchor '&${name}' must have a name of letters, digits, '-' and '_'`)
  reading.anchors.set(name, 'open')
  const value = readContent(reading, event)
  reading.anchors.set(name, { value, nodes: reading.nodes - before })
  return value
}

function readContent(reading: Reading, event: Event): unknown {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return readScalar(reading.text, event)
    case EVENT_ID.SEQUENCE:
      return readSequence(reading)
    case EVENT_ID.MAPPING:
      return readMapping(reading)
    default:
      return null
  }
}

function readAlias(reading: Reading, start: number, end: number): unknown {
  const name = reading.text.slice(start, end)
  const anchor = reading.anchors.get(name)
  const say = (problem: string) => throwYamlError(reading.text, start - 1, problem)
  if (anchor === undefined) return say(`the anchor '&${name}' is missing: quote text that starts with '*'`)
  if (anchor === 'open') return say(`'*${name}' is inside its own anchor '&${name}'`)
  reading.nodes += anchor.nodes
  reading.copies += anchor.nodes
  return reading.copies > MAX_COPIED_NODES ? say(`the aliases expand to more than ${MAX_COPIED_NODES} values`) : anchor.value
}

function readSequence(reading: Reading): unknown[] {
  const list: unknown[] = []
  for (let event = peek(reading); event.type !== EVENT_ID.POP; event = peek(reading)) {
    reading.path.push(list.length)
    const value = readNode(reading)
    reading.path.pop()
    if (reading.recording) setOffsets(reading.recording.offsets, list, list.length, entryOffsets(reading.text, -1, event, value))
    list.push(value)
  }
  reading.next++
  return list
}

type Mapping = Record<string, unknown>

function readMapping(reading: Reading): Mapping {
  const map: Mapping = {}
  // A merged key may be overridden after the merge; any other repetition loses one of the two values.
  let merged: Set<string> | undefined
  for (let event = peek(reading); event.type !== EVENT_ID.POP; event = peek(reading)) {
    const at = nodeOffset(reading.text, event)
    if (isMerge(reading.text, event)) {
      merged ??= new Set()
      merge(reading, map, merged, at)
      continue
    }
    const key = readKey(reading, event, at)
    if (Object.hasOwn(map, key) && merged?.delete(key) !== true) duplicate(reading, map, key, at, false)
    const valueEvent = peek(reading)
    refuseInline(reading, at)
    reading.path.push(key)
    const value = readNode(reading)
    reading.path.pop()
    setField(map, key, value)
    if (reading.recording) setOffsets(reading.recording.offsets, map, key, entryOffsets(reading.text, at, valueEvent, value))
  }
  reading.next++
  return map
}

/** If the inner key has an anchor or a tag, js-yaml accepts a map that starts on the line of its key. */
function refuseInline(reading: Reading, keyAt: number): void {
  const event = peek(reading)
  if (event.type !== EVENT_ID.MAPPING || event.style !== COLLECTION_STYLE.BLOCK) return
  if (!/[\r\n]/.test(reading.text.slice(keyAt, event.start)))
    throwYamlError(reading.text, event.start, "a second ': ' on the line: quote the value")
}

function readKey(reading: Reading, event: Event, at: number): string {
  const say = (problem: string) => throwYamlError(reading.text, at, problem)
  const isTemplate = event.type === EVENT_ID.MAPPING && reading.text.startsWith('{{', at - 1)
  if (isTemplate) return throwYamlError(reading.text, at - 1, "'{{ … }}' is a template: render it, or quote it")
  const key = readNode(reading)
  if (typeof key === 'object' && key !== null) return say('a key must be text, not a map or a list')
  return key === null ? say('a key must be text, got an empty or null key') : String(key)
}

const isMerge = (text: string, event: Event) =>
  event.type === EVENT_ID.SCALAR &&
  event.style === SCALAR_STYLE.PLAIN &&
  event.tagStart < 0 &&
  event.valueEnd - event.valueStart === 2 &&
  text.startsWith('<<', event.valueStart)

/** In go-yaml, unlike in YAML itself, a merge also overrides a key before it: that is reported as a duplicate. */
function merge(reading: Reading, map: Mapping, merged: Set<string>, at: number): void {
  reading.next++
  refuseInline(reading, at)
  const value = readNode(reading)
  // The first of several maps that has a key wins, so it is merged last.
  for (const source of Array.isArray(value) ? value.toReversed() : [value]) {
    if (!isObject(source)) throwYamlError(reading.text, at, "'<<' must merge a map or a list of maps")
    for (const [key, value] of Object.entries(source)) {
      if (Object.hasOwn(map, key) && !merged.has(key)) duplicate(reading, map, key, at, true)
      merged.add(key)
      setField(map, key, value)
      const entry = reading.recording?.offsets.get(source)?.get(key)
      if (reading.recording && entry) setOffsets(reading.recording.offsets, map, key, entry)
    }
  }
}

function duplicate(reading: Reading, map: Mapping, key: string, second: number, merged: boolean): void {
  reading.hasDuplicates = true
  const first = reading.recording?.offsets.get(map)?.get(key)?.key ?? second
  reading.recording?.duplicates.push({ document: reading.document, path: [...reading.path, key], first, second, merged })
}
