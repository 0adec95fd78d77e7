// npm run test:monitoring: promtool runs the rules of builds over simulated days. Each alert is silent, fires and resolves.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { buildAlerts, buildRules } from './queries.ts'

const folder = mkdtempSync(join(tmpdir(), 'build-alerts-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A build that ends in a minute of the simulation. */
interface Build {
  readonly claim: string
  readonly end: number
  readonly reason?: string
  readonly minutes?: number
}

/** A BuildRun that waits from one minute to another. */
interface Run {
  readonly from: number
  readonly to: number
  /** Undefined if Shipwright has not seen it. */
  readonly reason?: string
}

interface Case {
  readonly title: string
  readonly alert: string
  readonly builds?: readonly Build[]
  readonly runs?: readonly Run[]
  readonly silent: readonly number[]
  readonly fires: readonly number[]
  /** The labels of the alert besides its name and severity. */
  readonly labels?: string
  /** The last minute of the simulation. */
  readonly until: number
}

/** The history of a claim keeps five builds. */
const KEPT = 5

function historyOf(builds: readonly Build[], until: number): { readonly series: string; readonly values: string }[] {
  return builds.flatMap(({ claim, end, reason = 'Built', minutes = 2 }, index) => {
    const later = builds.filter(one => one.claim === claim && one.end > end).map(one => one.end)
    const gone = later.toSorted((a, b) => a - b)[KEPT - 1] ?? until + 1
    const labels = `{namespace="shop",name="${claim}",build="${claim}-${index}",reason="${reason}"}`
    const values = (value: number) =>
      [...(end > 0 ? [`_x${end}`] : []), `${value}x${gone - end - 1}`, ...(gone <= until ? [`_x${until - gone}`] : [])].join(' ')
    return [
      { series: `eds_claim_build_finished_timestamp_seconds${labels}`, values: values(end * 60) },
      { series: `eds_claim_build_started_timestamp_seconds${labels}`, values: values((end - minutes) * 60) },
    ]
  })
}

const seriesOf = ({ from, to, reason }: Run) => {
  const labels = `namespace="shop",name="orders-0",claim="orders"`
  const values = (last: number) => `_x${from} ${from * 60}x${last - from}`
  return [
    { series: `eds_buildrun_created{${labels}}`, values: `${values(to)} _` },
    ...(reason === undefined
      ? []
      : [{ series: `eds_buildrun_condition{${labels},type="Succeeded",status="Unknown",reason="${reason}"}`, values: `${values(to)} _` }]),
  ]
}

const every = (minutes: number, from: number, to: number, build: Omit<Build, 'end' | 'claim'> = {}): Build[] =>
  Array.from({ length: Math.floor((to - from) / minutes) }, (_, index) => ({
    claim: `service-${index % 10}`,
    end: from + index * minutes,
    ...build,
  }))

const one = (end: number, reason?: string): Build => ({ claim: 'orders', end, ...(reason !== undefined && { reason }) })
const ofOrders = 'claim="orders",name="orders",namespace="shop"'

const cases: readonly Case[] = [
  {
    title: 'three failures in a row',
    alert: 'BuildFailing',
    builds: [one(5), one(20, 'Failed'), one(30, 'GitRevisionNotFound'), one(40, 'BuildRunTimeout'), one(60)],
    silent: [35, 44, 70],
    fires: [50],
    labels: ofOrders,
    until: 90,
  },
  {
    title: 'three failures of a claim that was never built',
    alert: 'BuildFailing',
    builds: [one(20, 'Failed'), one(30, 'Failed'), one(40, 'Failed')],
    silent: [35],
    fires: [50],
    labels: ofOrders,
    until: 60,
  },
  {
    title: 'failures between builds that succeed, and builds that were canceled',
    alert: 'BuildFailing',
    builds: [one(10, 'Failed'), one(20, 'Failed'), one(30), one(40, 'Failed'), one(50, 'BuildRunCanceled'), one(60, 'BuildRunCanceled')],
    silent: [25, 58, 80],
    fires: [],
    until: 90,
  },
  {
    title: 'most builds of several claims fail',
    alert: 'BuildsFail',
    builds: [...every(10, 10, 60), ...every(3, 60, 90, { reason: 'Failed' }), ...every(5, 150, 300)],
    silent: [50, 200],
    fires: [100],
    until: 300,
  },
  {
    title: 'all builds of one claim fail',
    alert: 'BuildsFail',
    builds: [10, 20, 30, 40].map(end => one(end, 'Failed')),
    silent: [45, 60],
    fires: [],
    until: 90,
  },
  {
    title: 'builds take a quarter of an hour',
    alert: 'BuildsSlow',
    builds: [...every(10, 20, 100), ...every(10, 100, 200, { minutes: 15 }), ...every(10, 600, 700)],
    silent: [90, 650],
    fires: [190],
    until: 720,
  },
  ...['Pending', 'ExceededResourceQuota', 'ExceededNodeResources', undefined].map(
    (reason): Case => ({
      title: reason === undefined ? 'a build that nobody has seen' : `a build that waits: ${reason}`,
      alert: 'BuildWaits',
      runs: [{ from: 10, to: 40, ...(reason !== undefined && { reason }) }],
      silent: [5, 24, 60],
      fires: [30],
      labels: 'claim="orders",name="orders-0",namespace="shop"',
      until: 90,
    }),
  ),
  {
    title: 'a build that runs',
    alert: 'BuildWaits',
    runs: [{ from: 10, to: 60, reason: 'Running' }],
    silent: [20, 40, 59],
    fires: [],
    until: 90,
  },
  {
    title: 'nearly all fail',
    alert: 'BuildBudgetBurnsFast',
    builds: [...every(5, 5, 120), ...every(2, 120, 240, { reason: 'Failed' }), ...every(2, 240, 400)],
    silent: [110, 300],
    fires: [230],
    until: 400,
  },
  {
    title: 'nearly all fail by mistakes of their authors',
    alert: 'BuildBudgetBurnsFast',
    builds: every(2, 5, 200, { reason: 'GitRevisionNotFound' }),
    silent: [100, 190],
    fires: [],
    until: 200,
  },
  {
    title: 'two builds of a quiet hour fail',
    alert: 'BuildBudgetBurnsFast',
    builds: [one(100, 'Failed'), one(104, 'Failed')],
    silent: [105, 108, 120],
    fires: [],
    until: 130,
  },
  {
    title: 'half of them fail',
    alert: 'BuildBudgetBurns',
    builds: [...every(12, 4, 480), ...every(12, 480, 900), ...every(12, 486, 900, { reason: 'PodEvicted' }), ...every(12, 900, 1300)],
    silent: [470, 1290],
    fires: [880],
    until: 1300,
  },
  {
    title: 'a fifth of them fails',
    alert: 'BuildBudgetBurnsSlowly',
    builds: [...every(60, 10, 1140), ...every(240, 25, 985, { reason: 'BuildRunTimeout' })],
    silent: [20, 1130],
    fires: [900],
    until: 1140,
  },
]

function promtool(...args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  writeFileSync(join(folder, 'rules.yaml'), stringify(buildRules))
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
  return { ok: status === 0, output: `${stdout}${stderr}` }
}

test('promtool accepts the rules', () => {
  expect(promtool('check', 'rules', 'rules.yaml')).toMatchObject({ ok: true, output: expect.stringContaining('SUCCESS') })
})

describe.each(cases)('$alert: $title', ({ alert: short, builds = [], runs = [], silent, fires, labels = '', until }) => {
  const alert = `EventDrivenService${short}`
  const severity = buildAlerts.find(one => one.alert === alert)?.labels.severity
  const named = `ALERTS{alertname="${alert}",alertstate="firing",severity="${severity}"${labels === '' ? '' : `,${labels}`}}`
  const minutes = [...silent.map(minute => ({ minute, fires: false })), ...fires.map(minute => ({ minute, fires: true }))]

  test('fires only then', () => {
    const expected = minutes.map(({ minute, fires }) => ({
      expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
      eval_time: `${minute}m`,
      exp_samples: fires ? [{ labels: named, value: 1 }] : [],
    }))
    const input = [...historyOf(builds, until), ...runs.flatMap(seriesOf)]
    const tests = [{ interval: '1m', input_series: input, promql_expr_test: expected }]
    writeFileSync(join(folder, 'test.yaml'), stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }))
    const { ok, output } = promtool('test', 'rules', 'test.yaml')
    expect(ok ? '' : output).toBe('')
  })
})

test('every alert has a case in which it fires, and is silent before', () => {
  const proven = cases.filter(({ silent, fires }) => fires.length > 0 && silent.length > 0).map(({ alert }) => `EventDrivenService${alert}`)
  expect([...new Set(proven)].toSorted()).toEqual(buildAlerts.map(({ alert }) => alert).toSorted())
})
