// kubectl reads YAML with go-yaml v2, and so by the words and numbers of YAML 1.1:
// https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go

const words = new Map<string, boolean | number | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(word => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(word => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map(word => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map(word => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(word => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map(word => [word, Number.NEGATIVE_INFINITY] as const),
])
const LONGEST_WORD = 5

const MAY_BE_A_WORD = /^[yYnNtTfFoO~.+-]/
const MAY_BE_A_NUMBER = /^[-+.\d]/
const INTEGER = /^([-+]?)0(?:[xX]([\da-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
// After a leading point an underscore must be between two digits; elsewhere go-yaml removes all underscores first.
const POINT_FIRST = /^\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?$/

/** The value that kubectl reads from a plain, untagged scalar. A date and `12:30` stay text; JSON has no `.inf` and `.nan`. */
export function plainScalar(text: string): string | number | boolean | null {
  if (text.length <= LONGEST_WORD && (text === '' || MAY_BE_A_WORD.test(text))) {
    const word = words.get(text)
    if (word !== undefined) return word
  }
  return MAY_BE_A_NUMBER.test(text) ? (numberOf(text) ?? text) : text
}

function numberOf(text: string): number | undefined {
  if (text.startsWith('.') && !POINT_FIRST.test(text)) return undefined
  const digits = text.replaceAll('_', '')
  const integer = INTEGER.exec(digits)
  const based = integer === null ? undefined : basedInteger(integer)
  if (based !== undefined) return based
  if (!FLOAT.test(digits)) return undefined
  const value = Number(digits)
  // The API server does not keep a negative zero.
  return Number.isFinite(value) ? value + 0 : undefined
}

/** Hexadecimal, binary and both spellings of octal; undefined beyond 64 bits, as in Go. */
function basedInteger([, sign = '', hex, binary, octal]: RegExpExecArray): number | undefined {
  const magnitude = BigInt(hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : `0o${octal}`)
  const most = sign === '' ? 2n ** 64n - 1n : sign === '-' ? 2n ** 63n : 2n ** 63n - 1n
  if (magnitude > most) return undefined
  return Number(sign === '-' ? -magnitude : magnitude)
}
