import { expect, test } from 'vitest'
import { observabilityDiagnosis } from '../../../src/capabilities/observability/doctor.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { builtInPlatform, type ObservabilityPlatform } from '../../../src/platform/platform.ts'
import { type Answers, clusterOf } from '../../fixtures/doctor-api.ts'
import { observedClaim, withObservability } from '../../fixtures/observability.ts'

const OPERATOR = '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dprometheus-operator'
const STACK = '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dkube-prometheus-stack-prometheus-operator'
const PROMETHEUSES = '/apis/monitoring.coreos.com/v1/prometheuses'
const SERVICE_MONITORS = '/apis/monitoring.coreos.com/v1/namespaces/keda/servicemonitors'
const POD_MONITORS = '/apis/monitoring.coreos.com/v1/namespaces/keda/podmonitors'
const KNATIVE = '/api/v1/namespaces/knative-serving/configmaps/config-observability'

const operator: JsonObject = {
  metadata: { name: 'prometheus-operator', namespace: 'monitoring' },
  spec: { replicas: 1, selector: { matchLabels: { app: 'operator' } } },
  status: { replicas: 1, readyReplicas: 1, conditions: [{ type: 'Available', status: 'True' }] },
}
const prometheus = (...selectors: JsonObject[]): JsonObject => {
  const [podMonitorSelector = {}, ruleSelector = podMonitorSelector] = selectors
  return { items: [{ metadata: { name: 'main', namespace: 'monitoring' }, spec: { podMonitorSelector, ruleSelector } }] }
}
const keda = (honorLabels?: boolean): JsonObject => ({
  items: [
    {
      kind: 'ServiceMonitor',
      metadata: { name: 'keda-operator' },
      spec: { endpoints: [{ port: 'metrics', ...(honorLabels !== undefined && { honorLabels }) }] },
    },
  ],
})
const release = { matchLabels: { release: 'prometheus' } }

const healthy: Answers = {
  [OPERATOR]: { items: [operator] },
  [STACK]: { items: [] },
  [PROMETHEUSES]: prometheus({}),
  [SERVICE_MONITORS]: keda(true),
  [POD_MONITORS]: { items: [] },
  [KNATIVE]: { data: { 'request-metrics-protocol': 'prometheus' } },
}

async function diagnosed(answers: Answers = {}, own: Partial<ObservabilityPlatform> = {}) {
  const platform = withObservability(own)
  const claims = [observedClaim({ runtime: 'Knative', nats: undefined } as unknown as JsonObject, platform)]
  const checks = await observabilityDiagnosis.check(clusterOf({ ...healthy, ...answers }), { claims, platform })
  return checks.map(({ name, state, message }) => `${name}: ${state}: ${message}`)
}

test('a cluster that has everything', async () => {
  expect(await diagnosed()).toEqual([
    'Prometheus Operator: well: installed CRDs: podmonitors.monitoring.coreos.com, prometheusrules.monitoring.coreos.com',
    'prometheus-operator: well: Deployment monitoring/prometheus-operator has 1 of 1 replicas ready',
    'Prometheus: well: Prometheus monitoring/main selects the monitors and rules of claims',
    'Monitor of KEDA: well: ServiceMonitor keda/keda-operator puts the namespace of a ScaledObject into the label namespace',
    'Metrics of Knative: well: Knative exports the metrics of requests (config-observability)',
  ])
})

test('a platform that watches nobody needs no operator', () => {
  expect(observabilityDiagnosis.isNeeded({ claims: [], platform: builtInPlatform })).toBe(false)
  expect(observabilityDiagnosis.isNeeded({ claims: [], platform: withObservability() })).toBe(true)
})

test.each<{ says: string; answers?: Answers; own?: Partial<ObservabilityPlatform>; finds: string }>([
  {
    says: 'no operator',
    answers: { '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/podmonitors.monitoring.coreos.com': undefined },
    finds: 'Prometheus Operator: wrong: missing CRDs: podmonitors.monitoring.coreos.com',
  },
  {
    says: 'an operator that is not ready',
    answers: { [OPERATOR]: { items: [{ ...operator, status: {} }] } },
    finds: 'prometheus-operator: wrong: Deployment monitoring/prometheus-operator has 0 of 1 replicas ready',
  },
  {
    says: 'no Prometheus',
    answers: { [PROMETHEUSES]: { items: [] } },
    finds: 'Prometheus: wrong: there is no Prometheus object, so nobody reads the metrics of claims',
  },
  {
    says: 'a Prometheus that selects other labels',
    answers: { [PROMETHEUSES]: prometheus(release) },
    finds:
      "Prometheus: wrong: no Prometheus selects the monitors and rules of claims without labels of their own (observability.labels in the function's input)",
  },
  {
    says: 'a Prometheus that selects the monitors only',
    answers: { [PROMETHEUSES]: prometheus({}, release) },
    finds:
      "Prometheus: wrong: no Prometheus selects the monitors and rules of claims without labels of their own (observability.labels in the function's input)",
  },
  {
    says: 'a Prometheus that selects by the labels of the platform',
    answers: { [PROMETHEUSES]: prometheus(release) },
    own: { labels: { release: 'prometheus' } },
    finds: 'Prometheus: well: Prometheus monitoring/main selects the monitors and rules of claims',
  },
  {
    says: 'no monitor of KEDA',
    answers: { [SERVICE_MONITORS]: { items: [] } },
    finds: 'Monitor of KEDA: wrong: no monitor in namespace keda reads the metrics of keda-operator, so no alert sees the lag',
  },
  {
    says: 'a monitor of KEDA without honorLabels',
    answers: { [SERVICE_MONITORS]: keda() },
    finds:
      "Monitor of KEDA: wrong: ServiceMonitor keda/keda-operator puts the namespace of a ScaledObject into the label exported_namespace, but the alerts expect namespace: set observability.kedaNamespaceLabel in the function's input, or honorLabels in the monitor",
  },
  {
    says: 'the same, as the platform says',
    answers: { [SERVICE_MONITORS]: keda() },
    own: { kedaNamespaceLabel: 'exported_namespace' },
    finds:
      'Monitor of KEDA: well: ServiceMonitor keda/keda-operator puts the namespace of a ScaledObject into the label exported_namespace',
  },
  {
    says: 'Knative that exports nothing',
    answers: { [KNATIVE]: {} },
    finds: 'Metrics of Knative: wrong: request-metrics-protocol is none in config-observability, so Knative counts no requests',
  },
])('finds $says', async ({ answers = {}, own = {}, finds }) => expect(await diagnosed(answers, own)).toContain(finds))
