// The playground: a claim on the left, what it becomes on the right. Everything happens in the page.
import { examples, input, manifests } from 'virtual:examples'
import { builtInPlatform, type Platform } from '../../../src/platform/platform.ts'
import { byId, element } from '../dom.ts'
import { readAddress, type State, writeAddress } from './address.ts'
import { showConversion } from './conversion.ts'
import { createEditor, type Editor, isFixable } from './editor.ts'
import { answer, claimFields, inputFields, type Problem, readPlatform } from './engine.ts'
import { convert } from './manifests.ts'
import { createResults } from './results.ts'
import { isSituation, type Situation, situations } from './situations.ts'
import { createTabs } from './tabs.ts'

const FIRST = examples[0]?.name ?? ''
const exampleOf = (name: string | undefined) => examples.find(example => example.name === name)

const exampleMenu = byId('example', HTMLSelectElement)
const situationMenu = byId('situation', HTMLSelectElement)
const environmentMenu = byId('environment', HTMLSelectElement)
const speed = byId('speed', HTMLElement)
const results = createResults()

let platform: Platform = builtInPlatform
let example = exampleOf(FIRST)
let situation: Situation = 'new'
let environment: string | undefined
let lastKey: number | undefined
/** While both texts are replaced, what the first becomes with the old second is of no interest. */
let isOpening = false

const claimEditor = createEditor({
  parent: byId('claim-editor', HTMLElement),
  label: 'Claim, as YAML',
  text: '',
  schema: () => claimFields(platform),
  onChange: () => isOpening || update(),
})
const platformEditor = createEditor({
  parent: byId('platform-editor', HTMLElement),
  label: 'Input of the function, as YAML',
  text: '',
  schema: () => inputFields,
  onChange: () => isOpening || updatePlatform(),
})
const manifestEditor = createEditor({
  parent: byId('manifest-editor', HTMLElement),
  label: 'Manifests, as YAML',
  text: '',
  onChange: text => showConversion(convert(text, platform)),
})

const tabs = createTabs(byId('tabs', HTMLElement), name => {
  byId('becomes', HTMLElement).hidden = name === 'manifests'
  byId('conversion', HTMLElement).hidden = name !== 'manifests'
  if (name === 'manifests' && manifestEditor.text() === '') manifestEditor.setText(manifests)
  if (name === 'manifests') showConversion(convert(manifestEditor.text(), platform))
})

/** Checks the claim and shows what it becomes. The findings come first, because the author waits for them. */
function update(): void {
  const began = performance.now()
  const answered = answer(claimEditor.text(), { platform, situation, environment })
  claimEditor.showProblems(answered.problems)
  listProblems('claim-problems', claimEditor, answered.problems)
  const took = performance.now() - began
  const key = lastKey
  lastKey = undefined
  requestAnimationFrame(() => {
    results.show(answered)
    if (key !== undefined) performance.measure('key to findings', { start: key, end: performance.now() })
  })
  speed.textContent = `checked in ${Math.max(1, Math.round(took))} ms`
  const possible = answered.claims.flatMap(claim => claim.situations ?? [])
  for (const option of situationMenu.options) option.disabled = possible.length > 0 && !possible.some(name => name === option.value)
  scheduleAddress()
}

function updatePlatform(): void {
  const { problems, platform: read } = readPlatform(platformEditor.text())
  platformEditor.showProblems(problems)
  listProblems('platform-problems', platformEditor, problems)
  // With a wrong input the function refuses every claim; the page keeps the last platform to go on.
  if (read !== undefined) platform = read
  const names = Object.keys(platform.environments)
  environmentMenu.replaceChildren(
    new Option('as the claim says', ''),
    ...names.map(name => new Option(name, name, false, name === environment)),
  )
  if (environment !== undefined && !names.includes(environment)) environment = undefined
  update()
}

