// Which documents become pages, under which address, and in which order the navigation lists them. The README decides.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, normalize, posix } from 'node:path'
import { readText, root } from './examples.ts'

export const REPOSITORY = 'https://github.com/bizmatters/event-driven-service'

/** The path of a page in the site, by its document. */
export const pages: ReadonlyMap<string, string> = new Map(
  [
    ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'worker/README.md'],
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md'))
      .map(name => `docs/${name.replaceAll('\\', '/')}`),
  ]
    .sort()
    .map(document => [document, pageOf(document)]),
)

function pageOf(document: string): string {
  if (document === 'README.md') return 'docs/index.html'
  if (document === 'worker/README.md') return 'docs/worker.html'
  const name = document.replace(/\.md$/, '')
  return `${name.startsWith('docs/') ? name.replace(/README$/, 'index') : `about/${name.toLowerCase()}`}.html`
}

export interface Section {
  readonly title: string
  readonly links: readonly { readonly label: string; readonly page: string }[]
}

/** The table under the heading Documentation of the README, as far as its links lead to pages. */
export function readNavigation(): Section[] {
  const [, table = ''] = readText('README.md').split('\n## Documentation\n')
  const rows = table.split('\n').filter(line => line.startsWith('| ') && line.includes(']('))
  const listed = rows.map((row): Section => {
    const [, title = '', cell = ''] = row.split('|').map(text => text.trim())
    const links = [...cell.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].flatMap(([, label = '', target = '']) => {
      const page = pages.get(target)
      return page === undefined ? [] : [{ label: titled(label), page }]
    })
    return { title: `For ${title}`, links }
  })
  const known = new Set(listed.flatMap(({ links }) => links.map(({ page }) => page)))
  const others = [...pages.values()].filter(page => !known.has(page) && page !== 'docs/index.html' && !page.startsWith('docs/adr/'))
  return [
    { title: 'Start', links: [{ label: 'Overview', page: 'docs/index.html' }] },
    ...listed,
    ...(others.length === 0
      ? []
      : [{ title: 'More', links: others.map(page => ({ label: titled(posix.basename(page, '.html')), page })) }]),
  ]
}

const titled = (label: string): string =>
  /^[A-Z]+\.md$/.test(label) ? titled(label.replace('.md', '').toLowerCase()) : label.charAt(0).toUpperCase() + label.slice(1)

/** The address of a link of a document, relative to its page. Files that are no pages are at GitHub. */
export function resolveLink(document: string, link: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link) || link.startsWith('#')) return link
  const [path = '', anchor] = link.split('#')
  const target = normalize(join(dirname(document), decodeURIComponent(path)))
    .replaceAll('\\', '/')
    .replace(/\/$/, '')
  const hash = anchor === undefined ? '' : `#${anchor}`
  const page = pages.get(target) ?? pages.get(`${target}/README.md`)
  if (page !== undefined) return relativeTo(pages.get(document) ?? '', page) + hash
  if (!existsSync(join(root, target))) throw new Error(`${document}: there is no ${target}`)
  return `${REPOSITORY}/${statSync(join(root, target)).isDirectory() ? 'tree' : 'blob'}/main/${target}${hash}`
}

/** An address of the site, from a page of the site. */
export const relativeTo = (from: string, to: string): string => posix.relative(posix.dirname(from), to) || '.'
