// The site in a real Chromium: what an author does, without a pointer, on a narrow screen, in the dark, and for a screen reader.
import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenPage, type Site, startSite } from './served.ts'

let site: Site

beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site.close())

/** Opens a page, and closes it with the test. A fault in the page fails the test. */
async function withPage(path: string, use: (open: OpenPage) => Promise<void>, options?: BrowserContextOptions): Promise<void> {
  const open = await site.open(path, options)
  try {
    await use(open)
    expect(open.faults).toEqual([])
  } finally {
    await open.context.close()
  }
}

const problems = (page: Page) => page.locator('#claim-problems li')
const yaml = (page: Page) => page.locator('#yaml')
const resource = (page: Page, kind: string) => page.locator('#tree button', { hasText: kind }).first()
const text = (page: Page) => page.locator('#claim-editor .cm-line').allInnerTexts()

/** Puts the cursor to the end of the line with a text. */
async function clickLine(page: Page, words: string): Promise<void> {
  await page.locator('#claim-editor .cm-line', { hasText: words }).first().click()
  await page.keyboard.press('End')
}

test('a mistake is found at its line, the suggestion fixes it, and the resources change', () =>
  withPage('playground/', async ({ page }) => {
    await clickLine(page, 'image:')
    await page.keyboard.press('Enter')
    await page.keyboard.type('size: smal')
    await page.keyboard.press('Escape')
    await expect.poll(() => problems(page).allInnerTexts()).toHaveLength(1)
    const [problem] = await problems(page).allInnerTexts()
    expect(problem).toMatch(/10:9\s+spec\.size: must be one of .*did you mean 'small'\?/)
    await expect.poll(() => page.locator('#claim-editor .cm-lintRange-error').allInnerTexts()).toEqual(['smal'])
    expect(await page.locator('#state').innerText()).toMatch(/refused/)
    expect(await page.locator('#conditions').innerText()).toMatch(/WorkloadReady False, InvalidClaim/)

    await problems(page).getByRole('button', { name: 'Use small' }).click()
    await expect.poll(() => problems(page).count()).toBe(0)
    expect(await text(page)).toContain('  size: small')
    await expect.poll(() => page.locator('#resource').innerText()).toBe('Deployment orders-worker')
    expect(await resource(page, 'Deployment').innerText()).toMatch(/changed/)
    const changed = await yaml(page).locator('.changed').allInnerTexts()
    expect(changed.map(line => line.trim())).toContain('memory: 512Mi')
    expect(changed.length).toBeLessThan(10)
  }))

/** CodeMirror ignores keys for a moment after a list has opened, because they may be meant for the text. */
const LIST_DELAY_MILLISECONDS = 150

test('completes fields with what the schema says of them, and their values', () =>
  withPage('playground/', async ({ page }) => {
    await clickLine(page, 'consumer:')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Shift+Home')
    await page.keyboard.press('Backspace')
    await page.keyboard.type('  runt')
    const list = page.locator('.cm-tooltip-autocomplete')
    await expect.poll(() => list.getByRole('option').allInnerTexts()).toEqual(['runtime'])
    await expect.poll(() => page.locator('.cm-completionInfo').innerText()).toMatch(/How the workload runs/)
    await page.waitForTimeout(LIST_DELAY_MILLISECONDS)
    await page.keyboard.press('Tab')
    await expect.poll(() => list.getByRole('option').allInnerTexts()).toEqual(['Deployment', 'Knative'])
    await page.waitForTimeout(LIST_DELAY_MILLISECONDS)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    expect(await text(page)).toContain('  runtime: Knative')
    await expect.poll(() => page.locator('#tree').innerText()).toMatch(/Service orders-worker/)
    await expect
      .poll(() => page.locator('#tree .gone').allInnerTexts())
      .toEqual(expect.arrayContaining([expect.stringMatching(/Deployment/)]))
  }))

test('explains the field at the pointer', () =>
  withPage('playground/#example=full-claim', async ({ page }) => {
    await page.locator('#claim-editor .cm-line', { hasText: 'lagThreshold' }).first().locator('.tok-propertyName').hover()
    await expect
      .poll(() => page.locator('.cm-tooltip-hover').innerText())
      .toMatch(/spec\.scaling\.lagThreshold[\s\S]*messages per replica[\s\S]*integer/)
  }))

