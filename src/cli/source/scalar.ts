import { getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml'
import { plainScalar } from './plain-scalar.ts'
import { refuse } from './refuse.ts'

/** The value of a scalar: text if it is quoted or a block, by the words of YAML 1.1 if it is plain, by its tag if it has one. */
export function readScalar(text: string, event: ScalarEvent): unknown {
  const spelt = event.valueStart < 0 ? '' : getScalarValue(text, event)
  if (event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK) return blockText(text, event, spelt)
  if (event.tagStart >= 0) return readTagged(text, event, spelt)
  return event.style === SCALAR_STYLE.PLAIN ? sayable(text, event, spelt) : spelt
}

/** js-yaml ends every text with a line break; a block at the end of a file that has none has none either. */
const blockText = (text: string, { valueEnd }: ScalarEvent, spelt: string) =>
  valueEnd >= text.length && !text.endsWith('\n') ? spelt.replace(/\n$/, '') : spelt

function sayable(text: string, { valueStart }: ScalarEvent, spelt: string): unknown {
  const value = plainScalar(spelt)
  if (typeof value === 'number' && !Number.isFinite(value))
    return refuse(text, valueStart, `'${spelt}' is a number that JSON cannot say: quote it if it is text`)
  return value
}

const LONG_FORM = /^!<tag:yaml\.org,2002:(.*)>$/
const kinds = new Map<string, (value: unknown) => boolean>([
  ['!!int', Number.isInteger],
  ['!!float', value => typeof value === 'number'],
  ['!!bool', value => typeof value === 'boolean'],
  ['!!null', value => value === null],
])

/** A tag that go-yaml does not know makes text of a scalar, whatever it looks like. */
function readTagged(text: string, event: ScalarEvent, spelt: string): unknown {
  const tag = text.slice(event.tagStart, event.tagEnd).replace(LONG_FORM, '!!$1')
  if (tag === '!!binary') return Buffer.from(spelt, 'base64').toString()
  const isKind = kinds.get(tag)
  if (isKind === undefined) return spelt
  return isKind(plainScalar(spelt)) ? sayable(text, event, spelt) : refuse(text, event.tagStart, `'${spelt}' is no ${tag}`)
}
