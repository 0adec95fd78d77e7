// Workers as charts render them: everything that a claim can't say, and everything that it changes but for names and labels.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Row } from '../../src/convert/compare.ts'
import { migrate } from '../../src/convert/migrate.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { parsePlatform } from '../../src/platform/platform.ts'

const folder = fileURLToPath(new URL('../fixtures/workers', import.meta.url))
const read = (file: string): JsonObject => parse(readFileSync(`${folder}/${file}`, 'utf8'))

const parsed = parsePlatform(read('platform-input.yaml'))
if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings))
const { platform } = parsed

function bring(worker: string) {
  const manifests = readdirSync(`${folder}/${worker}`).map(file => read(`${worker}/${file}`))
  const migrated = migrate(manifests, platform, { adopt: false })
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  return migrated
}

const listed = (rows: readonly Row[], verdict: Row['verdict']) =>
  rows
    .filter(row => row.verdict === verdict && !row.path.startsWith('metadata.labels'))
    .map(({ object, path }) => `${object.split(' ')[0]} ${path.replace('spec.template.spec.', '').replace('containers[0].', '')}`)

const workers: readonly { worker: string; spec: JsonObject; unsaid: readonly string[]; different: readonly string[] }[] = [
  {
    worker: 'report-mailer',
    spec: {
      image: 'ghcr.io/acme/report-mailer:3.4.1',
      size: 'small',
      nats: { url: 'nats://nats.nats.svc:4222', stream: 'REPORTS', consumer: 'report-mailer' },
      processing: { maxDuration: '1m', concurrency: 4 },
      scaling: { minReplicas: 0, maxReplicas: 8, lagThreshold: 20 },
      command: ['bundle', 'exec'],
      args: ['worker', '--queue', 'reports'],
      configRefs: [
        { name: 'report-mailer', env: [{ key: 'smtp-host', name: 'SMTP_HOST' }] },
        { name: 'report-mailer-env', envFrom: true },
      ],
      secretRefs: [
        { name: 'report-mailer-smtp', env: [{ key: 'password', name: 'SMTP_PASSWORD' }] },
        { name: 'sentry', env: [{ key: 'dsn', name: 'SENTRY_DSN' }], optional: true },
      ],
      files: [
        { configMap: 'report-mailer-templates', mountPath: '/app/templates' },
        { secret: 'report-mailer-signing', key: 'private.pem', mountPath: '/etc/signing' },
        { scratch: '4Gi', mountPath: '/app/tmp' },
      ],
      probes: { liveness: { exec: ['bin/alive', '--within', '2m'], period: '1m' }, readiness: { none: true } },
    },
    unsaid: [
      'Deployment spec.selector.matchLabels["app.kubernetes.io/instance"]',
      'Deployment spec.template.metadata.labels["app.kubernetes.io/instance"]',
      'Deployment spec.template.metadata.annotations["checksum/config"]',
      'Deployment nodeSelector',
      'Deployment env.WORKER_NAME',
      'Deployment volumeMounts["/app/config/queues.yml"]',
      'Deployment volumes.settings',
    ],
    different: ['Deployment name', 'Deployment livenessProbe.initialDelaySeconds', 'Deployment livenessProbe.timeoutSeconds'],
  },
  {
    worker: 'ledger-consumer',
    spec: {
      image: 'ghcr.io/acme/ledger-consumer:7.2.0',
      size: 'medium',
      nats: { url: 'nats://nats.nats.svc:4222', stream: 'LEDGER', consumer: 'ledger-consumer' },
      processing: { maxDuration: '10m' },
      scaling: { minReplicas: 2, maxReplicas: 12 },
      args: ['--spring.config.additional-location=/etc/ledger/'],
      env: [{ name: 'JAVA_TOOL_OPTIONS', value: '-XX:MaxRAMPercentage=75 -XX:HeapDumpPath=/var/dumps' }],
      secretRefs: [{ name: 'ledger-db', env: [{ key: 'password', name: 'DB_PASSWORD' }] }],
      files: [
        { configMap: 'ledger-consumer', key: 'application.yaml', mountPath: '/etc/ledger' },
        { scratch: '10Gi', mountPath: '/var/dumps' },
      ],
      rootFilesystem: 'ReadOnly',
      httpPort: 8081,
      probes: {
        startup: { path: '/actuator/health/liveness', within: '5m' },
        liveness: { path: '/actuator/health/liveness', period: '15s' },
        readiness: { path: '/actuator/health/readiness', period: '10s', failures: 3 },
      },
    },
    unsaid: [
      'Deployment spec.selector.matchLabels.app',
      'Deployment spec.template.metadata.labels.app',
      'Deployment spec.template.metadata.annotations["prometheus.io/scrape"]',
      'Deployment spec.template.metadata.annotations["prometheus.io/port"]',
      'Deployment affinity',
      'Deployment readinessProbe.successThreshold',
      'ScaledObject spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies',
      'ScaledObject spec.triggers[1]',
      'PodDisruptionBudget spec.minAvailable',
      'PodDisruptionBudget spec.selector.matchLabels.app',
    ],
    different: [
      'Deployment spec.strategy.rollingUpdate.maxSurge',
      'Deployment spec.strategy.rollingUpdate.maxUnavailable',
      'Deployment name',
      'Deployment ports["8081"].name',
      'Deployment startupProbe.failureThreshold',
      'Deployment lifecycle.preStop',
      'ScaledObject metadata.name',
      'PodDisruptionBudget metadata.name',
    ],
  },
  {
    worker: 'webhook-dispatcher',
    spec: {
      image: 'ghcr.io/acme/webhook-dispatcher:1.18.0',
      size: 'micro',
      nats: { server: 'events', stream: 'WEBHOOKS', consumer: 'dispatcher' },
      scaling: { minReplicas: 2, maxReplicas: 20, lagThreshold: 50 },
      command: ['/dispatcher'],
      args: ['--creds=/etc/nats/dispatcher.creds', '--ca=/etc/nats-ca/ca.crt'],
      configRefs: [{ name: 'webhook-dispatcher', envFrom: true }],
      secretRefs: [{ name: 'webhook-dispatcher', envFrom: true, optional: true }],
      files: [
        { secret: 'dispatcher-nats', mountPath: '/etc/nats' },
        { configMap: 'nats-ca', mountPath: '/etc/nats-ca' },
        { scratch: '64Mi', memory: true, mountPath: '/spool' },
      ],
      readyPath: '/readyz',
      probes: { liveness: { path: '/healthz', period: '20s', failures: 5 } },
      identity: 'arn:aws:iam::123456789012:role/webhook-dispatcher',
      priority: 'high',
    },
    unsaid: [
      'Deployment tolerations',
      'Deployment topologySpreadConstraints',
      'Deployment ports["9090"]',
      'Deployment env.GOMEMLIMIT',
      'Deployment volumes.nats-creds.secret.defaultMode',
    ],
    different: ['Deployment name', 'PodDisruptionBudget spec.maxUnavailable'],
  },
]

describe.each(workers)('$worker', ({ worker, spec, unsaid, different }) => {
  const { claim, rows } = bring(worker)

  test('becomes this claim', () => expect(claim.spec).toEqual(spec))

  test('loses only these fields', () => expect(listed(rows, 'unsaid')).toEqual(unsaid))

  test('changes only these fields', () => expect(listed(rows, 'different')).toEqual(different))

  test('gets a reason for each', () => {
    expect(rows.filter(({ verdict, because }) => verdict !== 'same' && because === undefined).map(({ path }) => path)).toEqual([])
  })
})
