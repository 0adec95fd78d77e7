// Runs the commands that `eds doctor` prints in a shell, with names that contain shell syntax.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { claim } from '../../fixtures/claims.ts'
import { type Answers, type ClusterOptions, changed, examine, paths, pod, startCluster, temporaryFolder } from './cluster.ts'

// NATS allows all of these characters in the name of a stream.
const HOSTILE = `a;{touch,evil};$({touch,evil})\`{touch,evil}\`"'|{touch,evil}&#`
const inJson = JSON.stringify(HOSTILE).slice(1, -1)

const programs = ['kubectl', 'nats', 'helm', 'crossplane', 'curl']
const RECORDER = `#!${process.execPath}\nrequire('node:fs').appendFileSync('argv', JSON.stringify(process.argv.slice(2)) + '\\n')\n`

/** The arguments of the programs that a command starts. */
function run(command: string): string[][] {
  const folder = temporaryFolder()
  for (const program of programs) writeFileSync(join(folder, program), RECORDER, { mode: 0o755 })
  execFileSync('bash', ['--norc', '-c', command], { cwd: folder, env: { PATH: `${folder}:/usr/bin:/bin` } })
  expect(existsSync(join(folder, 'evil')), 'a name was executed').toBe(false)
  return readFileSync(join(folder, 'argv'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

const ENDPOINT = 'nats-headless.nats.svc.cluster.local:8222'
const JSZ = '/api/v1/namespaces/nats/services/nats-headless:8222/proxy'
const ASK = `${JSZ}/jsz?acc=%24G&consumers=true&config=true`
const nats = (given: Answers): Answers => ({
  ...changed(paths.claim, text => text.replace('127.0.0.1:8222', ENDPOINT).replace('"ORDERS"', JSON.stringify(HOSTILE))),
  [paths.service('nats-headless')]: { spec: { clusterIP: 'None', ports: [{ port: 8222 }] } },
  [`${JSZ}/healthz?js-enabled-only=true`]: { status: 'ok' },
  [`${JSZ}/jsz`]: { streams: 1 },
  ...given,
})
const STREAM = 'Stream of shop/orders-worker'
const named = (path: string, before: string) =>
  changed(path, text => text.replaceAll(`"name":"${before}"`, `"name":"${inJson}"`).replaceAll('"status":"True"', '"status":"False"'))
const place = encodeURIComponent(HOSTILE)
const asked = `/apis/platform.bizmatters.io/v1alpha1/namespaces/${place}/eventdrivenservices/${place}`
const provider = (serviceAccountName: string): Answers => ({
  ...changed(paths.compositions, text => text.replace('"kind":"Input"', '"kind":"Input","composeAs":"ProviderKubernetes"')),
  [paths.providers]: {
    items: [{ metadata: { name: HOSTILE }, spec: { package: 'provider-kubernetes' }, status: { currentRevision: 'one' } }],
  },
  '/apis/kubernetes.crossplane.io/v1alpha1/providerconfigs/default': { spec: { credentials: { source: 'InjectedIdentity' } } },
  '/api/v1/pods?labelSelector=pkg.crossplane.io%2Frevision%3Done': {
    items: [{ metadata: { name: 'pod', namespace: HOSTILE }, spec: { serviceAccountName } }],
  },
})

interface Case {
  readonly title: string
  readonly answers: Answers
  readonly options?: ClusterOptions
  /** The claim to check; `shop/orders-worker` by default. */
  readonly operand?: string
  readonly check: string
  readonly runs: readonly (readonly string[])[]
}

test.each<Case>([
  {
    title: 'a stream that is missing',
    answers: nats({ [ASK]: { account_details: [] } }),
    check: STREAM,
    runs: [['stream', 'add', '--', HOSTILE]],
  },
  {
    title: 'a consumer that is missing',
    answers: {
      ...nats({ [ASK]: { account_details: [{ id: '$G', name: '$G', stream_detail: [{ name: HOSTILE }] }] } }),
      ...changed(paths.claim, text =>
        text
          .replace('127.0.0.1:8222', ENDPOINT)
          .replace('"ORDERS"', JSON.stringify(HOSTILE))
          .replace('"orders-workers"', JSON.stringify(`-${HOSTILE}`)),
      ),
    },
    check: STREAM,
    runs: [['consumer', 'add', '--pull', '--defaults', '--', HOSTILE, `-${HOSTILE}`]],
  },
  {
    title: 'a consumer that differs from the claim',
    answers: nats({
      [ASK]: {
        account_details: [
          {
            id: '$G',
            name: '$G',
            stream_detail: [{ name: HOSTILE, consumer_detail: [{ name: 'orders-workers', config: { ack_wait: 1 } }] }],
          },
        ],
      },
    }),
    check: 'Consumer of shop/orders-worker',
    runs: [['consumer', 'edit', '--max-deliver=5', '--', HOSTILE, 'orders-workers']],
  },
  {
    title: 'a stream that is misspelt',
    answers: {
      ...nats({ [ASK]: { account_details: [{ id: '$G', name: '$G', stream_detail: [{ name: "ORDERS';" }] }] } }),
      ...changed(paths.claim, text => text.replace('127.0.0.1:8222', ENDPOINT)),
    },
    check: STREAM,
    runs: [
      [
        ...['-n', 'shop', 'patch', 'eventdrivenservice', 'orders-worker', '--type', 'merge', '-p'],
        JSON.stringify({ spec: { nats: { stream: "ORDERS';" } } }),
      ],
    ],
  },
  {
    title: 'a pod whose container crashes',
    answers: {
      [paths.pods]: {
        items: [
          pod(
            HOSTILE,
            {
              containerStatuses: [
                {
                  name: HOSTILE,
                  state: { waiting: { reason: 'CrashLoopBackOff' } },
                  lastState: { terminated: { exitCode: 1 } },
                },
              ],
            },
            HOSTILE,
          ),
        ],
      },
    },
    check: 'Pods of shop/orders-worker',
    runs: [['-n', HOSTILE, 'logs', HOSTILE, '-c', HOSTILE, '--tail=50', '--previous']],
  },
  {
    title: 'a pod without a node',
    answers: {
      [paths.pods]: {
        items: [pod(HOSTILE, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }, HOSTILE)],
      },
    },
    check: 'Pods of shop/orders-worker',
    runs: [['-n', HOSTILE, 'describe', 'pod', HOSTILE]],
  },
  {
    title: 'a stream in another account',
    answers: nats({
      [ASK]: { account_details: [] },
      [`${JSZ}/jsz?accounts=true&streams=true`]: { account_details: [{ name: HOSTILE, stream_detail: [{ name: HOSTILE }] }] },
    }),
    check: STREAM,
    runs: [
      [
        ...['-n', 'shop', 'patch', 'eventdrivenservice', 'orders-worker', '--type', 'merge', '-p'],
        JSON.stringify({ spec: { nats: { account: HOSTILE } } }),
      ],
    ],
  },
  {
    title: 'another Service of NATS',
    answers: nats({
      [paths.service('nats-headless')]: undefined,
      [paths.services]: { items: [{ metadata: { name: HOSTILE }, spec: { ports: [{ port: 8222 }] } }] },
    }),
    check: 'NATS',
    runs: [
      [
        ...['-n', 'shop', 'patch', 'eventdrivenservice', 'orders-worker', '--type', 'merge', '-p'],
        JSON.stringify({ spec: { nats: { monitoringEndpoint: `${HOSTILE}.nats.svc.cluster.local:8222` } } }),
      ],
    ],
  },
  {
    title: 'a NATS server reachable only inside the cluster',
    answers: { ...nats({}), [`${JSZ}/healthz?js-enabled-only=true`]: { refused: 403, message: 'forbidden' } },
    check: 'NATS',
    runs: [
      [
        ...['run', 'nats-monitor', '--rm', '-i', '--restart=Never', '--image=busybox', '--', 'wget', '-qO-'],
        `http://${ENDPOINT}/healthz?js-enabled-only=true`,
      ],
    ],
  },
  {
    title: 'a Deployment whose pods do not run',
    answers: changed(paths.crossplane, text =>
      text
        .replace(/"matchLabels":\{[^}]*\}/, `"matchLabels":{"app":"${inJson}"}`)
        .replace('"namespace":"crossplane-system"', `"namespace":"${inJson}"`)
        .replace('"type":"Available","status":"True"', '"type":"Available","status":"False"'),
    ),
    check: 'Crossplane',
    runs: [['-n', HOSTILE, 'describe', 'pods', '-l', `app=${HOSTILE}`]],
  },
  {
    title: 'a Deployment scaled to zero',
    answers: changed(paths.crossplane, text =>
      text.replace('"replicas":1,"selector"', '"replicas":0,"selector"').replaceAll('"name":"crossplane"', `"name":"${inJson}"`),
    ),
    check: 'Crossplane',
    runs: [['-n', 'crossplane-system', 'scale', 'deployment', HOSTILE, '--replicas=1']],
  },
  {
    title: 'a package that is not healthy',
    answers: {
      ...named(paths.functions, 'function-event-driven-service'),
      ...named(paths.compositions, 'function-event-driven-service'),
    },
    check: 'Function',
    runs: [['describe', 'function.pkg', HOSTILE]],
  },
  {
    title: 'a function that is not installed',
    answers: {
      [paths.functions]: { items: [] },
      ...named(paths.compositions, 'function-event-driven-service'),
    },
    check: 'Function',
    runs: [['xpkg', 'install', 'function', expect.stringMatching(/^ghcr\.io\/bizmatters\//), HOSTILE]],
  },
  {
    title: 'a Configuration whose API is missing',
    answers: {
      [paths.configurations]: { items: [{ metadata: { name: HOSTILE }, spec: { package: 'configuration-event-driven-service' } }] },
      [paths.definition]: undefined,
    },
    check: 'API (XRD)',
    runs: [
      [
        ...['annotate', 'configurationrevisions.pkg.crossplane.io', '-l', `pkg.crossplane.io/package=${HOSTILE}`],
        ...['--overwrite', expect.stringMatching(/^restored=\d+$/)],
      ],
    ],
  },
  {
    title: 'an API that is not established',
    answers: named(paths.definition, 'xeventdrivenservices.platform.bizmatters.io'),
    check: 'API (XRD)',
    runs: [['describe', 'xrd', HOSTILE]],
  },
  {
    title: 'a Composition with an invalid input',
    answers: changed(paths.compositions, text =>
      text.replace('"kind":"Input"', '"kind":"Input","size":"huge"').replace('"name":"eventdrivenservice"', `"name":"${inJson}"`),
    ),
    check: 'Composition',
    runs: [['get', 'composition', HOSTILE, '-o', 'yaml']],
  },
  {
    title: 'a provider without its role',
    answers: provider(HOSTILE),
    options: { denies: () => true },
    check: 'Access to services',
    runs: [
      ['apply', '-f', 'package/runtime/rbac/deployment.yaml'],
      [
        ...['create', 'clusterrolebinding', 'provider-kubernetes:deployment', '--clusterrole=event-driven-service:deployment'],
        `--serviceaccount=${HOSTILE}:${HOSTILE}`,
      ],
    ],
  },
  {
    title: 'a claim that is not ready',
    answers: { [asked]: claim() },
    operand: `${HOSTILE}/${HOSTILE}`,
    check: `Claim ${HOSTILE}/${HOSTILE}`,
    runs: [['-n', HOSTILE, 'describe', 'eventdrivenservice', HOSTILE]],
  },
  {
    title: 'a claim that is invalid',
    answers: { [asked]: claim({ size: 'huge' }) },
    operand: `${HOSTILE}/${HOSTILE}`,
    check: `Claim ${HOSTILE}/${HOSTILE}`,
    runs: [['-n', HOSTILE, 'edit', 'eventdrivenservice', HOSTILE]],
  },
])('the command for $title does not execute a hostile name', async ({ answers, options, operand = 'shop/orders-worker', check, runs }) => {
  const { checks } = await examine(await startCluster({ answers, ...options }), operand)
  expect(run(checks[check]?.fix ?? '')).toEqual(runs)
})

test('every command quotes its arguments with shell', () => {
  const folders = ['doctor', 'why', 'wait'].map(name => new URL(`../../../src/cli/${name}/`, import.meta.url))
  const unquoted = /(?<!shell)`(?:kubectl|nats|helm|crossplane|curl) [^`]*\$\{[^`]*`/g
  const found = folders.flatMap(folder =>
    readdirSync(folder).flatMap(file => readFileSync(new URL(file, folder), 'utf8').match(unquoted) ?? []),
  )
  expect(found).toEqual([])
})
