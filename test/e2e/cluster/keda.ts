import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Authority, issueCertificate } from '../../../scripts/certificates.ts'
import { at, isObject, type JsonObject } from '../../../src/kubernetes/json.ts'
import { type Cluster, manifests } from './cluster.ts'
import { freePort } from './ports.ts'
import { versions } from './programs.ts'

const run = promisify(execFile)
const NAMESPACE = 'keda'

/** In a cluster KEDA creates its own CA and configures its clients with it; here the CA is ours. */
function trusting(manifest: JsonObject, bundle: string): JsonObject {
  if (manifest.kind === 'APIService')
    return { ...manifest, spec: { ...(manifest.spec as JsonObject), caBundle: bundle, insecureSkipTLSVerify: false } }
  if (manifest.kind !== 'ValidatingWebhookConfiguration' || !Array.isArray(manifest.webhooks)) return manifest
  const webhooks = manifest.webhooks.filter(isObject).map(webhook => ({
    ...webhook,
    clientConfig: { ...(webhook.clientConfig as JsonObject), caBundle: bundle },
    // Fails if the webhook is unreachable.
    failurePolicy: 'Fail',
  }))
  return { ...manifest, webhooks }
}

/** The manifests of the release, from its sources. */
export async function released(source: string): Promise<JsonObject[]> {
  const { stdout } = await run('kubectl', ['kustomize', join(source, 'config/default')], { maxBuffer: 1 << 26 })
  // The manifests in the sources name the images of the main branch.
  return manifests(stdout.replace(/(kedacore\/[\w-]+):main/g, `$1:${versions().keda.replace(/^v/, '')}`))
}

/** Starts KEDA's operator, metrics adapter and webhooks. */
export async function startKeda(cluster: Cluster, authority: Authority): Promise<void> {
  const { programs, sources, folder, processes, network, applyAll, until, api } = cluster
  const certificates = join(folder, 'keda')
  mkdirSync(certificates)
  const services = ['keda-operator', 'keda-metrics-apiserver', 'keda-admission-webhooks']
  const identity = issueCertificate(authority, {
    commonName: 'keda',
    usages: ['server', 'client'],
    dnsNames: services.flatMap(name => [`${name}.${NAMESPACE}.svc`, `${name}.${NAMESPACE}.svc.cluster.local`]),
  })
  for (const [file, content] of Object.entries({
    'ca.crt': authority.certificate,
    'tls.crt': identity.certificate,
    'tls.key': identity.key,
  }))
    writeFileSync(join(certificates, file), content, { mode: 0o600 })
  // Its scalers trust this CA, like those of a cluster in which KEDA mounts the company's CA.
  const trusted = join(folder, 'keda-ca')
  mkdirSync(trusted)
  writeFileSync(join(trusted, 'ca.crt'), authority.certificate)

  const bundle = Buffer.from(authority.certificate).toString('base64')
  const all = (await released(sources.keda)).map(manifest => trusting(manifest, bundle))
  // Registers the webhooks only when their process answers.
  await applyAll(all.filter(({ kind }) => kind !== 'ValidatingWebhookConfiguration'))

  const [metrics, external, webhooks, webhookHealth] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const nowhere = '127.0.0.1:0'
  const environment = {
    POD_NAMESPACE: NAMESPACE,
    POD_NAME: 'keda-operator',
    OPERATOR_NAME: 'keda-operator',
    KEDA_CLUSTER_OBJECT_NAMESPACE: NAMESPACE,
    WATCH_NAMESPACE: '',
    // In ms, because a machine with one or two control planes answers slowly.
    KEDA_HTTP_DEFAULT_TIMEOUT: '30000',
    HTTP_PROXY: network.url,
    HTTPS_PROXY: network.url,
  }
  const kubeconfig = await cluster.accountOf(NAMESPACE, 'keda-operator')
  network.join(`keda-operator.${NAMESPACE}`, 9666, metrics)
  // For Prometheus.
  const own = await freePort()
  network.join(`keda-operator.${NAMESPACE}`, 8080, own)
  network.join(`keda-metrics-apiserver.${NAMESPACE}`, 443, external)
  network.join(`keda-admission-webhooks.${NAMESPACE}`, 443, webhooks)
  processes.start({
    name: 'keda-operator',
    file: programs.kedaOperator,
    args: [
      ...['--kubeconfig', kubeconfig, '--cert-dir', certificates, '--enable-cert-rotation=false', '--ca-dir', trusted],
      ...['--metrics-bind-address', `127.0.0.1:${own}`, '--health-probe-bind-address', nowhere],
      ...['--metrics-service-bind-address', `127.0.0.1:${metrics}`],
    ],
    environment: { ...environment, KUBECONFIG: kubeconfig },
  })
  // The API server and the adapter authenticate each other by a CA and names in the API server's configuration, which only the
  // administrator may read.
  const adapter = cluster.kubeconfig
  processes.start({
    name: 'keda-metrics-apiserver',
    file: programs.kedaAdapter,
    args: [
      ...[
        '--kubeconfig',
        adapter,
        '--lister-kubeconfig',
        adapter,
        '--authentication-kubeconfig',
        adapter,
        '--authorization-kubeconfig',
        adapter,
      ],
      ...['--bind-address=127.0.0.1', `--secure-port=${external}`, '--port', String(await freePort())],
      ...['--client-ca-file', join(certificates, 'ca.crt'), '--cert-dir', certificates],
      ...['--tls-cert-file', join(certificates, 'tls.crt'), '--tls-private-key-file', join(certificates, 'tls.key')],
    ],
    environment: { ...environment, KUBECONFIG: adapter },
  })
  processes.start({
    name: 'keda-admission-webhooks',
    file: programs.kedaWebhooks,
    args: [
      ...['--kubeconfig', kubeconfig, '--cert-dir', certificates, '--port', String(webhooks)],
      ...['--metrics-bind-address', nowhere, '--health-probe-bind-address', `127.0.0.1:${webhookHealth}`],
    ],
    environment: { ...environment, KUBECONFIG: kubeconfig },
  })
  await until("KEDA's webhooks", async () => (await fetch(`http://127.0.0.1:${webhookHealth}/readyz`)).ok)
  await applyAll(all.filter(({ kind }) => kind === 'ValidatingWebhookConfiguration'))
  await until("KEDA's metrics", async () => {
    const service = await api.get({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: 'v1beta1.external.metrics.k8s.io' })
    return JSON.stringify(at(service, 'status', 'conditions')).includes('"status":"True"')
  })
}
