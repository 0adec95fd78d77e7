// Breaks every part that eds doctor checks: doctor reports the problem, and the printed command fixes it. Uses the flavour with
// claims, which is the one that doctor installs.
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

/** The value of the secrets in this file. */
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

/** Waits until doctor reports the problem. */
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
  /** Why the printed command does not fix it, or not here. */
  readonly why: 'it shows what is wrong' | 'helm installs from the internet' | 'the nats CLI is not at hand'
  /** Matches the printed command, or the output of a command that only shows something. */
  readonly prints: RegExp
  readonly fix: (setting: Setting) => Promise<unknown>
}

interface Ailment {
  readonly says: string
  readonly harm: (setting: Setting) => Promise<unknown>
  /** Crossplane may still undo the change while it reverts the previous one, so it is repeated. */
  readonly mayBeUndone?: boolean
  readonly row: string
  readonly because: RegExp
  /** The fix if the printed command does not fix it. */
  readonly otherwise?: Otherwise
  /** The edit in the editor that the printed command opens. */
  readonly editor?: string
  /** The files in the working directory of the printed command, instead of the project. */
  readonly files?: Readonly<Record<string, string>>
  /** The operands of doctor instead of the default claim. */
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

/** Deletes an object, and restores it. */
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

const shows = (prints: RegExp, fix: Otherwise['fix']): Otherwise => ({ why: 'it shows what is wrong', prints, fix })
const helm = (fix: Otherwise['fix']): Otherwise => ({
  why: 'helm installs from the internet',
  prints: /^helm upgrade --install \S+ \S+ --repo https:/,
  fix,
})
const natsCli = (prints: RegExp, fix: Otherwise['fix']): Otherwise => ({ why: 'the nats CLI is not at hand', prints, fix })

const deployment = (namespace: string, name: string): Reference => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
const crossplane = taking(deployment('crossplane-system', 'crossplane'))
const operator = taking(deployment('keda', 'keda-operator'))
const kinds = taking({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'scaledobjects.keda.sh' })
const metrics = taking({ apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: 'v1beta1.external.metrics.k8s.io' })

const scale = (namespace: string, name: string, replicas: number) => kubectl('-n', namespace, 'scale', name, `--replicas=${replicas}`)
const image = ({ namespace, name }: Reference, container: string, value: string) =>
  kubectl('-n', String(namespace), 'set', 'image', `deployment/${name}`, `${container}=${value}`)

/** Changes the image of the first container of a Deployment, and restores it. */
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

/** Repeats the change until it persists, because Crossplane may still be creating the Composition. */
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
/** Existing pods keep running without secrets that the claim names now. */
const naming = (secretKey: string) => patchClaim({ secretRefs: [{ name: 'credentials', env: [{ secretKey, envName: 'PASSWORD' }] }] })
const SECRET_ROW = `Secret credentials of ${nameOf(patient)}`
const PODS_ROW = `Pods of ${nameOf(patient)}`
const PULLING = 'Back-off pulling image "ghcr.io/acme/orders-worker:1.4.2"'
const labels = `app.kubernetes.io/name=${patient.metadata.name}`

/** The pod status of the kubelet for a missing image, which KWOK does not set. */
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
    says: 'Crossplane is scaled to zero',
    harm: scale('crossplane-system', 'deployment/crossplane', 0),
    row: 'Crossplane',
    because: /has 0 of 0 replicas ready/,
  },
  {
    says: 'no node fits Crossplane',
    harm: async setting => {
      await cordon(setting, 'cordon')
      await kubectl('-n', 'crossplane-system', 'delete', 'pods', '-l', 'app=crossplane')(setting)
    },
    row: 'Crossplane',
    because: /Unschedulable/,
    otherwise: shows(/FailedScheduling/, setting => cordon(setting, 'uncordon')),
  },
  {
    says: 'Crossplane is missing',
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
    says: 'the version of the function does not exist',
    harm: versioned('function', functionName, NO_VERSION),
    row: 'Function',
    because: /is not Installed: cannot unpack package/,
    otherwise: shows(/UnpackPackage/, versioned('function', functionName, FIRST_VERSION)),
  },
  {
    says: 'the Composition calls a missing function',
    harm: changeComposition({ op: 'replace', path: `${step}/functionRef/name`, value: 'function-event-driven-service' }),
    mayBeUndone: true,
    row: 'Function',
    because: /calls function function-event-driven-service, which is not installed; the installed function is named bizmatters-function/,
    otherwise: shows(new RegExp(functionName), changeComposition({ op: 'replace', path: `${step}/functionRef/name`, value: functionName })),
  },
  {
    says: 'the version of the Configuration does not exist',
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
    says: 'the function input is invalid',
    harm: changeComposition({ op: 'add', path: `${step}/input/defaults`, value: { size: 'huge' } }),
    mayBeUndone: true,
    row: 'Composition',
    because: /defaults\.size: must be one of/,
  },
  {
    says: 'the Composition has no step',
    harm: changeComposition(
      // Removed even if it does not exist.
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
    says: 'the KEDA operator is scaled to zero',
    harm: scale('keda', 'deployment/keda-operator', 0),
    row: 'KEDA operator',
    because: /has 0 of 0 replicas ready/,
  },
  {
    says: 'the KEDA operator is missing',
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
    says: 'no process serves the KEDA metrics',
    harm: scale('keda', 'deployment/keda-metrics-apiserver', 0),
    row: 'KEDA metrics',
    because: /is not available, so claims cannot scale beyond one replica: .*no addresses/,
    otherwise: shows(/no addresses/, scale('keda', 'deployment/keda-metrics-apiserver', 1)),
  },
  {
    says: 'the APIService of the KEDA metrics is missing',
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
    says: 'the monitoring endpoint names a missing Service',
    harm: patchClaim({ nats: { monitoringEndpoint: 'monitoring.nats.svc:8222' } }),
    row: 'NATS',
    because: /Service nats\/monitoring does not exist; Service nats-headless exposes 8222/,
  },
  {
    says: 'the monitoring endpoint names the client Service',
    harm: patchClaim({ nats: { monitoringEndpoint: 'nats.nats.svc:8222' } }),
    row: 'NATS',
    because: /Service nats\/nats does not expose port 8222, only 4222/,
  },
  {
    says: 'the monitoring endpoint names the client port',
    harm: patchClaim({ nats: { monitoringEndpoint: 'nats-headless.nats.svc:4222' } }),
    row: 'NATS',
    because: /does not speak HTTP, so it is probably the client port/,
    otherwise: shows(/nats-headless .*8222/, patchClaim({ nats: { monitoringEndpoint: null } })),
  },
  {
    says: 'the stream is missing',
    harm: patchClaim({ nats: { stream: 'ABSENT' } }),
    row: STREAM_ROW,
    because: /account '\$G' has no stream 'ABSENT'/,
    otherwise: natsCli(/^nats stream add -- ABSENT$/, async ({ nats }) => {
      await nats.createStream('ABSENT')
      await nats.createConsumer('ABSENT', 'patient')
    }),
  },
  {
    says: 'the stream is misspelt',
    harm: patchClaim({ nats: { stream: 'DOKTOR' } }),
    row: STREAM_ROW,
    because: /has no stream 'DOKTOR' \(did you mean 'DOCTOR'\?\).*; if the name is correct, run: nats stream add -- DOKTOR$/,
  },
  {
    says: 'the consumer is missing',
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
    says: 'the stream is in another account',
    harm: patchClaim({ nats: { ...nats, account: 'SUPPORT' } }),
    row: STREAM_ROW,
    because: /stream 'DOCTOR' is in account '\$G', not in account 'SUPPORT'/,
  },
  {
    says: 'a secret of the claim is missing',
    harm: ({ cluster }) => cluster.api.apply(secretive),
    row: `Claim ${nameOf(secretive)}`,
    because: /ScalingReady is False, ScaledObjectCheckFailed: .*Create the secret/,
    otherwise: shows(/ScaledObjectCheckFailed/, ({ cluster }) => cluster.api.apply(secret)),
    about: () => [nameOf(secretive)],
  },
  {
    says: 'a ready claim names a missing secret',
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
    says: 'a pull secret has another type',
    harm: patchClaim({ imagePullSecrets: [{ name: 'credentials' }] }),
    row: SECRET_ROW,
    because: /^has type Opaque, so the kubelet does not pull images with it/,
    otherwise: shows(/^Type: +Opaque$/m, patchClaim({ imagePullSecrets: null })),
  },
  {
    says: 'a rollout is stuck without a node while the old pod serves',
    harm: async setting => {
      await cordon(setting, 'cordon')
      await patchClaim({ image: 'ghcr.io/acme/orders-worker:1.4.3' })(setting)
    },
    row: PODS_ROW,
    because: /^1 of 2 failing: pod patient-\S+: Unschedulable: no node fits: node\(s\) were unschedulable/,
    otherwise: shows(/FailedScheduling/, setting => cordon(setting, 'uncordon')),
  },
  {
    says: 'the image of a pod is missing',
    harm: stopPulling,
    row: PODS_ROW,
    because: /: pod patient-\S+: ImagePullBackOff: image ghcr\.io\/acme\/orders-worker:1\.4\.\d can't be pulled/,
    otherwise: shows(/ImagePullBackOff/, kubectl('-n', NAMESPACE, 'delete', 'pods', '-l', labels)),
  },
  {
    says: 'only the function rejects the claim',
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
  },
  {
    says: 'the claim is missing',
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
    says: 'the namespace of a new claim is missing',
    harm: async setting => writeFileSync(fileOf(setting), JSON.stringify(homeless)),
    row: `Claim ${nameOf(homeless)}`,
    because: /namespace nowhere does not exist/,
    about: setting => [fileOf(setting)],
  },
]
/** A kubeconfig of a user who may read claims and everything in the ClusterRole `view`, which excludes secrets. */
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

