// npm run picture:site: takes the picture of the playground for the README from the built site.
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startSite } from '../test/served.ts'

const site = await startSite()
try {
  const { page } = await site.open('playground/#example=minimal-claim', { viewport: { width: 1200, height: 760 } })
  const press = (key: string) => page.keyboard.press(key)
  await page.locator('#claim-editor .cm-line', { hasText: 'image:' }).click()
  await press('End')
  await press('Enter')
  await page.keyboard.type('size: large')
  await press('Escape')
  await press('Enter')
  await page.keyboard.type('runtim: Deployment')
  await press('Escape')
  // The explanation of the field at the pointer would hide the finding.
  await page.mouse.move(0, 0)
  await page.locator('.cm-tooltip').waitFor({ state: 'detached' })
  const file = fileURLToPath(new URL('../../docs/playground.png', import.meta.url))
  await page.screenshot({ path: file })
  console.log(`docs/playground.png: ${Math.round(statSync(file).size / 1000)} kB`)
} finally {
  await site.close()
}
