// Turns the documents of the project into pages. They stay as they are: what GitHub shows is what the site shows.
import { yamlLanguage } from '@codemirror/lang-yaml'
import { classHighlighter, highlightCode } from '@lezer/highlight'
import MarkdownIt from 'markdown-it'
import { KIND } from '../../src/claim/identity.ts'
import { exampleFor, linkToClaim } from './field-examples.ts'
import { relativeTo, resolveLink } from './source-pages.ts'

export interface Heading {
  readonly level: number
  readonly id: string
  readonly text: string
}

export interface Rendered {
  readonly html: string
  readonly headings: readonly Heading[]
  /** Pictures that the page shows, as paths of the repository. */
  readonly pictures: readonly string[]
  /** The text of each section, for the search. */
  readonly sections: readonly { readonly id: string; readonly title: string; readonly text: string }[]
}

export const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** YAML with the classes of the editor. */
export function highlightedYaml(code: string): string {
  let html = ''
  highlightCode(
    code,
    yamlLanguage.parser.parse(code),
    classHighlighter,
    (text, classes) => {
      html += classes === '' ? escaped(text) : `<span class="${classes}">${escaped(text)}</span>`
    },
    () => {
      html += '\n'
    },
  )
  return html
}

/** The anchors that GitHub makes of headings. */
function slugs(): (heading: string) => string {
  const taken = new Map<string, number>()
  return heading => {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const count = taken.get(slug) ?? 0
    taken.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  }
}

const PICTURE = /\.(?:svg|png|jpg|webp)$/

export function renderDocument(document: string, page: string, markdown: string): Rendered {
  const md = new MarkdownIt({ html: true })
  const headings: Heading[] = []
  const pictures: string[] = []
  const slugOf = slugs()
  const toPlayground = (fragment: string) => `${relativeTo(page, 'playground/index.html')}#${fragment}`

  md.renderer.rules.heading_open = (tokens, index) => {
    const { tag } = tokens[index] as { tag: string }
    const text = plainText(tokens[index + 1])
    const id = slugOf(text)
    headings.push({ level: Number(tag.slice(1)), id, text })
    return `<${tag} id="${id}">`
  }
  md.renderer.rules.heading_close = (tokens, index) => {
    const { id = '', text = '' } = headings.at(-1) ?? {}
    const { tag } = tokens[index] as { tag: string }
    return ` <a class="anchor" href="#${id}" aria-label="Link to ${escaped(text)}">#</a></${tag}>\n`
  }
  md.renderer.rules.link_open = (tokens, index, options, _, self) => {
    const token = tokens[index] as (typeof tokens)[number]
    token.attrSet('href', resolveLink(document, String(token.attrGet('href') ?? '')))
    return self.renderToken(tokens, index, options)
  }
  md.renderer.rules.image = (tokens, index) => {
    const token = tokens[index] as (typeof tokens)[number]
    const source = String(token.attrGet('src') ?? '')
    const target = new URL(source, `file:///${document}`).pathname.slice(1)
    if (!PICTURE.test(target)) throw new Error(`${document}: ${source} is no picture`)
    pictures.push(target)
    return `<img src="${relativeTo(page, pictureIn(target))}" alt="${escaped(token.content)}" loading="lazy">`
  }
  md.renderer.rules.table_open = () => '<div class="table" role="region" aria-label="Table" tabindex="0"><table role="table">\n'
  md.renderer.rules.table_close = () => '</table></div>\n'
  md.renderer.rules.fence = (tokens, index) => {
    const { content, info } = tokens[index] as { content: string; info: string }
    const language = info.trim().split(/\s+/)[0] ?? ''
    const code = language === 'yaml' ? highlightedYaml(content) : escaped(content)
    const open =
      language === 'yaml' && new RegExp(`^kind: ${KIND}$`, 'm').test(content)
        ? `<a class="try" href="${toPlayground(linkToClaim(content))}">Open in the playground</a>`
        : ''
    return `<div class="code"><pre tabindex="0"><code>${code}</code></pre>${open}</div>\n`
  }
  const fields = new Set<string>()
  if (document === 'docs/reference.md')
    md.renderer.rules.code_inline = (tokens, index) => {
      const { content } = tokens[index] as { content: string }
      const isField = index === 0 && tokens.length === 1 && FIELD.test(content)
      const id = isField && !fields.has(content) ? ` id="${content}"` : ''
      if (isField) fields.add(content)
      const code = `<code${id}>${escaped(content).replaceAll('.', '.<wbr>')}</code>`
      const link = isField ? exampleFor(content) : undefined
      return link === undefined
        ? code
        : `${code} <a class="try" href="${toPlayground(link)}" aria-label="Try ${escaped(content)} in the playground">try</a>`
    }

  const tokens = md.parse(markdown, {})
  labelCells(tokens)
  const html = md.renderer.render(tokens, md.options, {})
  return { html, headings, pictures, sections: sectionsOf(tokens, headings) }
}

const roles: Readonly<Record<string, string>> = {
  thead_open: 'rowgroup',
  tbody_open: 'rowgroup',
  tr_open: 'row',
  th_open: 'columnheader',
  td_open: 'cell',
}

/** On a narrow screen each cell is a line with the name of its column. The roles keep the table one for a screen reader. */
function labelCells(tokens: readonly Token[]): void {
  let columns: string[] = []
  let column = 0
  for (const [index, token] of tokens.entries()) {
    const role = roles[token.type]
    if (role !== undefined) token.attrSet('role', role)
    if (token.type === 'thead_open') columns = []
    if (token.type === 'tr_open') column = 0
    if (token.type === 'th_open') columns.push(plainText(tokens[index + 1]))
    if (token.type === 'td_open') token.attrSet('data-column', columns[column++] ?? '')
  }
}

/** Where the site has a picture of the repository. */
export const pictureIn = (file: string): string => `pictures/${file.replaceAll('/', '-')}`

type Token = ReturnType<InstanceType<typeof MarkdownIt>['parse']>[number]

const plainText = (token: Token | undefined): string =>
  (token?.children ?? []).map(({ type, content }) => (type === 'text' || type === 'code_inline' ? content : '')).join('')

/** A field of the reference, such as `spec.env[].name`, in the first cell of a row. */
const fieldOf = (token: Token | undefined): string | undefined => {
  const [first] = token?.children ?? []
  return first?.type === 'code_inline' && FIELD.test(first.content) ? first.content : undefined
}
const FIELD = /^spec\.[\w.[\]<>*-]+$/

function sectionsOf(tokens: readonly Token[], headings: readonly Heading[]): Rendered['sections'] {
  const sections: { id: string; title: string; text: string }[] = []
  const fields: typeof sections = []
  let next = 0
  let current: (typeof sections)[number] | undefined
  for (const [index, token] of tokens.entries()) {
    const field = token.type === 'tr_open' ? fieldOf(tokens[index + 2]) : undefined
    if (token.type === 'heading_open') {
      const { id = '', text = '' } = headings[next++] ?? {}
      current = { id, title: text, text: '' }
      sections.push(current)
    } else if (field !== undefined && !fields.some(({ id }) => id === field)) {
      current = { id: field, title: field, text: '' }
      fields.push(current)
    } else if (token.type === 'tr_close') current = sections.at(-1)
    else if (tokens[index - 1]?.type !== 'heading_open' && current !== undefined)
      current.text += token.type === 'inline' ? ` ${plainText(token)}` : token.type === 'fence' ? ` ${token.content}` : ''
  }
  return [...sections, ...fields]
}
