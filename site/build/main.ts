// npm run site [-- --serve]: builds the site into site/dist and prints the sizes that a reader loads. With --serve it serves it too.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import MiniSearch from 'minisearch'
import { licensesOf, packagesIn } from '../../scripts/packages.mjs'
import { readExamples, readManifests, readText, root } from './examples.ts'
import { landing } from './landing.ts'
import { escaped, pictureIn, type Rendered, renderDocument } from './markdown.ts'
import { PLAYGROUND_POLICY, playgroundBody } from './playground-page.ts'
import { serve } from './serve.ts'
import { type Assets, type Page, pageHtml } from './shell.ts'
import { pages, REPOSITORY, readNavigation, relativeTo } from './source-pages.ts'

export const dist = fileURLToPath(new URL('../dist', import.meta.url))
const source = fileURLToPath(new URL('..', import.meta.url))

/** The examples become part of the playground, because it may request nothing. */
const withExamples: Plugin = {
  name: 'examples',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^virtual:examples$/ }, ({ path }) => ({ path, namespace: 'virtual' }))
    onLoad({ filter: /.*/, namespace: 'virtual' }, () => ({
      contents: Object.entries({ examples: readExamples(), manifests: readManifests(), input: readText('examples/platform-input.yaml') })
        .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
        .join('\n'),
    }))
  },
}

/** These packages have no side effects on import, so unused parts can be dropped. */
const lean: Plugin = {
  name: 'lean',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@bufbuild\// }, async ({ path, pluginData, ...rest }) =>
      pluginData === lean ? undefined : { ...(await resolve(path, { ...rest, pluginData: lean })), sideEffects: false },
    )
  },
}

async function bundle(): Promise<Omit<Assets, 'search.json'>> {
  const { metafile } = await build({
    absWorkingDir: source,
    entryPoints: ['src/playground/main.ts', 'src/docs.ts', 'src/theme.ts', 'styles/site.css', 'styles/playground.css'],
    outdir: join(dist, 'assets'),
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // The licences are in their own file.
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [withExamples, lean],
  })
  write('THIRD_PARTY_LICENSES.txt', licensesOf(packagesIn(metafile)))
  const outputOf = (entry: string) => {
    const found = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry)
    if (found === undefined) throw new Error(`no output of ${entry}`)
    return `assets/${basename(found[0])}`
  }
  return {
    'site.css': outputOf('styles/site.css'),
    'playground.css': outputOf('styles/playground.css'),
    'theme.js': outputOf('src/theme.ts'),
    'docs.js': outputOf('src/docs.ts'),
    'playground.js': outputOf('src/playground/main.ts'),
  }
}

interface Document {
  readonly document: string
  readonly page: string
  readonly title: string
  readonly rendered: Rendered
}

const readDocuments = (): Document[] =>
  [...pages].map(([document, page]) => {
    const rendered = renderDocument(document, page, readText(document))
    return { document, page, title: rendered.headings[0]?.text ?? document, rendered }
  })

function documentBody({ document, page, rendered }: Document): string {
  const navigation = readNavigation()
    .map(
      ({ title, links }) =>
        `<h2>${escaped(title)}</h2><ul>${links
          .map(
            ({ label, page: to }) =>
              `<li><a href="${relativeTo(page, to)}"${to === page ? ' aria-current="page"' : ''}>${escaped(label)}</a></li>`,
          )
          .join('')}</ul>`,
    )
    .join('')
  const headings = rendered.headings.filter(({ level }) => level === 2)
  const contents =
    headings.length < 2
      ? ''
      : `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${headings
          .map(({ id, text }) => `<li><a href="#${id}">${escaped(text)}</a></li>`)
          .join('')}</ul></nav>`
  return `<div class="docs">
<details class="menu" id="menu"><summary>All pages</summary><nav aria-label="Documentation">${navigation}</nav></details>
<main id="main" tabindex="-1"><article>${rendered.html}</article>
<footer><a href="${REPOSITORY}/edit/main/${document}">Edit this page</a> · <a href="${relativeTo(page, 'THIRD_PARTY_LICENSES.txt')}">Licences</a></footer></main>
${contents}
</div>`
}

export interface SearchDocument {
  readonly id: string
  readonly page: string
  readonly title: string
  readonly text: string
}

/** The options of the index, which the page repeats to read it. */
export const searchFields = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] }

function searchIndex(documents: readonly Document[]): string {
  const index = new MiniSearch<SearchDocument>(searchFields)
  for (const { page, title, rendered } of documents)
    for (const section of rendered.sections)
      index.add({ id: `${page}#${section.id}`, page: title, title: section.title, text: section.text })
  return JSON.stringify(index)
}

function write(path: string, content: string): void {
  mkdirSync(dirname(join(dist, path)), { recursive: true })
  writeFileSync(join(dist, path), content)
}

export async function buildSite(): Promise<void> {
  rmSync(dist, { recursive: true, force: true })
  const bundled = await bundle()
  const documents = readDocuments()
  const index = searchIndex(documents)
  const assets: Assets = { ...bundled, 'search.json': 'assets/search.json' }
  write(assets['search.json'], index)

  const site: Omit<Page, 'path' | 'title' | 'description' | 'body' | 'bodyClass'> = { styles: ['site.css'], scripts: ['docs.js'] }
  const all: Page[] = [
    { ...site, path: 'index.html', bodyClass: 'home', title: landing.title, description: landing.description, body: landing.body },
    {
      path: 'playground/index.html',
      title: 'Playground · EventDrivenService',
      description: 'Write a claim and see what it becomes. Nothing leaves the browser.',
      styles: ['site.css', 'playground.css'],
      scripts: ['playground.js'],
      policy: PLAYGROUND_POLICY,
      current: 'playground',
      bodyClass: 'wide',
      body: playgroundBody,
    },
    ...documents.map(
      (each): Page => ({
        ...site,
        path: each.page,
        title: each.title === 'EventDrivenService' ? 'EventDrivenService' : `${each.title} · EventDrivenService`,
        description: each.rendered.sections[0]?.text.trim().slice(0, 160) ?? '',
        current: 'docs',
        bodyClass: 'wide',
        body: documentBody(each),
      }),
    ),
  ]
  for (const page of all) write(page.path, pageHtml(page, assets))
  const pictures = new Set([...landing.pictures, ...documents.flatMap(({ rendered }) => rendered.pictures)])
  mkdirSync(join(dist, 'pictures'), { recursive: true })
  for (const picture of pictures) cpSync(join(root, picture), join(dist, pictureIn(picture)))
  cpSync(join(root, 'LICENSE'), join(dist, 'LICENSE'))

  const sizes = (Object.keys(assets) as (keyof Assets)[]).map(name => ({ name, bytes: compressedSize(assets[name]) }))
  for (const { name, bytes } of sizes) console.log(`${name.padEnd(16)}${(bytes / 1000).toFixed(1).padStart(8)} kB compressed`)
  console.log(`${all.length} pages, ${pictures.size} pictures, in site/dist`)
}

const PORT = 4173

/** As a server that compresses sends it. */
export const compressedSize = (path: string): number => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } })
  await buildSite()
  if (values.serve) console.log(`Serving ${(await serve(PORT)).url}`)
}
