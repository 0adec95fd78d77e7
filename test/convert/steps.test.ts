// The commands of a migration, and the patches that prepare objects for server-side apply.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { migrate } from '../../src/convert/migrate.ts'
import { at, isObject, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { builtInPlatform } from '../../src/platform/platform.ts'
import { put } from '../fixtures/claims.ts'

const folder = fileURLToPath(new URL('../fixtures/agent-executor', import.meta.url))
const manifests = readdirSync(folder).map((file): JsonObject => parse(readFileSync(`${folder}/${file}`, 'utf8')))
const main = ['spec', 'template', 'spec', 'containers', 0]

const changed = (kind: string, path: readonly (string | number)[], to: Json) =>
  manifests.map((manifest): JsonObject => {
    const value = manifest.kind === kind ? put(manifest, path, to) : manifest
    if (!isObject(value)) throw new Error('no longer an object')
    return value
  })

function commandsOf(given: readonly JsonObject[], adopt = true): string[] {
  const migrated = migrate(given, builtInPlatform, { adopt })
  if (!migrated.ok) throw new Error(JSON.stringify(migrated.findings))
  return migrated.steps.flatMap(({ commands }) => commands)
}

function patchOf(kind: string, given: readonly JsonObject[]): unknown[] {
  const command = commandsOf(given).find(line => line.includes(` patch ${kind}/`)) ?? ''
  return JSON.parse(/ -p '(.*)'$/.exec(command)?.[1]?.replaceAll("'\\''", "'") ?? '[]')
}

const forget = { op: 'add', path: '/metadata/managedFields', value: [{}] }
const isMain = { op: 'test', path: '/spec/template/spec/containers/0/name', value: 'agent-executor' }
const named = [
  { op: 'replace', path: '/spec/template/spec/containers/0/name', value: 'main' },
  { op: 'replace', path: '/spec/template/spec/initContainers/0/name', value: 'init' },
]

test('renames the containers and releases the fields of every object', () => {
  expect(patchOf('deployment', manifests)).toEqual([isMain, ...named, forget])
  for (const kind of ['service', 'serviceaccount', 'scaledobject']) expect(patchOf(kind, manifests)).toEqual([forget])
})

test('prints the steps in order, with the annotation only if it is missing', () => {
  const verbs = (adopt: boolean) =>
    commandsOf(manifests, adopt).map(line => line.replace(/^kubectl -n intelligence-deepagents (\w+) ?(\S*).*/, '$1 $2'))
  const before = ['get serviceaccount/agent-executor', 'patch serviceaccount/agent-executor', 'patch service/agent-executor']
  const patched = [...before, 'patch scaledobject/agent-executor-scaler', 'patch deployment/agent-executor', 'rollout status']
  expect(verbs(true)).toEqual([...patched, 'apply -f', 'wait eventdrivenservice/agent-executor'])
  expect(verbs(false)).toEqual([...patched, 'apply -f', 'annotate eventdrivenservice', 'wait eventdrivenservice/agent-executor'])
})

test.each([
  {
    says: 'names the port that the Service targets',
    kind: 'Deployment',
    path: [...main, 'ports'],
    to: [{ containerPort: 8080 }],
    patch: [{ op: 'add', path: '/spec/template/spec/containers/0/ports/0/name', value: 'http' }],
  },
  {
    says: 'adds the port if the container has none',
    kind: 'Deployment',
    path: [...main, 'ports'],
    to: [],
    patch: [{ op: 'add', path: '/spec/template/spec/containers/0/ports', value: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }] }],
  },
  {
    says: 'replaces a probe of another kind, because the API server refuses both',
    kind: 'Deployment',
    path: [...main, 'livenessProbe'],
    to: { grpc: { port: 8080 } },
    patch: [
      {
        op: 'replace',
        path: '/spec/template/spec/containers/0/livenessProbe',
        value: {
          tcpSocket: { port: 8080 },
          initialDelaySeconds: 10,
          periodSeconds: 10,
          timeoutSeconds: 5,
          failureThreshold: 3,
        },
      },
    ],
  },
  {
    says: 'replaces a reference by the value, because the API server refuses both',
    kind: 'Deployment',
    path: [...main, 'env', 0],
    to: { name: 'NATS_URL', valueFrom: { configMapKeyRef: { name: 'nats', key: 'url' } } },
    patch: [
      { op: 'replace', path: '/spec/template/spec/containers/0/env/0', value: { name: 'NATS_URL', value: 'nats://nats.nats.svc:4222' } },
    ],
  },
])('$says', ({ kind, path, to, patch }) => {
  const operations = patchOf('deployment', changed(kind, path, to))
  for (const operation of [isMain, ...named, ...patch, forget]) expect(operations).toContainEqual(operation)
  expect(operations).toHaveLength(named.length + patch.length + 2)
})

