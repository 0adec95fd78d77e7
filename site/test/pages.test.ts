// What npm run site has built: links, anchors, sizes, and links of the reference that open a claim with the field.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { at, isObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { readExamples } from '../build/examples.ts'
import { compressedSize, dist } from '../build/main.ts'
import { readNavigation } from '../build/source-pages.ts'
import { readAddress } from '../src/playground/address.ts'
import { answer, readPlatform } from '../src/playground/engine.ts'
import { keysAround } from '../src/playground/place.ts'

const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.html'))
const read = (file: string) => readFileSync(join(dist, file), 'utf8')
const attributes = (html: string, name: string) =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value)
const decoded = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
const anchors = new Map(files.map(file => [file, new Set(attributes(read(file), 'id'))]))

function broken(from: string, link: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? from : normalize(join(dirname(from), path))
  if (target.startsWith('..') || !existsSync(join(dist, target))) return `${link}: there is no ${target}`
  if (anchor === undefined || anchor === '' || target.startsWith('playground/')) return undefined
  return anchors.get(target)?.has(decodeURIComponent(anchor)) ? undefined : `${link}: ${target} has no #${anchor}`
}

test.each(files.map(file => ({ file })))('every link, picture and script of $file leads somewhere', ({ file }) => {
  const html = read(file)
  const links = [...attributes(html, 'href'), ...attributes(html, 'src')].map(decoded)
  expect(links.flatMap(link => broken(file, link) ?? [])).toEqual([])
  const ids = attributes(html, 'id')
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

test('finds a link that leads nowhere', () => {
  expect(broken('docs/index.html', 'nowhere.html')).toMatch(/there is no/)
  expect(broken('docs/index.html', 'reference.html#nowhere')).toMatch(/has no #nowhere/)
  expect(broken('docs/index.html', '../../other')).toMatch(/there is no/)
})

test('pages load nothing from elsewhere', () => {
  const sources = files.flatMap(file =>
    [...read(file).matchAll(/<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]+)"/g)].map(([, to]) => to),
  )
  expect(sources.filter(source => /^(https?:)?\/\//.test(source ?? ''))).toEqual([])
})

test('every page has a title, a language, a main part and one first heading', () => {
  const wrong = files.filter(file => {
    const html = read(file)
    return (
      !/<html lang="en">/.test(html) ||
      !/<title>[^<]+<\/title>/.test(html) ||
      !/<main id="main"/.test(html) ||
      html.match(/<h1[ >]/g)?.length !== 1
    )
  })
  expect(wrong).toEqual([])
})

test('the navigation has every page that is no decision', () => {
  const listed = readNavigation().flatMap(({ links }) => links.map(({ page }) => page))
  const documents = files.filter(file => /^(docs|about)\//.test(file) && !file.startsWith('docs/adr/'))
  expect(documents.filter(file => !listed.includes(file))).toEqual([])
})

const links = [...read('docs/reference.html').matchAll(/href="[^"#]*playground\/index\.html#([^"]+)" aria-label="Try ([^ "]+) /g)].map(
  ([, fragment = '', field = '']) => ({ field: decoded(field), fragment: decoded(fragment) }),
)
const fields = [...read('docs/reference.html').matchAll(/<code id="(spec\.[^"]+)"/g)].map(([, field = '']) => field)

/** A filter within filters takes the same fields again. */
const WITHOUT_EXAMPLE = ['spec.eventing.triggers[].filters[].all[]']

test('every field of the reference has an example', () => {
  expect(fields.length).toBeGreaterThan(200)
  expect(fields.filter(field => !links.some(link => link.field === field))).toEqual(WITHOUT_EXAMPLE)
})

test('the example of each field is valid and has the field', async () => {
  const examples = new Map(readExamples().map(example => [example.name, example]))
  const wrong: string[] = []
  for (const { field, fragment } of links) {
    const state = await readAddress(fragment)
    const example = examples.get(state.example ?? '')
    const text = state.claim ?? example?.text ?? ''
    const platform = readPlatform(state.platform ?? example?.platform ?? '').platform ?? builtInPlatform
    const errors = answer(text, { platform, situation: 'new' }).problems.filter(({ severity }) => severity === 'error')
    const plain = (path: readonly (string | number)[]) =>
      path
        .map(step => (typeof step === 'number' ? '[]' : `.${step}`))
        .join('')
        .slice(1)
    const has = keysAround(text.split('\n'), text.split('\n').length - 1).some(({ path }) => plain(path) === field.replace(/\[\]$/, ''))
    if (errors.length > 0 || !(has || /[{[]/.test(text))) wrong.push(`${field}: ${errors[0]?.message ?? 'the claim does not have it'}`)
  }
  expect(wrong).toEqual([])
})

const LARGEST_BYTES = 500_000

test('the playground with its editor is at most 500 kB compressed', () => {
  const assets = readdirSync(join(dist, 'assets')).filter(name => /^(main|playground|site|theme)-/.test(name))
  const sizes = assets.map(name => ({ name, bytes: compressedSize(`assets/${name}`) }))
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  console.log(`playground: ${(total / 1000).toFixed(1)} kB compressed in ${assets.length} files`)
  expect(sizes.length).toBe(4)
  expect(total).toBeLessThanOrEqual(LARGEST_BYTES)
})

test('the search index has each field and each reason', () => {
  const index: unknown = JSON.parse(read('assets/search.json'))
  const ids = isObject(index) ? Object.values(at(index, 'documentIds') ?? {}) : []
  expect(ids).toContain('docs/reference.html#spec.scaling.paused')
  expect(ids.length).toBeGreaterThan(400)
})