test('works with the keyboard alone', () =>
  withPage('playground/', async ({ page }) => {
    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('aria-label'))
    const reached: (string | null | undefined)[] = []
    for (let presses = 0; presses < 14; presses++) {
      await page.keyboard.press('Tab')
      reached.push(await focused())
    }
    expect(reached).toEqual(expect.arrayContaining(['example', 'copy', 'claim-tab', 'Claim, as YAML', 'situation']))

    await page.locator('#claim-tab').focus()
    await page.keyboard.press('ArrowRight')
    expect(await focused()).toBe('platform-tab')
    expect(await page.locator('#platform-panel').isVisible()).toBe(true)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Claim, as YAML')

    // A mistake, the next finding, its suggestion.
    await page.keyboard.press('Control+End')
    await page.keyboard.type('  runtime: Knativ')
    await page.keyboard.press('Escape')
    await expect.poll(() => problems(page).count()).toBeGreaterThan(0)
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('F8')
    await page.keyboard.press('Alt+Enter')
    await expect.poll(() => text(page)).toContain('  runtime: Knative')

    // The resources are buttons.
    await resource(page, 'ServiceAccount').focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('#resource').innerText()).toBe('ServiceAccount orders-worker')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-pressed'))).toBe('true')
  }))

test('a link shows the same claim, platform and cluster to a colleague', async () => {
  let link = ''
  await withPage('playground/', async ({ page }) => {
    await clickLine(page, 'image:')
    await page.keyboard.press('Enter')
    await page.keyboard.type('size: tiny')
    await page.keyboard.press('Escape')
    await page.locator('#platform-tab').click()
    await page.locator('#platform-editor .cm-content').click()
    await page.keyboard.insertText(
      'apiVersion: fn.platform.bizmatters.io/v1alpha1\nkind: Input\nsizes:\n  tiny: { requests: { cpu: 50m, memory: 64Mi }, limits: { memory: 128Mi } }\n',
    )
    await page.locator('#situation').selectOption('zero')
    await expect.poll(() => problems(page).count()).toBe(0)
    await expect.poll(() => page.url()).toMatch(/claim=.*platform=.*/)
    await expect.poll(() => page.url()).toMatch(/cluster=zero/)
    link = page.url()
  })
  await withPage(link, async ({ page }) => {
    await page.locator('html[data-ready]').waitFor({ state: 'attached' })
    expect(await text(page)).toContain('  size: tiny')
    expect(await page.locator('#situation').inputValue()).toBe('zero')
    expect(await page.locator('#state').innerText()).toMatch(/size tiny/)
    expect(await page.locator('#conditions').innerText()).toMatch(/ScaledToZero/)
  })
})

test('a link of the reference opens the claim at the field', () =>
  withPage('docs/reference.html#spec.scaling.paused', async ({ page }) => {
    await page.getByRole('link', { name: 'Try spec.scaling.lagThreshold in the playground' }).click()
    await page.locator('html[data-ready]').waitFor({ state: 'attached' })
    await expect.poll(() => page.locator('#claim-editor .cm-activeLine').innerText()).toMatch(/lagThreshold/)
  }))

test('every state of the cluster changes what the claim would say', () =>
  withPage('playground/', async ({ page }) => {
    const seen: string[] = []
    for (const [situation, says] of Object.entries({
      new: 'Creating',
      running: 'Available',
      zero: 'ScaledToZero',
      stuck: 'ImagePullBackOff',
      stream: 'TriggerError',
      taken: 'NameTaken',
      crd: 'KindUnknown',
    })) {
      await page.locator('#situation').selectOption(situation)
      await expect.poll(() => page.locator('#conditions').innerText()).toMatch(says)
      seen.push(await page.locator('#conditions').innerText())
    }
    expect(new Set(seen).size).toBe(seen.length)
    await page.locator('#example').selectOption('knative-minimal-claim')
    await expect.poll(() => page.locator('#situation option[value=stream]').isDisabled()).toBe(true)
  }))

test('manifests become a claim that can be edited', () =>
  withPage('playground/', async ({ page }) => {
    await page.locator('#manifests-tab').click()
    await expect.poll(() => page.locator('#converted').innerText()).toMatch(/kind: EventDrivenService/)
    expect(await page.locator('#differences').innerText()).toMatch(/Deployment agent-executor/)
    expect(await page.locator('#steps').innerText()).toMatch(/kubectl/)
    await page.getByRole('button', { name: 'Edit this claim' }).click()
    await expect.poll(async () => (await text(page)).join('\n')).toMatch(/name: agent-executor/)
    expect(await problems(page).locator('.error').count()).toBe(0)
    expect(await page.locator('#state').innerText()).toMatch(/agent-executor/)
  }))