function listProblems(id: string, editor: Editor, problems: readonly Problem[]): void {
  const { doc } = editor.view.state
  byId(id, HTMLElement).replaceChildren(
    ...problems.map(problem => {
      const { line, column, message, severity, code } = problem
      return element(
        'li',
        { class: severity },
        element(
          'button',
          { type: 'button', class: 'place', click: () => editor.goTo(line, column) },
          element('span', { class: 'position' }, `${line}:${column}`),
          ' ',
          message,
          ' ',
          element('span', { class: 'code' }, code),
        ),
        isFixable(problem, doc) &&
          element('button', { type: 'button', class: 'fix', click: () => editor.applyFix(problem) }, `Use ${problem.fix}`),
      )
    }),
  )
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  byId(`${id}-count`, HTMLElement).textContent =
    problems.length === 0 ? 'No findings' : [counted(errors, 'error'), counted(warnings, 'warning')].filter(text => text !== '').join(', ')
}

const counted = (count: number, word: string) => (count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`)

/** A change of the editors renews the rest of the page. */
function open(state: State): void {
  example = exampleOf(state.example) ?? (state.claim === undefined ? exampleOf(FIRST) : undefined)
  situation = state.cluster !== undefined && isSituation(state.cluster) ? state.cluster : 'new'
  environment = state.environment
  exampleMenu.value = example?.name ?? ''
  situationMenu.value = situation
  isOpening = true
  platformEditor.setText(state.platform ?? example?.platform ?? '')
  claimEditor.setText(state.claim ?? example?.text ?? '')
  isOpening = false
  results.restart()
  updatePlatform()
  if (state.at !== undefined) claimEditor.goToField(state.at)
}

function currentState(): State {
  const [claim, input] = [claimEditor.text(), platformEditor.text()]
  return {
    ...(example !== undefined && { example: example.name }),
    ...(claim !== example?.text && { claim }),
    ...(input !== (example?.platform ?? '') && { platform: input }),
    ...(situation !== 'new' && { cluster: situation }),
    ...(environment !== undefined && { environment }),
  }
}

let waiting: ReturnType<typeof setTimeout> | undefined
let written = ''
const ADDRESS_DELAY_MILLISECONDS = 200

function scheduleAddress(): void {
  clearTimeout(waiting)
  waiting = setTimeout(async () => {
    written = await writeAddress(currentState())
    history.replaceState(null, '', `#${written}`)
  }, ADDRESS_DELAY_MILLISECONDS)
}

async function copyLink(): Promise<void> {
  const button = byId('copy', HTMLButtonElement)
  const link = new URL(`#${await writeAddress(currentState())}`, location.href).href
  const copied = await navigator.clipboard.writeText(link).then(
    () => true,
    () => false,
  )
  button.textContent = copied ? 'Copied' : 'Copy it from the address bar'
  setTimeout(() => {
    button.textContent = 'Copy link'
  }, 2000)
}

function fillMenus(): void {
  for (const group of new Set(examples.map(({ group }) => group))) {
    const own = examples.filter(each => each.group === group)
    exampleMenu.append(element('optgroup', { label: group }, ...own.map(({ name, label }) => new Option(label, name))))
  }
  situationMenu.append(...Object.entries(situations).map(([name, label]) => new Option(label, name)))
}

async function start(): Promise<void> {
  fillMenus()
  const initial = location.hash
  open(await readAddress(initial))
  exampleMenu.addEventListener('change', () => open({ example: exampleMenu.value, ...(situation !== 'new' && { cluster: situation }) }))
  situationMenu.addEventListener('change', () => {
    if (isSituation(situationMenu.value)) situation = situationMenu.value
    update()
  })
  environmentMenu.addEventListener('change', () => {
    environment = environmentMenu.value === '' ? undefined : environmentMenu.value
    update()
  })
  byId('copy', HTMLButtonElement).addEventListener('click', copyLink)
  byId('sample-platform', HTMLButtonElement).addEventListener('click', () => platformEditor.setText(input))
  byId('open-claim', HTMLButtonElement).addEventListener('click', () => {
    const { claim } = convert(manifestEditor.text(), platform)
    if (claim === undefined) return
    example = undefined
    exampleMenu.value = ''
    results.restart()
    tabs.select('claim')
    claimEditor.setText(claim)
    claimEditor.view.focus()
  })
  addEventListener('keydown', ({ timeStamp }) => {
    lastKey = timeStamp
  })
  addEventListener('hashchange', async () => {
    if (location.hash.replace(/^#/, '') !== written) open(await readAddress(location.hash))
  })
  requestAnimationFrame(() => {
    document.documentElement.dataset.ready = ''
    performance.mark('first answer')
  })
}

await start()
