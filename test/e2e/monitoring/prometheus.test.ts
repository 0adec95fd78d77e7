// npm run test:monitoring: a real Prometheus scrapes the built function and runs the rules and queries of package/monitoring.
// Needs prometheus and promtool.
import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { createAuthority, issueCertificate } from '../../../scripts/certificates.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { root } from '../../fixtures/claim-files.ts'
import { testWith } from '../../fixtures/require-program.ts'
import { as, call, connectClient, serverIdentity } from '../../function/serving.ts'
import { freePort } from '../cluster/ports.ts'
import { until } from '../cluster/until.ts'
import { alerts, claimsDashboard, dashboard, panelQueries, rules, selectorsIn } from './queries.ts'

const folder = mkdtempSync(join(tmpdir(), 'monitoring-'))
const authority = createAuthority()
const started: ChildProcess[] = []
let functionPort = 0
let metricsPort = 0
let prometheus = ''

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, input, encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

function start(program: string, args: readonly string[]): ChildProcessByStdio<null, null, Readable> {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  started.push(child)
  return child
}

/** Starts the function with certificates, so the metrics include their expiry. */
async function startFunction(): Promise<void> {
  const { certificate, key } = serverIdentity(authority)
  for (const [name, content] of Object.entries({ 'ca.crt': authority.certificate, 'tls.crt': certificate, 'tls.key': key }))
    writeFileSync(join(folder, name), content)
  const free = ['--address=127.0.0.1:0', '--metrics-address=127.0.0.1:0']
  const { stderr } = start(process.execPath, ['dist/function.js', ...free, `--tls-certs-dir=${folder}`])
  for await (const line of createInterface({ input: stderr })) {
    const output = JSON.parse(line) as { msg: string; port: number; metricsPort: number }
    if (output.msg !== 'listening') continue
    stderr.resume()
    functionPort = output.port
    metricsPort = output.metricsPort
    return
  }
  throw new Error('the function ended before it listened')
}

async function startPrometheus(): Promise<void> {
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: [{ job_name: 'function', static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
  }
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const files = [`--config.file=${join(folder, 'prometheus.yaml')}`, `--storage.tsdb.path=${join(folder, 'data')}`]
  const child = start('prometheus', [...files, `--web.listen-address=${address}`, '--log.level=error'])
  child.stderr.pipe(process.stderr)
  const check = () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}; the reason is above`)
  }
  prometheus = `http://${address}`
  await until('Prometheus is ready', async () => (await fetch(`${prometheus}/-/ready`)).ok, { check })
}

beforeAll(async () => {
  const programs = [
    { program: 'prometheus', from: 'apt-get install prometheus, or https://prometheus.io/download' },
    { program: 'promtool', from: 'it comes with prometheus' },
  ]
  for (const { program, from } of programs)
    if (spawnSync(program, ['--help']).error) throw new Error(`${program} is missing, which npm run test:monitoring needs: ${from}`)
  writeFileSync(join(folder, 'rules.yaml'), stringify(rules))
  copyFileSync(join(root, 'test/e2e/monitoring/alerts.yaml'), join(folder, 'alerts.yaml'))
  await startFunction()
  await startPrometheus()
})

afterAll(async () => {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true })
})

/** The data of Prometheus; throws unless the status is success. */
async function ask<Data>(path: string): Promise<Data> {
  const { status, data, error } = (await (await fetch(`${prometheus}/api/v1/${path}`)).json()) as JsonObject
  if (status !== 'success') throw new Error(`${path}: ${error}`)
  return data as Data
}

