// Holds package/monitoring to what the function exports, to how it is deployed, and to docs/operations.md. That Prometheus
// and its tools take it is npm run test:monitoring.
import { existsSync, readFileSync } from 'node:fs'
import { collectDefaultMetrics } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { createMetrics } from '../../src/function/metrics.ts'
import { at } from '../../src/kubernetes/json.ts'
import { anchorsIn, rowsUnder } from '../docs/markdown.ts'
import { alerts, dashboard, metricsIn, panelQueries, selectorsIn } from '../e2e/monitoring/queries.ts'
import { root } from '../fixtures/claim-files.ts'

const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')
const operations = read('docs/operations.md')

const { registry } = createMetrics()
collectDefaultMetrics({ register: registry })
const exported = (await registry.getMetricsAsJSON()).flatMap(({ name, type }) =>
  String(type) === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
)
const unknown = (query: string) => metricsIn(query).filter(name => !exported.includes(name))

test('a query reads series, not functions, labels or words of the language', () => {
  expect(selectorsIn('sum by (le) (rate(a_b{c="d"}[5m])) / e > 0.5 and on (job, instance) max(f_g) or absent(h)')).toEqual([
    'a_b{c="d"}',
    'e',
    'f_g',
    'h',
  ])
})

describe.each(alerts)('$alert', ({ alert, expr, for: lasting, labels, annotations }) => {
  test('asks for metrics that the function exports', () => {
    expect(metricsIn(expr)).not.toEqual([])
    expect(unknown(expr)).toEqual([])
  })

  test('waits, weighs, says what is wrong, and leads to what to do', () => {
    expect(lasting).toMatch(/^\d+[mh]$/)
    expect(['critical', 'warning']).toContain(labels.severity)
    expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook_url', 'summary'])
    const [page, anchor = ''] = annotations.runbook_url?.split('#') ?? []
    expect(page).toBe('https://github.com/bizmatters/event-driven-service/blob/main/docs/operations.md')
    expect(anchor).toBe(alert.toLowerCase())
    expect([...anchorsIn(operations)]).toContain(anchor)
  })
})

describe('the dashboard', () => {
  test.each(panelQueries)('$title: asks for metrics that the function exports', ({ expr }) => {
    expect(metricsIn(expr)).not.toEqual([])
    expect(unknown(expr)).toEqual([])
  })

  test('asks the data source that its reader chose, and no other', () => {
    expect(dashboard.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource', query: 'prometheus' }])
    const asked = dashboard.panels.flatMap(({ datasource, targets }) => [datasource, ...targets.map(target => target.datasource)])
    expect(asked.filter(({ uid }) => uid !== `\${datasource}`)).toEqual([])
  })

  test('has a title and an explanation on every panel, each in a place of its own', () => {
    const places = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    )
    expect(new Set(places).size).toBe(places.length)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    expect(dashboard.panels.filter(({ title, description }) => !title || !description)).toEqual([])
  })
})

test('docs/operations.md lists the metrics of our own', () => {
  const own = registry.getMetricsAsArray().flatMap(({ name }) => (name.startsWith('function_') ? [name] : []))
  const listed = rowsUnder(operations, '## Watch it').map(([metric = '']) => /`([a-z_]+)/.exec(metric)?.[1])
  expect(listed.filter(name => name?.startsWith('function_')).sort()).toEqual(own.sort())
})

test('the PodMonitor finds the pods and the port that package/runtime gives them', () => {
  const [config] = parseAllDocuments(read('package/runtime/function.yaml')).map(document => document.toJS())
  const { spec } = parse(read('package/monitoring/pod-monitor.yaml'))
  const template = at(config, 'spec', 'deploymentTemplate', 'spec', 'template')
  expect(at(template, 'metadata', 'labels')).toMatchObject(spec.selector.matchLabels)
  const ports = JSON.stringify(at(template, 'spec', 'containers'))
  for (const { port } of spec.podMetricsEndpoints) expect(ports).toContain(`"name":"${port}"`)
})

test('the kustomization brings files that are there', () => {
  const { resources, configMapGenerator } = parse(read('package/monitoring/kustomization.yaml'))
  const files = [...resources, ...configMapGenerator.flatMap(({ files }: { files: string[] }) => files)]
  expect(files).toEqual([
    'pod-monitor.yaml',
    'alerts.yaml',
    'claim-alerts.yaml',
    'build-alerts.yaml',
    'dashboard.json',
    'claims-dashboard.json',
  ])
  expect(files.filter(file => !existsSync(`${root}package/monitoring/${file}`))).toEqual([])
})
