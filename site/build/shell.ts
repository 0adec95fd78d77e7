// What all pages share.
import { readText } from './examples.ts'
import { escaped } from './markdown.ts'
import { REPOSITORY, relativeTo } from './source-pages.ts'

/** The built files, by their names in the sources. */
export type Assets = Readonly<Record<'site.css' | 'playground.css' | 'theme.js' | 'docs.js' | 'playground.js' | 'search.json', string>>

export interface Page {
  /** Its path in the site. */
  readonly path: string
  readonly title: string
  readonly description: string
  readonly styles: readonly (keyof Assets)[]
  readonly scripts: readonly (keyof Assets)[]
  /** The directives of its Content-Security-Policy beyond those of every page. */
  readonly policy?: string
  /** Which link of the header it is. */
  readonly current?: 'docs' | 'playground'
  readonly body: string
  readonly bodyClass: string
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"

/** Part of the page, so that nothing is requested later. */
const ICON = `data:image/svg+xml,${encodeURIComponent(readText('site/styles/icon.svg').trim())}`

export function pageHtml(page: Page, assets: Assets): string {
  const { path, title, description, styles, scripts, policy = POLICY, current, body, bodyClass } = page
  const to = (target: string) => relativeTo(path, target)
  const link = (target: string, label: string, name?: Page['current']) =>
    `<a href="${to(target)}"${name !== undefined && name === current ? ' aria-current="page"' : ''}>${label}</a>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="description" content="${escaped(description)}">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="${ICON}" type="image/svg+xml">
<script src="${to(assets['theme.js'])}"></script>
${styles.map(style => `<link rel="stylesheet" href="${to(assets[style])}">`).join('\n')}
${scripts.map(script => `<script type="module" src="${to(assets[script])}"></script>`).join('\n')}
</head>
<body class="${bodyClass}">
<a class="skip" href="#main">Skip to the content</a>
<header class="top">
<a class="brand" href="${to('index.html')}">EventDrivenService</a>
<nav aria-label="Site">${link('docs/index.html', 'Docs', 'docs')}${link('playground/index.html', 'Playground', 'playground')}<a href="${REPOSITORY}">GitHub</a></nav>
${current === 'playground' ? '' : `<button type="button" id="search-open" data-index="${to(assets['search.json'])}" data-root="${to('index.html').replace(/index\.html$/, '') || './'}">Search <kbd>/</kbd></button>`}
<button type="button" id="theme" aria-label="Dark or light">◐</button>
</header>
${body}
</body>
</html>
`
}
