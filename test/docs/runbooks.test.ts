// Every alert on a claim has its runbook, and every runbook its alert.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildAlerts, claimAlerts } from '../e2e/monitoring/queries.ts'
import { root } from '../fixtures/claim-files.ts'
import { alertingClaims, ruleGroups } from '../fixtures/observability.ts'
import { anchorsIn, rowsUnder } from './markdown.ts'

const read = (file: string) => readFileSync(`${root}${file}`, 'utf8')
const runbooks = read('docs/runbooks.md')
const headings = [...runbooks.matchAll(/^## (\S+)$/gm)].map(([, heading = '']) => heading)

const rules = alertingClaims().flatMap(claim =>
  ruleGroups(claim).flatMap(({ rules }) => rules.map(rule => ({ claim: claim.name, ...rule }))),
)
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]))
/** Those in package/monitoring, for every claim. */
const common = claimAlerts.map(({ alert }) => alert)
const ofBuilds = buildAlerts.map(({ alert }) => alert)
const names = [...new Set(alerts.map(({ alert }) => alert))]

test.each(alerts)(
  '$claim: $alert names its claim, says what to do first, and leads to its runbook',
  ({ claim, alert, labels, annotations }) => {
    expect(labels).toEqual({ namespace: 'shop', claim, severity: expect.stringMatching(/^(critical|warning)$/) })
    expect(Object.keys(annotations ?? {}).sort()).toEqual(['description', 'runbook_url', 'summary'])
    expect(annotations?.summary).toMatch(new RegExp(`^shop/${claim}: `))
    expect(annotations?.description).toMatch(/^(?!.*First:.*First:).*\. First: \S/)
    const [page, anchor = ''] = annotations?.runbook_url?.split('#') ?? []
    expect(page).toBe('https://github.com/bizmatters/event-driven-service/blob/main/docs/runbooks.md')
    expect([...anchorsIn(runbooks)]).toContain(anchor)
    expect(anchor).toBe(alert.toLowerCase())
  },
)

test('every alert has one runbook', () => expect(headings.toSorted()).toEqual([...names, ...common, ...ofBuilds].toSorted()))

test('docs/observability.md lists every alert with its severity', () => {
  const [, , ...rows] = rowsUnder(read('docs/observability.md'), '## Alerts')
  const severities = new Map(alerts.map(({ alert, labels }) => [`\`${alert}\``, labels.severity]))
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(severities))
})

test.each([...claimAlerts, ...buildAlerts])(
  '$alert says what to do first, and leads to its runbook',
  ({ alert, annotations, labels, for: lasting }) => {
    expect(labels.severity).toMatch(/^(critical|warning)$/)
    expect(lasting).toMatch(/^\d+m$/)
    expect(annotations.description).toMatch(/ First: \S/)
    expect(annotations.runbook_url).toBe(
      `https://github.com/bizmatters/event-driven-service/blob/main/docs/runbooks.md#${alert.toLowerCase()}`,
    )
  },
)

test('docs/observability.md lists the alerts of package/monitoring', () => {
  const [, , ...rows] = rowsUnder(read('docs/observability.md'), '### All claims at once')
  expect(rows.map(([alert]) => alert)).toEqual(common.map(alert => `\`${alert}\``))
})

test('docs/build.md lists the alerts on builds', () => {
  const [, , ...rows] = rowsUnder(read('docs/build.md'), '## Alerts')
  expect(rows.map(([alert]) => alert)).toEqual(ofBuilds.map(alert => `\`${alert}\``))
})