test.each([
  {
    says: 'a port of another name by its number',
    field: 'livenessProbe',
    to: { tcpSocket: { port: 'web' } },
    patch: [
      { op: 'replace', path: '/spec/template/spec/containers/0/livenessProbe/tcpSocket/port', value: 8080 },
      { op: 'add', path: '/spec/template/spec/containers/0/ports/0/name', value: 'http' },
    ],
  },
  {
    says: 'the port of a startup probe by its number',
    field: 'startupProbe',
    to: { httpGet: { path: '/', port: 'web' } },
    patch: [
      { op: 'replace', path: '/spec/template/spec/containers/0/startupProbe/httpGet/port', value: 8080 },
      { op: 'add', path: '/spec/template/spec/containers/0/ports/0/name', value: 'http' },
    ],
  },
])('asks $says', ({ field, to, patch }) => {
  const container = at(manifests[0], ...main)
  const ports = [{ name: 'web', containerPort: 8080 }]
  const given = changed('Deployment', main, { ...(isObject(container) ? container : {}), ports, [field]: to })
  expect(patchOf('deployment', given)).toEqual([isMain, named[0], ...patch, named[1], forget])
})

test('replaces a hook of another kind, because the API server refuses both', () => {
  const container = at(manifests[0], ...main)
  const lifecycle = { preStop: { exec: { command: ['sleep', '10'] } } }
  const given = changed('Deployment', main, {
    ...(isObject(container) ? container : {}),
    ports: [{ name: 'http', containerPort: 80 }],
    readinessProbe: { httpGet: { port: 80 } },
    lifecycle,
  })
  expect(patchOf('deployment', given)).toContainEqual({
    op: 'replace',
    path: '/spec/template/spec/containers/0/lifecycle/preStop',
    value: { sleep: { seconds: 5 } },
  })
})

test("gives the volumes the claim's names and keeps those that another container mounts", () => {
  const container = at(manifests[0], ...main)
  const mounts = [
    { name: 'certs', mountPath: '/etc/tls' },
    { name: 'data', mountPath: '/data' },
    { name: 'work', mountPath: '/work' },
  ]
  const sidecar = { name: 'proxy', image: 'proxy:1', volumeMounts: [{ name: 'certs', mountPath: '/certs' }] }
  const volumes = [
    { name: 'certs', secret: { secretName: 'tls', defaultMode: 420 } },
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'work', emptyDir: { sizeLimit: '1Gi' } },
  ]
  const pod = at(manifests[0], 'spec', 'template', 'spec')
  const given = changed('Deployment', ['spec', 'template', 'spec'], {
    ...(isObject(pod) ? pod : {}),
    containers: [{ ...(isObject(container) ? container : {}), volumeMounts: mounts }, sidecar],
    volumes,
  })
  const [tls, work] = [
    { name: 'files-0', secret: { secretName: 'tls' } },
    { name: 'files-1', emptyDir: { sizeLimit: '1Gi' } },
  ]
  const operations = patchOf('deployment', given)
  expect(operations).toContainEqual({
    op: 'replace',
    path: '/spec/template/spec/volumes',
    value: [volumes[0], volumes[1], tls, work],
  })
  expect(operations).toContainEqual({
    op: 'replace',
    path: '/spec/template/spec/containers/0/volumeMounts',
    value: [{ name: 'files-0', mountPath: '/etc/tls', readOnly: true }, mounts[1], { name: 'files-1', mountPath: '/work' }],
  })
  expect(JSON.stringify(operations)).not.toContain('containers/1')
})

