// Flux beside the control plane: source-controller and kustomize-controller as processes on loopback, with the permissions of Flux'
// installation. They read a local git repository over HTTP.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, isObject, type JsonObject, textOf } from '../../../../src/kubernetes/json.ts'
import { root } from '../../../fixtures/claim-files.ts'
import type { Reference } from '../../cluster/api.ts'
import { type Cluster, manifests } from '../../cluster/cluster.ts'
import { freePort } from '../../cluster/ports.ts'
import { goTool, moduleSources } from '../../go-tools.ts'
import { serveRepositories } from '../git-server.ts'
import { type Commit, createRepository, PUBLISHED } from '../repository.ts'

const NAMESPACE = 'flux-system'
const controllers = ['source-controller', 'kustomize-controller'] as const
type Controller = (typeof controllers)[number]

export const SOURCE: Reference = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  namespace: NAMESPACE,
  name: 'event-driven-services',
}
export const kustomizationOf = (name: string): Reference => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  namespace: NAMESPACE,
  name,
})

export interface Flux {
  readonly commit: Commit
  /** The objects of package/gitops/flux, with the address of this repository. */
  readonly shipped: () => Promise<JsonObject[]>
  /** Lets Flux read the repository again at once and reconcile the Kustomization; resolves when its health is known. */
  readonly reconcile: (name: string) => Promise<void>
  readonly close: () => void
}

/** Whether and why a Kustomization is ready, and for which commit. */
export interface State {
  readonly status: string
  readonly reason: string
  readonly message: string
}

export function stateOf(kustomization: JsonObject | undefined): State {
  const { status = '', reason = '', message = '' } = (kustomization && observedCondition(kustomization, 'Ready')) ?? {}
  return { status, reason, message }
}

export async function startFlux(cluster: Cluster): Promise<Flux> {
  const { folder, api, kubectl, applyAll, until, processes, accountOf } = cluster
  const files = Object.fromEntries(
    await Promise.all(controllers.map(async name => [name, await goTool(`gitops/flux/${name}`)])),
  ) as Readonly<Record<Controller, string>>
  await applyAll([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }])
  for (const name of controllers) await applyAll(await permissionsOf(name))
  for (const { apiVersion, kind } of [SOURCE, kustomizationOf('')])
    await until(`the API of ${kind}`, () => api.list({ apiVersion, kind, namespace: NAMESPACE }))
  const repositories = await serveRepositories(folder)
  const repository = `${repositories.url}/git`
  const commit = createRepository(join(folder, 'git'))
  const [storage, artifacts] = [await freePort(), join(folder, 'artifacts')]
  mkdirSync(artifacts)
  const start = async (name: Controller, args: readonly string[] = []): Promise<void> => {
    const addresses = [`--metrics-addr=127.0.0.1:${await freePort()}`, `--health-addr=127.0.0.1:${await freePort()}`]
    const kubeconfig = await accountOf(NAMESPACE, name)
    const environment = { KUBECONFIG: kubeconfig, RUNTIME_NAMESPACE: NAMESPACE }
    processes.start({ name, file: files[name], args: [...addresses, '--requeue-dependency=2s', ...args], environment })
  }
  await start('source-controller', [
    ...[`--storage-addr=127.0.0.1:${storage}`, `--storage-adv-addr=127.0.0.1:${storage}`, `--storage-path=${artifacts}`],
  ])
  await start('kustomize-controller')
  const reconcile = async (reference: Reference): Promise<void> => {
    const requestedAt = new Date().toISOString()
    await api.patch(reference, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt } } })
    const handledAt = async () => at(await api.get(reference), 'status', 'lastHandledReconcileAt')
    await until(`${reference.kind} ${reference.name} is reconciled`, async () => (await handledAt()) === requestedAt)
  }
  return {
    commit,
    shipped: async () => manifests((await kubectl(['kustomize', join(root, 'package/gitops/flux')])).replaceAll(PUBLISHED, repository)),
    reconcile: async name => {
      await reconcile(SOURCE)
      await reconcile(kustomizationOf(name))
    },
    close: repositories.close,
  }
}

/** The CRDs, the account and the roles of a controller. Flux deploys with the permissions of an administrator, unless told otherwise. */
async function permissionsOf(name: Controller): Promise<JsonObject[]> {
  const sources = join(await moduleSources(`gitops/flux/${name}`, `github.com/fluxcd/${name}`), 'config')
  const read = (file: string) => manifests(readFileSync(join(sources, file), 'utf8'))
  const definitions = readdirSync(join(sources, 'crd/bases')).flatMap(file => read(`crd/bases/${file}`))
  const roles = name === 'source-controller' ? read('rbac/role.yaml').map(role => ({ ...role, metadata: { name } })) : []
  return [
    ...definitions,
    ...roles.filter(isObject),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NAMESPACE } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: roles.length === 0 ? 'cluster-admin' : textOf(at(roles[0], 'metadata', 'name')),
      },
      subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
    },
  ]
}
