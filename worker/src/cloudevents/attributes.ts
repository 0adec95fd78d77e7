// Which attribute values CloudEvents 1.0.2 allows.
// https://github.com/cloudevents/spec/blob/ce%40v1.0.2/cloudevents/spec.md#context-attributes

const NAME = /^[a-z0-9]+$/
/** Control characters, noncharacters and unpaired surrogates. */
const DISALLOWED = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

const token = "[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
const quoted = '"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\x20-\\x7e])*"'
const MEDIA_TYPE = new RegExp(`^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|${quoted}))*$`)

const pathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
const queryCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})"
const userCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})"
const hostCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
const authority = `//(?:${userCharacter}*@)?(?:(\\[[^\\]]*\\])|${hostCharacter}*)(?::[0-9]*)?(?=[/?#]|$)`
const scheme = '[A-Za-z][A-Za-z0-9+.-]*:'
const ABSOLUTE = new RegExp(`^${scheme}(?:${authority}|(?!//))${pathCharacter}*(?:\\?${queryCharacter}*)?$`)
const REFERENCE = new RegExp(
  `^(?:${scheme}|(?![^/?#]*:))(?:${authority}|(?!//))${pathCharacter}*(?:\\?${queryCharacter}*)?(?:#${queryCharacter}*)?$`,
)
const FUTURE_ADDRESS = /^\[v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+\]$/

const matchesUri = (pattern: RegExp, value: string): boolean => {
  const match = pattern.exec(value)
  if (match === null) return false
  const [, literal] = match
  return literal === undefined || FUTURE_ADDRESS.test(literal) || URL.canParse(`http://${literal}/`)
}

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/
const MINUTES_A_DAY = 1440

/** RFC 3339. A leap second can only be the last of a day in UTC. */
function isTimestamp(value: string): boolean {
  const match = TIMESTAMP.exec(value)
  if (match === null) return false
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [offsetHours, offsetMinutes] = [Number(match[8] ?? 0), Number(match[9] ?? 0)]
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  const isTime = hour <= 23 && minute <= 59 && second <= 60 && offsetHours <= 23 && offsetMinutes <= 59
  if (!isDate || !isTime) return false
  if (second < 60) return true
  const offset = (match[7] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes)
  return (hour * 60 + minute - offset + MINUTES_A_DAY) % MINUTES_A_DAY === MINUTES_A_DAY - 1
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

const isText = (value: string) => !DISALLOWED.test(value)

interface Rule {
  readonly required: boolean
  readonly must: string
  readonly allows: (value: string) => boolean
}

const TEXT = 'be a non-empty string without control characters, noncharacters and unpaired surrogates'
const text = (required: boolean): Rule => ({ required, must: TEXT, allows: value => value !== '' && isText(value) })

const rules = {
  specversion: { required: true, must: "be '1.0'", allows: value => value === '1.0' },
  id: text(true),
  source: {
    required: true,
    must: 'be a non-empty URI reference (RFC 3986)',
    allows: value => value !== '' && matchesUri(REFERENCE, value),
  },
  type: text(true),
  subject: text(false),
  time: { required: false, must: 'be a timestamp (RFC 3339), such as 2026-01-31T09:30:00Z', allows: isTimestamp },
  datacontenttype: {
    required: false,
    must: 'be a media type (RFC 2046), such as application/json',
    allows: value => MEDIA_TYPE.test(value),
  },
  dataschema: {
    required: false,
    must: 'be an absolute URI without a fragment (RFC 3986, section 4.3)',
    allows: value => matchesUri(ABSOLUTE, value),
  },
} satisfies Record<string, Rule>

export type AttributeName = keyof typeof rules

/** The attributes that the specification defines. */
export const attributeNames = Object.keys(rules) as readonly AttributeName[]

export const isAttributeName = (name: string): name is AttributeName => Object.hasOwn(rules, name)

const shown = (value: unknown) => {
  const json = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value)
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}

/** Why the value is not one of the attribute's; undefined if it is. */
export function problemOf(name: AttributeName, value: unknown): string | undefined {
  const { required, must, allows }: Rule = rules[name]
  if (value === undefined) return required ? `${name}: is missing` : undefined
  return typeof value === 'string' && allows(value) ? undefined : `${name}: must ${must}, got ${shown(value)}`
}

/** Why this is not an extension of an event; undefined if it is. The value is a canonical string. */
export function extensionProblemOf(name: string, value: unknown): string | undefined {
  if (!NAME.test(name)) return `${shown(name)}: an attribute name must consist of the letters a-z and digits`
  if (isAttributeName(name) || name === 'data') return `${name}: is no extension, because the specification defines it`
  return typeof value === 'string' && isText(value)
    ? undefined
    : `${name}: must be a string without control characters, noncharacters and unpaired surrogates, got ${shown(value)}`
}