/** The commands of docs/install.md that remove the packages, but not the objects outside them. */
function removal(): string {
  const text = readFileSync(join(root, 'docs/install.md'), 'utf8')
  const commands = /## Remove it\n[^`]*```sh\n([^`]*)```/.exec(text)?.[1]?.trim().split('\n') ?? []
  if (!commands.at(-1)?.startsWith('kubectl delete -f package/runtime/')) throw new Error('docs/install.md removes in another way')
  return commands.slice(0, -1).join('\n')
}
/** The objects that Crossplane deletes after the packages. */
const brought: readonly Reference[] = [
  { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'CompositeResourceDefinition' },
  { apiVersion: 'apiextensions.crossplane.io/v1', kind: 'Composition' },
  { apiVersion: 'pkg.crossplane.io/v1', kind: 'FunctionRevision' },
]

/** Last, because deleting the API deletes all claims. */
const losses: readonly Ailment[] = [
  {
    says: 'the API is deleted',
    harm: kubectl('delete', 'xrd', 'xeventdrivenservices.platform.bizmatters.io'),
    row: 'API (XRD)',
    because: /neither .* exists/,
    about: () => [],
  },
  {
    says: 'the CRDs of KEDA are missing',
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

export function doctorFixes(given: () => Setting): void {
  describe('eds doctor', () => {
    let setting: Setting
    beforeAll(async () => {
      setting = given()
      const { cluster, nats } = setting
      await createNamespace(cluster, NAMESPACE)
      await nats.createStream(STREAM)
      await nats.createConsumer(STREAM, 'patient', { max_deliver: 5 })
      await cluster.api.apply(patient)
      await ready(cluster, patient)
    })

    test('reports no problems', async () => {
      await turnsGreen(setting, [nameOf(patient)])
      const printed = await runDocumented(setting.cluster, `eds doctor ${nameOf(patient)} 2>&1`)
      expect(printed).toMatch(/no problems found\n$/)
      expect(printed.split('\n').filter(line => /^[✗]|^– (?!Knative|Shipwright|Istio|Prometheus)/.test(line))).toEqual([])
      expect(printed.split('\n').filter(line => line.startsWith('✓')).length).toBeGreaterThanOrEqual(16)
    })

    const turned = async (ailment: Ailment) => {
      const { harm, otherwise, editor, files, about = () => [nameOf(patient)] } = ailment
      await harm(setting)
      const { mend: fix = '' } = await turnsRed(setting, about(setting), ailment)
      if (otherwise === undefined) {
        const line = editor === undefined ? fix : `KUBE_EDITOR='${editor}' ${fix}`
        await runDocumented(setting.cluster, line, files === undefined ? root : folderOf(setting, files))
      } else {
        if (otherwise.why !== 'it shows what is wrong') expect(fix).toMatch(otherwise.prints)
        // Events arrive shortly after their cause.
        else await setting.cluster.until('it shows', async () => otherwise.prints.test(await runDocumented(setting.cluster, fix)))
        await otherwise.fix(setting)
      }
      await turnsGreen(setting, about(setting))
    }

    test('reports a secret that it may not read as unknown, not as a problem', async () => {
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
