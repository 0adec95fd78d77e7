// The node itself, and a first claim on it.
import { beforeAll, expect, test } from 'vitest'
import { at, isObject, items, type JsonObject } from '../../../src/kubernetes/json.ts'
import { createNamespace, ready, worker } from '../cluster/claim.ts'
import { pushProgram } from './images.ts'
import { withRealPods } from './setting.ts'
import { runInPod } from './shell.ts'

const given = withRealPods()

beforeAll(async () => {
  const { cluster, nats } = given()
  await createNamespace(cluster, 'first')
  await pushProgram(cluster, 'hello.mjs', 'ghcr.io/acme/hello:1')
  await nats.createStream('FIRST')
  await nats.createConsumer('FIRST', 'hello')
})

test('resolves and reaches Services from a pod', async () => {
  const { cluster } = given()
  expect(await runInPod(cluster, 'first', 'nslookup kubernetes.default.svc.cluster.local')).toContain('Address: 10.0.0.1\n')
  const health = 'wget -q -O - http://nats-headless.nats.svc.cluster.local:8222/healthz'
  expect(await runInPod(cluster, 'first', health)).toContain('"status":"ok"')
})

test('runs the function as two pods that the restricted profile accepts', async () => {
  const { api, until } = given().cluster
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: 'crossplane-system' })
  const ours = pods.filter(({ metadata }) => at(metadata, 'labels', 'app.kubernetes.io/name') === 'function-event-driven-service')
  const conditions = ours.map(({ status }) => items(at(status, 'conditions')).filter(isObject))
  expect(conditions.map(all => all.find(({ type }) => type === 'Ready')?.status)).toEqual(['True', 'True'])
  const enforce = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'restricted', labels: enforce } })
  for (const { spec } of ours) {
    const copied = { ...(spec as JsonObject), serviceAccountName: 'default' }
    const copy = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'copy', namespace: 'restricted' }, spec: copied }
    await until('the namespace has its account', () => api.create(copy, { dryRun: true }), { timeoutMs: 10_000 })
  }
})

test('makes a claim ready whose pod answers through its Service', async () => {
  const { cluster } = given()
  const claim = worker('first', 'hello', 'FIRST', { image: 'ghcr.io/acme/hello:1' })
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(claim))
  await ready(cluster, claim)
  const answer = await fetch('http://hello.first.svc.cluster.local:8080/health')
  expect(await answer.text()).toContain('hello 1 from hello-')
})
