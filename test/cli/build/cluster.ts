// The cluster of healthy.ts on a platform that builds, with a claim of spec.build in a state of its build.
import { at, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { Composition } from '../../../src/reconcile/compose.ts'
import { buildClaim, composeBuild, digest, git, readBranch, wantedRun } from '../../fixtures/build.ts'
import { type Answers, changed, paths, readyPod } from '../doctor/cluster.ts'
import { healthy } from '../doctor/healthy.ts'

export const POD = 'orders-6d4cf56db6-x7k2p'
const COMPOSITE = 'orders-hzcdp'
const GENERATION = 4
export const buildPaths = {
  claim: '/apis/platform.bizmatters.io/v1alpha1/namespaces/shop/eventdrivenservices/orders',
  composite: `/apis/platform.bizmatters.io/v1alpha1/xeventdrivenservices/${COMPOSITE}`,
  run: (name: string) => `/apis/shipwright.io/v1beta1/namespaces/shop/buildruns/${name}`,
  deployment: '/apis/apps/v1/namespaces/shop/deployments/orders',
  pods: '/api/v1/namespaces/shop/pods?labelSelector=app.kubernetes.io%2Fname%3Dorders',
  log: (pod: string, container: string) => `/api/v1/namespaces/shop/pods/${pod}/log?container=${container}&tailLines=10`,
}

const plurals: Readonly<Record<string, string>> = {
  BuildRun: 'apis/shipwright.io/v1beta1/namespaces/shop/buildruns',
  GitRepository: 'apis/source.toolkit.fluxcd.io/v1/namespaces/shop/gitrepositories',
  ServiceAccount: 'api/v1/namespaces/shop/serviceaccounts',
  Deployment: 'apis/apps/v1/namespaces/shop/deployments',
  Service: 'api/v1/namespaces/shop/services',
  PodDisruptionBudget: 'apis/policy/v1/namespaces/shop/poddisruptionbudgets',
}

const rolledOut: JsonObject = {
  observedGeneration: 1,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: ['Available', 'Progressing'].map(type => ({ type, status: 'True', reason: 'Fine' })),
}

const controller = (name: string): Answers => ({
  [`/apis/apps/v1/deployments?fieldSelector=metadata.name%3D${name}`]: {
    items: [{ metadata: { name, namespace: 'builds' }, spec: {}, status: { readyReplicas: 1, conditions: rolledOut.conditions ?? [] } }],
  },
})
const established: JsonObject = { status: { conditions: [{ type: 'Established', status: 'True' }] } }

const builders: Answers = {
  ...controller('shipwright-build-controller'),
  ...controller('tekton-pipelines-controller'),
  ...controller('source-controller'),
  ...Object.fromEntries(
    [
      'buildruns.shipwright.io',
      'clusterbuildstrategies.shipwright.io',
      'taskruns.tekton.dev',
      'gitrepositories.source.toolkit.fluxcd.io',
    ].map(name => [paths.crd(name), established]),
  ),
  '/apis/shipwright.io/v1beta1/clusterbuildstrategies/buildah': { metadata: { name: 'buildah' } },
}

/** Without NATS, so that only the build decides. */
const SPEC: JsonObject = { nats: undefined, httpPort: 8080 } as unknown as JsonObject

export const image = (letter: string): string => `registry.example.com/apps/shop/orders@${digest(letter)}`

/** A build that finished before, as the status of the claim has it. */
export const finished = (revision: string, letter: string | undefined, minute: number, build: JsonObject = {}): JsonObject => {
  const asked = buildClaim({ ...build, git: { ...git, revision } }, SPEC)
  const [, run] = wantedRun(asked)
  const time = `2026-11-28T08:${String(minute).padStart(2, '0')}`
  return {
    name: at(run, 'metadata', 'name') as string,
    reason: letter === undefined ? 'Failed' : 'Built',
    ...(letter !== undefined && { image: image(letter), commit: letter.repeat(40) }),
    revision,
    startedAt: `${time}:00Z`,
    finishedAt: `${time}:42Z`,
  }
}

export interface State {
  readonly build?: JsonObject
  /** The last first. */
  readonly history?: readonly JsonObject[]
  /** The commit that Flux has read of the branch. */
  readonly commit?: string
  /** The object of the current BuildRun. */
  readonly run?: (wanted: JsonObject) => JsonObject
  /** The image of the pods; by default that of the claim. */
  readonly podImage?: string
  readonly mayReadComposite?: boolean
}

/** A cluster in which Crossplane has done everything that the claim asks. */
export function clusterIn({ build = { git }, history = [], commit, run, podImage, mayReadComposite = true }: State): Answers {
  const asked = buildClaim(build, SPEC)
  const [last] = history.filter(one => one.image !== undefined)
  const { reason: _, ...shown } = last ?? {}
  const status: JsonObject = history.length === 0 ? {} : { build: { ...shown, history: [...history] } }
  const keyed = (key: string, object: JsonObject): JsonObject => ({
    ...object,
    metadata: {
      ...(object.metadata as JsonObject),
      generation: 1,
      annotations: { 'crossplane.io/composition-resource-name': key },
      labels: { 'crossplane.io/claim-name': 'orders', 'crossplane.io/claim-namespace': 'shop' },
    },
  })
  const branch = commit === undefined ? {} : { 'git-repository': keyed('git-repository', readBranch(git.url, 'main', commit)) }
  const [key, wanted] = run ? wantedRun(asked, branch, status) : []
  const current: Readonly<Record<string, JsonObject>> = { ...branch, ...(run && key && wanted && { [key]: keyed(key, run(wanted)) }) }
  const settled = composeBuild(asked, current, status)
  const objects = settled.resources.map(({ key, manifest }): [string, JsonObject] => [
    key,
    current[key] ?? keyed(key, manifest.kind === 'Deployment' ? { ...manifest, status: rolledOut } : manifest),
  ])
  const composition = composeBuild(asked, Object.fromEntries(objects), status)
  const references = objects.map(([, { apiVersion, kind, metadata }]) => ({ apiVersion, kind, name: at(metadata, 'name') })) as JsonObject[]
  const running = podImage ?? String(composition.status.build?.image ?? '')
  return {
    ...healthy,
    ...builders,
    ...changed(paths.compositions, text =>
      text.replace(
        '"kind":"Input"',
        `"kind":"Input","build":${JSON.stringify({ registry: 'registry.example.com/apps' })},"defaults":{"build":{"strategy":"buildah"}}`,
      ),
    ),
    ...Object.fromEntries(
      objects.map(([, object]) => [`/${plurals[String(object.kind)]}/${String(at(object, 'metadata', 'name'))}`, object]),
    ),
    [buildPaths.claim]: document(build, composition, references),
    ...(mayReadComposite && {
      [buildPaths.composite]: {
        ...document(build, composition, references),
        kind: 'XEventDrivenService',
        metadata: { name: COMPOSITE, generation: 1 },
      },
    }),
    [buildPaths.pods]: { items: running === '' ? [] : [{ ...readyPod(POD), spec: { containers: [{ name: 'main', image: running }] } }] },
  }
}

function document(build: JsonObject, { conditions, status }: Composition, resourceRefs: readonly JsonObject[]): JsonObject {
  const isReady = conditions.every(({ ready }) => ready)
  const own = conditions.map(({ type, ready, reason, message }) => ({ type, status: ready ? 'True' : 'False', reason, message }))
  const crossplanes = [
    { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' },
    { type: 'Ready', status: isReady ? 'True' : 'False', reason: isReady ? 'Available' : 'Creating' },
  ]
  return {
    apiVersion: 'platform.bizmatters.io/v1alpha1',
    kind: 'EventDrivenService',
    metadata: { name: 'orders', namespace: 'shop', generation: GENERATION },
    spec: { build, httpPort: 8080, resourceRef: { name: COMPOSITE }, resourceRefs: [...resourceRefs] },
    status: { ...(status as JsonObject), conditions: [...own, ...crossplanes] },
  }
}
