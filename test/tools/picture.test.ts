import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { draw } from '../../tools/draw.ts'
import { root } from '../fixtures/claim-files.ts'

const read = (name: string) => readFileSync(`${root}docs/${name}`, 'utf8')

test('docs/scaling.svg shows the numbers of docs/scaling.json', () => {
  const { samples, caption } = JSON.parse(read('scaling.json'))
  expect(read('scaling.svg')).toBe(draw(samples, caption))
})

test('a picture describes its content and has colors for light and dark pages', () => {
  const picture = draw(
    [
      { second: 0, lag: 0, replicas: 0 },
      { second: 10, lag: 23, replicas: 5 },
      { second: 20, lag: 0, replicas: 0 },
    ],
    'A run.',
  )
  expect(picture).toContain(
    '<desc id="description">A run. The lag rises to 23 messages, the Deployment goes to 5 replicas and back to 0.</desc>',
  )
  expect(picture).toContain('prefers-color-scheme: dark')
  // The lag axis ends at 40, and replicas change in steps.
  expect(picture).toContain('<polyline class="lag" points="48,148 396,88.2 744,148"/>')
  expect(picture).toContain('<polyline class="replicas" points="48,296 396,296 396,192 744,192 744,296"/>')
})
