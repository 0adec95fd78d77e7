// Checks who watches claims: the Prometheus Operator, a Prometheus that selects their monitors, and the metrics that alerts need.
import { type Api, isAbsent, itemsOf, nameOf, namespaceOf } from '../../cli/doctor/api.ts'
import { type Check, unknown, well, wrong } from '../../cli/doctor/check.ts'
import { checkDefinitions } from '../../cli/doctor/definitions.ts'
import { findDeployments, healthOf } from '../../cli/doctor/deployment.ts'
import { type Diagnosis, noClaimNeedsIt, type Subject } from '../../cli/doctor/diagnosis.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { ObservabilityPlatform } from '../../platform/platform.ts'
import { shell } from '../../text/shell-quote.ts'

const INSTALL =
  'helm upgrade --install kube-prometheus-stack kube-prometheus-stack --repo https://prometheus-community.github.io/helm-charts --namespace monitoring --create-namespace'
const crds = ['podmonitors.monitoring.coreos.com', 'prometheusrules.monitoring.coreos.com']

export const observabilityDiagnosis: Diagnosis = {
  name: 'Prometheus Operator',
  isNeeded: ({ platform }) => platform.observability !== undefined,
  whyUnneeded: noClaimNeedsIt,
  check: checkMonitoring,
}

async function checkMonitoring(api: Api, { claims, platform }: Subject): Promise<Check[]> {
  const { observability } = platform
  const kinds = await checkDefinitions(api, 'Prometheus Operator', crds, INSTALL)
  // Without its CRDs the operator is not installed, so the other checks would only repeat that.
  if (kinds.state === 'wrong' || observability === undefined) return [kinds]
  const isKnative = claims.some(({ runtime }) => runtime === 'Knative')
  const others = await Promise.all([
    checkOperator(api),
    checkPrometheus(api, observability),
    checkKeda(api, observability),
    ...(isKnative && observability.knativeMetrics ? [checkKnative(api)] : []),
  ])
  return [kinds, ...others]
}

async function checkOperator(api: Api): Promise<Check> {
  const row = 'prometheus-operator'
  // The label of the bundle, then that of kube-prometheus-stack.
  const answers = await Promise.all(
    ['app.kubernetes.io/name=prometheus-operator', 'app.kubernetes.io/name=kube-prometheus-stack-prometheus-operator'].map(label =>
      findDeployments(api, label),
    ),
  )
  const unread = answers.find(answer => !answer.ok)
  if (unread !== undefined && !unread.ok) return unknown(row, `its Deployment can't be listed: ${unread.reason}`)
  const [deployment] = answers.flatMap(itemsOf)
  if (deployment === undefined) return unknown(row, 'no Deployment in any namespace has its label app.kubernetes.io/name')
  const { isWell, message, inspect } = await healthOf(api, deployment)
  return isWell ? well(row, message) : wrong(row, message, inspect)
}

const LIST = 'kubectl get prometheuses.monitoring.coreos.com -A -o yaml'

/** A selector of labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  if (!isObject(selector)) return false
  const wanted = isObject(selector.matchLabels) ? Object.entries(selector.matchLabels) : []
  // Expressions are rare, and those of negation hold for labels that a claim does not have.
  return wanted.every(([name, value]) => labels[name] === value)
}

async function checkPrometheus(api: Api, { labels }: ObservabilityPlatform): Promise<Check> {
  const row = 'Prometheus'
  const answer = await api.get('/apis/monitoring.coreos.com/v1/prometheuses')
  if (!answer.ok) return unknown(row, `the Prometheus objects can't be listed: ${answer.reason}`)
  const all = itemsOf(answer)
  if (all.length === 0) return wrong(row, 'there is no Prometheus object, so nobody reads the metrics of claims', INSTALL)
  const fields = ['podMonitorSelector', 'ruleSelector']
  const found = all.find(one => fields.every(field => selects(at(one, 'spec', field), labels)))
  const shown = Object.entries(labels).map(label => label.join('='))
  const own = shown.length === 0 ? 'without labels of their own' : `with the labels ${shown.join(', ')}`
  if (found === undefined)
    return wrong(row, `no Prometheus selects the monitors and rules of claims ${own} (observability.labels in the function's input)`, LIST)
  return well(row, `Prometheus ${namespaceOf(found)}/${nameOf(found)} selects the monitors and rules of claims`)
}

/** Whether KEDA's metrics keep the namespace of the ScaledObject, as the alerts on the lag expect. */
async function checkKeda(api: Api, { kedaNamespaceLabel }: ObservabilityPlatform): Promise<Check> {
  const row = 'Monitor of KEDA'
  const answers = await Promise.all(
    ['servicemonitors', 'podmonitors'].map(kind => api.get(`/apis/monitoring.coreos.com/v1/namespaces/keda/${kind}`)),
  )
  const unread = answers.find(answer => !answer.ok)
  if (unread !== undefined && !unread.ok) return unknown(row, `the monitors of namespace keda can't be listed: ${unread.reason}`)
  const monitor = answers
    .flatMap(itemsOf)
    .find(one => nameOf(one).includes('operator') || JSON.stringify(one.spec).includes('keda-operator'))
  if (monitor === undefined)
    return wrong(
      row,
      'no monitor in namespace keda reads the metrics of keda-operator, so no alert sees the lag',
      'helm upgrade keda keda --repo https://kedacore.github.io/charts --namespace keda --reuse-values --set prometheus.operator.enabled=true --set prometheus.operator.serviceMonitor.enabled=true',
    )
  const label = isHonored(monitor) ? 'namespace' : 'exported_namespace'
  const described = `${textOf(monitor.kind ?? 'monitor')} keda/${nameOf(monitor)}`
  if (label === kedaNamespaceLabel) return well(row, `${described} puts the namespace of a ScaledObject into the label ${label}`)
  return wrong(
    row,
    `${described} puts the namespace of a ScaledObject into the label ${label}, but the alerts expect ${kedaNamespaceLabel}: set observability.kedaNamespaceLabel in the function's input, or honorLabels in the monitor`,
    shell`kubectl -n keda get servicemonitors,podmonitors ${nameOf(monitor)} -o yaml`,
  )
}

const isHonored = ({ spec }: JsonObject): boolean =>
  [...items(at(spec, 'endpoints')), ...items(at(spec, 'podMetricsEndpoints'))].some(endpoint => at(endpoint, 'honorLabels') === true)

const CONFIG = 'config-observability'

/** https://knative.dev/docs/serving/observability/metrics/collecting-metrics/ */
async function checkKnative(api: Api): Promise<Check> {
  const row = 'Metrics of Knative'
  const answer = await api.get(`/api/v1/namespaces/knative-serving/configmaps/${CONFIG}`)
  const protocol = answer.ok && isObject(answer.body) ? textOf(at(answer.body, 'data', 'request-metrics-protocol') ?? 'none') : 'none'
  if (!answer.ok && !isAbsent(answer)) return unknown(row, `ConfigMap ${CONFIG} can't be read: ${answer.reason}`)
  if (protocol === 'prometheus') return well(row, `Knative exports the metrics of requests (${CONFIG})`)
  return wrong(
    row,
    `request-metrics-protocol is ${protocol} in ${CONFIG}, so Knative counts no requests`,
    `kubectl -n knative-serving patch configmap ${CONFIG} --type=merge -p '{"data":{"request-metrics-protocol":"prometheus"}}'`,
  )
}
