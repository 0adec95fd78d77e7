import type { JsonObject } from '../json.ts'

/** The answers of a function of JSON, remembered by the content of what it was asked. What was not asked for lately goes first. */
export function remembered<Asked extends JsonObject, Answer>(work: (asked: Asked) => Answer, mostCharacters: number) {
  // Two generations, so that what is found again stays as it is: to note each time when it was would cost more than the rest.
  let recent = new Map<string, Answer>()
  let older = recent
  let characters = 0
  return (asked: Asked): Answer => {
    const key = JSON.stringify(asked)
    // Also what is written for NaN, which then would be answered as null is. Neither is in what Crossplane sends.
    if (key.includes('null')) return work(asked)
    const known = recent.get(key)
    if (known !== undefined) return known
    const answer = older.get(key) ?? work(asked)
    if (characters + key.length > mostCharacters / 2) {
      older = recent
      recent = new Map()
      characters = 0
    }
    recent.set(key, answer)
    characters += key.length
    return answer
  }
}
