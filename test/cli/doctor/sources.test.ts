// The check of a claim's secrets, which must never print a value.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { claim } from '../../fixtures/claims.ts'
import { recorded } from '../io.ts'
import { type Answers, configOf, examine, paths, refused, secretTable, startCluster, temporaryFolder, writeConfig } from './cluster.ts'

const applied = (spec: JsonObject): Answers => ({ [paths.claim]: claim(spec) })
const runDoctor = async (answers: Answers) => (await examine(await startCluster({ answers }), 'shop/orders-worker')).checks
const rowOf = (path: string) => `${path}?includeObject=None`

// A unique value: in plain text, in base64, and in the annotation of `kubectl apply`.
const VALUE = 'correct-horse-battery-staple'
const ENCODED = Buffer.from(VALUE).toString('base64')
const secret = (name: string, ...keys: string[]): JsonObject => ({
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: {
    name,
    namespace: 'shop',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ stringData: { password: VALUE } }) },
  },
  type: 'Opaque',
  data: Object.fromEntries(keys.map(key => [key, ENCODED])),
})
const password = { secretRefs: [{ name: 'orders-db', env: [{ secretKey: 'password', envName: 'DB_PASSWORD' }] }] }
const both = {
  secretRefs: [
    {
      name: 'orders-db',
      env: [
        { secretKey: 'password', envName: 'DB_PASSWORD' },
        { secretKey: 'username', envName: 'DB_USER' },
      ],
    },
  ],
}
const bulk = { secretRefs: [{ name: 'orders-db', envFrom: true }] }
const pull = { imagePullSecrets: [{ name: 'registry' }] }
const DB = 'Secret orders-db of shop/orders-worker'
const REGISTRY = 'Secret registry of shop/orders-worker'
const forbidden = refused(403, 'secrets "orders-db" is forbidden: User "jane" cannot get resource "secrets"')
const EDIT = 'kubectl -n shop edit eventdrivenservice orders-worker'
const CREATE = 'kubectl -n shop create secret generic orders-db'
const ADD = '--dry-run=client -o yaml | kubectl -n shop patch secret orders-db --type merge --patch-file /dev/stdin'
const PULL =
  'kubectl -n shop create secret docker-registry registry --docker-server=ghcr.io --docker-username="$REGISTRY_USER" --docker-password="$REGISTRY_TOKEN"'

interface SecretCase {
  readonly title: string
  readonly spec: JsonObject
  readonly answers?: Answers
  readonly row?: string
  readonly expected: JsonObject
}

