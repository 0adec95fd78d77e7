// What eds doctor looks at, broken piece by piece: its line turns red, and the command that it prints turns it green again. In the flavour
// with claims, as it is the one that the doctor installs where there is none.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PublishedCheck } from '../../../../src/cli/doctor/print.ts'
import { at, isObject, items, type JsonObject } from '../../../../src/kubernetes/json.ts'
import { root } from '../../../fixtures/claim-files.ts'
import { pathOf, type Reference, referenceTo } from '../api.ts'
import { type ClaimManifest, createNamespace, ready, referenceOf, worker } from '../claim.ts'
import { configurationName, configurations, FIRST_VERSION, functionName, runDocumented } from '../install.ts'
import type { Setting } from './setting.ts'

const NAMESPACE = 'doctor'
const STREAM = 'DOCTOR'
const STAYS_MS = 1_000

const patient = worker(NAMESPACE, 'patient', STREAM)
const nameOf = ({ metadata }: ClaimManifest) => `${metadata.namespace}/${metadata.name}`

interface Diagnosis {
  readonly exit: number
  readonly checks: readonly PublishedCheck[]
}

/** What the secrets of this file hold. */
const PASSWORD = 'correct-horse-battery-staple'
const values = [PASSWORD, Buffer.from(PASSWORD).toString('base64')]

function doctor({ cluster: { kubeconfig } }: Setting, about: readonly string[]): Promise<Diagnosis> {
  return new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [join(root, 'dist/eds.js'), 'doctor', ...about, '-o', 'json'],
      { env: { ...process.env, KUBECONFIG: kubeconfig } },
      (error, stdout, stderr) => {
        const exit = error === null ? 0 : error.code
        if (exit !== 0 && exit !== 1) return reject(new Error(`eds doctor: ${stderr || error?.message}`))
        if (values.some(value => `${stdout}${stderr}`.includes(value))) return reject(new Error('eds doctor prints the value of a secret'))
        resolve({ exit, checks: JSON.parse(stdout).checks })
      },
    ),
  )
}

/** Waits until the doctor says this of what it looked at. */
async function turnsRed(setting: Setting, about: readonly string[], { row, because, harm, mayBeUndone }: Ailment): Promise<PublishedCheck> {
  let last: PublishedCheck | undefined
  return setting.cluster
    .until(`✗ ${row}`, async () => {
      const { exit, checks } = await doctor(setting, about)
      last = checks.find(({ name }) => name === row)
      if (exit === 1 && last?.state === 'wrong' && because.test(last.says)) return last
      if (mayBeUndone) await harm(setting)
      return undefined
    })
    .catch(error => {
      throw new Error(`${error instanceof Error ? error.message : error}; the row is ${JSON.stringify(last)}`)
    })
}

async function turnsGreen(setting: Setting, about: readonly string[]): Promise<void> {
  let last: Diagnosis | undefined
  await setting.cluster
    .until('nothing is wrong', async () => {
      last = await doctor(setting, about)
      return last.exit === 0
    })
    .catch(error => {
      const wrong = last?.checks.filter(({ state }) => state === 'wrong')
      throw new Error(`${error instanceof Error ? error.message : error}; wrong is ${JSON.stringify(wrong)}`)
    })
}

interface Otherwise {
  /** Why the printed command does not mend it, or not here. */
  readonly why: 'it shows what is wrong' | 'helm installs from the internet' | 'the nats CLI is not at hand'
  /** The printed command, or what it prints where it shows something. */
  readonly prints: RegExp
  readonly mend: (setting: Setting) => Promise<unknown>
}

interface Ailment {
  readonly says: string
  readonly harm: (setting: Setting) => Promise<unknown>
  /** By Crossplane, which may be late with putting right what the ailment before had changed: then it is done again. */
  readonly mayBeUndone?: boolean
  readonly row: string
  readonly because: RegExp
  /** Where it is not the printed command that mends it. */
  readonly otherwise?: Otherwise
  /** What is done in the editor that the printed command opens. */
  readonly editor?: string
  /** What lies where the printed command is run, in the place of the project. */
  readonly files?: Readonly<Record<string, string>>
  /** What is asked about in the place of the patient. */
  readonly about?: (setting: Setting) => readonly string[]
}