const budget = (name: string): JsonObject => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace: 'intelligence-deepagents' },
  spec: { minAvailable: 1, selector: { matchLabels: { 'app.kubernetes.io/name': 'agent-executor' } } },
})

test('replaces the limits of a PodDisruptionBudget, because the API server refuses minAvailable next to maxUnavailable', () => {
  const selector = { matchLabels: { 'app.kubernetes.io/name': 'agent-executor' } }
  expect(patchOf('poddisruptionbudget', [...manifests, budget('agent-executor')])).toEqual([
    { op: 'replace', path: '/spec', value: { maxUnavailable: '25%', unhealthyPodEvictionPolicy: 'AlwaysAllow', selector } },
    forget,
  ])
})

test('deletes a PodDisruptionBudget with another name first, because two of a pod block its eviction', () => {
  const commands = commandsOf([...manifests, budget('executor-pdb')])
  const gone = commands.findIndex(line => line.endsWith('delete poddisruptionbudget/executor-pdb'))
  expect(gone).toBeGreaterThan(0)
  expect(gone).toBeLessThan(commands.findIndex(line => line.includes(' apply -f ')))
  expect(commands.some(line => line.includes('patch poddisruptionbudget/'))).toBe(false)
})

test('names another port of the Service and keeps its target', () => {
  const ports = [{ port: 80, targetPort: 'web' }]
  const container = at(manifests[0], ...main)
  const given = changed('Service', ['spec', 'ports'], ports).map(manifest =>
    manifest.kind === 'Deployment'
      ? {
          ...manifest,
          ...changed('Deployment', main, { ...(isObject(container) ? container : {}), ports: [{ name: 'web', containerPort: 8080 }] })[0],
        }
      : manifest,
  )
  expect(patchOf('service', given)).toEqual([
    { op: 'add', path: '/spec/ports/0/name', value: 'port-80' },
    { op: 'replace', path: '/spec/ports/0/targetPort', value: 8080 },
    forget,
  ])
})

test('deletes a ScaledObject with another name first, because KEDA accepts one per Deployment', () => {
  const commands = commandsOf(changed('ScaledObject', ['metadata', 'name'], 'executor'))
  const gone = commands.findIndex(line => line.endsWith('delete scaledobject/executor'))
  expect(gone).toBeGreaterThan(0)
  expect(gone).toBeLessThan(commands.findIndex(line => line.includes(' apply -f ')))
})

test('recreates a Deployment with another selector and keeps its pods', () => {
  const labels = { app: 'executor', tier: 'worker' }
  const given = changed('Deployment', ['spec', 'selector'], { matchLabels: labels }).map(manifest =>
    manifest.kind === 'Deployment' ? { ...manifest, spec: { ...(isObject(manifest.spec) ? manifest.spec : {}), replicas: 5 } } : manifest,
  )
  expect(commandsOf(given).map(line => line.replace('kubectl -n intelligence-deepagents ', ''))).toEqual(
    expect.arrayContaining([
      'label pods -l app=executor,tier=worker app.kubernetes.io/name=agent-executor --overwrite',
      'delete deployment/agent-executor --cascade=orphan',
      'scale deployment/agent-executor --replicas=5',
      'delete replicasets -l app=executor,tier=worker',
    ]),
  )
})

test('quotes a value that contains quotes', () => {
  const given = changed('Deployment', [...main, 'name'], "x'; rm -rf / #")
  const command = commandsOf(given).find(line => line.includes(' patch deployment/')) ?? ''
  expect(command).toContain("x'\\''; rm -rf / #")
})

test('quotes labels and names that contain commands', () => {
  const evil = 'x; touch evil $(id) `id`'
  const given = changed('Deployment', ['spec', 'selector', 'matchLabels'], { [evil]: evil })
  const named = changed('Service', ['metadata', 'name'], evil)
  for (const command of [...commandsOf(given), ...commandsOf(named)]) expect(command.replaceAll(/'[^']*'/g, '')).not.toMatch(/[;$`]/)
})
