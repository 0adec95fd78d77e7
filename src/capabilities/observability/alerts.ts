// The alerts about one claim. Their thresholds are the claim's own numbers, and docs/runbooks.md has a section for each.
import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import type { JsonObject } from '../../kubernetes/json.ts'
import { parseQuantity } from '../../kubernetes/quantity.ts'
import { NAME_LABEL } from '../workload/labels.ts'
import { scaledObjectName } from '../workload/scaler.ts'
import {
  deploymentSeries,
  failedShare,
  kedaSeries,
  knativeQueueDepth,
  matchers,
  ownSeries,
  p95Seconds,
  podPattern,
  requestsOf,
} from './series.ts'

export interface Alert {
  readonly name: string
  readonly severity: 'critical' | 'warning'
  readonly expr: string
  readonly for: string
  /** The claim, and what is wrong with it. */
  readonly summary: string
  readonly description: string
  /** The first thing to do. */
  readonly first: string
}

const RUNBOOKS = 'https://github.com/bizmatters/event-driven-service/blob/main/docs/runbooks.md'

export const ruleOf = (
  { name, severity, expr, for: lasting, summary, description, first }: Alert,
  { namespace, name: claim }: ResolvedClaim,
): JsonObject => ({
  alert: name,
  expr,
  for: lasting,
  labels: { namespace, claim, severity },
  annotations: {
    summary: `${namespace}/${claim}: ${summary}`,
    description: `${description} First: ${first}`,
    runbook_url: `${RUNBOOKS}#${name.toLowerCase()}`,
  },
})

