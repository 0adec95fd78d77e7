import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { claimPanels } from '../../src/capabilities/observability/panels.ts'
import { drawPanels, type Recording } from '../../tools/panels.ts'

const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')
const recording = JSON.parse(read('panels.json')) as Recording

test('docs/panels.svg shows the answers of docs/panels.json', () => expect(read('panels.svg')).toBe(drawPanels(recording)))

test('the recording has the panels of the dashboard', () => {
  const titles = claimPanels({ namespace: 'shop', name: 'orders' }, { kedaNamespaceLabel: 'namespace' }).map(({ title }) => title)
  expect(recording.panels.map(({ title }) => title)).toEqual(titles)
})
