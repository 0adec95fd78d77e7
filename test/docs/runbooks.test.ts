// Every alert on a claim has its runbook, and every runbook its alert.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
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

test('every alert has one runbook', () => expect(headings.toSorted()).toEqual(names.toSorted()))

test('docs/observability.md lists every alert with its severity', () => {
  const [, , ...rows] = rowsUnder(read('docs/observability.md'), '## Alerts')
  const severities = new Map(alerts.map(({ alert, labels }) => [`\`${alert}\``, labels.severity]))
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(severities))
})