const kubectl =
  (...args: readonly string[]) =>
  ({ cluster }: Setting) =>
    cluster.kubectl(args)
const patchClaim =
  (spec: JsonObject) =>
  ({ cluster }: Setting) =>
    cluster.api.patch(referenceOf(patient), { spec })

/** Deletes an object, and puts it back. */
function taking(reference: Reference): {
  readonly take: (setting: Setting) => Promise<unknown>
  readonly back: (setting: Setting) => Promise<unknown>
} {
  let taken: JsonObject | undefined
  return {
    take: async ({ cluster }) => {
      const { status: _, metadata, ...rest } = await cluster.api.get(reference)
      const { name, namespace, labels, annotations } = isObject(metadata) ? metadata : {}
      taken = JSON.parse(JSON.stringify({ ...rest, metadata: { name, namespace, labels, annotations } }))
      await cluster.api.delete(reference)
    },
    back: ({ cluster }) => cluster.api.apply(taken ?? {}),
  }
}

const shows = (prints: RegExp, mend: Otherwise['mend']): Otherwise => ({ why: 'it shows what is wrong', prints, mend })
const helm = (mend: Otherwise['mend']): Otherwise => ({
  why: 'helm installs from the internet',
  prints: /^helm upgrade --install \S+ \S+ --repo https:/,
  mend,
})
const natsCli = (prints: RegExp, mend: Otherwise['mend']): Otherwise => ({ why: 'the nats CLI is not at hand', prints, mend })

const deployment = (namespace: string, name: string): Reference => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
const crossplane = taking(deployment('crossplane-system', 'crossplane'))
const operator = taking(deployment('keda', 'keda-operator'))
const kinds = taking({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'scaledobjects.keda.sh' })
const metrics = taking({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: 'v1beta1.external.metrics.k8s.io' })

const scale = (namespace: string, name: string, replicas: number) => kubectl('-n', namespace, 'scale', name, `--replicas=${replicas}`)
const image = ({ namespace, name }: Reference, container: string, value: string) =>
  kubectl('-n', String(namespace), 'set', 'image', `deployment/${name}`, `${container}=${value}`)

/** What runs in the first container of a Deployment; changed, and changed back. */
function imaging(reference: Reference, old: (image: string) => string) {
  let before: { readonly container: string; readonly image: string } | undefined
  return {
    take: async (setting: Setting) => {
      const [container] = at(await setting.cluster.api.get(reference), 'spec', 'template', 'spec', 'containers') as JsonObject[]
      before = { container: String(container?.name), image: String(container?.image) }
      await image(reference, before.container, old(before.image))(setting)
    },
    back: (setting: Setting) => image(reference, before?.container ?? '', before?.image ?? '')(setting),
  }
}
const oldCrossplane = imaging(deployment('crossplane-system', 'crossplane'), now => now.replace(/:[^:]*$/, ':v1.16.9'))
const oldKeda = imaging(deployment('keda', 'keda-operator'), now => now.replace(/:[^:]*$/, ':2.16.1'))

const CONFIGURATION = configurationName('claims')
const NO_VERSION = 'v9.9.9'
const versioned = (kind: 'function' | 'configuration', name: string, version: string) => {
  const repository = kind === 'function' ? 'function-event-driven-service' : configurations.claims
  const patch = { spec: { package: `ghcr.io/bizmatters/${repository}:${version}` } }
  return kubectl('patch', `${kind}.pkg.crossplane.io/${name}`, '--type=merge', '-p', JSON.stringify(patch))
}

