// npm run test:observability: what a claim becomes, watched by real programs. Emulated are the pods (KWOK), the container's metrics
// (written by the worker library, without a worker) and Crossplane (objects and status are applied by the test).
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { monitoringReadiness } from '../../../src/capabilities/observability/kinds.ts'
import { claimPanels } from '../../../src/capabilities/observability/panels.ts'
import { at, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { compose } from '../../../src/reconcile/compose.ts'
import { root } from '../../fixtures/claim-files.ts'
import { alertingClaims, observedClaim, withObservability } from '../../fixtures/observability.ts'
import { clusterOfFile } from '../cluster/cluster-of-file.ts'
import { buildAlerts, buildRules, claimPanelQueries, claimRules } from '../monitoring/queries.ts'
import { startStack } from './stack.ts'

const platform = withObservability()
const claim = observedClaim(
  {
    httpPort: 8080,
    nats: { stream: 'ORDERS', consumer: 'orders' },
    scaling: { minReplicas: 1, maxReplicas: 3, pollingInterval: 1 },
    observability: { alerts: { lag: '2m' }, slo: { objective: 99 } },
  },
  platform,
)
const objects = compose(claim, platform, {}).resources.map(({ manifest }) => manifest as unknown as JsonObject)

const given = clusterOfFile(
  { bare: true },
  async cluster => {
    const stack = await startStack(cluster)
    await stack.nats.createStream('ORDERS')
    await stack.nats.createConsumer('ORDERS', 'orders')
    await cluster.applyAll(objects)
    return stack
  },
  stack => stack.end(),
)

const ruleObject = (name: string, groups: unknown): JsonObject => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name, namespace: 'shop' },
  spec: { groups: groups as JsonObject[] },
})

describe('the admission webhook of the Prometheus Operator', () => {
  test('takes all rules', async () => {
    const ofClaims = alertingClaims().flatMap(one =>
      compose(one, one.platform, {}).resources.filter(({ key }) => key === 'prometheus-rule' || key.startsWith('pod-monitor')),
    )
    const all = [
      ...ofClaims.map(({ manifest }) => manifest as unknown as JsonObject),
      ruleObject('package', [...claimRules.groups, ...buildRules.groups]),
    ]
    for (const object of all) await given().cluster.api.apply(object, { dryRun: true })
    expect(all.length).toBeGreaterThan(6)
  })

  test.each([
    { says: 'a query', rule: { alert: 'A', expr: 'sum(', for: '1m' } },
    { says: 'a template', rule: { alert: 'A', expr: 'up', annotations: { summary: '{{ $value | nothing }}' } } },
  ])('refuses $says with a mistake', async ({ rule }) => {
    const object = ruleObject('wrong', [{ name: 'wrong', rules: [rule] }])
    await expect(given().cluster.api.apply(object, { dryRun: true })).rejects.toThrow(/prometheusrulevalidate/)
  })
})

describe('the operator', () => {
  test("makes Prometheus' configuration of the monitor, with the namespace enforced", async () => {
    const { cluster, configuration } = given()
    const job = await cluster.until('the job of the claim', async () =>
      items((await configuration()).scrape_configs).find(one => at(one, 'job_name') === 'podMonitor/shop/orders/0'),
    )
    const relabelings = items(at(job, 'relabel_configs'))
    expect(relabelings).toContainEqual(expect.objectContaining({ target_label: 'claim', replacement: 'orders' }))
    expect(relabelings).toContainEqual(expect.objectContaining({ target_label: 'namespace', replacement: 'shop' }))
  })

  test('writes the namespace into each selector of the rules, which have it already', async () => {
    const { cluster, rules } = given()
    const written = await cluster.until('the rules of the claim', async () =>
      (await rules()).find(file => JSON.stringify(file).includes('EventDrivenServiceLagStalls')),
    )
    const exprs = items(written.groups).flatMap(group => items(at(group, 'rules')).map(rule => String(at(rule, 'expr'))))
    const selectors = exprs.flatMap(expr => expr.match(/\w\{(?:"[^"]*"|[^"}])*\}/g) ?? [])
    expect(selectors.length).toBeGreaterThan(20)
    for (const selector of selectors) expect(selector).toContain('namespace="shop"')
  })

  test.each(['PodMonitor', 'PrometheusRule'])('accepts the %s, and the claim is ready then', async kind => {
    const { cluster } = given()
    const object = await cluster.until('the status', async () => {
      const found = await cluster.api.get({ apiVersion: 'monitoring.coreos.com/v1', kind, namespace: 'shop', name: 'orders' })
      return items(at(found, 'status', 'bindings')).length > 0 ? found : undefined
    })
    expect(monitoringReadiness(object)).toMatchObject({ ready: true })
  })
})

