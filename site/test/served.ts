// The built site on loopback, and a real Chromium that looks at it.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { delimiter, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}

/** Serves the site below a path, as Pages does for a project. */
const BASE = '/event-driven-service/'

async function serve(): Promise<{ server: Server; url: string }> {
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://site').pathname))
    const file = path.startsWith(BASE) ? join(dist, path.slice(BASE.length)) : undefined
    const found =
      file === undefined ? undefined : await readFile(path.endsWith('/') ? join(file, 'index.html') : file).catch(() => undefined)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': types[extname(path) || '.html'] ?? 'application/octet-stream' })
    response.end(found)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, url: `http://127.0.0.1:${address.port}${BASE}` }
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** The browser on the PATH; EDS_CHROMIUM names another. */
function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found =
    process.env.EDS_CHROMIUM ?? names.flatMap(name => folders.map(folder => join(folder, name))).find(candidate => existsSync(candidate))
  if (found === undefined) throw new Error(`needs Chromium: none of ${names.join(', ')} is on the PATH (Debian: apt-get install chromium)`)
  return found
}

export interface Site {
  readonly url: string
  /** Opens a page of the site in a browser of its own, and keeps what goes wrong in it. */
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>
  close(): Promise<void>
}

export interface OpenPage {
  readonly page: Page
  readonly context: BrowserContext
  /** Console errors, exceptions and failed requests. */
  readonly faults: readonly string[]
  readonly requests: readonly string[]
}

export async function startSite(): Promise<Site> {
  const { server, url } = await serve()
  const browser: Browser = await chromium.launch({
    executablePath: findChromium(),
    // A container's root has no sandbox of Chromium, and the pages are ours.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  return {
    url,
    async open(path, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      const page = await context.newPage()
      const faults: string[] = []
      const requests: string[] = []
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`)
      })
      page.on('pageerror', error => faults.push(`exception: ${error.message}`))
      // A page that is left aborts what it still loads.
      page.on('requestfailed', request => {
        const reason = request.failure()?.errorText
        if (reason !== 'net::ERR_ABORTED') faults.push(`${reason}: ${request.url()}`)
      })
      page.on('response', response => {
        if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`)
      })
      page.on('request', request => requests.push(request.url()))
      await page.goto(new URL(path, url).href)
      if (path.startsWith('playground')) await page.locator('html[data-ready]').waitFor({ state: 'attached' })
      return { page, context, faults, requests }
    },
    async close() {
      await browser.close()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
