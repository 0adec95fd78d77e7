import type { JsonObject } from '../json.ts'

/** The answers of a function of JSON, remembered by the content of what it was asked. What was not asked for longest goes first. */
export function remembered<Asked extends JsonObject, Answer>(work: (asked: Asked) => Answer, mostCharacters: number) {
  const answers = new Map<string, Answer>()
  let characters = 0
  return (asked: Asked): Answer => {
    const key = JSON.stringify(asked)
    // Also what is written for NaN, which then would be answered as null is. Neither is in what Crossplane sends.
    if (key.includes('null')) return work(asked)
    const known = answers.get(key)
    if (known !== undefined) {
      answers.delete(key)
      answers.set(key, known)
      return known
    }
    const answer = work(asked)
    answers.set(key, answer)
    characters += key.length
    for (const oldest of answers.keys()) {
      if (characters <= mostCharacters) break
      answers.delete(oldest)
      characters -= oldest.length
    }
    return answer
  }
}
