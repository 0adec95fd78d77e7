import { getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'
import { plainScalar } from './plain-scalar.ts'
import { throwYamlError } from './yaml-error.ts'

/** The value of a scalar: text if it is quoted or a block, resolved as in YAML 1.1 if it is plain, by its tag if it has one. */
export function readScalar(text: string, event: ScalarEvent): unknown {
  const spelt = event.valueStart < 0 ? '' : getScalarValue(text, event)
  if (event.tagStart >= 0) return readTagged(text, event, spelt)
  return event.style === SCALAR_STYLE.PLAIN ? jsonScalar(text, event, spelt) : spelt
}

function jsonScalar(text: string, { valueStart }: ScalarEvent, spelt: string): unknown {
  const value = plainScalar(spelt)
  if (typeof value === 'number' && !Number.isFinite(value))
    return throwYamlError(text, valueStart, `'${spelt}' is a number that JSON does not have: quote it if it is text`)
  return value
}

const LONG_FORM = /^!<tag:yaml\.org,2002:(.*)>$/
const kinds = new Map<string, (value: unknown) => boolean>([
  ['!!int', Number.isInteger],
  ['!!float', value => typeof value === 'number'],
  ['!!bool', value => typeof value === 'boolean'],
  ['!!null', value => value === null],
])

/** go-yaml reads a scalar with an unknown tag as text. */
function readTagged(text: string, event: ScalarEvent, spelt: string): unknown {
  const tag = text.slice(event.tagStart, event.tagEnd).replace(LONG_FORM, '!!$1')
  if (tag === '!!binary') return readBinary(text, event, spelt)
  const isKind = kinds.get(tag)
  if (isKind === undefined) return spelt
  return isKind(plainScalar(spelt))
    ? jsonScalar(text, event, spelt)
    : throwYamlError(text, event.tagStart, `must be a valid ${tag}, got '${spelt}'`)
}

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/

function readBinary(text: string, event: ScalarEvent, spelt: string): string {
  if (!BASE64.test(spelt.replaceAll(/[\r\n]/g, ''))) throwYamlError(text, event.valueStart, 'must be base64, because its tag is !!binary')
  return Buffer.from(spelt, 'base64').toString()
}