describe('a secret that the claim names', () => {
  test.each<SecretCase>([
    {
      title: 'exists and has the key',
      spec: password,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'password') },
      expected: { state: 'well', message: "exists, with key 'password'" },
    },
    {
      title: 'exists and is used as a whole',
      spec: bulk,
      answers: { [rowOf(paths.secret('orders-db'))]: secretTable({ name: 'orders-db' }) },
      expected: { state: 'well', message: 'exists' },
    },
    {
      title: 'is named by a deprecated field',
      spec: { secret3Name: 'orders-db' },
      expected: { state: 'wrong', message: "namespace shop has no Secret 'orders-db'", fix: CREATE },
    },
    {
      title: 'is missing',
      spec: both,
      expected: {
        state: 'wrong',
        message: "namespace shop has no Secret 'orders-db'",
        fix: `${CREATE} --from-file=password --from-file=username`,
      },
    },
    {
      title: 'is misspelt',
      spec: password,
      answers: { [paths.secrets]: secretTable({ name: 'registry' }, { name: 'order-db' }) },
      expected: {
        state: 'wrong',
        message: `namespace shop has no Secret 'orders-db' (did you mean 'order-db'?); if the name is correct, run: ${CREATE} --from-file=password`,
        fix: EDIT,
      },
    },
    {
      title: 'lacks a key',
      spec: both,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'password', 'host') },
      expected: {
        state: 'wrong',
        message: "has no key 'username'; its keys: password, host",
        fix: `${CREATE} --from-file=username ${ADD}`,
      },
    },
    {
      title: 'is empty',
      spec: both,
      answers: { [paths.secret('orders-db')]: { kind: 'Secret', type: 'Opaque' } },
      expected: {
        state: 'wrong',
        message: "has no key 'password'; has no key 'username'; its keys: none",
        fix: `${CREATE} --from-file=password --from-file=username ${ADD}`,
      },
    },
    {
      title: 'has a key with a similar name',
      spec: password,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'passwd', 'pasword') },
      expected: {
        state: 'wrong',
        message: `has no key 'password' (did you mean 'pasword'?); its keys: passwd, pasword; if the name is correct, run: ${CREATE} --from-file=password ${ADD}`,
        fix: EDIT,
      },
    },
    {
      title: 'may not be read',
      spec: password,
      answers: { [paths.secret('orders-db')]: forbidden },
      expected: {
        state: 'unknown',
        message: `you may not read it, so doctor cannot check whether it exists with key 'password': ${forbidden.message}. Ask someone with access to list its keys, which shows no values`,
        fix: 'kubectl -n shop describe secret orders-db',
      },
    },
    {
      title: 'cannot be read because of a server error',
      spec: password,
      answers: { [paths.secret('orders-db')]: refused(503, 'etcdserver: leader changed') },
      expected: { state: 'unknown', message: "can't be read: etcdserver: leader changed" },
    },
    {
      title: 'pulls the image, and is missing',
      spec: pull,
      row: REGISTRY,
      expected: { state: 'wrong', message: "namespace shop has no Secret 'registry'", fix: PULL },
    },
    {
      title: 'pulls an image from Docker Hub, and is missing',
      spec: { ...pull, image: 'acme/orders-worker:1.4.2' },
      row: REGISTRY,
      expected: { state: 'wrong', message: "namespace shop has no Secret 'registry'", fix: PULL.replace(' --docker-server=ghcr.io', '') },
    },
    {
      title: 'pulls the image',
      spec: pull,
      answers: { [rowOf(paths.secret('registry'))]: secretTable({ name: 'registry', type: 'kubernetes.io/dockerconfigjson' }) },
      row: REGISTRY,
      expected: { state: 'well', message: 'exists' },
    },
    {
      title: 'pulls the image, and has a type that the kubelet ignores',
      spec: pull,
      answers: { [rowOf(paths.secret('registry'))]: secretTable({ name: 'registry' }) },
      row: REGISTRY,
      expected: {
        state: 'wrong',
        message: 'has type Opaque, so the kubelet does not pull images with it; the type must be kubernetes.io/dockerconfigjson',
        fix: 'kubectl -n shop describe secret registry',
      },
    },
  ])('$title', async ({ spec, answers = {}, row = DB, expected }) => {
    expect((await runDoctor({ ...applied(spec), ...answers }))[row]).toEqual(expected)
  })

  test('is not reported as wrong if it may not be read', async () => {
    const cluster = (spec: JsonObject) => startCluster({ answers: { ...applied(spec), [paths.secret('orders-db')]: forbidden } })
    const wrong = async (spec: JsonObject) =>
      Object.entries((await examine(await cluster(spec), 'shop/orders-worker')).checks).filter(([, { state }]) => state === 'wrong')
    expect(await wrong(password)).toEqual(await wrong({}))
  })

  test('is read once, even if it is used twice', async () => {
    const cluster = await startCluster({
      answers: applied({ secretRefs: [{ ...password.secretRefs[0], envFrom: true }], imagePullSecrets: [{ name: 'orders-db' }] }),
    })
    const { checks } = await examine(cluster, 'shop/orders-worker')
    expect(Object.keys(checks).filter(name => name.startsWith('Secret '))).toEqual([DB])
    expect(cluster.asked.filter(path => path.startsWith(paths.secret('orders-db')))).toHaveLength(1)
  })

  test('is checked before the claim is applied, except in a missing namespace', async () => {
    const file = join(temporaryFolder(), 'claim.yaml')
    writeFileSync(file, JSON.stringify(claim(password)))
    const inShop = await examine(await startCluster({ answers: { '/api/v1/namespaces/shop': {} } }), file)
    expect(inShop.checks[DB]?.state).toBe('wrong')
    const homeless = await examine(await startCluster(), file)
    expect(homeless.checks).not.toHaveProperty([DB])
    expect(homeless.checks['Claim shop/orders-worker']?.message).toMatch(/namespace shop does not exist/)
  })

  test('is not read if its keys do not matter', async () => {
    const cluster = await startCluster({ answers: applied({ ...bulk, ...pull }) })
    await examine(cluster, 'shop/orders-worker')
    const asked = cluster.asked.filter(path => path.includes('/secrets'))
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter(path => !path.endsWith('?includeObject=None'))).toEqual([])
  })
})

describe('no value of a secret is printed', () => {
  const path = paths.secret('orders-db')
  /** The response of a proxy in front of the API server. */
  const careless = (status: number, body: JsonObject) =>
    startCluster({ answers: { ...applied(password), [path]: refused(status, '', body) } })

  test.each<{ title: string; cluster: () => ReturnType<typeof startCluster> }>([
    { title: 'a key exists', cluster: () => startCluster({ answers: { ...applied(password), [path]: secret('orders-db', 'password') } }) },
    { title: 'a key is missing', cluster: () => startCluster({ answers: { ...applied(both), [path]: secret('orders-db', 'password') } }) },
    {
      title: 'a key is misspelt',
      cluster: () => startCluster({ answers: { ...applied(password), [path]: secret('orders-db', 'passwort') } }),
    },
    {
      title: 'the server returns values unasked',
      cluster: () =>
        startCluster({
          answers: {
            ...applied({ ...bulk, ...pull }),
            [rowOf(path)]: { ...secretTable({ name: 'orders-db' }), data: { password: ENCODED }, type: ENCODED },
            [paths.secrets]: { ...secretTable({ name: 'order-db' }), items: [secret('order-db', 'password')] },
          },
        }),
    },
    { title: 'an error quotes the secret', cluster: () => careless(502, { error: VALUE, data: { password: ENCODED } }) },
    { title: 'an error is the secret', cluster: () => careless(500, secret('orders-db', 'password')) },
  ])('if $title', async ({ cluster: given }) => {
    const cluster = await given()
    for (const output of ['text', 'json']) {
      const { io, stdout, stderr } = recorded()
      await eds(['doctor', 'shop/orders-worker', '-o', output, '--kubeconfig', writeConfig(configOf({ server: cluster.url }))], io)
      expect(stdout()).toContain(DB)
      for (const value of [VALUE, ENCODED]) expect(stdout() + stderr()).not.toContain(value)
    }
    expect(cluster.asked.some(asked => asked.startsWith(path))).toBe(true)
  })
})
