// npm run test:gitops: a real Argo CD deploys package/gitops and claims from a git repository into a real Crossplane. KWOK simulates the
// pods. The tests build on each other, as a repository grows.
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, items, textOf } from '../../../../src/kubernetes/json.ts'
import { type ClaimManifest, deploymentOf, ready, referenceOf, worker } from '../../cluster/claim.ts'
import { startNats } from '../../cluster/cluster.ts'
import { clusterOfFile } from '../../cluster/cluster-of-file.ts'
import { configurationName, functionName, publish, startFunction } from '../../cluster/install.ts'
import { connectNats } from '../../cluster/nats.ts'
import { applicationOf, healthIn, type State, startArgoCd, stateOf } from './argocd.ts'

const HEALTH = 'resource.customizations.health.platform.bizmatters.io_EventDrivenService'
const ROOT = 'event-driven-services'
const PLATFORM = 'event-driven-service-platform'
const settings = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'argocd', name: 'argocd-cm' }
const applicationSet = { apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', namespace: 'argocd', name: 'storefront' }
const configuration = { apiVersion: 'pkg.crossplane.io/v1', kind: 'Configuration', name: configurationName('claims') }

const given = clusterOfFile(
  {},
  async cluster => {
    const server = await startNats(cluster, 'nats')
    const argo = await startArgoCd(cluster)
    cluster.reached('Argo CD is up')
    return { cluster, argo, nats: await connectNats(server.port) }
  },
  ({ nats }) => nats.close(),
)

/** Waits for the state of an Application, and says the last one otherwise. */
async function reaches(name: string, expected: Partial<State>): Promise<void> {
  const { cluster, argo } = given()
  await cluster.until(`${name} is ${Object.values(expected).join(' and ')}`, async () => {
    const application = await argo.application(name)
    const state = stateOf(application)
    expect(
      state,
      JSON.stringify(at(application, 'status', 'conditions') ?? at(application, 'status', 'operationState', 'message')),
    ).toMatchObject(expected)
    return true
  })
}

test('our settings are added to those of the installation', async () => {
  const { data } = await given().cluster.api.get(settings)
  expect(Object.keys(data ?? {})).toEqual(expect.arrayContaining(['resource.exclusions', HEALTH]))
})

describe('the Application of Applications', () => {
  test('waits with the environments for the package', async () => {
    const { cluster, argo } = given()
    await cluster.applyAll(argo.shipped('project.yaml'))
    await cluster.applyAll(argo.shipped('root.yaml'))
    // Argo CD asks again in three minutes if it sees an Application before its project.
    await argo.refresh(ROOT)
    // The registry does not have the package yet.
    const message = await cluster.until('the wave waits', async () => {
      const text = textOf(at(await argo.application(ROOT), 'status', 'operationState', 'message'))
      return text.includes('waiting for healthy state') ? text : undefined
    })
    process.stderr.write(`while the package is missing: ${message}\n`)
    expect(message).toContain(`Application/${PLATFORM}`)
    expect(await cluster.api.find(applicationSet)).toBeUndefined()
    await publish(cluster)
    await startFunction(cluster, functionName)
    await reaches(PLATFORM, { sync: 'Synced', health: 'Healthy' })
    const set = await cluster.until('the ApplicationSet', () => cluster.api.find(applicationSet))
    const healthy = items(at(await cluster.api.get(configuration), 'status', 'conditions')).find(one => at(one, 'type') === 'Healthy')
    expect(at(healthy, 'status')).toBe('True')
    const [packageAt, setAt] = [at(healthy, 'lastTransitionTime'), at(set, 'metadata', 'creationTimestamp')].map(textOf).map(Date.parse)
    expect(setAt).toBeGreaterThanOrEqual(packageAt ?? Number.NaN)
    await reaches(ROOT, { sync: 'Synced' })
  })
})

describe('the ApplicationSet', () => {
  const storefront = (namespace: string) => referenceOf(worker(namespace, 'storefront', ''))

  test('makes an Application for each environment', async () => {
    const { cluster } = given()
    for (const name of ['development', 'staging']) await reaches(`storefront-${name}`, { sync: 'Synced' })
    await reaches('storefront-production', { sync: 'OutOfSync', health: 'Missing' })
    process.stderr.write(await cluster.kubectl(['get', 'applications', '-n', 'argocd']))
    for (const [environment, namespace] of [
      ['development', 'shop-development'],
      ['staging', 'shop-staging'],
    ] as const)
      expect(at(await cluster.api.get(storefront(namespace)), 'spec', 'environment')).toBe(environment)
    expect(await cluster.api.find(storefront('shop'))).toBeUndefined()
  })

  test('owns the fields of its claims, so kubectl reports a conflict', async () => {
    const { kubectl } = given().cluster
    const changed = { ...worker('shop-staging', 'storefront', ''), spec: { environment: 'production' } }
    const words = await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(changed)).then(() => '', String)
    process.stderr.write(`the conflict: ${words}\n`)
    expect(words).toMatch(/conflict with "argocd-controller".*\.spec\.environment/s)
  })

  test('deploys production by hand', async () => {
    const { cluster, argo } = given()
    await argo.sync('storefront-production')
    await reaches('storefront-production', { sync: 'Synced' })
    expect(at(await cluster.api.get(storefront('shop')), 'spec', 'environment')).toBe('production')
    process.stderr.write(await cluster.kubectl(['get', 'applications', '-n', 'argocd']))
  })
})

