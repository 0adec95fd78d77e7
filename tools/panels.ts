// npm run picture:panels: draws docs/panels.svg, the dashboard of one claim during a real run, from the answers of Prometheus in
// docs/panels.json. The suite writes these: RECORD_PANELS=1 npm run test:observability.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Recording {
  readonly caption: string
  readonly panels: readonly RecordedPanel[]
}

interface RecordedPanel {
  readonly title: string
  readonly unit: string
  readonly series: readonly { readonly legend: string; readonly points: readonly (readonly [second: number, value: number])[] }[]
}

const COLUMNS = 2
const WIDTH = 380
const HEIGHT = 190
const [LEFT, RIGHT, TOP, BOTTOM] = [48, 12, 34, 44]
const COLORS = ['blue', 'orange', 'green'] as const

const shown = (value: number) => String(Number(value.toFixed(1)))
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function labelOf(value: number, unit: string): string {
  if (unit === 'percentunit') return `${Number((value * 100).toPrecision(2))} %`
  return `${Number(value.toPrecision(2))}${unit === 's' ? ' s' : unit === 'reqps' ? '/s' : ''}`
}

/** The next round number, for the end of an axis. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const size = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 5, 6, 8, 10].map(step => step * size).find(step => step >= value * 0.9999) ?? value
}

type Points = RecordedPanel['series'][number]['points']

/** A line ends where values are missing. */
const LONGEST_GAP_SECONDS = 10

function stretches(points: Points): Points[] {
  const starts = points.flatMap(([second], at) => (second - (points[at - 1]?.[0] ?? -Infinity) > LONGEST_GAP_SECONDS ? [at] : []))
  return starts.map((start, at) => points.slice(start, starts[at + 1]))
}

function drawPanel({ title, unit, series }: RecordedPanel, index: number, end: number): string {
  const [left, top] = [(index % COLUMNS) * WIDTH + LEFT, Math.floor(index / COLUMNS) * HEIGHT + TOP]
  const [width, height] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM]
  const maximum = roundUp(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))))
  const x = (second: number) => shown(left + (second / end) * width)
  const y = (value: number) => shown(top + height - (value / maximum) * height)
  const grid = [0, maximum / 2, maximum].flatMap(value => [
    `<line class="grid" x1="${left}" x2="${left + width}" y1="${y(value)}" y2="${y(value)}"/>`,
    `<text class="tick" x="${left - 6}" y="${y(value)}" dy=".35em" text-anchor="end">${labelOf(value, unit)}</text>`,
  ])
  const lines = series.flatMap(({ points }, at) =>
    stretches(points).map(
      stretch =>
        `<polyline class="line ${COLORS[at]}" points="${stretch.map(([second, value]) => `${x(second)},${y(value)}`).join(' ')}"/>`,
    ),
  )
  const legend = series.map(
    ({ legend: name }, at) => `<text class="name ${COLORS[at]}" x="${left + at * 110}" y="${top + height + 32}">${escaped(name)}</text>`,
  )
  const ticks = [0, end / 2, end].map(
    (second, at) =>
      `<text class="tick" x="${x(second)}" y="${top + height + 15}" text-anchor="${['start', 'middle', 'end'][at]}">${Math.round(second)} s</text>`,
  )
  return [`<text class="label" x="${left}" y="${top - 12}">${escaped(title)}</text>`, ...grid, ...lines, ...ticks, ...legend].join('\n')
}

export function drawPanels({ caption, panels }: Recording): string {
  const filled = panels.filter(({ series }) => series.length > 0)
  const end = Math.max(...filled.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([second]) => second))))
  const [width, height] = [COLUMNS * WIDTH, Math.ceil(filled.length / COLUMNS) * HEIGHT + 24]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">The dashboard of one claim</title>
<desc id="description">${escaped(caption)} Panels: ${filled.map(({ title }) => title).join(', ')}.</desc>
<style>
svg { font: 12px system-ui, sans-serif; --ink: #1f2328; --soft: #59636e; --grid: #d1d9e0; --blue: #0969da; --orange: #bc4c00; --green: #1a7f37 }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --soft: #9198a1; --grid: #3d444d; --blue: #4493f8; --orange: #db6d28; --green: #3fb950 } }
.label { fill: var(--ink); font-weight: 600 } .tick, .caption { fill: var(--soft); font-size: 11px } .grid { stroke: var(--grid) }
.line { fill: none; stroke-width: 2 } .line.blue { stroke: var(--blue) } .line.orange { stroke: var(--orange) } .line.green { stroke: var(--green) }
.name { font-size: 11px } .name.blue { fill: var(--blue) } .name.orange { fill: var(--orange) } .name.green { fill: var(--green) }
</style>
${filled.map((panel, index) => drawPanel(panel, index, end)).join('\n')}
<text class="caption" x="${LEFT}" y="${height - 8}">${escaped(caption)}</text>
</svg>
`
}

const fileOf = (name: string) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url))

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(fileOf('panels.svg'), drawPanels(JSON.parse(readFileSync(fileOf('panels.json'), 'utf8')) as Recording))
  console.log('wrote docs/panels.svg')
}
