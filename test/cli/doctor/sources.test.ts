// The check of a claim's Secrets and ConfigMaps, which must never print a value of a Secret.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eds } from '../../../src/cli/eds.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { claim, knativeClaim } from '../../fixtures/claims.ts'
import { recorded } from '../io.ts'
import {
  type Answers,
  configMapTable,
  configOf,
  examine,
  paths,
  refused,
  secretTable,
  startCluster,
  temporaryFolder,
  writeConfig,
} from './cluster.ts'

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

  const optional = (...keys: string[]): JsonObject => ({
    secretRefs: [{ name: 'orders-db', optional: true, env: keys.map(key => ({ key, name: key.toUpperCase() })) }],
  })

  test.each<SecretCase>([
    { title: 'may be missing', spec: optional('password'), expected: { state: 'unneeded', message: 'optional, does not exist' } },
    {
      title: 'may be missing as a whole',
      spec: { secretRefs: [{ name: 'orders-db', optional: true, envFrom: true }] },
      expected: { state: 'unneeded', message: 'optional, does not exist' },
    },
    {
      title: 'may lack a key',
      spec: optional('password', 'username'),
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'password') },
      expected: { state: 'well', message: "exists, with key 'password', without optional key 'username'" },
    },
    {
      title: 'is required elsewhere',
      spec: { ...optional('username'), files: [{ secret: 'orders-db', key: 'password', mountPath: '/etc/db' }] },
      expected: { state: 'wrong', message: "namespace shop has no Secret 'orders-db'", fix: `${CREATE} --from-file=password` },
    },
    {
      title: 'has required and optional keys',
      spec: { ...optional('username', 'password'), files: [{ secret: 'orders-db', key: 'password', mountPath: '/etc/db' }] },
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'username') },
      expected: {
        state: 'wrong',
        message: "has no key 'password'; its keys: username",
        fix: `${CREATE} --from-file=password ${ADD}`,
      },
    },
  ])('that is optional $title', async ({ spec, answers = {}, expected }) => {
    expect((await runDoctor({ ...applied(spec), ...answers }))[DB]).toEqual(expected)
  })

  const nats = (fields: JsonObject): JsonObject => ({ nats: { stream: 'ORDERS', consumer: 'orders-workers', ...fields } })
  const tls = nats({ tls: { secret: 'orders-db' } })

  test.each<SecretCase>([
    {
      title: 'a directory',
      spec: { files: [{ secret: 'orders-db', mountPath: '/etc/db' }] },
      expected: { state: 'wrong', message: "namespace shop has no Secret 'orders-db'", fix: CREATE },
    },
    {
      title: 'a file',
      spec: { files: [{ secret: 'orders-db', key: 'password', mountPath: '/etc/db' }] },
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'passwort') },
      expected: {
        state: 'wrong',
        message: `has no key 'password' (did you mean 'passwort'?); its keys: passwort; if the name is correct, run: ${CREATE} --from-file=password ${ADD}`,
        fix: EDIT,
      },
    },
    {
      title: 'the credentials of NATS',
      spec: nats({ credentials: { secret: 'orders-db', key: 'user.creds' } }),
      expected: { state: 'wrong', message: "namespace shop has no Secret 'orders-db'", fix: `${CREATE} --from-file=user.creds` },
    },
    {
      title: 'the certificate authority of NATS',
      spec: tls,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'ca.crt') },
      expected: { state: 'well', message: "exists, with key 'ca.crt'" },
    },
    {
      title: 'the client certificate for NATS',
      spec: tls,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'tls.crt', 'tls.key', 'ca.crt') },
      expected: { state: 'well', message: "exists, with keys 'ca.crt', 'tls.crt', 'tls.key'" },
    },
    {
      title: 'a client certificate for NATS without a certificate authority',
      spec: tls,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'tls.crt', 'tls.key') },
      expected: {
        state: 'wrong',
        message: "has no key 'ca.crt'; its keys: tls.crt, tls.key",
        fix: `${CREATE} --from-file=ca.crt ${ADD}`,
      },
    },
    {
      title: 'a client certificate for NATS without its key',
      spec: tls,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'ca.crt', 'tls.crt') },
      expected: {
        state: 'wrong',
        message: "has no key 'tls.key', which goes with 'tls.crt'; its keys: ca.crt, tls.crt",
        fix: `${CREATE} --from-file=tls.key ${ADD}`,
      },
    },
    {
      title: 'a key for NATS without its client certificate',
      spec: tls,
      answers: { [paths.secret('orders-db')]: secret('orders-db', 'ca.crt', 'tls.key') },
      expected: {
        state: 'wrong',
        message: "has no key 'tls.crt', which goes with 'tls.key'; its keys: ca.crt, tls.key",
        fix: `${CREATE} --from-file=tls.crt ${ADD}`,
      },
    },
    {
      title: 'all files of a Knative Service',
      spec: { runtime: 'Knative', nats: undefined, files: [{ secret: 'orders-db', mountPath: '/etc/db' }] },
      expected: { state: 'wrong', message: "namespace shop has no Secret 'orders-db'", fix: CREATE },
    },
  ])('brings $title', async ({ spec, answers = {}, expected }) => {
    expect((await runDoctor({ ...applied(spec), ...answers }))[DB]).toEqual(expected)
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

describe('a ConfigMap that the claim names', () => {
  const CONFIG = 'ConfigMap orders-config of shop/orders-worker'
  const path = paths.shopConfigMap('orders-config')
  const CREATE = 'kubectl -n shop create configmap orders-config'
  const ADD = '--dry-run=client -o yaml | kubectl -n shop patch configmap orders-config --type merge --patch-file /dev/stdin'
  const configMap = (data: JsonObject, binaryData?: JsonObject): JsonObject => ({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    data,
    ...(binaryData && { binaryData }),
  })
  const level = { configRefs: [{ name: 'orders-config', env: [{ key: 'level', name: 'LOG_LEVEL' }] }] }
  const whole = { configRefs: [{ name: 'orders-config', envFrom: true }] }
  const rules = { files: [{ configMap: 'orders-config', key: 'rules.bin', mountPath: '/etc/orders' }] }
  const forbidden = refused(403, 'configmaps "orders-config" is forbidden: User "jane" cannot get resource "configmaps"')

  test.each<SecretCase>([
    {
      title: 'exists and has the key',
      spec: level,
      answers: { [path]: configMap({ level: 'debug' }) },
      expected: { state: 'well', message: "exists, with key 'level'" },
    },
    {
      title: 'exists and is used as a whole',
      spec: whole,
      answers: { [rowOf(path)]: configMapTable('orders-config') },
      expected: { state: 'well', message: 'exists' },
    },
    {
      title: 'has a key that is not text',
      spec: rules,
      answers: { [path]: configMap({}, { 'rules.bin': '//4=' }) },
      expected: { state: 'well', message: "exists, with key 'rules.bin'" },
    },
    {
      title: 'is missing',
      spec: { ...level, ...rules },
      expected: {
        state: 'wrong',
        message: "namespace shop has no ConfigMap 'orders-config'",
        fix: `${CREATE} --from-file=level --from-file=rules.bin`,
      },
    },
    {
      title: 'is misspelt',
      spec: level,
      answers: { [paths.shopConfigMaps]: configMapTable('kube-root-ca.crt', 'order-config') },
      expected: {
        state: 'wrong',
        message: `namespace shop has no ConfigMap 'orders-config' (did you mean 'order-config'?); if the name is correct, run: ${CREATE} --from-file=level`,
        fix: EDIT,
      },
    },
    {
      title: 'lacks a key',
      spec: level,
      answers: { [path]: configMap({ host: 'db' }) },
      expected: { state: 'wrong', message: "has no key 'level'; its keys: host", fix: `${CREATE} --from-file=level ${ADD}` },
    },
    {
      title: 'is optional and missing',
      spec: { configRefs: [{ name: 'orders-config', envFrom: true, optional: true }] },
      expected: { state: 'unneeded', message: 'optional, does not exist' },
    },
    {
      title: 'may not be read',
      spec: level,
      answers: { [path]: forbidden },
      expected: {
        state: 'unknown',
        message: `you may not read it, so doctor cannot check whether it exists with key 'level': ${forbidden.message}. Ask someone with access to list its keys`,
        fix: 'kubectl -n shop describe configmap orders-config',
      },
    },
  ])('$title', async ({ spec, answers = {}, expected }) => {
    for (const kind of [claim, knativeClaim]) expect((await runDoctor({ [paths.claim]: kind(spec), ...answers }))[CONFIG]).toEqual(expected)
  })

  test('is another object than a Secret of the same name', async () => {
    const spec = { ...whole, secretRefs: [{ name: 'orders-config', envFrom: true }] }
    const checks = await runDoctor({ ...applied(spec), [rowOf(path)]: configMapTable('orders-config') })
    expect(checks[CONFIG]?.state).toBe('well')
    expect(checks['Secret orders-config of shop/orders-worker']?.state).toBe('wrong')
  })
})

describe('no value of a secret is printed', () => {
  const path = paths.secret('orders-db')
  /** The response of a proxy in front of the API server. */
  const careless = (status: number, body: JsonObject) =>
    startCluster({ answers: { ...applied(password), [path]: refused(status, '', body) } })

  test.each<{ title: string; cluster: () => ReturnType<typeof startCluster> }>([
    { title: 'a key exists', cluster: () => startCluster({ answers: { ...applied(password), [path]: secret('orders-db', 'password') } }) },
    {
      title: 'the secret becomes a file',
      cluster: () =>
        startCluster({
          answers: {
            ...applied({ files: [{ secret: 'orders-db', key: 'password', mountPath: '/etc/db' }] }),
            [path]: secret('orders-db', 'password'),
          },
        }),
    },
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