describe('claims of an Application', () => {
  const NAME = 'workers'
  const orders = worker('shop-workers', 'orders', 'ORDERS')
  const mails = worker('shop-workers', 'mails', 'MAILS')
  const fileOf = ({ metadata }: ClaimManifest) => `claims/${metadata.name}.yaml`
  const claimed = async (claim: ClaimManifest) => (await given().cluster.api.get(referenceOf(claim))).spec

  /** Commits a claim, and lets Argo CD see it. */
  async function commit(claim: ClaimManifest): Promise<void> {
    const { argo } = given()
    argo.commit({ [fileOf(claim)]: stringify(claim) })
    await argo.refresh(NAME)
  }

  /** Waits for the health of a claim in its Application, and returns the message. */
  const judged = (claim: ClaimManifest, status: string): Promise<string> => {
    const { cluster, argo } = given()
    const { name } = claim.metadata
    return cluster.until(`${name} is ${status}`, async () => {
      const health = healthIn(await argo.application(NAME), name)
      expect(health).toMatchObject({ status })
      return textOf(health?.message) || '-'
    })
  }

  test('are in progress, then healthy', async () => {
    const { cluster, argo, nats } = given()
    for (const { metadata, spec } of [orders, mails]) {
      const stream = textOf(at(spec, 'nats', 'stream'))
      await nats.createStream(stream)
      await nats.createConsumer(stream, metadata.name)
    }
    argo.commit({ [fileOf(orders)]: stringify(orders), [fileOf(mails)]: stringify(mails) })
    const seen: string[] = []
    const watch = cluster.api.watch({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', namespace: 'argocd' }, ({ object }) => {
      if (at(object, 'metadata', 'name') !== NAME) return
      const status = textOf(healthIn(object, 'orders')?.status)
      if (status !== '' && seen.at(-1) !== status) seen.push(status)
    })
    await cluster.api.apply({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: NAME, namespace: 'argocd' },
      spec: {
        project: 'event-driven-services',
        source: { repoURL: argo.repository, targetRevision: 'main', path: 'claims' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'shop-workers' },
        syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
      },
    })
    await reaches(NAME, { sync: 'Synced', health: 'Healthy' })
    watch.stop()
    process.stderr.write(`the health of the claim: ${seen.join(', ')}\n`)
    // In between it may be degraded for a moment, when KEDA asks NATS for the first time.
    expect(seen.find(status => !/undefined|Missing/.test(status))).toBe('Progressing')
    expect(seen.at(-1)).toBe('Healthy')
    for (const claim of [orders, mails]) await ready(cluster, claim)
  })

  test('are healed when somebody changes them', async () => {
    const { cluster } = given()
    const changed = await cluster.api.patch(referenceOf(orders), { spec: { size: 'large' } })
    expect(at(changed, 'spec', 'size')).toBe('large')
    await cluster.until('the size of git', async () => at(await claimed(orders), 'size') === 'micro')
  })

  test('are in progress while Crossplane has not seen a change, though Ready is still true', async () => {
    const { cluster } = given()
    await reaches(NAME, { sync: 'Synced', health: 'Healthy' })
    await cluster.processes.stop('crossplane')
    await commit({ ...orders, spec: { ...orders.spec, size: 'small' } })
    expect(await judged(orders, 'Progressing')).toContain('has not reconciled the latest spec')
    expect(observedCondition(await cluster.api.get(referenceOf(orders)), 'Ready')).toMatchObject({ status: 'True' })
    cluster.processes.startAgain('crossplane')
    await judged(orders, 'Healthy')
  })

  test('are degraded with the words of the claim when they fail', async () => {
    await commit(worker('shop-workers', 'orders', 'NOWHERE'))
    const message = await judged(orders, 'Degraded')
    process.stderr.write(`the message: ${message}\n`)
    expect(message).toMatch(/^ScalingReady: /)
    await reaches(NAME, { health: 'Degraded' })
  })

  test('would be healthy while they fail without our script', async () => {
    const { cluster, argo } = given()
    await cluster.api.patch(settings, { data: { [HEALTH]: null } })
    await cluster.until(
      'the Application is healthy while its claim fails',
      async () => {
        await argo.refresh(NAME)
        const { sync, health } = stateOf(await argo.application(NAME))
        const scaling = observedCondition(await cluster.api.get(referenceOf(orders)), 'ScalingReady')
        return sync === 'Synced' && health === 'Healthy' && scaling?.status === 'False'
      },
      { everyMs: 2_000 },
    )
    await argo.applySettings()
    await cluster.until(
      'the Application is degraded',
      async () => {
        await argo.refresh(NAME)
        return stateOf(await argo.application(NAME)).health === 'Degraded'
      },
      { everyMs: 2_000 },
    )
    await commit(orders)
    await reaches(NAME, { sync: 'Synced', health: 'Healthy' })
  })

  test('are pruned with what Crossplane made of them', async () => {
    const { cluster, argo } = given()
    argo.commit({ [fileOf(mails)]: undefined })
    await argo.refresh(NAME)
    for (const reference of [referenceOf(mails), deploymentOf(mails)])
      await cluster.until(`${reference.kind} is gone`, async () => (await cluster.api.find(reference)) === undefined)
    await reaches(NAME, { sync: 'Synced', health: 'Healthy' })
    expect(await cluster.api.find(referenceOf(orders))).toBeDefined()
    expect(items(at(await cluster.api.get(applicationOf(NAME)), 'status', 'resources')).map(one => at(one, 'name'))).toEqual(['orders'])
  })
})
