// JSON that keeps large integers: beyond 2^53 they are bigint, which JSON.parse rounds and JSON.stringify refuses.
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g
const INTEGER = /^-?\d+$/
/** Texts without such a run of digits, or an exponent, hold no number that JSON.parse changes. */
const SUSPICIOUS = /\d{16}|\d[eE]/

/** Stands before the digits of a large integer inside a string. It is random, so no text from outside contains it. */
const mark = `${crypto.randomUUID()}:`

export function parseJson(text: string): unknown {
  // Tells valid JSON from invalid before the text is changed.
  const value: unknown = JSON.parse(text)
  if (!SUSPICIOUS.test(text)) return value
  const marked = text.replaceAll(TOKEN, token => (isLarge(token) ? `"${mark}${token}"` : token))
  return JSON.parse(marked, (_, member: unknown) => {
    if (member === Number.POSITIVE_INFINITY || member === Number.NEGATIVE_INFINITY) throw new SyntaxError('a number is out of range')
    return typeof member === 'string' && member.startsWith(mark) ? BigInt(member.slice(mark.length)) : member
  })
}

const isLarge = (token: string) => INTEGER.test(token) && !Number.isSafeInteger(Number(token))

/** Returns undefined for values that JSON cannot express, such as functions. */
export function stringifyJson(value: unknown): string | undefined {
  let hasLarge = false
  const json: string | undefined = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'bigint') return member
    hasLarge = true
    return `${mark}${member}`
  })
  return hasLarge ? json.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1') : json
}
