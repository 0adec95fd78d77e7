// https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { at, items, type JsonObject } from '../../kubernetes/json.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { type Alert, alertsOf, ruleOf } from './alerts.ts'
import { monitoringMetadata, monitoringReadiness, PROMETHEUS_OPERATOR } from './kinds.ts'
import { burnAlerts, recordings } from './objective.ts'
import { objectiveTraffic } from './series.ts'

const KIND = { apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule' } as const

export const prometheusRuleKind: KindInfo = {
  ...KIND,
  plural: 'prometheusrules',
  product: PROMETHEUS_OPERATOR,
  summarize: ({ spec }) => {
    const rules = items(at(spec, 'groups')).flatMap(group => items(at(group, 'rules')))
    const alerts = rules.filter(rule => at(rule, 'alert') !== undefined).length
    return [`${alerts} alerts`, alerts === rules.length ? undefined : `${rules.length - alerts} recording rules`]
  },
}

export const prometheusRule = (observability: Observability): ComposedResource => ({
  key: 'prometheus-rule',
  build: claim => {
    const groups = [alertGroup(claim, observability), objectiveGroup(claim, observability)].filter(group => group !== undefined)
    if (groups.length === 0) return undefined
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: monitoringMetadata(claim, claim.name, observability),
      spec: { groups },
    }
  },
  ready: monitoringReadiness,
})

const rulesOf = (claim: ResolvedClaim, alerts: readonly Alert[]): JsonObject[] => alerts.map(alert => ruleOf(alert, claim))

function alertGroup(claim: ResolvedClaim, observability: Observability): JsonObject | undefined {
  const rules = rulesOf(claim, alertsOf(claim, observability))
  return rules.length === 0 ? undefined : { name: claim.name, rules }
}

function objectiveGroup(claim: ResolvedClaim, observability: Observability): JsonObject | undefined {
  const traffic = objectiveTraffic(claim, observability)
  const { objective, alerts } = observability
  if (objective === undefined || traffic === undefined) return undefined
  const burning = alerts === undefined ? [] : burnAlerts(claim, traffic, objective)
  return { name: `${claim.name}-objective`, rules: [...recordings(claim, traffic), ...rulesOf(claim, burning)] }
}
