import { hash } from 'node:crypto'
import type { Json, JsonObject } from '../kubernetes/json.ts'

/**
 * A memory of answers by the content of what was asked, of which so many characters may be remembered. What was not asked
 * for lately goes first.
 */
export function createMemory<Answer>(mostCharacters: number) {
  // Two generations, so that what is found again stays as it is: to note each time when it was would cost more than the rest.
  let recent = new Map<string, Answer>()
  let older = recent
  let characters = 0
  return (asked: Json | undefined, work: () => Answer): Answer => {
    const content = contentOf(asked)
    const key = hash('sha256', content, 'base64')
    const known = recent.get(key)
    if (known !== undefined) return known
    const answer = older.get(key) ?? work()
    if (characters + content.length > mostCharacters / 2) {
      older = recent
      recent = new Map()
      characters = 0
    }
    recent.set(key, answer)
    characters += content.length
    return answer
  }
}

/** The same for the same content, whatever the order of its fields, and another for any other. */
export function contentOf(value: Json | undefined): string {
  if (typeof value === 'string') return `"${value.length}:${value}`
  if (typeof value !== 'object' || value === null) return `${value};`
  if (Array.isArray(value)) return `[${value.map(contentOf).join('')}]`
  const object = value as JsonObject
  let content = '{'
  for (const name of Object.keys(object).sort()) content += `${name.length}:${name}${contentOf(object[name])}`
  return `${content}}`
}