const alertState = async (name: string): Promise<string | undefined> => {
  const groups = items((await given().ask('rules?type=alert')).groups)
  const rule = groups.flatMap(group => items(at(group, 'rules'))).find(one => at(one, 'name') === name)
  return rule === undefined ? undefined : String(at(rule, 'state'))
}

const value = async (expr: string): Promise<number | undefined> => {
  const [sample] = await given().query(expr)
  return sample === undefined ? undefined : Number(sample.value[1])
}

/** Longer for the picture of docs/observability.md, which needs to see the worker at work. */
const isRecording = process.env.RECORD_PANELS !== undefined
const [BEFORE_SECONDS, AFTER_SECONDS] = isRecording ? [40, 60] : [0, 2]

/** The metrics of a worker that handles four messages a second, of which one in ten fails. */
async function work(seconds: number): Promise<void> {
  for (let message = 0; message < seconds * 4; message++) {
    given().worker.count('order.created', message % 10 === 9 ? 'failed' : 'handled', 0.02)
    await delay(250)
  }
}

test('an alert fires when the consumer stalls, says what to do, and resolves when it moves', async () => {
  const { cluster, nats, ask } = given()
  const lag = 'max(keda_scaler_metrics_value{namespace="shop",scaledObject="orders-scaler"})'
  await cluster.until('KEDA reports the lag', async () => (await value(lag)) === 0)
  await cluster.until('ready pods', async () => ((await value('kube_deployment_status_replicas_ready{namespace="shop"}')) ?? 0) > 0)
  await cluster.until('the rules', async () => (await alertState('EventDrivenServiceLagStalls')) === 'inactive')
  await work(BEFORE_SECONDS)
  await nats.fill('ORDERS', 7)
  const stalled = Date.now()
  await cluster.until('the lag', async () => (await value(lag)) === 7)
  await cluster.until('the alert waits', async () => (await alertState('EventDrivenServiceLagStalls')) === 'pending')
  await cluster.until('the alert fires', async () => (await alertState('EventDrivenServiceLagStalls')) === 'firing')
  const firing = items((await ask('alerts')).alerts).find(
    one => at(one, 'labels', 'alertname') === 'EventDrivenServiceLagStalls' && at(one, 'state') === 'firing',
  )
  const seconds = Math.round((Date.now() - stalled) / 1000)
  expect(at(firing, 'labels')).toMatchObject({ namespace: 'shop', claim: 'orders', severity: 'critical' })
  expect(at(firing, 'annotations', 'description')).toMatch(/^The lag is 7, .*First: kubectl -n shop logs/)
  await nats.take('ORDERS', 'orders', 7)
  const moved = Date.now()
  await cluster.until('the alert resolves', async () => (await alertState('EventDrivenServiceLagStalls')) === 'inactive')
  process.stderr.write(`fired after ${seconds} s, resolved after ${Math.round((Date.now() - moved) / 1000)} s\n`)
  expect(seconds).toBeGreaterThanOrEqual(120)
  await work(AFTER_SECONDS)
})

test("the exporter's metrics have the namespace of NATS, so no rule of a claim could find them", async () => {
  const { cluster, query } = given()
  const pending = await cluster.until('the exporter', async () => {
    const samples = await query('jetstream_consumer_num_pending{consumer_name="orders"}')
    return samples.length > 0 ? samples : undefined
  })
  expect(pending.map(({ metric }) => metric.namespace)).toEqual(['nats'])
})

test('the worker is read through its monitor, with its claim as a label', async () => {
  const { cluster, query } = given()
  const samples = await cluster.until('the metrics of the worker', async () => {
    const found = await query('worker_handled_total{namespace="shop",job="shop/orders"}')
    return found.length > 0 ? found : undefined
  })
  expect(samples.map(({ metric }) => metric)).toContainEqual(
    expect.objectContaining({ claim: 'orders', type: 'order.created', result: 'handled' }),
  )
})

