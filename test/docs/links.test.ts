// Every link of the documentation leads to a file, and if it names a heading, to that heading. So does every document that the code
// names, and every path that the documentation names. URLs are not requested.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { anchorsIn } from './markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
].sort()

/** Without what is shown as code: a link in there is none. */
const prose = (markdown: string) => markdown.replaceAll(/^ *(```+|~~~+)[\s\S]*?^ *\1 *$/gm, '').replaceAll(/`[^`\n]*`/g, 'code')

function linksIn(markdown: string): string[] {
  const text = prose(markdown)
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, to = '']) => to)
  const byName = [...text.matchAll(/^ *\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)].map(([, to = '']) => to)
  return [...inline, ...byName].filter(to => !/^[a-z][a-z0-9+.-]*:/i.test(to))
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Why a link leads nowhere; undefined where it leads somewhere. */
function broken(from: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? from : normalize(join(dirname(from), decodeURIComponent(path)))
  if (target.startsWith('..') || path.startsWith('/')) return `${link}: leads out of the repository`
  if (!existsSync(join(root, target))) return `${link}: there is no ${target}`
  if (anchor === undefined) return undefined
  if (!target.endsWith('.md') || statSync(join(root, target)).isDirectory())
    return /^L\d+/.test(anchor) ? undefined : `${link}: ${target} has no headings`
  return anchorsIn(read(target)).has(decodeURIComponent(anchor)) ? undefined : `${link}: ${target} has no heading #${anchor}`
}

test.each(documents.map(file => ({ file })))('$file', ({ file }) => {
  expect(linksIn(read(file)).flatMap(link => broken(file, link) ?? [])).toEqual([])
})

const FOLDERS = 'apis|docs|examples|package|schemas|scripts|src|test|tools'

/** The files and folders that a document names as code. */
const pathsIn = (markdown: string) =>
  [...markdown.matchAll(new RegExp(`\`((?:${FOLDERS})/[^\\s\`*<>]+)\``, 'g'))].map(([, path = '']) => path)

test.each(documents.map(file => ({ file })))('$file names only paths that exist', ({ file }) => {
  expect(pathsIn(read(file)).filter(path => !existsSync(join(root, path)))).toEqual([])
})

/** The documents that a file of the code names, with their headings; URLs of other projects are none. */
const documentsIn = (code: string) => [...code.matchAll(/(?<![\w/])docs\/[\w/.-]+\.md(?:#[\w-]+)?/g)].map(([document]) => document)

test.each(['apis', 'examples', 'package', 'scripts', 'src', 'test', 'tools'])('%s/ names only documents that exist', folder => {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter(name =>
    /\.(?:ts|mjs|js|sh|ya?ml)$/.test(name),
  )
  // This file names some that do not exist, to test itself.
  const named = files.filter(name => name !== 'docs/links.test.ts').map(name => `${folder}/${name}`)
  expect(named.flatMap(name => documentsIn(read(name)).flatMap(link => broken('README.md', link) ?? []))).toEqual([])
})

test('the reader of links', () => {
  expect(linksIn('[a](b.md) ![c](<d.png>) [e](f.md#g "title") [h](https://x.y/z) `[i](j)`\n```sh\n[k](l)\n```\n[m]: n.md')).toEqual([
    'b.md',
    'd.png',
    'f.md#g',
    'n.md',
  ])
  expect(pathsIn('`src/a.ts` `src/b/` `npm run x` src/c.ts `test/*.ts`')).toEqual(['src/a.ts', 'src/b/'])
  expect(documentsIn('// docs/a.md, docs/adr/b.md#c and https://d.io/docs/e.md')).toEqual(['docs/a.md', 'docs/adr/b.md#c'])
  expect([...anchorsIn('# One `two`\n## [Three](x) & four!\n## One two\n```\n# no\n```\n<a id="five"></a>')]).toEqual([
    'one-two',
    'three--four',
    'one-two-1',
    'five',
  ])
  expect(broken('docs/x.md', '../../etc/passwd')).toMatch(/leads out/)
  expect(broken('docs/validation.md', 'nowhere.md')).toMatch(/there is no docs\/nowhere.md/)
  expect(broken('docs/validation.md', '#nowhere')).toMatch(/no heading/)
})
