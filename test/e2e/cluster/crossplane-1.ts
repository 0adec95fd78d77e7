// Installs our API on Crossplane 1 like in docs/install.md, with provider-kubernetes as a process instead of its pod.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse, stringify } from 'yaml'
import { observedCondition } from '../../../src/kubernetes/conditions.ts'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { root } from '../../fixtures/claim-files.ts'
import { goTool, moduleSources, versionOf } from '../go-tools.ts'
import { API_VERSION, KIND } from './claim.ts'
import type { Cluster } from './cluster.ts'
import { publishPackage, runDocumented, startFunction } from './install.ts'
import { freePort } from './ports.ts'

const NAMESPACE = 'crossplane-system'
const MODULE = 'cluster/programs/provider-kubernetes'
const PROVIDER = 'provider-kubernetes'
// Its webhooks accept no other.
const WEBHOOK_PORT = 9443
const FUNCTION = 'function-event-driven-service'
const RELEASE = 'https://raw.githubusercontent.com/bizmatters/event-driven-service/v0.1.0/'
const PROVIDER_CONFIG = { apiVersion: 'kubernetes.crossplane.io/v1alpha1', kind: 'ProviderConfig', name: 'default' }

const documented = readFileSync(join(root, 'docs/install.md'), 'utf8')
const sectionOf = (heading: string) => documented.split(/^## /m).find(section => section.startsWith(`${heading}\n`)) ?? ''
const blockOf = (section: string, block: RegExp): string => {
  const found = block.exec(sectionOf(section))?.[1]
  if (found === undefined) throw new Error(`docs/install.md has no ${block} under ${section}`)
  return found
}

const platformOf = ({ folder }: Cluster) => join(folder, 'platform')
const inFolder = (cluster: Cluster, commands: string) => commands.replace('-k platform', `-k ${platformOf(cluster)}`)

/** Writes the kustomization of the docs, with the API of this commit. */
function writeKustomization(cluster: Cluster): void {
  const platform = platformOf(cluster)
  mkdirSync(platform, { recursive: true })
  const ownDefaults = 'With your own defaults'
  const { resources, patches }: { resources: string[]; patches: JsonObject[] } = parse(
    blockOf(ownDefaults, /```yaml\n# kustomization.yaml\n([^`]*)```/),
  )
  const released = resources.filter(resource => resource.startsWith(RELEASE)).map(resource => resource.slice(RELEASE.length))
  for (const file of released) copyFileSync(join(root, file), join(platform, basename(file)))
  const patch = blockOf('Crossplane 1.x', /```yaml\n([^`]*)```/)
  const kustomization = { resources: resources.map(resource => basename(resource)), patches: patches.map(one => ({ ...one, patch })) }
  writeFileSync(join(platform, 'kustomization.yaml'), stringify(kustomization))
  writeFileSync(join(platform, 'function.yaml'), blockOf(ownDefaults, /```yaml\n# function.yaml\n([^`]*)```/))
}

/** Runs the commands of the docs while provider and function start. */
export async function installOnCrossplane1(cluster: Cluster): Promise<void> {
  const { api, kubectl, until, say } = cluster
  const source = await moduleSources(MODULE, 'github.com/crossplane-contrib/provider-kubernetes')
  await publishPackage(cluster, join(source, 'package'), await goTool(MODULE), `crossplane-contrib/${PROVIDER}:${versionOf(MODULE)}`)
  writeKustomization(cluster)
  const commands = blockOf('Crossplane 1.x', /```sh\n([^`]*)```/)
  await Promise.all([runDocumented(cluster, inFolder(cluster, commands)), startProvider(cluster), startFunction(cluster, FUNCTION)])
  await kubectl(['wait', `function.pkg.crossplane.io/${FUNCTION}`, '--for=condition=Healthy', '--timeout=120s'])
  await until('the API', () => api.list({ apiVersion: API_VERSION, kind: KIND }))
  say(`the API is installed, through provider-kubernetes ${versionOf(MODULE)}`)
}

/** Removes claims, API and provider with the commands of the docs. */
export const removeFromCrossplane1 = (cluster: Cluster): Promise<string> =>
  runDocumented(cluster, inFolder(cluster, blockOf('Remove it', /Crossplane 1.x[^`]*```sh\n([^`]*)```/)))

/** Starts the provider with the service account and the certificates that Crossplane created for it. */
async function startProvider(cluster: Cluster): Promise<void> {
  const { api, until, mount, processes, network, accountOf } = cluster
  // The provider exits without its CRDs; as a container it would be restarted.
  const revision = await until('the revision of the provider', async () => {
    const revisions = await api.list({ apiVersion: 'pkg.crossplane.io/v1', kind: 'ProviderRevision' })
    return revisions.find(revision => observedCondition(revision, 'Healthy')?.status === 'True')
  })
  const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: NAMESPACE, name: String(at(revision.metadata, 'name')) }
  const pod = at(await api.get(reference), 'spec', 'template', 'spec')
  const args = at(pod, 'containers', '0', 'args')
  const health = await freePort()
  processes.start({
    name: PROVIDER,
    file: await goTool(MODULE),
    args: [...(Array.isArray(args) ? args.map(String) : []), '--debug', '--health-probe-bind-addr', `127.0.0.1:${health}`],
    environment: {
      KUBECONFIG: await accountOf(NAMESPACE, String(at(pod, 'serviceAccountName'))),
      TLS_SERVER_CERTS_DIR: await mount(NAMESPACE, String(at(revision.spec, 'tlsServerSecretName'))),
    },
  })
  network.join(`${PROVIDER}.${NAMESPACE}`, WEBHOOK_PORT, WEBHOOK_PORT)
  await until('the provider', async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok)
}

/**
 * The same service account for the Objects, because InjectedIdentity of the docs reads the token from a path that only pods have.
 */
export async function giveIdentity({ api, accountOf }: Cluster): Promise<void> {
  const kubeconfig = readFileSync(await accountOf(NAMESPACE, PROVIDER), 'utf8')
  const ca = /certificate-authority: (.*)/.exec(kubeconfig)?.[1] ?? ''
  const data = Buffer.from(readFileSync(ca)).toString('base64')
  const secretRef = { namespace: NAMESPACE, name: `${PROVIDER}-identity`, key: 'kubeconfig' }
  await api.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretRef.name, namespace: NAMESPACE },
    stringData: { kubeconfig: kubeconfig.replace(/certificate-authority: .*/, `certificate-authority-data: ${data}`) },
  })
  await api.patch(PROVIDER_CONFIG, { spec: { credentials: { source: 'Secret', secretRef } } })
}
