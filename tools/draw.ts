// Draws lag and replicas over time as an SVG for light and dark pages.

export interface Sample {
  readonly second: number
  readonly lag: number
  /** The desired replicas of the Deployment. */
  readonly replicas: number
}

const WIDTH = 760
const LEFT = 48
const RIGHT = 16
const TOP = 44
const PANEL = 104
const GAP = 44
const HEIGHT = TOP + 2 * PANEL + GAP + 56
const TICK_SECONDS = 10

interface Panel {
  readonly top: number
  readonly maximum: number
  readonly label: string
}

const shown = (value: number) => String(Number(value.toFixed(1)))

/** The next round number, for the end of an axis. */
function roundUp(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return [1, 2, 4, 5, 6, 8, 10].map(step => step * size).find(step => step >= value) ?? value
}

export function draw(samples: readonly Sample[], caption: string): string {
  const end = Math.floor(Math.max(...samples.map(({ second }) => second)))
  const maxLag = Math.max(...samples.map(({ lag }) => lag))
  const maxReplicas = Math.max(...samples.map(({ replicas }) => replicas))
  const lagPanel: Panel = { top: TOP, maximum: roundUp(maxLag), label: 'messages that wait (lag)' }
  const replicaPanel: Panel = { top: TOP + PANEL + GAP, maximum: roundUp(maxReplicas), label: 'replicas' }
  const x = (second: number) => shown(LEFT + (second / end) * (WIDTH - LEFT - RIGHT))
  const y = ({ top, maximum }: Panel, value: number) => shown(top + PANEL - (value / maximum) * PANEL)

  const frame = (panel: Panel) =>
    [
      `<text class="label" x="${LEFT}" y="${panel.top - 10}">${panel.label}</text>`,
      ...[0, panel.maximum / 2, panel.maximum].flatMap(value => [
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(panel, value)}" y2="${y(panel, value)}"/>`,
        `<text class="tick" x="${LEFT - 8}" y="${y(panel, value)}" dy=".35em" text-anchor="end">${shown(value)}</text>`,
      ]),
    ].join('\n')
  const line = samples.map(({ second, lag }) => `${x(second)},${y(lagPanel, lag)}`).join(' ')
  const area = `${x(samples[0]?.second ?? 0)},${y(lagPanel, 0)} ${line} ${x(end)},${y(lagPanel, 0)}`
  const steps = samples.flatMap(({ second, replicas }, index) => {
    const before = samples[index - 1]
    const corner = before === undefined || before.replicas === replicas ? [] : [`${x(second)},${y(replicaPanel, before.replicas)}`]
    return [...corner, `${x(second)},${y(replicaPanel, replicas)}`]
  })
  const ticks = Array.from({ length: Math.floor(end / TICK_SECONDS) + 1 }, (_, index) => index * TICK_SECONDS)

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title description">
<title id="title">Replicas follow the lag of the consumer</title>
<desc id="description">${caption} The lag rises to ${maxLag} messages, the Deployment goes to ${maxReplicas} replicas and back to ${samples.at(-1)?.replicas}.</desc>
<style>
svg { font: 12px system-ui, sans-serif; --ink: #1f2328; --soft: #59636e; --grid: #d1d9e0; --lag: #0969da; --replicas: #bc4c00 }
@media (prefers-color-scheme: dark) { svg { --ink: #f0f6fc; --soft: #9198a1; --grid: #3d444d; --lag: #4493f8; --replicas: #db6d28 } }
.label { fill: var(--ink); font-weight: 600 } .tick, .caption { fill: var(--soft) } .caption { font-size: 11px } .grid { stroke: var(--grid) }
.lag { fill: none; stroke: var(--lag); stroke-width: 2 } .area { fill: var(--lag); opacity: .15 }
.replicas { fill: none; stroke: var(--replicas); stroke-width: 2.5 }
</style>
${frame(lagPanel)}
<polygon class="area" points="${area}"/>
<polyline class="lag" points="${line}"/>
${frame(replicaPanel)}
<polyline class="replicas" points="${steps.join(' ')}"/>
${ticks.map(second => `<text class="tick" x="${x(second)}" y="${replicaPanel.top + PANEL + 18}" text-anchor="${second === end ? 'end' : 'middle'}">${second} s</text>`).join('\n')}
<text class="caption" x="${LEFT}" y="${HEIGHT - 6}">${caption}</text>
</svg>
`
}
