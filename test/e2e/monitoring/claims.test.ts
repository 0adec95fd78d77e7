// npm run test:monitoring: promtool runs the rules of claims over simulated hours. Each alert is silent, fires and resolves.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { alertingClaims, type Rule, ruleGroups } from '../../fixtures/observability.ts'
import { claimRules } from './queries.ts'

const folder = mkdtempSync(join(tmpdir(), 'claim-alerts-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The value of a series in the minutes of the simulation: as a gauge, or as the growth of a counter in each minute. */
interface Series {
  readonly name: string
  readonly fine: number
  readonly bad: number
  readonly grows?: true
}

interface Case {
  readonly alert: string
  readonly claim: string
  readonly series: readonly Series[]
  /** How long the trouble lasts, and how long it takes to be forgotten. */
  readonly badMinutes?: number
  readonly afterMinutes?: number
  /** Labels of the alert besides those of every alert. */
  readonly more?: string
}

const FINE_MINUTES = 60
const keda = '{namespace="shop",scaledObject="orders-scaler"}'
const gauge = (name: string, fine: number, bad: number): Series => ({ name, fine, bad })
const counter = (name: string, fine: number, bad: number): Series => ({ name, fine, bad, grows: true })
const lag = `keda_scaler_metrics_value${keda}`
const deployment = (metric: string) => `kube_deployment_${metric}{namespace="shop",deployment="orders"}`
const own = (metric: string, labels = '', job = 'shop/orders') => `${metric}{namespace="shop",job="${job}"${labels}}`
const ready = gauge(deployment('status_replicas_ready'), 2, 2)
const pod = '{namespace="shop",pod="orders-7c9f-x2k4p",container="main"}'
const handled = [
  counter(own('worker_handled_total', ',type="a",result="handled"'), 60, 60),
  counter(own('worker_handled_total', ',type="a",result="failed"'), 0, 6),
]
const proxy = 'shop/thumbnails-queue-proxy'
const requests = (status: string) => own('kn_serving_invocation_duration_seconds_count', `,http_response_status_code="${status}"`, proxy)
const bucket = (le: string) => own('kn_serving_invocation_duration_seconds_bucket', `,le="${le}"`, proxy)
const istio = (status: string) => own('istio_requests_total', `,reporter="destination",response_code="${status}"`, 'shop/catalog')
const istioBucket = (le: string) => own('istio_request_duration_milliseconds_bucket', `,reporter="destination",le="${le}"`, 'shop/catalog')

const cases: readonly Case[] = [
  { alert: 'LagStalls', claim: 'orders', series: [gauge(lag, 0, 7), ready], badMinutes: 20 },
  {
    alert: 'LagGrows',
    claim: 'orders',
    series: [{ name: lag, fine: 0, bad: 20, grows: true }, ready],
    badMinutes: 30,
    afterMinutes: 30,
  },
  { alert: 'Saturated', claim: 'orders', series: [gauge(lag, 10, 80), gauge(deployment('spec_replicas'), 2, 10)], badMinutes: 30 },
  { alert: 'ScalerErrors', claim: 'orders', series: [counter(`keda_scaler_detail_errors_total${keda}`, 0, 2)], badMinutes: 30 },
  {
    alert: 'NotReady',
    claim: 'orders',
    series: [gauge(deployment('spec_replicas'), 2, 2), gauge(deployment('status_replicas_ready'), 2, 0)],
    badMinutes: 30,
  },
  {
    alert: 'NotReady',
    claim: 'thumbnails',
    series: [
      gauge('kube_deployment_spec_replicas{namespace="shop",deployment="thumbnails-00002-deployment"}', 0, 1),
      gauge('kube_deployment_status_replicas_ready{namespace="shop",deployment="thumbnails-00002-deployment"}', 0, 0),
    ],
    badMinutes: 30,
  },
  {
    alert: 'CrashLoop',
    claim: 'orders',
    series: [
      gauge(
        'kube_pod_container_status_waiting_reason{namespace="shop",pod="orders-7c9f-x2k4p",container="main",reason="CrashLoopBackOff"}',
        0,
        1,
      ),
      gauge('kube_pod_container_status_waiting_reason{namespace="shop",pod="orders-api-7c9f-x2k4p",reason="CrashLoopBackOff"}', 1, 1),
    ],
    badMinutes: 20,
  },
  {
    alert: 'MemoryNearLimit',
    claim: 'orders',
    series: [gauge(`container_memory_working_set_bytes${pod}`, 2 ** 30, 3.8 * 2 ** 30)],
    badMinutes: 30,
    more: ',pod="orders-7c9f-x2k4p"',
  },
  {
    alert: 'Throttled',
    claim: 'orders',
    series: [
      counter(`container_cpu_cfs_throttled_periods_total${pod}`, 10, 300),
      counter(`container_cpu_cfs_periods_total${pod}`, 600, 600),
    ],
    badMinutes: 30,
    more: ',pod="orders-7c9f-x2k4p"',
  },
  { alert: 'DeadLetters', claim: 'orders', series: [counter(own('worker_dead_lettered_total'), 0, 1)], badMinutes: 20, afterMinutes: 30 },
  { alert: 'Errors', claim: 'thumbnails', series: [counter(requests('200'), 60, 60), counter(requests('503'), 0, 6)], badMinutes: 30 },
  { alert: 'Errors', claim: 'catalog', series: [counter(istio('200'), 60, 60), counter(istio('500'), 0, 6)], badMinutes: 30 },
  {
    alert: 'Slow',
    claim: 'thumbnails',
    series: [counter(bucket('1'), 60, 0), counter(bucket('10'), 60, 60), counter(bucket('+Inf'), 60, 60)],
    badMinutes: 40,
  },
  {
    alert: 'Slow',
    claim: 'catalog',
    series: [counter(istioBucket('1000'), 60, 0), counter(istioBucket('30000'), 60, 60), counter(istioBucket('+Inf'), 60, 60)],
    badMinutes: 40,
  },
  {
    alert: 'QueueDepth',
    claim: 'thumbnails',
    series: [gauge(own('kn_serving_queue_depth', '', proxy), 3, 150), counter(requests('200'), 60, 60)],
    badMinutes: 20,
  },
  { alert: 'BudgetBurnsFast', claim: 'orders', series: handled, badMinutes: 90 },
  { alert: 'BudgetBurns', claim: 'orders', series: handled, badMinutes: 300, afterMinutes: 60 },
  { alert: 'BudgetBurnsSlowly', claim: 'orders', series: handled, badMinutes: 300, afterMinutes: 400 },
  {
    alert: 'BudgetBurnsFast',
    claim: 'thumbnails',
    series: [counter(requests('200'), 60, 60), counter(requests('500'), 0, 10)],
    badMinutes: 90,
  },
]

const condition = (type: string, status: string, reason: string) =>
  `eds_claim_condition{namespace="shop",name="orders",type="${type}",status="${status}",reason="${reason}"}`
const consumer = 'jetstream_consumer_num_redelivered{namespace="nats",stream_name="ORDERS",consumer_name="orders"}'
const ofRevision = (metric: string) => `${metric}{namespace="knative-serving",k8s_namespace_name="shop",kn_revision_name="orders-00003"}`

/** The alerts of package/monitoring. */
const commonCases: readonly Case[] = [
  {
    alert: 'ClaimNotReady',
    claim: 'orders',
    // Before, the claim is ready, and the series with the other status does not exist.
    series: [gauge(condition('Ready', 'False', 'Unavailable'), Number.NaN, 1)],
    badMinutes: 30,
    more: ',name="orders",reason="Unavailable"',
  },
  {
    alert: 'ClaimNotSynced',
    claim: 'orders',
    series: [
      gauge(condition('Synced', 'False', 'ReconcileError'), Number.NaN, 1),
      gauge(condition('Ready', 'False', 'Unavailable'), Number.NaN, 1),
    ],
    badMinutes: 30,
    more: ',name="orders",reason="ReconcileError"',
  },
  { alert: 'Redelivered', claim: '', series: [gauge(consumer, 0, 2)], badMinutes: 40, more: 'consumer_name="orders",stream_name="ORDERS"' },
  {
    alert: 'ColdStart',
    claim: 'orders',
    series: [gauge(ofRevision('kn_revision_request_queued'), 0, 3)],
    more: ',k8s_namespace_name="shop",kn_revision_name="orders-00003"',
  },
  {
    alert: 'Panic',
    claim: 'orders',
    series: [gauge(ofRevision('kn_revision_panic_mode'), 0, 1)],
    badMinutes: 30,
    more: ',k8s_namespace_name="shop",kn_revision_name="orders-00003"',
  },
]

const DEFAULT_AFTER_MINUTES = 20

function valuesOf({ fine, bad, grows }: Series, badMinutes: number, afterMinutes: number): string {
  // promtool writes a missing value as _.
  const textOf = (value: number) => (Number.isNaN(value) ? '_' : `${value}`)
  const each = [...Array(FINE_MINUTES).fill(fine), ...Array(badMinutes).fill(bad), ...Array(afterMinutes + 1).fill(fine)] as number[]
  if (!grows) return each.map(textOf).join(' ')
  let sum = 0
  return each.map(growth => (sum += growth)).join(' ')
}

/** A queue that empties after the trouble, and a counter that does not. */
const isQueue = ({ name }: Series) => name === lag

function valuesOfQueue(series: Series, badMinutes: number, afterMinutes: number): string {
  const values = valuesOf(series, badMinutes, afterMinutes).split(' ').map(Number)
  return values.map((value, minute) => (minute > FINE_MINUTES + badMinutes ? 0 : value)).join(' ')
}

function promtool(file: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { cwd: folder, encoding: 'utf8' })
  return status === 0 ? '' : `${stdout}${stderr}`
}

const claims = new Map(alertingClaims().map(claim => [claim.name, claim]))

function rulesOf(name: string): { readonly name: string; readonly rules: readonly Rule[] }[] {
  const claim = claims.get(name)
  if (claim === undefined) throw new Error(`there is no claim ${name}`)
  return ruleGroups(claim)
}

test.each([...claims.keys()])('promtool accepts the rules of %s', name => {
  const file = `${name}.yaml`
  writeFileSync(join(folder, file), stringify({ groups: rulesOf(name) }))
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { cwd: folder, encoding: 'utf8' })
  expect({ status, output: `${stdout}${stderr}` }).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') })
})

