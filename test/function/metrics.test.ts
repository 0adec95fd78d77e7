import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { createMetrics } from '../../src/function/metrics.ts'

const { registry } = createMetrics()

test('starts every series of a counter at zero, so that Prometheus sees the first increase', async () => {
  const counters = (await registry.getMetricsAsJSON()).filter(({ type }) => String(type) === 'counter')
  const series = counters.map(({ name, values }) => [name, values.length])
  expect(series).toEqual([
    ['function_calls_total', 3],
    ['function_refused_peers_total', 9],
    ['function_certificate_reloads_total', 2],
  ])
})

test('has a label with the running version', async () => {
  const { version, node } = { version: manifest.version, node: process.versions.node }
  expect(await registry.metrics()).toContain(`function_build_info{version="${version}",node="${node}"} 1`)
})