describe('kube-state-metrics', () => {
  const conditions = [
    { type: 'Ready', status: 'False', reason: 'Creating' },
    { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' },
    { type: 'ScalingReady', status: 'True', reason: 'Ready' },
  ]

  test('shows the conditions of a claim', async () => {
    const { cluster, query } = given()
    const kind = { apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'EventDrivenService' }
    await cluster.api.apply({
      ...kind,
      metadata: { name: 'orders', namespace: 'shop' },
      spec: { runtime: 'Deployment', image: claim.image },
    })
    const status = { conditions, workload: { image: claim.image, size: 'medium', replicas: 2, readyReplicas: 1 } }
    await cluster.api.patch({ ...kind, namespace: 'shop', name: 'orders' }, { status }, { status: true })
    const seen = await cluster.until('the conditions', async () => {
      const samples = await query('eds_claim_condition')
      return samples.length === conditions.length ? samples : undefined
    })
    expect(seen.map(({ metric: { namespace, name, type, status, reason } }) => ({ namespace, name, type, status, reason }))).toEqual(
      expect.arrayContaining(conditions.map(one => ({ namespace: 'shop', name: 'orders', ...one }))),
    )
    expect(new Set(seen.map(({ value: [, text] }) => text))).toEqual(new Set(['1']))
    expect(await value('eds_claim_replicas')).toBe(2)
    expect((await query('eds_claim_info'))[0]?.metric).toMatchObject({ runtime: 'Deployment', size: 'medium', image: claim.image })
  })

  test('shows the builds of a claim, and the alert counts those that failed in a row', async () => {
    const { cluster, query } = given()
    const kind = { apiVersion: 'platform.bizmatters.io/v1alpha1', kind: 'EventDrivenService' }
    const history = [5, 4, 3, 2, 1].map(minute => ({
      name: `orders-${minute}`,
      reason: minute > 2 ? 'Failed' : 'Built',
      startedAt: `2026-01-01T00:0${minute}:00Z`,
      finishedAt: `2026-01-01T00:0${minute}:30Z`,
    }))
    await cluster.api.patch({ ...kind, namespace: 'shop', name: 'orders' }, { status: { build: { history } } }, { status: true })
    const seen = await cluster.until('the builds', async () => {
      const samples = await query('eds_claim_build_finished_timestamp_seconds')
      return samples.length === history.length ? samples : undefined
    })
    expect(seen.map(({ metric: { build, reason }, value: [, time] }) => [build, reason, Number(time)]).toSorted()).toEqual(
      history.map(({ name, reason, finishedAt }) => [name, reason, Date.parse(finishedAt) / 1000]).toSorted(),
    )
    const failing = buildAlerts.find(({ alert }) => alert === 'EventDrivenServiceBuildFailing')
    const [found] = await query(failing?.expr ?? '')
    expect(found).toMatchObject({ metric: { namespace: 'shop', name: 'orders', claim: 'orders' }, value: [expect.any(Number), '3'] })
  })

  test('is what the alert on claims asks for', async () => {
    const { query } = given()
    const notReady = claimRules.groups[0]?.rules.find(({ alert }) => alert === 'EventDrivenServiceClaimNotReady')
    expect((await query(notReady?.expr ?? ''))[0]?.metric).toEqual({
      namespace: 'shop',
      name: 'orders',
      claim: 'orders',
      reason: 'Creating',
    })
  })
})

/** Nothing here counts these: neither Knative nor a mesh runs, nothing is built, and no kubelet measures containers. */
const EMPTY = /kn_|istio_|eds_claim_build|eds_buildrun|eds:builds|container_memory|kube_pod_container_status_restarts_total/

test.each(claimPanelQueries)('the panel $title is answered: $expr', async ({ expr }) => {
  const { cluster, query } = given()
  const asked = expr.replaceAll('$namespace', 'shop').replaceAll('$claim', 'orders').replaceAll('$__rate_interval', '1m')
  if (EMPTY.test(expr)) await query(asked)
  else await cluster.until(expr, async () => (await query(asked)).length > 0, { timeoutMs: 30_000 })
})

/** Seconds between two values of the recording. */
const STEP = 4
const WINDOW = '30s'

// Not part of the suite's verdict.
test.runIf(isRecording)('records the panels of the claim', async () => {
  const { ask } = given()
  const end = Math.floor(Date.now() / 1000)
  const start = end - Math.round(process.uptime())
  async function seriesOf({ expr, legend }: { readonly expr: string; readonly legend: string }) {
    const asked = encodeURIComponent(expr.replaceAll('$__rate_interval', WINDOW))
    const [found] = items((await ask(`query_range?query=${asked}&start=${start}&end=${end}&step=${STEP}`)).result)
    const points = items(at(found, 'values'))
      .map(pair => [Number(at(pair, 0)), Number(at(pair, 1))] as const)
      .filter(([, number]) => Number.isFinite(number))
    return { legend, points }
  }
  const panels = await Promise.all(
    claimPanels(claim, { kedaNamespaceLabel: 'namespace' }).map(async ({ title, unit, queries }) => ({
      title,
      unit,
      series: (await Promise.all(queries.map(seriesOf))).filter(({ points }) => points.length > 1),
    })),
  )
  const first = Math.min(...panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([second]) => second))))
  const shifted = panels.map(({ series, ...panel }) => ({
    ...panel,
    series: series.map(({ legend, points }) => ({ legend, points: points.map(([second, number]) => [second - first, number]) })),
  }))
  const caption =
    'A consumer stalls with 7 messages, the alert fires after two minutes, and the messages are taken. The worker is emulated.'
  writeFileSync(`${root}docs/panels.json`, `${JSON.stringify({ caption, panels: shifted })}\n`)
})