test('nothing leaves the browser once the page is loaded', () =>
  withPage('playground/#example=full-claim', async ({ page, requests, context }) => {
    const loaded = requests.length
    await context.setOffline(true)
    await clickLine(page, 'minReplicas')
    await page.keyboard.type('0')
    for (const example of ['mesh/canary-claim', 'knative-nats-claim', 'minimal-claim']) await page.locator('#example').selectOption(example)
    await page.locator('#manifests-tab').click()
    await expect.poll(() => page.locator('#converted').innerText()).toMatch(/EventDrivenService/)
    await page.getByRole('button', { name: 'Copy link' }).click()
    expect(requests.slice(loaded)).toEqual([])
  }))

test('even a script in the playground may request nothing', async () => {
  const { page, context, requests, faults } = await site.open('playground/')
  const loaded = requests.length
  const fetched = await page.evaluate(() =>
    fetch('/').then(
      () => 'sent',
      () => 'refused',
    ),
  )
  expect(fetched).toBe('refused')
  expect(requests.slice(loaded)).toEqual([])
  expect(faults.join()).toMatch(/Content Security Policy/)
  await context.close()
})

test('the search finds a field and goes to it', () =>
  withPage('docs/', async ({ page }) => {
    await page.keyboard.press('/')
    await page.keyboard.type('cooldownPeriod')
    await expect.poll(() => page.locator('#search-results a').first().innerText()).toMatch(/spec\.scaling\.cooldownPeriod/)
    await page.keyboard.press('Enter')
    await page.waitForURL(/docs\/reference\.html#spec\.scaling\.cooldownPeriod/)
  }))

test('the reader chooses dark or light, and the choice stays', () =>
  withPage('docs/', async ({ page }) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await ground()
    await page.getByRole('button', { name: 'Dark or light' }).click()
    expect(await ground()).not.toBe(light)
    await page.reload()
    expect(await ground()).not.toBe(light)
  }))

/** What axe calls serious or critical. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run())
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
}

const LARGEST = 'docs/reference.html'
const everyPage = ['index.html', 'playground/', 'playground/#example=full-claim&cluster=stuck', 'docs/', LARGEST, 'docs/observability.html']

const looks = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'light', width: 360 },
] as const

test.each(everyPage.map(path => ({ path })))('$path fits every screen and has no serious fault of accessibility', ({ path }) =>
  withPage(path, async ({ page }) => {
    for (const { colorScheme, width } of looks) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
      // axe takes half a minute for thousands of cells, which look like those of the other pages.
      if (path === LARGEST && colorScheme === 'dark') continue
      expect({ colorScheme, width, faults: await seriousFaults(page) }).toEqual({ colorScheme, width, faults: [] })
    }
  }),
)

test('a refused claim, an open list and the search have no serious fault of accessibility', async () => {
  await withPage('playground/', async ({ page }) => {
    await clickLine(page, 'image:')
    await page.keyboard.press('Enter')
    await page.keyboard.type('size: smal')
    await page.locator('.cm-tooltip-autocomplete').waitFor()
    expect(await seriousFaults(page)).toEqual([])
    expect(await page.locator('#stale').innerText()).toBe('of the last valid claim')
    await page.keyboard.press('Escape')
    await page.locator('#manifests-tab').click()
    expect(await seriousFaults(page)).toEqual([])
  })
  await withPage('docs/', async ({ page }) => {
    await page.keyboard.press('/')
    await page.keyboard.type('stream')
    await page.locator('#search-results a').first().waitFor()
    expect(await seriousFaults(page)).toEqual([])
  })
})

test('prints how fast the page is', () =>
  withPage('playground/#example=full-claim', async ({ page }) => {
    const first = await page.evaluate(() => performance.getEntriesByName('first answer')[0]?.startTime ?? 0)
    await clickLine(page, 'lagThreshold')
    for (const key of '0123456789'.repeat(3)) {
      await page.keyboard.press('Backspace')
      await page.keyboard.press(key)
      await page.waitForTimeout(30)
    }
    const durations = await page.evaluate(() => performance.getEntriesByName('key to findings').map(({ duration }) => duration))
    const sorted = durations.toSorted((a, b) => a - b)
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)
    console.log(
      `first answer ${first.toFixed(0)} ms after navigation; key to findings and resources in the full example: median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, ${sorted.length} keys`,
    )
    expect(sorted.length).toBeGreaterThan(20)
  }))
