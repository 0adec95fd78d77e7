// The right side: what a claim becomes, what it would say, and what the last edit changed.
import { toYaml } from '../../../src/cli/print/manifests.ts'
import type { Json } from '../../../src/kubernetes/json.ts'
import { byId, element } from '../dom.ts'
import { changedLines } from './changes.ts'
import type { Answer, ClaimAnswer, ShownResource } from './engine.ts'
import { highlighted } from './highlight.ts'

interface Entry extends ShownResource {
  /** Unique in the page: a text may hold several claims. */
  readonly id: string
}

/** Edits that follow each other as quickly count as one. */
const PAUSE_MILLISECONDS = 1200

export interface Results {
  show(answer: Answer): void
  /** Forgets what was shown, so that nothing counts as changed. */
  restart(): void
}

export function createResults(): Results {
  const state = byId('state', HTMLElement)
  const conditions = byId('conditions', HTMLElement)
  const tree = byId('tree', HTMLElement)
  const stale = byId('stale', HTMLElement)
  const title = byId('resource', HTMLElement)
  const code = byId('yaml', HTMLElement)
  const status = byId('status', HTMLElement)

  let shown: readonly Entry[] | undefined
  /** The resources before the last edit. */
  let before: readonly Entry[] | undefined
  let changedAt = 0
  let selected = ''
  let last: Answer = { problems: [], claims: [] }

  return {
    restart() {
      shown = undefined
      before = undefined
    },
    show(answer) {
      last = answer
      state.replaceChildren(...stateOf(answer))
      // While the text can't be read, what it was before stays in view.
      const isUnread = answer.claims.length === 0
      if (!isUnread) conditions.replaceChildren(...answer.claims.flatMap(claim => conditionsOf(claim, answer.claims.length > 1)))
      conditions.classList.toggle('stale', isUnread)
      status.textContent = answer.claims
        .filter(({ refused }) => !refused)
        .map(claim => toYaml(claim.status as Json))
        .join('---\n')
      const isRefused = isUnread || answer.claims.some(({ refused }) => refused)
      if (!isRefused) remember(answer.claims.flatMap(entriesOf))
      tree.classList.toggle('stale', isRefused)
      stale.textContent = isRefused && shown !== undefined ? 'of the last valid claim' : ''
      showTree()
    },
  }

  function remember(entries: readonly Entry[]): void {
    if (shown !== undefined && isSame(shown, entries)) return
    const now = performance.now()
    if (now - changedAt > PAUSE_MILLISECONDS) before = shown
    // Opening a claim is no edit.
    changedAt = shown === undefined ? -PAUSE_MILLISECONDS : now
    shown = entries
    const changed = entries.filter(entry => before !== undefined && changeOf(entry) !== undefined)
    if (changed.length > 0 && !changed.some(({ id }) => id === selected)) selected = changed[0]?.id ?? ''
  }

  function changeOf({ id, yaml }: Entry): 'new' | 'changed' | undefined {
    if (before === undefined) return undefined
    const old = before.find(entry => entry.id === id)
    return old === undefined ? 'new' : old.yaml === yaml ? undefined : 'changed'
  }

  function showTree(): void {
    const entries = shown ?? []
    if (!entries.some(({ id }) => id === selected)) selected = (entries.find(isWorkload) ?? entries[0])?.id ?? ''
    const gone = (before ?? []).filter(({ id }) => !entries.some(entry => entry.id === id))
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.id : undefined
    const names = last.claims.length > 1 ? last.claims.map(({ name }) => name) : [undefined]
    tree.replaceChildren(
      ...names
        .flatMap((name, index) => [
          name !== undefined && element('li', { class: 'claim' }, name),
          ...entries.filter(({ id }) => name === undefined || id.startsWith(`${index}/`)).map(row),
        ])
        .filter(item => item !== false),
      ...gone.map(({ kind, name }) =>
        element('li', { class: 'gone' }, element('span', { class: 'kind' }, kind), ' ', name, badge('removed')),
      ),
    )
    if (focused !== undefined) tree.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus()
    showSelected()
    showYaml(entries.find(({ id }) => id === selected))
  }

  /** Scrolls the list, but never the page. */
  function showSelected(): void {
    const row = tree.querySelector<HTMLElement>('[aria-pressed=true]')?.getBoundingClientRect()
    const list = tree.getBoundingClientRect()
    if (row === undefined) return
    if (row.top < list.top) tree.scrollTop += row.top - list.top
    else if (row.bottom > list.bottom) tree.scrollTop += row.bottom - list.bottom
  }

  function row(entry: Entry): HTMLElement {
    const { id, kind, name, facts, readiness } = entry
    const change = changeOf(entry)
    return element(
      'li',
      {},
      element(
        'button',
        {
          type: 'button',
          'data-id': id,
          'aria-pressed': String(id === selected),
          click: () => {
            selected = id
            showTree()
          },
        },
        element('span', { class: `dot ${readiness.ready ? 'ok' : 'wait'}`, title: readiness.reason }),
        element('span', { class: 'kind' }, kind),
        ' ',
        element('span', { class: 'name' }, name),
        change && badge(change),
        element('span', { class: 'facts' }, facts),
      ),
    )
  }

  function showYaml(entry: Entry | undefined): void {
    title.textContent = entry === undefined ? 'No resource yet' : `${entry.kind} ${entry.name}`
    code.setAttribute('aria-label', `YAML of ${title.textContent}`)
    if (entry === undefined) {
      code.replaceChildren()
      return
    }
    const old = before?.find(({ id }) => id === entry.id)
    const changed = old === undefined ? new Set<number>() : changedLines(old.yaml, entry.yaml)
    code.replaceChildren(...highlighted(entry.yaml, changed))
    const first = code.querySelector<HTMLElement>('.changed')
    code.scrollTop = first === null ? 0 : first.offsetTop - code.clientHeight / 3
  }
}