/** Until the change stays: Crossplane may not be done with making the Composition yet. */
const changeComposition =
  (...operations: readonly JsonObject[]) =>
  ({ cluster: { api, until } }: Setting) => {
    const reference = { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition', name: 'eventdrivenservice' }
    return until('the Composition is changed', async () => {
      const changed = await api.call('PATCH', pathOf(reference), [...operations], 'application/json-patch+json')
      await delay(STAYS_MS)
      return at(await api.get(reference), 'metadata', 'generation') === at(changed, 'metadata', 'generation')
    })
  }
const step = '/spec/pipeline/0'

const cordon = async ({ cluster }: Setting, verb: 'cordon' | 'uncordon') => {
  for (const node of (await cluster.kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n')) await cluster.kubectl([verb, node])
}

const secret: JsonObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'later', namespace: NAMESPACE },
  stringData: { password: PASSWORD },
}
const nats = { stream: STREAM, consumer: 'patient' }
const secretive = worker(NAMESPACE, 'secretive', STREAM, { nats, secretRefs: [{ name: 'later', envFrom: true }] })
const taken = worker(NAMESPACE, 'taken', STREAM, { nats })
const homeless = worker('nowhere', 'homeless', STREAM, { nats })
/** Pods that there are keep running without what their claim names now. */
const naming = (secretKey: string) => patchClaim({ secretRefs: [{ name: 'credentials', env: [{ secretKey, envName: 'PASSWORD' }] }] })
const SECRET_ROW = `Secret credentials of ${nameOf(patient)}`
const PODS_ROW = `Pods of ${nameOf(patient)}`
const PULLING = 'Back-off pulling image "ghcr.io/acme/orders-worker:1.4.2"'
const labels = `app.kubernetes.io/name=${patient.metadata.name}`

/** What the kubelet says of an image that there is not; KWOK's pods run without any. */
async function stopPulling({ cluster: { api, kubectl } }: Setting): Promise<void> {
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod', namespace: NAMESPACE })
  for (const pod of pods) {
    if (at(pod, 'metadata', 'labels', 'app.kubernetes.io/name') !== patient.metadata.name) continue
    const status = {
      conditions: ['Ready', 'ContainersReady'].map(type => ({ type, status: 'False' })),
      containerStatuses: [
        {
          ...{ name: 'main', image: 'ghcr.io/acme/orders-worker:1.4.2', imageID: '', ready: false, restartCount: 0 },
          state: { waiting: { reason: 'ImagePullBackOff', message: PULLING } },
        },
      ],
    }
    const name = String(at(pod, 'metadata', 'name'))
    await kubectl(['-n', NAMESPACE, 'patch', 'pod', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })])
  }
}

const CLAIM = `Claim ${nameOf(patient)}`
const STREAM_ROW = `Stream of ${nameOf(patient)}`

