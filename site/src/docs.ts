// The search of the documentation, and its menu on narrow screens.
import MiniSearch, { type SearchResult } from 'minisearch'
import { element } from './dom.ts'

const MOST_RESULTS = 12
const open = document.getElementById('search-open')
const menu = document.getElementById('menu')

// On a wide screen the menu is always open.
const wide = matchMedia('(min-width: 60rem)')
const fitMenu = () => menu?.toggleAttribute('open', wide.matches)
wide.addEventListener('change', fitMenu)
fitMenu()

let index: Promise<MiniSearch> | undefined

/** The index is large, so only who searches loads it. */
function loadIndex(): Promise<MiniSearch> {
  index ??= fetch(open?.dataset.index ?? '')
    .then(response => response.text())
    .then(text => MiniSearch.loadJSON(text, { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] }))
  return index
}

function createSearch(): HTMLDialogElement {
  const list = element('ul', { id: 'search-results', 'aria-label': 'Results' })
  const said = element('p', { role: 'status', class: 'facts' })
  const input = element('input', {
    type: 'search',
    id: 'search-input',
    'aria-label': 'Search the documentation',
    placeholder: 'Search the documentation',
    autocomplete: 'off',
    input: () => search(),
    keydown: event => {
      if ((event as KeyboardEvent).key === 'Enter') list.querySelector('a')?.click()
    },
  })
  const dialog = element('dialog', { id: 'search', 'aria-label': 'Search' }, input, said, list)
  async function search(): Promise<void> {
    const words = input.value.trim()
    const loaded = await loadIndex()
    if (words !== input.value.trim()) return
    const found =
      words === ''
        ? []
        : loaded.search(words, { prefix: true, fuzzy: 0.2, combineWith: 'AND', boost: { title: 4, page: 2 } }).slice(0, MOST_RESULTS)
    said.textContent = words === '' ? '' : found.length === 0 ? 'Nothing found' : ''
    list.replaceChildren(...found.map(resultOf))
  }
  dialog.addEventListener('click', event => {
    if (event.target === dialog) dialog.close()
  })
  list.addEventListener('click', () => dialog.close())
  document.body.append(dialog)
  return dialog
}

function resultOf({ id, title, page }: SearchResult): HTMLElement {
  return element(
    'li',
    {},
    element(
      'a',
      { href: `${open?.dataset.root ?? ''}${id}` },
      element('b', {}, String(title)),
      element('span', { class: 'facts' }, title === page ? '' : String(page)),
    ),
  )
}

let dialog: HTMLDialogElement | undefined
function openSearch(): void {
  dialog ??= createSearch()
  dialog.showModal()
  void loadIndex()
}

open?.addEventListener('click', openSearch)
addEventListener('keydown', event => {
  const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]') !== null
  if ((event.key === '/' && !isTyping) || (event.key === 'k' && (event.ctrlKey || event.metaKey))) {
    event.preventDefault()
    openSearch()
  }
})
