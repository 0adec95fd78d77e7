import { hash } from 'node:crypto'
import type { Json, JsonObject } from '../kubernetes/json.ts'

/**
 * Caches answers by the content of the request and limits the total size of the cached requests in characters.
 * Evicts the answers that were not requested lately first.
 */
export function createCache<Answer>(maxCharacters: number) {
  // Two generations, because recording the time of every use would cost more than everything else.
  let recent = new Map<string, Answer>()
  let older = recent
  let characters = 0
  return (request: Json | undefined, compute: () => Answer): Answer => {
    const content = contentKey(request)
    const key = hash('sha256', content, 'base64')
    const cached = recent.get(key)
    if (cached !== undefined) return cached
    const answer = older.get(key) ?? compute()
    if (characters + content.length > maxCharacters / 2) {
      older = recent
      recent = new Map()
      characters = 0
    }
    recent.set(key, answer)
    characters += content.length
    return answer
  }
}

/** Equal content has equal keys, whatever the order of its fields; different content has different keys. */
export function contentKey(value: Json | undefined): string {
  if (typeof value === 'string') return `"${value.length}:${value}`
  if (typeof value !== 'object' || value === null) return `${value};`
  if (Array.isArray(value)) return `[${value.map(contentKey).join('')}]`
  const object = value as JsonObject
  let content = '{'
  for (const name of Object.keys(object).sort()) content += `${name.length}:${name}${contentKey(object[name])}`
  return `${content}}`
}