const ailments: readonly Ailment[] = [
  {
    says: 'Crossplane is scaled away',
    harm: scale('crossplane-system', 'deployment/crossplane', 0),
    row: 'Crossplane',
    because: /has 0 of 0 replicas ready/,
  },
  {
    says: 'no node takes Crossplane',
    harm: async setting => {
      await cordon(setting, 'cordon')
      await kubectl('-n', 'crossplane-system', 'delete', 'pods', '-l', 'app=crossplane')(setting)
    },
    row: 'Crossplane',
    because: /Unschedulable/,
    otherwise: shows(/FailedScheduling/, setting => cordon(setting, 'uncordon')),
  },
  {
    says: 'Crossplane is not there',
    harm: crossplane.take,
    row: 'Crossplane',
    because: /no Deployment in any namespace has the label app=crossplane/,
    otherwise: helm(crossplane.back),
  },
  {
    says: 'Crossplane is too old',
    harm: oldCrossplane.take,
    row: 'Crossplane version',
    because: /^1\.16\.9 is too old: the packages need/,
    otherwise: helm(oldCrossplane.back),
  },
  {
    says: 'the function is of a version that there is not',
    harm: versioned('function', functionName, NO_VERSION),
    row: 'Function',
    because: /is not Installed: cannot unpack package/,
    otherwise: shows(/UnpackPackage/, versioned('function', functionName, FIRST_VERSION)),
  },
  {
    says: 'the Composition calls a function that there is not',
    harm: changeComposition({ op: 'replace', path: `${step}/functionRef/name`, value: 'function-event-driven-service' }),
    mayBeUndone: true,
    row: 'Function',
    because: /calls function function-event-driven-service, which is not installed; the installed function is named bizmatters-function/,
    otherwise: shows(new RegExp(functionName), changeComposition({ op: 'replace', path: `${step}/functionRef/name`, value: functionName })),
  },
  {
    says: 'the Configuration is of a version that there is not',
    harm: versioned('configuration', CONFIGURATION, NO_VERSION),
    row: 'Configuration',
    because: /is not Installed: cannot unpack package/,
    otherwise: shows(/UnpackPackage/, versioned('configuration', CONFIGURATION, FIRST_VERSION)),
  },
  {
    says: 'the Composition is deleted',
    harm: kubectl('delete', 'composition', 'eventdrivenservice'),
    row: 'Composition',
    because: /no Composition .* exists/,
  },
  {
    says: 'the input of the function is made invalid',
    harm: changeComposition({ op: 'add', path: `${step}/input/defaults`, value: { size: 'huge' } }),
    mayBeUndone: true,
    row: 'Composition',
    because: /defaults\.size: must be one of/,
  },
  {
    says: 'the Composition loses its step',
    harm: changeComposition(
      // Removed whether it is there or not.
      { op: 'add', path: `${step}/input`, value: {} },
      { op: 'remove', path: `${step}/input` },
      { op: 'replace', path: `${step}/functionRef/name`, value: 'function-auto-ready' },
    ),
    mayBeUndone: true,
    row: 'Composition',
    because: /has no step that calls the function/,
  },
  {
    says: 'the ClusterRole is deleted',
    harm: kubectl('delete', 'clusterrole', 'event-driven-service:deployment'),
    row: 'Access to scaledobjects.keda.sh',
    because: /crossplane-system\/crossplane may not get, list, watch, create, update, patch, delete/,
  },
  {
    says: 'the operator of KEDA is scaled away',
    harm: scale('keda', 'deployment/keda-operator', 0),
    row: 'KEDA operator',
    because: /has 0 of 0 replicas ready/,
  },
  {
    says: 'the operator of KEDA is not there',
    harm: operator.take,
    row: 'KEDA operator',
    because: /no Deployment in any namespace has the label app.kubernetes.io\/name=keda-operator/,
    otherwise: helm(operator.back),
  },
  {
    says: 'KEDA is too old',
    harm: oldKeda.take,
    row: 'KEDA version',
    because: /^2\.16\.1 is too old: KEDA 2\.17\.0/,
    otherwise: helm(oldKeda.back),
  },
  {
    says: 'nobody serves the metrics of KEDA',
    harm: scale('keda', 'deployment/keda-metrics-apiserver', 0),
    row: 'KEDA metrics',
    because: /is not available, so claims cannot scale beyond one replica: .*no addresses/,
    otherwise: shows(/no addresses/, scale('keda', 'deployment/keda-metrics-apiserver', 1)),
  },
  {
    says: 'the metrics of KEDA are not known to the API server',
    harm: metrics.take,
    row: 'KEDA metrics',
    because: /APIService \S+ does not exist/,
    otherwise: helm(metrics.back),
  },
  {
    says: 'no pod of NATS runs',
    harm: scale('nats', 'statefulset/nats', 0),
    row: 'NATS',
    because: /Service nats\/nats-headless has no ready pods/,
    otherwise: shows(/^$/, scale('nats', 'statefulset/nats', 1)),
  },
  {
    says: 'the claim asks a Service that there is not',
    harm: patchClaim({ nats: { monitoringEndpoint: 'monitoring.nats.svc:8222' } }),
    row: 'NATS',
    because: /Service nats\/monitoring does not exist; Service nats-headless exposes 8222/,
  },
  {
    says: 'the claim asks the Service for clients',
    harm: patchClaim({ nats: { monitoringEndpoint: 'nats.nats.svc:8222' } }),
    row: 'NATS',
    because: /Service nats\/nats does not expose port 8222, only 4222/,
  },
  {
    says: 'the claim asks the port for clients',
    harm: patchClaim({ nats: { monitoringEndpoint: 'nats-headless.nats.svc:4222' } }),
    row: 'NATS',
    because: /does not speak HTTP, so it is probably the client port/,
    otherwise: shows(/nats-headless .*8222/, patchClaim({ nats: { monitoringEndpoint: null } })),
  },
  {
    says: 'the stream is not there',
    harm: patchClaim({ nats: { stream: 'NOWHERE' } }),
    row: STREAM_ROW,
    because: /account '\$G' has no stream 'NOWHERE'/,
    otherwise: natsCli(/^nats stream add -- NOWHERE$/, async ({ nats }) => {
      await nats.createStream('NOWHERE')
      await nats.createConsumer('NOWHERE', 'patient')
    }),
  },
  {
    says: 'the stream is misspelt',
    harm: patchClaim({ nats: { stream: 'DOKTOR' } }),
    row: STREAM_ROW,
    because: /has no stream 'DOKTOR' \(did you mean 'DOCTOR'\?\).*; if the name is correct, run: nats stream add -- DOKTOR$/,
  },
  {
    says: 'the consumer is not there',
    harm: patchClaim({ nats: { stream: STREAM, consumer: 'nobody' } }),
    row: STREAM_ROW,
    because: /has no consumer 'nobody'; its consumers: patient/,
    otherwise: natsCli(/^nats consumer add --pull --defaults -- DOCTOR nobody$/, ({ nats }) => nats.createConsumer(STREAM, 'nobody')),
  },
  {
    says: 'the consumer is misspelt',
    harm: patchClaim({ nats: { stream: STREAM, consumer: 'patent' } }),
    row: STREAM_ROW,
    because: /has no consumer 'patent' \(did you mean 'patient'\?\)/,
  },
  {
    says: 'the account is another',
    harm: patchClaim({ nats: { ...nats, account: 'SUPPORT' } }),
    row: STREAM_ROW,
    because: /stream 'DOCTOR' is in account '\$G', not in account 'SUPPORT'/,
  },
  {
    says: 'a secret of the claim is not there',
    harm: ({ cluster }) => cluster.api.apply(secretive),
    row: `Claim ${nameOf(secretive)}`,
    because: /ScalingReady is False, ScaledObjectCheckFailed: .*Create the secret/,
    otherwise: shows(/ScaledObjectCheckFailed/, ({ cluster }) => cluster.api.apply(secret)),
    about: () => [nameOf(secretive)],
  },
  {
    says: 'a living claim names a secret that there is not',
    harm: naming('password'),
    row: SECRET_ROW,
    because: /^namespace doctor has no Secret 'credentials'$/,
    files: { password: PASSWORD },
  },
  {
    says: 'the secret lacks a key',
    harm: naming('token'),
    row: SECRET_ROW,
    because: /^has no key 'token'; its keys: password$/,
    files: { token: PASSWORD },
  },
  {
    says: 'the key is misspelt',
    harm: naming('pasword'),
    row: SECRET_ROW,
    because: /^has no key 'pasword' \(did you mean 'password'\?\); its keys: password, token/,
    editor: 'sed -i s/pasword/password/',
  },
  {
    says: 'a secret to pull with is of another type',
    harm: patchClaim({ imagePullSecrets: [{ name: 'credentials' }] }),
    row: SECRET_ROW,
    because: /^has type Opaque, so the kubelet does not pull images with it/,
    otherwise: shows(/^Type: +Opaque$/m, patchClaim({ imagePullSecrets: null })),
  },
  {
    says: 'a rollout is stuck for want of a node, and the old pod serves',
    harm: async setting => {
      await cordon(setting, 'cordon')
      await patchClaim({ image: 'ghcr.io/acme/orders-worker:1.4.3' })(setting)
    },
    row: PODS_ROW,
    because: /^1 of 2 failing: pod patient-\S+: Unschedulable: 0\/1 nodes are available/,
    otherwise: shows(/FailedScheduling/, setting => cordon(setting, 'uncordon')),
  },
  {
    says: 'the image of a pod is not there',
    harm: stopPulling,
    row: PODS_ROW,
    because: /: pod patient-\S+: ImagePullBackOff: Back-off pulling image/,
    otherwise: shows(/ImagePullBackOff/, kubectl('-n', NAMESPACE, 'delete', 'pods', '-l', labels)),
  },
  {
    says: 'the claim is one that only the function refuses',
    harm: patchClaim({
      env: [{ name: 'PASSWORD', value: 'x' }],
      secretRefs: [{ name: 'later', env: [{ secretKey: 'password', envName: 'PASSWORD' }] }],
    }),
    row: CLAIM,
    because: /must not be the same as spec\.env\[0\]\.name/,
    editor: 'sed -i s/envName:.PASSWORD/envName:\\ ANOTHER/',
  },
  {
    says: 'the claim is paused',
    harm: kubectl('-n', NAMESPACE, 'annotate', 'eventdrivenservice', 'patient', 'crossplane.io/paused=true'),
    row: CLAIM,
    because: /Synced is False, ReconcilePaused/,
    otherwise: shows(/ReconcilePaused/, kubectl('-n', NAMESPACE, 'annotate', 'eventdrivenservice', 'patient', 'crossplane.io/paused-')),
  },
  {
    says: 'the claim is not there',
    harm: async () => undefined,
    row: `Claim ${NAMESPACE}/patent`,
    because: /^does not exist$/,
    otherwise: shows(/patient/, async ({ cluster }) => cluster.api.apply(worker(NAMESPACE, 'patent', STREAM, { nats }))),
    about: () => [`${NAMESPACE}/patent`],
  },
  {
    says: 'the name of the claim is taken',
    harm: async ({ cluster }) => {
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'taken', namespace: NAMESPACE },
        spec: { ports: [{ name: 'http', port: 8080 }] },
      }
      await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(service))
      await cluster.api.apply(taken)
    },
    row: `Claim ${nameOf(taken)}`,
    because: /NameTaken: Service doctor\/taken already exists, .*platform\.bizmatters\.io\/adopt=true/,
    otherwise: shows(/NameTaken/, kubectl('-n', NAMESPACE, 'annotate', 'eventdrivenservice', 'taken', 'platform.bizmatters.io/adopt=true')),
    about: () => [nameOf(taken)],
  },
  {
    says: 'the namespace of a claim that is not applied yet is not there',
    harm: async setting => writeFileSync(fileOf(setting), JSON.stringify(homeless)),
    row: `Claim ${nameOf(homeless)}`,
    because: /namespace nowhere does not exist/,
    about: setting => [fileOf(setting)],
  },
]
/** A kubeconfig of somebody who may read claims and what the ClusterRole `view` allows: all but secrets. */
async function viewer({ cluster: { api, kubectl, folder } }: Setting): Promise<string> {
  const rbac = 'rbac.authorization.k8s.io'
  const account = { kind: 'ServiceAccount', namespace: NAMESPACE, name: 'viewer' }
  await api.apply({ apiVersion: 'v1', kind: account.kind, metadata: { name: account.name, namespace: NAMESPACE } })
  await api.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'doctor-claims' },
    rules: [{ apiGroups: ['platform.bizmatters.io'], resources: ['eventdrivenservices'], verbs: ['get'] }],
  })
  for (const role of ['view', 'doctor-claims'])
    await api.apply({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: `doctor-viewer-${role}` },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
      subjects: [account],
    })
  const token = (await kubectl(['-n', NAMESPACE, 'create', 'token', 'viewer'])).trim()
  const config: JsonObject = JSON.parse(await kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json']))
  const users = items(config.users).map(user => ({ name: at(user, 'name') ?? '', user: { token } }))
  const file = join(folder, 'viewer.json')
  writeFileSync(file, JSON.stringify({ ...config, users }))
  return file
}

