// The NetworkPolicy of package/runtime/network in force: who reaches the function's pods, and whom they reach.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import { root } from '../../fixtures/claim-files.ts'
import { createNamespace, deleteClaim, ready, worker } from '../cluster/claim.ts'
import { enforcePolicies } from '../node/kube-router.ts'
import { BUSYBOX } from '../node/platform.ts'
import { pushProgram } from './images.ts'
import { withRealPods } from './setting.ts'

const FUNCTION = 'function-event-driven-service'
/** The pods that Crossplane made. */
const PODS_OF_FUNCTION = `app.kubernetes.io/name=${FUNCTION},pkg.crossplane.io/revision`
const POLICY = `${root}package/runtime/network/network-policy.yaml`

/** What a pod may connect to: the port for calls, the port for metrics, and NATS. */
type Reached = readonly ('calls' | 'metrics' | 'nats')[]
const everything: Reached = ['calls', 'metrics', 'nats']

interface Client {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly reached: Reached
}

const clients: readonly Client[] = [
  { namespace: 'crossplane-system', name: 'like-crossplane', labels: { app: 'crossplane' }, reached: ['calls', 'nats'] },
  { namespace: 'crossplane-system', name: 'like-a-provider', labels: { app: 'provider' }, reached: ['nats'] },
  { namespace: 'crossplane-system', name: 'like-the-function', labels: { 'app.kubernetes.io/name': FUNCTION }, reached: [] },
  { namespace: 'monitoring', name: 'like-prometheus', labels: {}, reached: ['metrics', 'nats'] },
  { namespace: 'elsewhere', name: 'with-the-label-of-crossplane', labels: { app: 'crossplane' }, reached: ['nats'] },
]

const podOf = ({ namespace, name, labels }: Client): JsonObject => {
  // A tool with the function's label would else receive calls of Crossplane once it is ready.
  const readinessProbe = { exec: { command: ['/bin/false'] } }
  const container = { name: 'shell', image: BUSYBOX, args: ['sleep 3600'], readinessProbe }
  const spec = { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers: [container] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels }, spec }
}

const given = withRealPods()
let stop: (() => Promise<void>) | undefined

beforeAll(async () => {
  const { cluster } = given()
  for (const namespace of new Set(clients.map(client => client.namespace))) await createNamespace(cluster, namespace)
  await cluster.applyAll(clients.map(podOf))
  for (const { namespace, name } of clients)
    await cluster.kubectl(['-n', namespace, 'wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Running', '--timeout=60s'])
  stop = await enforcePolicies(cluster)
})

afterAll(async () => {
  const { cluster } = given()
  await stop?.()
  for (const { namespace, name } of clients) await cluster.kubectl(['-n', namespace, 'delete', 'pod', name])
})

/** The addresses of a pod of the function and of NATS. */
async function targets(): Promise<Readonly<Record<Reached[number], string>>> {
  const { api } = given().cluster
  const ofFunction = await api.list(
    { apiVersion: 'v1', kind: 'Pod', namespace: 'crossplane-system' },
    `?labelSelector=${encodeURIComponent(PODS_OF_FUNCTION)}`,
  )
  const nats = await api.get({ apiVersion: 'v1', kind: 'Pod', namespace: 'nats', name: 'nats-0' })
  const [address, server] = [ofFunction[0], nats].map(pod => String(at(pod, 'status', 'podIP')))
  return { calls: `${address} 9443`, metrics: `${address} 8080`, nats: `${server} 4222` }
}

/** What each client reaches. */
async function matrix(): Promise<Readonly<Record<string, Reached>>> {
  const { cluster } = given()
  const attempts = Object.entries(await targets()).map(([name, target]) => `nc -w 1 ${target} < /dev/null > /dev/null 2>&1 && echo ${name}`)
  const command = `${attempts.join('; ')}; true`
  const found = clients.map(async ({ namespace, name }) => {
    const printed = await cluster.kubectl(['-n', namespace, 'exec', name, '--', '/bin/sh', '-c', command])
    return [name, printed.split('\n').filter(Boolean)]
  })
  return Object.fromEntries(await Promise.all(found))
}

const reaches = (expected: (client: Client) => Reached) =>
  given().cluster.until('the connections', async () => {
    expect(await matrix()).toEqual(Object.fromEntries(clients.map(client => [client.name, expected(client)])))
    return true
  })

test('without the policy everybody reaches everything', () => reaches(() => everything))

test('with the policy only Crossplane calls the function, only Prometheus reads its metrics, and it connects to nobody', async () => {
  await given().cluster.kubectl(['apply', '-f', POLICY])
  await reaches(({ reached }) => reached)
})

test('Crossplane still makes a claim ready', async () => {
  const { cluster, nats } = given()
  await createNamespace(cluster, 'behind-the-policy')
  await pushProgram(cluster, 'hello.mjs', 'ghcr.io/acme/hello:1')
  await nats.createStream('BEHIND')
  await nats.createConsumer('BEHIND', 'hello')
  const claim = worker('behind-the-policy', 'hello', 'BEHIND', { image: 'ghcr.io/acme/hello:1' })
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(claim))
  await ready(cluster, claim)
  await deleteClaim(cluster, claim)
})

test('the pods of the function stay ready, because the kubelet still reaches their probes', async () => {
  const { kubectl } = given().cluster
  await kubectl(['-n', 'crossplane-system', 'wait', 'pod', '-l', PODS_OF_FUNCTION, '--for=condition=Ready', '--timeout=20s'])
})

test('once the policy is deleted everybody reaches everything again', async () => {
  await given().cluster.kubectl(['delete', '--ignore-not-found', '-f', POLICY])
  await reaches(() => everything)
})