async function query(expr: string): Promise<unknown[]> {
  const asked = expr.replaceAll('$__rate_interval', '1m')
  return (await ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(asked)}`)).result
}

test('the rules are valid, and each alert fires only in its situation', () => {
  expect(promtool(['check', 'rules', 'rules.yaml'])).toMatchObject({
    status: 0,
    output: expect.stringContaining(`${alerts.length} rules found`),
  })
  expect(promtool(['test', 'rules', 'alerts.yaml'])).toMatchObject({ status: 0 })
  const { tests } = parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
  }
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test)
  const names = alerts.map(({ alert }) => alert)
  for (const raised of [true, false])
    expect(
      names.filter(name => !cases.some(({ alertname, exp_alerts }) => alertname === name && exp_alerts.length > 0 === raised)),
    ).toEqual([])
})

test('the metrics of the function pass the checks of promtool', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const { output } = promtool(['check', 'metrics'], metrics)
  // prom-client chooses the names of the Node metrics.
  expect(output.split('\n').filter(line => line !== '' && !line.startsWith('nodejs_'))).toEqual([])
})

describe('after some calls', () => {
  test('every panel of the dashboard has data, and no alert fires', async () => {
    // Prometheus computes an increase only from a value that it has scraped before.
    await expect.poll(() => query('function_calls_total{result="refused"} == 0'), { timeout: 60_000 }).toHaveLength(1)
    const composite = (file: string) => parse(readFileSync(join(root, file), 'utf8')) as JsonObject
    const good = composite('examples/xr/full.yaml')
    const bad = { ...good, spec: { ...(good.spec as JsonObject), size: 'xlarge' } }
    const client = connectClient(functionPort, as(issueCertificate(authority, { usages: ['client'] })))
    for (const resource of [...Array.from({ length: 50 }, () => good), bad]) {
      const { error } = await call(client, { observed: { composite: { resource, connectionDetails: {}, ready: 0 }, resources: {} } })
      expect(error).toBeUndefined()
    }
    await expect.poll(() => query('sum(rate(function_calls_total{result="refused"}[1m])) > 0'), { timeout: 60_000 }).toHaveLength(1)

    const empty = await Promise.all(
      panelQueries.map(async ({ title, expr }) => ((await query(expr)).length > 0 ? [] : [`${title}: ${expr}`])),
    )
    expect(empty.flat()).toEqual([])
  })

  test.each(alerts)('$alert: its series are there, and at rest it is silent', async ({ alert, expr }) => {
    for (const selector of selectorsIn(expr)) expect(await query(selector), selector).not.toEqual([])
    const state = async () => {
      const { groups } = await ask<{ groups: { rules: { name: string; health: string; state: string }[] }[] }>('rules?type=alert')
      return groups.flatMap(group => group.rules).find(({ name }) => name === alert)
    }
    // The duration of the first call does not affect the alert.
    const silent = alert === 'EventDrivenServiceFunctionSlow' ? /inactive|pending/ : /inactive/
    await expect.poll(state, { timeout: 60_000 }).toMatchObject({ health: 'ok', state: expect.stringMatching(silent) })
  })
})

testWith('kubectl')('kubectl makes of it a PodMonitor, the rules, and the dashboards that Grafana finds', () => {
  const made = execFileSync('kubectl', ['kustomize', 'package/monitoring'], { cwd: root, encoding: 'utf8' })
  const objects = parseAllDocuments(made).map(document => document.toJS() as JsonObject)
  expect(objects.map(({ kind }) => kind).sort()).toEqual([
    'ConfigMap',
    'ConfigMap',
    'PodMonitor',
    'PrometheusRule',
    'PrometheusRule',
    'PrometheusRule',
  ])
  expect(objects.map(object => at(object, 'metadata', 'namespace'))).toEqual(objects.map(() => 'crossplane-system'))
  const maps = objects.filter(({ kind }) => kind === 'ConfigMap')
  expect(maps.map(map => at(map, 'metadata', 'labels'))).toEqual(maps.map(() => ({ grafana_dashboard: '1' })))
  const files = Object.fromEntries(maps.flatMap(map => Object.entries(at(map, 'data') as JsonObject)))
  expect(JSON.parse(String(files['dashboard.json']))).toEqual(dashboard)
  expect(JSON.parse(String(files['claims-dashboard.json']))).toEqual(claimsDashboard)
})
