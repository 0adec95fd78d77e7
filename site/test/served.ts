// The built site on loopback, and a real Chromium that looks at it.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { serve } from '../build/serve.ts'

/** A busy machine needs more than Playwright's 30 seconds. */
const TIMEOUT_MILLISECONDS = 120_000

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
      context.setDefaultTimeout(TIMEOUT_MILLISECONDS)
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
