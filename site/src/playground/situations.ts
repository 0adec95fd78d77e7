// The states of a cluster that the page can show: what Crossplane would observe, written as the controllers write it.
import type { ResolvedClaim } from '../../../src/claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject, textOf } from '../../../src/kubernetes/json.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import { type ClusterLookup, noLookup } from '../../../src/reconcile/cluster-lookup.ts'
import { type Composed, type Composition, compose } from '../../../src/reconcile/compose.ts'
import { kindKey } from '../../../src/reconcile/missing-crds.ts'
import type { Observed } from '../../../src/reconcile/observe.ts'

export const situations = {
  new: 'New: nothing exists yet',
  running: 'Running: every object is ready',
  zero: 'Scaled to zero: no message waits',
  stuck: 'Stuck rollout: the image does not exist',
  stream: 'Wrong stream: KEDA finds none of this name',
  build: 'Failed build: a step ends with an error',
  taken: 'Name taken: somebody else owns the workload',
  crd: 'Missing CRD: the product is not installed',
} as const satisfies Record<string, string>

export type Situation = keyof typeof situations

export const isSituation = (name: string): name is Situation => Object.hasOwn(situations, name)

/** What the claim becomes in a situation. */
export function situate(claim: ResolvedClaim, platform: Platform, situation: Situation): Composition {
  const only = (kinds: readonly string[], state: State) =>
    settle(claim, platform, resource => (kinds.includes(kindOf(resource)) ? state(resource) : running(resource)))
  switch (situation) {
    case 'new':
      return compose(claim, platform, {})
    case 'running':
      return settle(claim, platform, running).composition
    case 'zero':
      return only(['apps/Deployment'], scaledToZero).composition
    case 'stuck': {
      const { observed, composition } = only(workloads, stuck)
      return compose(askingPods(claim), platform, observed, stuckLookup(composition))
    }
    case 'stream':
      return only(['keda.sh/ScaledObject'], withoutStream).composition
    case 'build':
      return only(['shipwright.io/BuildRun'], failedBuild).composition
    case 'taken': {
      const { observed, composition } = settle(claim, platform, resource =>
        builders.includes(kindOf(resource)) ? running(resource) : undefined,
      )
      return compose(claim, platform, observed, takenLookup(composition))
    }
    case 'crd':
      return compose(claim, platform, {}, crdLookup(compose(claim, platform, {})))
    default:
      return situation satisfies never
  }
}

const needed: Readonly<Partial<Record<Situation, string>>> = {
  zero: 'apps/Deployment',
  stream: 'keda.sh/ScaledObject',
  build: 'shipwright.io/BuildRun',
}

/** The situations that a claim can be in, by what it has once everything runs. */
export function situationsOf(claim: ResolvedClaim, platform: Platform): Situation[] {
  const kinds = settle(claim, platform, running).composition.resources.map(kindOf)
  return (Object.keys(situations) as Situation[]).filter(situation => {
    const kind = needed[situation]
    return kind === undefined || kinds.includes(kind)
  })
}

/** The object that Crossplane observes; undefined if there is none yet. */
type State = (resource: Composed) => JsonObject | undefined

/** Builds the image first, then the workload: no claim needs more steps than this. */
const MOST_STEPS = 5

interface Settled {
  readonly composition: Composition
  readonly observed: Observed
}

/** Composes again until no new resource appears, as Crossplane does. */
function settle(claim: ResolvedClaim, platform: Platform, state: State): Settled {
  let observed: Observed = {}
  let composition = compose(claim, platform, observed)
  for (let step = 0; step < MOST_STEPS; step++) {
    const next = { ...observedIn(composition, state), ...observed }
    if (Object.keys(next).length === Object.keys(observed).length) break
    observed = next
    composition = compose(claim, platform, observed)
  }
  return { composition, observed }
}

const observedIn = ({ resources }: Composition, state: State): Observed =>
  Object.fromEntries(
    resources.flatMap(resource => {
      const object = state(resource)
      return object === undefined ? [] : [[resource.key, carried(resource, object)]]
    }),
  )

/** What builds the image, before there is a workload. */
const builders = ['shipwright.io/BuildRun', 'source.toolkit.fluxcd.io/GitRepository']
const workloads = ['apps/Deployment', 'serving.knative.dev/Service']

