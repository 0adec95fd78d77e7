// A service level objective as recording rules and alerts on burn rates:
// https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import type { Alert } from './alerts.ts'
import { failedShare, matchers, type Subject, type Traffic } from './series.ts'

const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '3d'] as const
type Window = (typeof WINDOWS)[number]

const recordOf = (window: Window) => `eds_claim:failed:ratio_rate${window}`

export const failedRecord = ({ namespace, name }: Subject, window: Window): string =>
  `${recordOf(window)}{${matchers({ namespace, claim: name })}}`

export const recordings = ({ namespace, name }: ResolvedClaim, traffic: Traffic): JsonObject[] =>
  WINDOWS.map(window => ({ record: recordOf(window), expr: failedShare(traffic, window), labels: { namespace, claim: name } }))

interface Burn {
  readonly name: string
  readonly severity: Alert['severity']
  readonly factor: number
  readonly long: Window
  readonly short: Window
  readonly for: string
  /** In how many days the budget of 30 days is used up. */
  readonly days: number
}

const burns: readonly Burn[] = [
  { name: 'EventDrivenServiceBudgetBurnsFast', severity: 'critical', factor: 14.4, long: '1h', short: '5m', for: '2m', days: 2 },
  { name: 'EventDrivenServiceBudgetBurns', severity: 'critical', factor: 6, long: '6h', short: '30m', for: '15m', days: 5 },
  { name: 'EventDrivenServiceBudgetBurnsSlowly', severity: 'warning', factor: 1, long: '3d', short: '6h', for: '1h', days: 30 },
]

export const burnAlerts = (claim: ResolvedClaim, { noun }: Traffic, objective: number): Alert[] =>
  burns.map(({ factor, long, short, days, ...alert }) => {
    const bound = Number(((factor * (100 - objective)) / 100).toPrecision(6))
    return {
      ...alert,
      expr: `${failedRecord(claim, long)} > ${bound}\nand ${failedRecord(claim, short)} > ${bound}`,
      summary: `too many ${noun} fail for its objective of ${objective} %`,
      description: `{{ $value | humanizePercentage }} of the ${noun} failed in ${long}. At this rate the budget of 30 days is gone in ${days} days.`,
      first: `eds why ${claim.namespace}/${claim.name}`,
    }
  })