type Groups = readonly { readonly name?: string; readonly rules: readonly { readonly alert?: string; readonly labels: Rule['labels'] }[] }[]

function hold(short: string, groups: Groups, { claim, series, badMinutes = 20, afterMinutes = DEFAULT_AFTER_MINUTES, more = '' }: Case) {
  const alert = `EventDrivenService${short}`
  const end = FINE_MINUTES + badMinutes
  const severity = groups.flatMap(({ rules }) => rules).find(rule => rule.alert === alert)?.labels.severity
  const ofClaim = claim === '' ? '' : `claim="${claim}",namespace="shop"`
  const labels = `alertname="${alert}",alertstate="firing",severity="${severity}",${ofClaim}${more}`

  /** Whether the alert fires in this minute, as promtool finds it. */
  function run(minute: number, fires: boolean): string {
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups }))
    const expected = {
      expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
      eval_time: `${minute}m`,
      exp_samples: fires ? [{ labels: `ALERTS{${labels}}`, value: 1 }] : [],
    }
    const input = series.map(one => ({
      series: one.name,
      values: (isQueue(one) ? valuesOfQueue : valuesOf)(one, badMinutes, afterMinutes),
    }))
    const tests = [{ interval: '1m', input_series: input, promql_expr_test: [expected] }]
    writeFileSync(join(folder, 'test.yaml'), stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }))
    return promtool('test.yaml')
  }

  test('is silent while all is well', () => expect(run(FINE_MINUTES - 1, false)).toBe(''))
  test('fires', () => expect(run(end - 1, true)).toBe(''))
  test('resolves', () => expect(run(end + afterMinutes - 1, false)).toBe(''))
}

