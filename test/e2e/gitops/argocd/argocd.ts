// Argo CD beside the control plane: Redis, the repo-server and the two controllers as processes on loopback, with the service accounts
// of its manifests and the settings of package/gitops. It reads a local git repository.
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, isObject, items, type JsonObject, textOf } from '../../../../src/kubernetes/json.ts'
import { root } from '../../../fixtures/claim-files.ts'
import type { Reference } from '../../cluster/api.ts'
import { type Cluster, manifests } from '../../cluster/cluster.ts'
import { freePort } from '../../cluster/ports.ts'
import { goTool, moduleSources } from '../../go-tools.ts'
import { type Commit, createRepository, PUBLISHED } from '../repository.ts'

const MODULE = 'gitops/argocd'
const NAMESPACE = 'argocd'
const API = 'argoproj.io/v1alpha1'
const FOLDER = 'package/gitops/argocd'
const SETTINGS = `${root}${FOLDER}/argocd-cm.yaml`

export interface ArgoCd {
  /** The address of the git repository. */
  readonly repository: string
  /** Commits these files; undefined removes one. */
  readonly commit: Commit
  /** The objects of a file of package/gitops/argocd, with the address of this repository. */
  readonly shipped: (file: string) => JsonObject[]
  /** Applies the settings as the docs say. */
  readonly applySettings: () => Promise<void>
  readonly application: (name: string) => Promise<JsonObject | undefined>
  /** Lets Argo CD read the repository again at once. */
  readonly refresh: (name: string) => Promise<void>
  /** Syncs as a person does. */
  readonly sync: (name: string) => Promise<void>
}

export const applicationOf = (name: string): Reference => ({ apiVersion: API, kind: 'Application', namespace: NAMESPACE, name })

export interface State {
  readonly sync: string
  readonly health: string
}

export const stateOf = (application: JsonObject | undefined): State => ({
  sync: textOf(at(application, 'status', 'sync', 'status')),
  health: textOf(at(application, 'status', 'health', 'status')),
})

/** The health of an object of the Application. */
export function healthIn(application: JsonObject | undefined, name: string): JsonObject | undefined {
  const health = at(
    items(at(application, 'status', 'resources')).find(one => at(one, 'name') === name),
    'health',
  )
  return isObject(health) ? health : undefined
}

export async function startArgoCd(cluster: Cluster): Promise<ArgoCd> {
  const { folder, api, kubectl, applyAll, until } = cluster
  const file = await goTool(MODULE)
  const sources = await moduleSources(MODULE, 'github.com/argoproj/argo-cd/v3')
  await applyAll([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  const workloads = new Set(['Deployment', 'StatefulSet', 'Service', 'NetworkPolicy'])
  const core = manifests(readFileSync(join(sources, 'manifests/core-install.yaml'), 'utf8')).filter(
    ({ kind }) => !workloads.has(textOf(kind)),
  )
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: core })
  await kubectl(['apply', '-n', NAMESPACE, '--server-side', '--force-conflicts', '-f', '-'], list)
  // Argo CD's server, which is not needed here, would create this key.
  const secret = { apiVersion: 'v1', kind: 'Secret', namespace: NAMESPACE, name: 'argocd-secret' }
  await api.patch(secret, { data: { 'server.secretkey': Buffer.from('not secret').toString('base64') } })
  for (const kind of ['AppProject', 'Application', 'ApplicationSet'])
    await until(`the API of ${kind}`, () => api.list({ apiVersion: API, kind, namespace: NAMESPACE }))
  const applySettings = async () => {
    await kubectl(['apply', '--server-side', '--field-manager=event-driven-service', '-f', SETTINGS])
  }
  await applySettings()
  const repository = `file://${join(folder, 'git')}`
  const localized = (name: string) => readFileSync(join(root, FOLDER, name), 'utf8').replaceAll(PUBLISHED, repository)
  const applications = ['applications/platform.yaml', 'applications/storefront.yaml']
  const commit = createRepository(join(folder, 'git'), Object.fromEntries(applications.map(name => [join(FOLDER, name), localized(name)])))
  await startPrograms(cluster, file, sources)
  return {
    repository,
    commit,
    applySettings,
    shipped: name => manifests(localized(name)),
    application: name => api.find(applicationOf(name)),
    refresh: async name => {
      // Argo CD removes the annotation when it has read the repository. One that is still there would not see the newest commit.
      await until(`the last refresh of ${name}`, async () => {
        const annotations = at(await api.get(applicationOf(name)), 'metadata', 'annotations')
        return at(annotations, 'argocd.argoproj.io/refresh') === undefined
      })
      await api.patch(applicationOf(name), { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } })
    },
    sync: async name => {
      const syncOptions = at(await api.get(applicationOf(name)), 'spec', 'syncPolicy', 'syncOptions') ?? []
      await api.patch(applicationOf(name), { operation: { initiatedBy: { username: 'somebody' }, sync: { syncOptions } } })
    },
  }
}

