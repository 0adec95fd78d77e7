// The Prometheus queries of package/monitoring.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { root } from '../../fixtures/claim-files.ts'

export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly description: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] }
}

const read = (file: string) => readFileSync(`${root}package/monitoring/${file}`, 'utf8')

/** A rule that records a series instead of raising an alert. */
interface Recording {
  readonly alert?: undefined
  readonly record: string
  readonly expr: string
}

interface Rules<Kind = Alert> {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Kind[] }[]
}

/** The rules in the format of Prometheus, to which the operator converts the manifest. */
const rulesIn = <Kind = Alert>(file: string) => (parse(read(file)) as { spec: Rules<Kind> }).spec
export const rules = rulesIn('alerts.yaml')
export const claimRules = rulesIn('claim-alerts.yaml')
export const buildRules = rulesIn<Alert | Recording>('build-alerts.yaml')
export const alerts = rules.groups.flatMap(group => group.rules)
export const claimAlerts = claimRules.groups.flatMap(group => group.rules)
export const buildAlerts = buildRules.groups.flatMap(group => group.rules.flatMap(rule => (rule.alert === undefined ? [] : [rule])))
export const dashboard = JSON.parse(read('dashboard.json')) as Dashboard
export const claimsDashboard = JSON.parse(read('claims-dashboard.json')) as Dashboard
const queriesOf = ({ panels }: Dashboard) => panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))
export const panelQueries = queriesOf(dashboard)
export const claimPanelQueries = queriesOf(claimsDashboard)

const keywords = ['and', 'or', 'unless']

/** The series that a query reads: names, with the labels that it selects. */
export function selectorsIn(query: string): string[] {
  const bare = query.replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right) *\([^)]*\)/g, ' ').replaceAll(/\[[^\]]*\]/g, ' ')
  const names = bare.matchAll(/\b([a-z_][a-z0-9_]*)\b(\{[^}]*\})?(?! *\()/g)
  return [...names].filter(([, name = '']) => !keywords.includes(name)).map(([selector]) => selector)
}

export const metricsIn = (query: string) => selectorsIn(query).map(selector => selector.replace(/\{.*/, ''))