describe.each(cases)('$claim: $alert', one => hold(one.alert, rulesOf(one.claim), one))
describe.each(commonCases)('every claim: $alert', one => hold(one.alert, claimRules.groups, one))

test('every alert has a case', () => {
  const all = [...claims.values()].flatMap(claim => ruleGroups(claim).flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? [])))
  const common = claimRules.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
  const named = [...cases, ...commonCases].map(({ alert }) => `EventDrivenService${alert}`)
  expect([...new Set(named)].toSorted()).toEqual([...new Set([...all, ...common])].toSorted())
})

describe.each([
  { says: 'a busy service whose lag goes up and down', values: '5 3 6 4 '.repeat(30), paused: 0 },
  { says: 'a paused service', values: '7 '.repeat(120), paused: 1 },
  { says: 'a lag that is new', values: `${'0 '.repeat(55)}${'7 '.repeat(4)}`, paused: 0 },
])('$says', ({ values, paused }) => {
  test('is no stall', () => {
    writeFileSync(join(folder, 'orders-rules.yaml'), stringify({ groups: rulesOf('orders') }))
    const input = [
      { series: lag, values: values.trim() },
      { series: ready.name, values: '2x120' },
      { series: `keda_scaled_object_paused${keda}`, values: `${paused}x120` },
    ]
    const never = {
      expr: 'count_over_time(ALERTS{alertname="EventDrivenServiceLagStalls",alertstate="firing"}[2h])',
      eval_time: '58m',
      exp_samples: [],
    }
    const tests = [{ interval: '1m', input_series: input, promql_expr_test: [never] }]
    writeFileSync(join(folder, 'test.yaml'), stringify({ rule_files: ['orders-rules.yaml'], evaluation_interval: '1m', tests }))
    expect(promtool('test.yaml')).toBe('')
  })
})
