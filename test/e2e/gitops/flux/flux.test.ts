// npm run test:gitops -- test/e2e/gitops/flux: a real Flux deploys package/gitops/flux and claims from a git repository into a real
// Crossplane. KWOK simulates the pods. The tests build on each other, as a repository grows.
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { observedCondition } from '../../../../src/kubernetes/conditions.ts'
import { at, isObject, textOf } from '../../../../src/kubernetes/json.ts'
import { type ClaimManifest, createNamespace, deploymentOf, ready, referenceOf, worker } from '../../cluster/claim.ts'
import { startNats } from '../../cluster/cluster.ts'
import { clusterOfFile } from '../../cluster/cluster-of-file.ts'
import { configurationName, functionName, publish, startFunction } from '../../cluster/install.ts'
import { connectNats } from '../../cluster/nats.ts'
import { kustomizationOf, type State, startFlux, stateOf } from './flux.ts'

const PLATFORM = 'event-driven-service'
const WORKERS = 'workers'
const NAMESPACE = 'shop-workers'
const configuration = { apiVersion: 'pkg.crossplane.io/v1', kind: 'Configuration', name: configurationName('claims') }

const given = clusterOfFile(
  {},
  async cluster => {
    const server = await startNats(cluster, 'nats')
    const flux = await startFlux(cluster)
    cluster.reached('Flux is up')
    return { cluster, flux, nats: await connectNats(server.port) }
  },
  ({ nats, flux }) => {
    nats.close()
    flux.close()
  },
)

/** Waits for the readiness of a Kustomization, and returns its message. */
const becomes = (name: string, status: string, message = /./): Promise<string> => {
  const { cluster } = given()
  return cluster.until(`${name} is ${status}`, async () => {
    const state: State = stateOf(await cluster.api.find(kustomizationOf(name)))
    expect(state).toMatchObject({ status, message: expect.stringMatching(message) })
    return state.message
  })
}

const storefront = (namespace: string) => referenceOf(worker(namespace, 'storefront', ''))

describe('the files of package/gitops/flux', () => {
  test('wait with the environments for the package', async () => {
    const { cluster, flux } = given()
    await cluster.applyAll(await flux.shipped())
    // The registry does not have the package yet.
    const message = await becomes('storefront-staging', 'False', /dependency .* is not ready/)
    process.stderr.write(`while the package is missing: ${message}\n`)
    expect(message).toContain(PLATFORM)
    await becomes('event-driven-service-runtime', 'True')
    await publish(cluster)
    await startFunction(cluster, functionName)
    await becomes(PLATFORM, 'True')
    expect(observedCondition(await cluster.api.get(configuration), 'Healthy')).toMatchObject({ status: 'True' })
  })

  test('deploy each environment but production', async () => {
    const { cluster } = given()
    for (const environment of ['development', 'staging'])
      await cluster.until(`the claim of ${environment}`, async () => {
        expect(at(await cluster.api.get(storefront(`shop-${environment}`)), 'spec', 'environment')).toBe(environment)
        return true
      })
    expect(await cluster.api.find(storefront('shop'))).toBeUndefined()
  })

  test('fail with the name of a claim that fails', async () => {
    const { cluster } = given()
    // The cluster has no Knative.
    const message = await becomes('storefront-staging', 'False', /EventDrivenService\/shop-staging\/storefront/)
    process.stderr.write(`${await cluster.kubectl(['get', 'kustomizations', '-n', 'flux-system'])}`)
    process.stderr.write(`the message: ${message}\n`)
  })
})

describe('claims of a Kustomization', () => {
  const orders = worker(NAMESPACE, 'orders', 'ORDERS')
  const mails = worker(NAMESPACE, 'mails', 'MAILS')
  const fileOf = ({ metadata }: ClaimManifest) => `claims/${metadata.name}.yaml`

  async function commit(...claims: readonly ClaimManifest[]): Promise<void> {
    const { flux } = given()
    flux.commit(Object.fromEntries(claims.map(claim => [fileOf(claim), stringify(claim)])))
    await flux.reconcile(WORKERS)
  }

  test('make it ready when they are', async () => {
    const { cluster, flux, nats } = given()
    await createNamespace(cluster, NAMESPACE)
    for (const { metadata, spec } of [orders, mails]) {
      const stream = textOf(at(spec, 'nats', 'stream'))
      await nats.createStream(stream)
      await nats.createConsumer(stream, metadata.name)
    }
    flux.commit({ [fileOf(orders)]: stringify(orders), [fileOf(mails)]: stringify(mails) })
    const [shared] = (await flux.shipped()).filter(({ metadata }) => at(metadata, 'name') === 'storefront-staging')
    const spec = isObject(shared?.spec) ? shared.spec : {}
    await cluster.api.apply({ ...kustomization(WORKERS), spec: { ...spec, path: './claims' } })
    await flux.reconcile(WORKERS)
    await becomes(WORKERS, 'True')
    for (const claim of [orders, mails]) await ready(cluster, claim)
  })

  test('are healed when somebody changes them', async () => {
    const { cluster, flux } = given()
    const changed = await cluster.api.patch(referenceOf(orders), { spec: { size: 'large' } })
    expect(at(changed, 'spec', 'size')).toBe('large')
    await flux.reconcile(WORKERS)
    expect(at((await cluster.api.get(referenceOf(orders))).spec, 'size')).toBe('micro')
    await becomes(WORKERS, 'True')
  })

  test('make it fail when one of them fails', async () => {
    await commit(worker(NAMESPACE, 'orders', 'NOWHERE'))
    const message = await becomes(WORKERS, 'False', /EventDrivenService/)
    process.stderr.write(`the message: ${message}\n`)
    expect(message).toContain(`EventDrivenService/${NAMESPACE}/orders status: 'Failed'`)
    await commit(orders)
    await becomes(WORKERS, 'True')
  })

  test('would make it fail only after its timeout without our expressions', async () => {
    const { cluster } = given()
    const reference = kustomizationOf(WORKERS)
    const { spec } = await cluster.api.get(reference)
    await cluster.api.patch(reference, { spec: { healthCheckExprs: null, timeout: '15s' } })
    await commit(worker(NAMESPACE, 'orders', 'NOWHERE'))
    const message = await becomes(WORKERS, 'False', /timeout waiting for/)
    process.stderr.write(`without expressions: ${message}\n`)
    expect(message).toContain(`EventDrivenService/${NAMESPACE}/orders status: 'InProgress'`)
    await cluster.api.patch(reference, {
      spec: { healthCheckExprs: at(spec, 'healthCheckExprs') ?? [], timeout: at(spec, 'timeout') ?? '' },
    })
    await commit(orders)
    await becomes(WORKERS, 'True')
  })

  test('are pruned with what Crossplane made of them', async () => {
    const { cluster, flux } = given()
    flux.commit({ [fileOf(mails)]: undefined })
    await flux.reconcile(WORKERS)
    for (const reference of [referenceOf(mails), deploymentOf(mails)])
      await cluster.until(`${reference.kind} is gone`, async () => (await cluster.api.find(reference)) === undefined)
    await becomes(WORKERS, 'True')
    expect(await cluster.api.find(referenceOf(orders))).toBeDefined()
  })
})

const kustomization = (name: string) => {
  const { apiVersion, kind, namespace } = kustomizationOf(name)
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } }
}
