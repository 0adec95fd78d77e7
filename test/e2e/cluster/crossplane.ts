import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Authority } from '../../../scripts/certificates.ts'
import { goTool, moduleSources, versionOf } from '../go-tools.ts'
import { type Cluster, manifests } from './cluster.ts'
import { freePort } from './ports.ts'

const run = promisify(execFile)
const NAMESPACE = 'crossplane-system'

const majors = {
  2: {
    module: 'crossplane/core',
    path: 'github.com/crossplane/crossplane/v2',
    init: ['--activation=*'],
    // KEDA polls every second here, and Crossplane would throttle composites that change so often.
    start: ['--circuit-breaker-refill-rate=100'],
  },
  1: { module: 'cluster/programs/crossplane-1', path: 'github.com/crossplane/crossplane', init: [], start: [] },
} as const

/** The major version of Crossplane. */
export type Major = keyof typeof majors

/** Starts Crossplane and its RBAC manager, each with only the roles of its chart. */
export async function startCrossplane(cluster: Cluster, authority: Authority, major: Major): Promise<void> {
  const { programs, folder, processes, network, applyAll, until, asUsual } = cluster
  const { module, path, init, start } = majors[major]
  const [crossplane, source] = await Promise.all([goTool(module), moduleSources(module, path)])
  const chart = [join(source, 'cluster/charts/crossplane'), 'crossplane', NAMESPACE, `image.tag=${versionOf(module)}`]
  const { stdout } = await run(programs.chart, chart, { maxBuffer: 1 << 24 })
  await applyAll([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...manifests(stdout)])

  const [webhookPort, metricsPort, healthPort] = [await freePort(), await freePort(), await freePort()]
  const cache = join(folder, 'packages')
  mkdirSync(cache)
  const bundle = join(folder, 'ca.crt')
  writeFileSync(bundle, authority.certificate)
  // The environment of the containers in the chart.
  const common = {
    POD_NAMESPACE: NAMESPACE,
    POD_SERVICE_ACCOUNT: 'crossplane',
    TLS_CA_SECRET_NAME: 'crossplane-root-ca',
    TLS_SERVER_SECRET_NAME: 'crossplane-tls-server',
    TLS_CLIENT_SECRET_NAME: 'crossplane-tls-client',
    KUBECONFIG: await cluster.accountOf(NAMESPACE, 'crossplane'),
  }
  const initial = {
    ...common,
    CRDS_PATH: join(source, 'cluster/crds'),
    WEBHOOK_CONFIGS_PATH: join(source, 'cluster/webhookconfigurations'),
    WEBHOOK_SERVICE_NAME: 'crossplane-webhooks',
    WEBHOOK_SERVICE_NAMESPACE: NAMESPACE,
    WEBHOOK_SERVICE_PORT: '9443',
  }
  // It may exit if its CRDs are not served yet; as a container it would be restarted.
  // Uses that of Crossplane 2 for both versions, because 1.x reads CRDs only from the root of its image.
  await until(
    'the initialization of Crossplane',
    () => run(programs.crossplane, ['core', 'init', ...init], { env: { PATH: process.env.PATH, ...initial } }),
    { everyMs: 500 },
  )
  const [client, server] = await Promise.all([
    cluster.mount(NAMESPACE, 'crossplane-tls-client'),
    cluster.mount(NAMESPACE, 'crossplane-tls-server'),
  ])
  processes.start({
    name: 'crossplane',
    file: crossplane,
    args: ['core', 'start', '--cache-dir', cache, ...(asUsual ? [] : ['--debug', ...start])],
    environment: {
      ...common,
      TLS_CLIENT_CERTS_DIR: client,
      TLS_SERVER_CERTS_DIR: server,
      WEBHOOK_PORT: String(webhookPort),
      METRICS_PORT: String(metricsPort),
      HEALTH_PROBE_PORT: String(healthPort),
      CA_BUNDLE_PATH: bundle,
      HTTPS_PROXY: network.url,
    },
  })
  network.join(`crossplane-webhooks.${NAMESPACE}`, 9443, webhookPort)
  network.join(`crossplane.${NAMESPACE}`, 8080, metricsPort)
  processes.start({
    name: 'crossplane-rbac-manager',
    file: crossplane,
    args: ['rbac', 'start'],
    environment: { POD_NAMESPACE: NAMESPACE, KUBECONFIG: await cluster.accountOf(NAMESPACE, 'rbac-manager') },
  })
  await until('Crossplane', async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok)
}
