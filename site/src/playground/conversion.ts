// The right side of the manifests: the claim, what differs from them, and the steps of a migration.
import type { Row } from '../../../src/convert/compare.ts'
import type { Json } from '../../../src/kubernetes/json.ts'
import { byId, element } from '../dom.ts'
import { highlighted } from './highlight.ts'
import type { Converted } from './manifests.ts'

const words: Readonly<Record<Row['verdict'], string>> = { different: 'differs', unsaid: 'lost', added: 'added', same: 'same' }
const order = ['different', 'unsaid', 'added'] as const

const LONGEST = 80

function shown(value: Json | undefined): string {
  const text = value === undefined ? '' : JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

export function showConversion({ claim, notes, rows, steps }: Converted): void {
  const open = byId('open-claim', HTMLButtonElement)
  open.disabled = claim === undefined
  byId('converted', HTMLElement).replaceChildren(...(claim === undefined ? [] : highlighted(claim)))
  byId('notes', HTMLElement).replaceChildren(...notes.map(note => element('li', {}, note)))
  const objects = [...new Set(rows.map(({ object }) => object))]
  byId('differences', HTMLElement).replaceChildren(...objects.flatMap(object => differencesOf(object, rows)))
  byId('steps', HTMLElement).replaceChildren(
    ...steps.map(({ says, commands }) =>
      element('li', {}, says, ...commands.map(command => element('pre', { tabindex: '0' }, element('code', {}, command)))),
    ),
  )
}

function differencesOf(object: string, rows: readonly Row[]): HTMLElement[] {
  const own = rows.filter(row => row.object === object)
  const same = own.filter(({ verdict }) => verdict === 'same').length
  const different = order.flatMap(verdict => own.filter(row => row.verdict === verdict))
  return [
    element(
      'h3',
      {},
      object,
      element('span', { class: 'facts' }, same === 0 ? '' : ` ${same} ${same === 1 ? 'field' : 'fields'} the same`),
    ),
    element('ul', {}, ...different.map(differenceOf)),
  ]
}

function differenceOf({ path, verdict, was, is, because }: Row): HTMLElement {
  const value = path === '' ? '' : verdict === 'different' ? `${shown(was)} → ${shown(is)}` : shown(was ?? is)
  return element(
    'li',
    {},
    element('span', { class: `badge ${verdict}` }, words[verdict]),
    ' ',
    element('code', {}, path === '' ? 'the whole object' : path),
    value !== '' && ' ',
    value !== '' && element('code', { class: 'value' }, value),
    because !== undefined && element('p', {}, because),
  )
}