async function startPrograms(cluster: Cluster, file: string, sources: string): Promise<void> {
  const { folder, processes, accountOf, until } = cluster
  const own = join(folder, 'argocd')
  for (const name of ['bin', 'tls', 'ssh', 'gpg', 'plugin', 'tmp']) mkdirSync(join(own, name), { recursive: true })
  const verifier = join(own, 'bin', 'git-verify-wrapper.sh')
  copyFileSync(join(sources, 'hack/git-verify-wrapper.sh'), verifier)
  chmodSync(verifier, 0o755)
  // kubectl has Kustomize built in.
  const kustomize = `#!/bin/sh\ncase "$1" in build) shift && exec kubectl kustomize "$@";; *) echo v5.0.0;; esac\n`
  writeFileSync(join(own, 'bin', 'kustomize'), kustomize, { mode: 0o755 })
  const [redis, repoServer] = [await freePort(), await freePort()]
  const start = (name: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): void =>
    processes.start({
      name,
      file,
      args,
      environment: {
        PATH: `${join(own, 'bin')}:${process.env.PATH}`,
        ARGOCD_BINARY_NAME: name,
        ARGOCD_FAKE_IN_CLUSTER: 'true',
        ARGOCD_GPG_ENABLED: 'false',
        ARGOCD_TLS_DATA_PATH: join(own, 'tls'),
        ARGOCD_SSH_DATA_PATH: join(own, 'ssh'),
        ARGOCD_GPG_DATA_PATH: join(own, 'gpg'),
        ARGOCD_PLUGINSOCKFILEPATH: join(own, 'plugin'),
        // The controller's shard is the number at the end.
        HOSTNAME: 'argocd-0',
        TMPDIR: join(own, 'tmp'),
        ...environment,
      },
    })
  processes.start({
    name: 'redis',
    file: 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(redis), '--save', '', '--appendonly', 'no', '--dir', own],
  })
  const server = `127.0.0.1:${repoServer}`
  const metrics = await freePort()
  const controller = await accountOf(NAMESPACE, 'argocd-application-controller')
  start(
    'argocd-repo-server',
    [
      ...['--address', '127.0.0.1', '--port', String(repoServer), '--disable-tls', '--client-ca-path='],
      ...['--metrics-address', '127.0.0.1', '--metrics-port', String(metrics), '--redis', `127.0.0.1:${redis}`],
    ],
    { KUBECONFIG: controller },
  )
  await until('the repo-server of Argo CD', async () => (await fetch(`http://127.0.0.1:${metrics}/healthz`)).ok)
  start(
    'argocd-application-controller',
    [
      ...['--kubeconfig', controller, '--namespace', NAMESPACE, '--redis', `127.0.0.1:${redis}`],
      ...['--repo-server', server, '--repo-server-plaintext', '--metrics-port', String(await freePort())],
      // Argo CD's own interface reads the health of each object from Redis; the tests read it from the Application.
      '--persist-resource-health',
    ],
    { KUBECONFIG: controller },
  )
  const sets = await accountOf(NAMESPACE, 'argocd-applicationset-controller')
  start(
    'argocd-applicationset-controller',
    [
      ...['--kubeconfig', sets, '--namespace', NAMESPACE, '--argocd-repo-server', server, '--repo-server-plaintext'],
      ...['--metrics-addr', `127.0.0.1:${await freePort()}`, '--probe-addr', `127.0.0.1:${await freePort()}`],
      ...['--webhook-addr', `127.0.0.1:${await freePort()}`],
    ],
    { KUBECONFIG: sets },
  )
}
