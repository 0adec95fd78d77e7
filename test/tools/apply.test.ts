import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manifestOf, readApplyInput, referredObjects, sourceOf } from '../../tools/apply.ts'
import { root } from '../fixtures/claim-files.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'apply-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const claimOf = (spec: object) => ({
  apiVersion: 'platform.bizmatters.io/v1alpha1',
  kind: 'EventDrivenService',
  metadata: { name: 'orders' },
  spec: { image: 'ghcr.io/acme/orders:1', nats: { stream: 'ORDERS', consumer: 'orders' }, ...spec },
})
const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value))

test('reads claims and secrets of a folder, adds namespace default, and lists skipped objects', async () => {
  write('claim.json', claimOf({}))
  write('secret.json', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: 'shop' } })
  mkdirSync(join(folder, 'deeper'))
  write('deeper/service.json', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'orders' } })
  const { claims, sources, skipped } = await readApplyInput([folder])
  expect(claims.map(({ metadata }) => metadata)).toEqual([{ name: 'orders', namespace: 'default' }])
  expect(sources).toMatchObject([{ metadata: { name: 'db', namespace: 'shop' } }])
  expect(skipped).toEqual([`skipped Service orders of ${folder}/deeper/service.json: it is not an EventDrivenService`])
})

test('reads nothing without --apply', async () => {
  expect(await readApplyInput([])).toEqual({ claims: [], sources: [], skipped: [] })
})

test('reports the problems of all files together', async () => {
  write('a.json', claimOf({ size: 'huge' }))
  const message = await readApplyInput([join(folder, 'a.json'), join(folder, 'b.json')]).catch(error => String(error.message))
  expect(message).toContain('spec.size')
  expect(message).toContain(`--apply ${folder}/b.json: no such file or directory`)
})

test('creates every secret of the full claim, with its keys and empty values', async () => {
  const { claims } = await readApplyInput([join(root, 'examples/full-claim.yaml')])
  const secrets = claims.flatMap(referredObjects)
  expect(Object.fromEntries(secrets.map(({ metadata, stringData }) => [(metadata as { name: string }).name, stringData]))).toEqual({
    'assistant-db': { endpoint: '', username: '', password: '' },
    'assistant-cache': {},
    'assistant-llm-keys': {},
    'assistant-legacy': {},
    'registry-credentials': { '.dockerconfigjson': '{"auths":{}}' },
  })
})

test('creates every Secret and ConfigMap of a claim with files', async () => {
  const { claims } = await readApplyInput([join(root, 'examples/files-claim.yaml')])
  const contents = claims.flatMap(referredObjects).map(object => {
    const { name } = object.metadata as { name: string }
    return [`${object.kind} ${name}`, object.data ?? object.stringData]
  })
  expect(Object.fromEntries(contents)).toEqual({
    'ConfigMap invoices-config': {},
    'ConfigMap feature-flags': { 'invoices.dry-run': '' },
    'ConfigMap invoices-rules': { 'rules.yaml': '' },
    'Secret invoices-db': { password: '' },
    'Secret invoices-signing': {},
    'Secret invoices-nats': { 'user.creds': '' },
    'Secret nats-ca': { 'ca.crt': '' },
  })
})

test.each([
  { title: 'no server', nats: {}, namespace: 'nats', account: undefined },
  {
    title: 'its own server and account',
    nats: {
      url: 'nats://nats.messaging.svc:4222',
      monitoringEndpoint: 'nats-headless.messaging.svc.cluster.local:8222',
      account: 'SUPPORT',
    },
    namespace: 'messaging',
    account: 'SUPPORT',
  },
  { title: 'a server outside the cluster', nats: { url: 'nats://nats.example.com:4222' }, namespace: undefined, account: undefined },
])('finds the stream of a claim with $title in namespace $namespace', ({ nats, namespace, account }) => {
  const claim = manifestOf(claimOf({ nats: { stream: 'ORDERS', consumer: 'orders', ...nats } }))
  expect(sourceOf(claim)).toEqual({ namespace, account, stream: 'ORDERS', consumer: 'orders' })
})
