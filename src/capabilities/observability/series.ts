// The series of Prometheus that describe one claim, as PromQL.
import type { Observability, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { scaledObjectName } from '../workload/scaler.ts'

type Matchers = Readonly<Record<string, string>>

/** `a="b",c="d"`; a value that begins with `~` is a pattern, and one with `!` must differ. */
export const matchers = (labels: Matchers): string =>
  Object.entries(labels)
    .map(([name, value]) => (/^[~!]/.test(value) ? `${name}${value[0] === '~' ? '=~' : '!='}"${value.slice(1)}"` : `${name}="${value}"`))
    .join(',')

/** The claim in question, or a variable of a dashboard that stands for it. */
export interface Subject {
  readonly namespace: string
  readonly name: string
}

export const queueProxyMonitorName = ({ name }: Pick<Subject, 'name'>): string => `${name}-queue-proxy`

/** The job of a PodMonitor. */
const jobOf = ({ namespace, name }: Subject): string => `${namespace}/${name}`

export const ownSeries = (subject: Subject): Matchers => ({ namespace: subject.namespace, job: jobOf(subject) })

/** KEDA's monitor may have moved the namespace of the ScaledObject to another label. */
export const kedaSeries = (subject: Subject, label: string): Matchers => ({
  [label]: subject.namespace,
  scaledObject: scaledObjectName(subject),
})

/** The Deployments of a claim: those of a Knative Service belong to its revisions. */
export const deploymentSeries = ({ namespace, name }: Subject, isKnative: boolean): Matchers => ({
  namespace,
  deployment: isKnative ? `~${name}-[0-9]{5,}-deployment` : name,
})

/** Kubernetes cuts the names of pods there, before the five letters of each: https://github.com/kubernetes/apiserver, names.go. */
const LONGEST_POD_BASE = 58
const LONGEST_HASH = 10
/** Beyond, Knative puts a hash into the names of Deployments: kmeta.ChildName in knative.dev/pkg. */
const LONGEST_KNATIVE_NAME = 46

/** A pattern for the names of a claim's pods; undefined if nothing in them is sure to be the claim's. */
export function podPattern({ name }: Pick<Subject, 'name'>, isKnative: boolean): string | undefined {
  if (isKnative) return name.length > LONGEST_KNATIVE_NAME ? undefined : `${name}-[0-9]{5,}-d[-a-z0-9]+`
  const isCut = name.length + 1 + LONGEST_HASH + 1 > LONGEST_POD_BASE
  return isCut ? `${name}-[a-z0-9]{0,10}-?[a-z0-9]{5}` : `${name}-[a-z0-9]{1,10}-[a-z0-9]{5}`
}

/** Counters of requests, or of messages, and how long they take. */
export interface Traffic {
  readonly noun: 'requests' | 'messages'
  readonly all: string
  readonly failed: string
  /** The buckets of durations, with the number of them in a second. */
  readonly duration?: { readonly buckets: string; readonly perSecond: number }
}

const traffic = (noun: Traffic['noun'], count: string, every: Matchers, failed: Matchers, duration?: Traffic['duration']): Traffic => ({
  noun,
  all: `${count}{${matchers(every)}}`,
  failed: `${count}{${matchers({ ...every, ...failed })}}`,
  ...(duration && { duration }),
})

/** Requests as the proxy of Knative counts them. */
export function knativeTraffic({ namespace, name }: Subject): Traffic {
  const every = ownSeries({ namespace, name: queueProxyMonitorName({ name }) })
  return traffic(
    'requests',
    'kn_serving_invocation_duration_seconds_count',
    every,
    { http_response_status_code: '~5..' },
    {
      buckets: `kn_serving_invocation_duration_seconds_bucket{${matchers(every)}}`,
      perSecond: 1,
    },
  )
}

/** Requests that a pod of Knative works on or holds back. */
export const knativeQueueDepth = ({ namespace, name }: Subject): string =>
  `kn_serving_queue_depth{${matchers(ownSeries({ namespace, name: queueProxyMonitorName({ name }) }))}}`

/** Requests as the sidecars of the pods count them. */
export function meshTraffic(subject: Subject): Traffic {
  const every = { ...ownSeries(subject), reporter: 'destination' }
  return traffic(
    'requests',
    'istio_requests_total',
    every,
    { response_code: '~5..' },
    {
      buckets: `istio_request_duration_milliseconds_bucket{${matchers(every)}}`,
      perSecond: 1000,
    },
  )
}

/** Messages as the worker library counts them. */
export const messageTraffic = (subject: Subject): Traffic =>
  traffic('messages', 'worker_handled_total', ownSeries(subject), { result: '~failed|rejected|abandoned' })

/** Whoever counts the requests of the claim; undefined if nobody does. */
export function requestsOf(claim: ResolvedClaim, { metrics, platform }: Observability): Traffic | undefined {
  if (claim.mesh !== undefined) return metrics && meshTraffic(claim)
  return claim.runtime === 'Knative' && platform.knativeMetrics ? knativeTraffic(claim) : undefined
}

/** For a service level objective: the messages of a claim with a consumer, else its requests. */
export const objectiveTraffic = (claim: ResolvedClaim, observability: Observability): Traffic | undefined =>
  claim.runtime === 'Deployment' && claim.nats && observability.metrics ? messageTraffic(claim) : requestsOf(claim, observability)

/** The share of failures; 0 without any. */
export const failedShare = ({ all, failed }: Traffic, window: string): string =>
  `(sum(rate(${failed}[${window}])) or vector(0)) / sum(rate(${all}[${window}]))`

export const p95Seconds = ({ buckets, perSecond }: NonNullable<Traffic['duration']>, window: string): string =>
  `histogram_quantile(0.95, sum by (le) (rate(${buckets}[${window}])))${perSecond === 1 ? '' : ` / ${perSecond}`}`