/** A platform can keep Crossplane from reading pods; here it may. */
const askingPods = (claim: ResolvedClaim): ResolvedClaim => ({
  ...claim,
  platform: { ...claim.platform, features: { ...claim.platform.features, podReasons: true } },
})

const groupOf = (apiVersion: string) => apiVersion.split('/').slice(0, -1).join('/')
const kindOf = ({ manifest }: Composed) => `${groupOf(manifest.apiVersion)}/${manifest.kind}`

/** The object as Crossplane observes it, also inside an Object of provider-kubernetes. */
function carried({ manifest, desired }: Composed, object: JsonObject): JsonObject {
  if (desired === manifest) return object
  const ready = [
    { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' },
    { type: 'Ready', status: 'True', reason: 'Available' },
  ]
  return { ...desired, status: { atProvider: { manifest: object }, conditions: ready } }
}

const TIME = '2026-01-01T00:00:00Z'
const GENERATION = 1

const condition = (type: string, status: string, reason = '', message = ''): JsonObject => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: TIME,
  observedGeneration: GENERATION,
})

const withStatus = ({ manifest }: Composed, status: JsonObject, spec: JsonObject = {}): JsonObject => ({
  ...manifest,
  metadata: { ...manifest.metadata, uid: `uid-of-${manifest.metadata.name}`, generation: GENERATION, creationTimestamp: TIME },
  ...(isObject(manifest.spec) && { spec: { ...manifest.spec, ...spec } }),
  status: { observedGeneration: GENERATION, ...status },
})

const counts = (replicas: number): JsonObject => ({
  replicas,
  updatedReplicas: replicas,
  readyReplicas: replicas,
  availableReplicas: replicas,
})

/** Conditions that mean ready to every kind of a claim; each kind reads its own. */
const fine = ['Available', 'Ready', 'Accepted', 'ResolvedRefs', 'Programmed', 'ConfigurationsReady'].map(type => condition(type, 'True'))

function running(resource: Composed): JsonObject {
  switch (kindOf(resource)) {
    case 'apps/Deployment': {
      const replicas = Number(at(resource.manifest, 'spec', 'replicas') ?? 1)
      return withStatus(resource, { ...counts(replicas), conditions: fine }, { replicas })
    }
    case 'keda.sh/ScaledObject':
      return withStatus(resource, { conditions: [...fine, condition('Active', 'True'), ...pausedCondition(resource)] })
    case 'gateway.networking.k8s.io/HTTPRoute':
      return withStatus(resource, { parents: [{ conditions: fine }] })
    case 'serving.knative.dev/Service':
      return withStatus(resource, { ...revision(resource), url: urlOf(resource), conditions: fine })
    case 'shipwright.io/BuildRun':
      return withStatus(resource, {
        output: { digest: DIGEST },
        source: { git: { commitSha: COMMIT } },
        conditions: [condition('Succeeded', 'True', 'Succeeded')],
      })
    case 'source.toolkit.fluxcd.io/GitRepository': {
      const revision = `${textOf(at(resource.manifest, 'spec', 'ref', 'branch'))}@sha1:${COMMIT}`
      return withStatus(resource, { artifact: { revision }, conditions: fine })
    }
    default:
      return withStatus(resource, { conditions: fine, parents: [{ conditions: fine }] })
  }
}

const pausedCondition = ({ manifest }: Composed) =>
  at(manifest, 'metadata', 'annotations', 'autoscaling.keda.sh/paused') === 'true' ? [condition('Paused', 'True')] : []

const revision = ({ manifest: { metadata } }: Composed): JsonObject => ({
  latestCreatedRevisionName: `${metadata.name}-00001`,
  latestReadyRevisionName: `${metadata.name}-00001`,
})
const urlOf = ({ manifest: { metadata } }: Composed) => `http://${metadata.name}.${metadata.namespace}.svc.cluster.local`

const scaledToZero = (resource: Composed): JsonObject => withStatus(resource, { conditions: fine }, { replicas: 0 })

const COMMIT = '3f8a0c1d9b7e5f2a4c6d8e0b1a3c5d7e9f0b2a4c'
const DIGEST = `sha256:${'3f8a0c1d9b7e5f2a'.repeat(4)}`

