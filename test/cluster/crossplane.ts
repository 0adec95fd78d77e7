import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Authority } from '../../scripts/certificates.ts'
import { type Cluster, manifests } from './cluster.ts'
import { freePort } from './ports.ts'

const run = promisify(execFile)
const NAMESPACE = 'crossplane-system'

/** Starts Crossplane and its RBAC manager, each held to the roles that its own chart gives it. */
export async function startCrossplane(cluster: Cluster, authority: Authority): Promise<void> {
  const { programs, sources, folder, processes, network, applyAll, until } = cluster
  const chart = join(sources.crossplane, 'cluster/charts/crossplane')
  const { stdout } = await run(programs.helm, ['template', 'crossplane', chart, '--namespace', NAMESPACE], { maxBuffer: 1 << 24 })
  await applyAll([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, ...manifests(stdout)])

  const [webhookPort, metricsPort, healthPort] = [await freePort(), await freePort(), await freePort()]
  const cache = join(folder, 'packages')
  mkdirSync(cache)
  const bundle = join(folder, 'ca.crt')
  writeFileSync(bundle, authority.certificate)
  // What the chart gives the containers.
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
    CRDS_PATH: join(sources.crossplane, 'cluster/crds'),
    WEBHOOK_CONFIGS_PATH: join(sources.crossplane, 'cluster/webhookconfigurations'),
    WEBHOOK_SERVICE_NAME: 'crossplane-webhooks',
    WEBHOOK_SERVICE_NAMESPACE: NAMESPACE,
    WEBHOOK_SERVICE_PORT: '9443',
  }
  // Right after its own CRDs it may not find their kinds yet, and as a container it would simply be started again.
  await until(
    'the initialization of Crossplane',
    () => run(programs.crossplane, ['core', 'init', '--activation=*'], { env: { PATH: process.env.PATH, ...initial } }),
    { everyMs: 500 },
  )
  const [client, server] = await Promise.all([
    cluster.mount(NAMESPACE, 'crossplane-tls-client'),
    cluster.mount(NAMESPACE, 'crossplane-tls-server'),
  ])
  processes.start({
    name: 'crossplane',
    file: programs.crossplane,
    // KEDA polls every second here, and Crossplane turns a deaf ear to composites that change so often.
    args: ['core', 'start', '--debug', '--cache-dir', cache, '--circuit-breaker-refill-rate=100'],
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
  processes.start({
    name: 'crossplane-rbac-manager',
    file: programs.crossplane,
    args: ['rbac', 'start'],
    environment: { POD_NAMESPACE: NAMESPACE, KUBECONFIG: await cluster.accountOf(NAMESPACE, 'rbac-manager') },
  })
  await until('Crossplane', async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok)
}
