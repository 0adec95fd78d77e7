import { EVENT_ID, type Event, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'

/** The offsets of an entry of a map or a list in the text, and its spelling if it is a plain word. */
export interface EntryOffsets {
  readonly key: number
  readonly value: number
  readonly plain: string | undefined
}

/** The offsets of the entries of each map and list, by the identity of its value: an alias leads to its anchor. */
export type OffsetMap = Map<object, Map<string | number, EntryOffsets>>

export function setOffsets(map: OffsetMap, container: object, key: string | number, offsets: EntryOffsets): void {
  const entries = map.get(container)
  if (entries === undefined) map.set(container, new Map([[key, offsets]]))
  else entries.set(key, offsets)
}

/** The offsets of an entry whose key starts at an offset; an empty value has the offset of its key. */
export function entryOffsets(text: string, keyAt: number, event: Event, value: unknown): EntryOffsets {
  const valueAt = nodeOffset(text, event)
  const isPlain = event.type === EVENT_ID.SCALAR && event.style === SCALAR_STYLE.PLAIN && valueAt >= 0
  const changed = isPlain && (typeof value === 'boolean' || typeof value === 'number')
  return {
    key: keyAt < 0 ? valueAt : keyAt,
    value: valueAt < 0 ? keyAt : valueAt,
    plain: changed ? text.slice(event.valueStart, event.valueEnd) : undefined,
  }
}

/** The offset of a node, or -1 for an empty one. */
export function nodeOffset(text: string, event: Event): number {
  switch (event.type) {
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return event.start
    case EVENT_ID.SCALAR:
      return scalarOffset(text, event)
    default:
      return -1
  }
}

function scalarOffset(text: string, { style, valueStart }: ScalarEvent): number {
  if (valueStart < 0 || style === SCALAR_STYLE.PLAIN) return valueStart
  if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) return valueStart - 1
  // A block's range starts with its indentation.
  return valueStart + (/^\s*/.exec(text.slice(valueStart, valueStart + 1000))?.[0].length ?? 0)
}