const failedBuild = (resource: Composed): JsonObject =>
  withStatus(resource, {
    failureDetails: {
      reason: 'Failed',
      message: '"step-build-and-push" exited with code 1',
      location: { pod: `${resource.manifest.metadata.name}-pod`, container: 'step-build-and-push' },
    },
    conditions: [condition('Succeeded', 'False', 'Failed', '"step-build-and-push" exited with code 1')],
  })

/** A pod of the new version can't pull its image; the pod of the previous one keeps working. */
function stuck(resource: Composed): JsonObject {
  const { name } = resource.manifest.metadata
  if (resource.manifest.kind === 'Service') {
    const message = `Revision "${name}-00002" failed with message: Unable to fetch image.`
    const failed = [
      condition('Ready', 'False', 'RevisionFailed', message),
      condition('ConfigurationsReady', 'False', 'RevisionFailed', message),
    ]
    return withStatus(resource, {
      latestCreatedRevisionName: `${name}-00002`,
      latestReadyRevisionName: `${name}-00001`,
      conditions: failed,
    })
  }
  const hash = '5d9c7b6f4'
  const message = `ReplicaSet "${name}-${hash}" has timed out progressing.`
  return withStatus(
    resource,
    {
      replicas: 2,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
      conditions: [condition('Available', 'True'), condition('Progressing', 'False', 'ProgressDeadlineExceeded', message)],
    },
    { replicas: 1 },
  )
}

/** Crossplane answers with the pod that fails. */
function stuckLookup({ resources }: Composition): ClusterLookup {
  const pods = Object.fromEntries(
    resources.filter(resource => workloads.includes(kindOf(resource))).map(resource => [`pods:${resource.key}`, [failingPod(resource)]]),
  )
  const composite = { metadata: { uid: 'ours' }, status: { conditions: [{ type: 'WorkloadReady', status: 'False' }] } }
  return { ...noLookup, canAsk: true, pods, composite }
}

function failingPod({ manifest }: Composed): JsonObject {
  const { name, namespace } = manifest.metadata
  const image = imageOf(manifest)
  const message = `Back-off pulling image "${image}": ErrImagePull: failed to pull and unpack image "${image}": not found`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-5d9c7b6f4-x2x9k`, namespace, creationTimestamp: TIME },
    spec: { containers: [{ name: 'main', image }] },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'main', ready: false, restartCount: 0, image, state: { waiting: { reason: 'ImagePullBackOff', message } } },
      ],
    },
  }
}

const imageOf = (manifest: JsonObject): Json => at(manifest, 'spec', 'template', 'spec', 'containers', 0, 'image') ?? ''

const withoutStream = (resource: Composed): JsonObject =>
  withStatus(resource, {
    conditions: [
      condition('Ready', 'False', 'TriggerError', 'Triggers defined in ScaledObject are not working correctly'),
      condition('Active', 'False', 'ScalerNotActive', 'Scaling is not performed because triggers are not active'),
    ],
  })

/** Every name is free but that of the workload. */
function takenLookup({ resources }: Composition): ClusterLookup {
  const workload = resources.find(({ manifest }) => ['Deployment', 'Service'].includes(manifest.kind))
  const existing = Object.fromEntries(
    resources.map(({ key, manifest: { apiVersion, kind, metadata } }) => {
      const { name, namespace } = metadata
      const labels = { 'app.kubernetes.io/managed-by': 'Helm' }
      return [key, key === workload?.key ? { apiVersion, kind, metadata: { name, namespace, labels } } : undefined]
    }),
  )
  return { ...noLookup, canAsk: true, existing, composite: { metadata: { uid: 'ours' } } }
}

/** Every name is free, but the cluster has only the kinds of Kubernetes itself. */
function crdLookup({ resources }: Composition): ClusterLookup {
  const isBuiltIn = ({ manifest: { apiVersion } }: Composed) => /^(v1|apps\/v1|policy\/v1)$/.test(apiVersion)
  const kinds = Object.fromEntries(resources.map(resource => [kindKey(resource.manifest), isBuiltIn(resource)]))
  const existing = Object.fromEntries(resources.filter(isBuiltIn).map(({ key }) => [key, undefined]))
  return { ...noLookup, canAsk: true, canAskKinds: true, existing, kinds, composite: { metadata: { uid: 'ours' } } }
}