function folderOf({ cluster }: Setting, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(cluster.folder, 'files-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
const fileOf = ({ cluster }: Setting) => join(cluster.folder, 'homeless.json')

/** The commands of docs/install.md that remove all but what stands beside the packages. */
function removal(): string {
  const text = readFileSync(join(root, 'docs/install.md'), 'utf8')
  const commands = /## Remove it\n[^`]*```sh\n([^`]*)```/.exec(text)?.[1]?.trim().split('\n') ?? []
  if (!commands.at(-1)?.startsWith('kubectl delete -f package/runtime/')) throw new Error('docs/install.md removes in another way')
  return commands.slice(0, -1).join('\n')
}
/** What goes with the packages, in its own time. */
const brought: readonly Reference[] = [
  { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'CompositeResourceDefinition' },
  { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition' },
  { apiVersion: 'pkg.crossplane.io/v1', kind: 'FunctionRevision' },
]

/** With the API go all claims, so this comes last. */
const losses: readonly Ailment[] = [
  {
    says: 'the API is deleted',
    harm: kubectl('delete', 'xrd', 'xeventdrivenservices.platform.bizmatters.io'),
    row: 'API (XRD)',
    because: /neither .* exists/,
    about: () => [],
  },
  {
    says: 'the kinds of KEDA are not there',
    harm: kinds.take,
    row: 'KEDA',
    because: /missing CRDs: scaledobjects\.keda\.sh/,
    otherwise: helm(kinds.back),
    about: () => [],
  },
  {
    says: 'the packages are deleted',
    harm: async ({ cluster }) => {
      await runDocumented(cluster, removal())
      for (const reference of brought)
        await cluster.until(`no ${reference.kind} is left`, async () => (await cluster.api.list(reference)).length === 0)
    },
    row: 'Configuration',
    because: /is not installed/,
    about: () => [],
  },
]

export function doctorMends(given: () => Setting): void {
  describe('eds doctor', () => {
    let setting: Setting
    beforeAll(async () => {
      setting = given()
      const { cluster, nats } = setting
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'patient')
      await cluster.api.apply(patient)
      await ready(cluster, patient)
    })

    test('finds nothing wrong', async () => {
      await turnsGreen(setting, [nameOf(patient)])
      const printed = await runDocumented(setting.cluster, `eds doctor ${nameOf(patient)} 2>&1`)
      expect(printed).toMatch(/no problems found\n$/)
      expect(printed.split('\n').filter(line => /^[✗]|^– (?!Knative)/.test(line))).toEqual([])
      expect(printed.split('\n').filter(line => line.startsWith('✓')).length).toBeGreaterThanOrEqual(16)
    })

    const turned = async (ailment: Ailment) => {
      const { harm, otherwise, editor, files, about = () => [nameOf(patient)] } = ailment
      await harm(setting)
      const { mend = '' } = await turnsRed(setting, about(setting), ailment)
      if (otherwise === undefined) {
        const line = editor === undefined ? mend : `KUBE_EDITOR='${editor}' ${mend}`
        await runDocumented(setting.cluster, line, files === undefined ? root : folderOf(setting, files))
      } else {
        if (otherwise.why !== 'it shows what is wrong') expect(mend).toMatch(otherwise.prints)
        // An event comes a moment after what it tells of.
        else await setting.cluster.until('it shows', async () => otherwise.prints.test(await runDocumented(setting.cluster, mend)))
        await otherwise.mend(setting)
      }
      await turnsGreen(setting, about(setting))
    }

    test('says so where it may not read a secret, and finds nothing wrong for that', async () => {
      const { cluster } = setting
      await cluster.api.apply(secret)
      await patchClaim({ secretRefs: [{ name: 'later', env: [{ secretKey: 'password', envName: 'PASSWORD' }] }] })(setting)
      const asViewer = { ...setting, cluster: { ...cluster, kubeconfig: await viewer(setting) } }
      const { exit, checks } = await cluster.until('the claim is all right and may be read', async () => {
        const diagnosis = await doctor(asViewer, [nameOf(patient)])
        return diagnosis.checks.some(({ name, state }) => name === CLAIM && state === 'well') ? diagnosis : undefined
      })
      expect(checks.find(({ name }) => name === `Secret later of ${nameOf(patient)}`)).toMatchObject({
        state: 'unknown',
        says: expect.stringMatching(
          /^you may not read it, so doctor cannot check whether it exists with key 'password': secrets "later" is forbidden: User "system:serviceaccount:doctor:viewer"/,
        ),
      })
      expect({ exit, wrong: checks.filter(({ state }) => state === 'wrong') }).toEqual({ exit: 0, wrong: [] })
      await cluster.api.delete(referenceTo(secret))
      await patchClaim({ secretRefs: null })(setting)
    })

    test.each(ailments)('$says', turned)
    test.each(losses)('$says', turned)
  })
}