const badge = (word: string) => element('span', { class: `badge ${word}` }, word)

const isWorkload = ({ key }: Entry) => key === 'deployment' || key === 'knative-service'

const entriesOf = ({ resources }: ClaimAnswer, index: number): Entry[] =>
  resources.map(resource => ({ ...resource, id: `${index}/${resource.key}` }))

const isSame = (a: readonly Entry[], b: readonly Entry[]) =>
  a.length === b.length && a.every(({ id, yaml }, index) => id === b[index]?.id && yaml === b[index]?.yaml)

function stateOf({ claims }: Answer): Node[] {
  if (claims.length === 0) return [element('span', { class: 'pill wait' }, 'no claim')]
  return claims.flatMap(({ name, facts, refused, ready }) => [
    element('span', { class: `pill ${refused ? 'bad' : ready ? 'ok' : 'wait'}` }, refused ? 'refused' : ready ? 'ready' : 'not ready'),
    element('span', { class: 'claim-name' }, name),
    element('span', { class: 'facts' }, refused ? 'what runs keeps running' : facts),
  ])
}

function conditionsOf({ name, conditions }: ClaimAnswer, isNamed: boolean): HTMLElement[] {
  return [
    ...(isNamed ? [element('li', { class: 'claim' }, name)] : []),
    ...conditions.map(({ type, ready, reason, message, transient }) => {
      const state = ready ? 'ok' : transient === undefined ? 'bad' : 'wait'
      const title = [
        element('span', { class: `dot ${state}` }),
        element('strong', {}, type),
        ' ',
        element('span', { class: 'reason' }, `${ready ? 'True' : 'False'}, ${reason}`),
      ]
      // Only a failure needs its message at once.
      return element('li', {}, element('details', { open: state === 'bad' }, element('summary', {}, ...title), element('p', {}, message)))
    }),
  ]
}