/** A duration of Prometheus. */
export function span(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`
}

const logsOf = ({ namespace, name, runtime }: ResolvedClaim, lines: number) =>
  `kubectl -n ${namespace} logs -l ${runtime === 'Knative' ? 'serving.knative.dev/service' : NAME_LABEL}=${name} -c main --tail=${lines}`

export function alertsOf(claim: ResolvedClaim, observability: Observability): Alert[] {
  if (observability.alerts === undefined) return []
  return [
    ...lagAlerts(claim, observability, observability.alerts.lagSeconds),
    ...podAlerts(claim),
    ...messageAlerts(claim, observability),
    ...requestAlerts(claim, observability),
  ]
}

function lagAlerts(claim: ResolvedClaim, { platform }: Observability, lagSeconds: number): Alert[] {
  const { runtime, nats, scaling, namespace } = claim
  if (runtime !== 'Deployment' || nats === undefined) return []
  const keda = matchers(kedaSeries(claim, platform.kedaNamespaceLabel))
  const errors: Alert = {
    name: 'EventDrivenServiceScalerErrors',
    severity: 'warning',
    expr: `sum(increase(keda_scaler_detail_errors_total{${keda}}[5m])) > 0`,
    for: '10m',
    summary: 'KEDA cannot read the lag, so nothing scales',
    description: 'KEDA failed {{ $value | humanize }} times in 5 minutes.',
    first: `kubectl -n ${namespace} describe scaledobject ${scaledObjectName(claim)}`,
  }
  // While KEDA is paused, it reports the last value that it saw.
  if (scaling.paused) return [errors]
  const values = `keda_scaler_metrics_value{${keda}}`
  const lag = `max(${values})`
  const deployment = matchers(deploymentSeries(claim, false))
  const unlessPaused = `unless max(keda_scaled_object_paused{${keda}}) > 0`
  const capacity = scaling.maxReplicas * scaling.lagThreshold
  const numbers = `${capacity}, which is scaling.maxReplicas (${scaling.maxReplicas}) times the threshold (${scaling.lagThreshold})`
  const window = span(lagSeconds)
  return [
    {
      name: 'EventDrivenServiceLagStalls',
      severity: 'critical',
      expr: [
        `${lag} > ${scaling.activationLagThreshold}`,
        `and max(resets(${values}[${window}])) == 0`,
        `and sum(kube_deployment_status_replicas_ready{${deployment}}) > 0`,
        unlessPaused,
      ].join('\n'),
      for: window,
      summary: 'messages wait, and none is acknowledged',
      description: `The lag is {{ $value | humanize }}, pods are ready, and the lag has not fallen once in ${window}.`,
      first: logsOf(claim, 50),
    },
    {
      name: 'EventDrivenServiceLagGrows',
      severity: 'critical',
      expr: `${lag} > ${capacity}\nand max(deriv(${values}[${window}])) > 0\n${unlessPaused}`,
      for: window,
      summary: 'more messages arrive than it handles',
      description: `The lag is {{ $value | humanize }} and grows. It is above ${numbers}.`,
      first: `kubectl -n ${namespace} get hpa ${scaledObjectName(claim)}`,
    },
    {
      name: 'EventDrivenServiceSaturated',
      severity: 'warning',
      expr: `${lag} > ${capacity}\nand sum(kube_deployment_spec_replicas{${deployment}}) >= ${scaling.maxReplicas}\n${unlessPaused}`,
      for: '15m',
      summary: 'it runs at its maximum, and more replicas are needed',
      description: `The lag is {{ $value | humanize }} with all ${scaling.maxReplicas} replicas. It is above ${numbers}.`,
      first: 'raise scaling.maxReplicas in the claim, if what the service calls can take it.',
    },
    errors,
  ]
}

const MOST_MEMORY = 0.9
const MOST_THROTTLED = 0.25

function podAlerts(claim: ResolvedClaim): Alert[] {
  const { namespace, name, runtime, resources } = claim
  const isKnative = runtime === 'Knative'
  const pattern = podPattern(claim, isKnative)
  if (pattern === undefined) return []
  const why = `eds why ${namespace}/${name}`
  const deployment = matchers(deploymentSeries(claim, isKnative))
  const pods = { namespace, pod: `~${pattern}` }
  const main = matchers({ ...pods, container: 'main' })
  const memory = parseQuantity(resources.limits.memory) ?? Number.POSITIVE_INFINITY
  return [
    {
      name: 'EventDrivenServiceNotReady',
      severity: 'critical',
      expr: `sum(kube_deployment_spec_replicas{${deployment}}) > 0\nunless sum(kube_deployment_status_replicas_ready{${deployment}}) > 0`,
      for: '10m',
      summary: 'no pod is ready',
      description: '{{ $value }} replicas should run, and none is ready.',
      first: why,
    },
    {
      name: 'EventDrivenServiceCrashLoop',
      severity: 'warning',
      expr: `count(max_over_time(kube_pod_container_status_waiting_reason{${matchers({ ...pods, reason: 'CrashLoopBackOff' })}}[5m]) > 0) > 0`,
      for: '5m',
      summary: 'containers crash again and again',
      description: 'In {{ $value }} pods a container ends soon after each start.',
      first: why,
    },
    {
      name: 'EventDrivenServiceMemoryNearLimit',
      severity: 'warning',
      expr: `max by (pod) (container_memory_working_set_bytes{${main}}) / ${memory} > ${MOST_MEMORY}`,
      for: '15m',
      summary: 'a container is about to run out of memory',
      description: `{{ $labels.pod }} holds {{ $value | humanizePercentage }} of its limit, ${resources.limits.memory}. At the limit it is killed.`,
      first: `kubectl -n ${namespace} top pods, then choose a larger size for the claim.`,
    },
    ...(resources.limits.cpu === undefined
      ? []
      : [
          {
            name: 'EventDrivenServiceThrottled',
            severity: 'warning',
            expr: `sum by (pod) (increase(container_cpu_cfs_throttled_periods_total{${main}}[5m]))\n/ sum by (pod) (increase(container_cpu_cfs_periods_total{${main}}[5m])) > ${MOST_THROTTLED}`,
            for: '15m',
            summary: 'a container waits for CPU time that its limit withholds',
            description: `{{ $labels.pod }} is stopped in {{ $value | humanizePercentage }} of its periods by its limit, ${resources.limits.cpu}.`,
            first: 'choose a larger size for the claim, or fewer messages at once (processing.concurrency).',
          } as const,
        ]),
  ]
}

/** The worker library counts them. */
function messageAlerts(claim: ResolvedClaim, { metrics }: Observability): Alert[] {
  const { nats, runtime } = claim
  if (runtime !== 'Deployment' || nats === undefined || metrics === undefined) return []
  return [
    {
      name: 'EventDrivenServiceDeadLetters',
      severity: 'warning',
      expr: `sum(increase(worker_dead_lettered_total{${matchers(ownSeries(claim))}}[15m])) > 0`,
      for: '1m',
      summary: 'messages became dead letters',
      description: '{{ $value | humanize }} messages in 15 minutes could not be handled and were set aside.',
      first: `${logsOf(claim, 200)} | grep -i dead`,
    },
  ]
}

const MOST_FAILED = 0.05
/** So that one failed request at night wakes nobody. */
const FEW_FAILURES = 3
/** The histogram of Knative ends at 10 s, so nobody can see more. */
const SLOWEST_KNATIVE_SECONDS = 7.5

function requestAlerts(claim: ResolvedClaim, observability: Observability): Alert[] {
  const requests = requestsOf(claim, observability)
  if (requests?.duration === undefined) return []
  const { knative, mesh } = claim
  const isKnative = claim.runtime === 'Knative'
  const timeout = isKnative ? knative.timeoutSeconds : (mesh?.timeout ?? 0)
  const slow = mesh === undefined ? Math.min(timeout / 2, SLOWEST_KNATIVE_SECONDS) : timeout / 2
  const logs = logsOf(claim, 50)
  return [
    {
      name: 'EventDrivenServiceErrors',
      severity: 'critical',
      expr: `${failedShare(requests, '5m')} > ${MOST_FAILED}\nand sum(increase(${requests.failed}[5m])) > ${FEW_FAILURES}`,
      for: '5m',
      summary: 'requests fail',
      description: '{{ $value | humanizePercentage }} of the requests end with a status of 500 or more.',
      first: logs,
    },
    {
      name: 'EventDrivenServiceSlow',
      severity: 'warning',
      expr: `${p95Seconds(requests.duration, '5m')} > ${slow}`,
      for: '15m',
      summary: 'requests are slow',
      description: `One request in twenty takes longer than {{ $value | humanizeDuration }}, and ${timeout} s is the timeout.`,
      first: logs,
    },
    ...(mesh === undefined ? queueAlerts(claim, requests.all) : []),
  ]
}

function queueAlerts(claim: ResolvedClaim, all: string): Alert[] {
  const { namespace, name } = claim
  const { containerConcurrency } = claim.knative
  if (containerConcurrency === 0) return []
  return [
    {
      name: 'EventDrivenServiceQueueDepth',
      severity: 'warning',
      // Knative writes the depth only when a request comes.
      expr: `avg(${knativeQueueDepth(claim)}) > ${containerConcurrency}\nand sum(rate(${all}[5m])) > 0`,
      for: '5m',
      summary: 'requests wait for a free container',
      description: `A pod has {{ $value | humanize }} requests on average, and works on ${containerConcurrency} at once (knative.containerConcurrency).`,
      first: `kubectl -n ${namespace} get podautoscaler -l serving.knative.dev/service=${name}`,
    },
  ]
}
