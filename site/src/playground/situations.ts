// The states of a cluster that the page can show: what Crossplane would observe, written as the controllers write it.
import type { ResolvedClaim } from '../../../src/claim/resolved-claim.ts'
import { at, isObject, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import { type ClusterLookup, noLookup } from '../../../src/reconcile/cluster-lookup.ts'
import { type Composed, type Composition, compose } from '../../../src/reconcile/compose.ts'
import { kindKey } from '../../../src/reconcile/missing-crds.ts'

export const situations = {
  new: 'New: nothing exists yet',
  running: 'Running: every object is ready',
  zero: 'Scaled to zero: no message waits',
  stuck: 'Stuck rollout: the image does not exist',
  stream: 'Wrong stream: KEDA finds none of this name',
  taken: 'Name taken: somebody else owns the workload',
  crd: 'Missing CRD: the product is not installed',
} as const satisfies Record<string, string>

export type Situation = keyof typeof situations

export const isSituation = (name: string): name is Situation => Object.hasOwn(situations, name)

/** What the claim becomes in a situation. */
export function situate(claim: ResolvedClaim, platform: Platform, situation: Situation): Composition {
  const fresh = compose(claim, platform, {})
  const all = (state: (resource: Composed) => JsonObject = running) =>
    Object.fromEntries(fresh.resources.map(resource => [resource.key, carried(resource, state(resource))]))
  const only = (kinds: readonly string[], state: (resource: Composed) => JsonObject) =>
    all(resource => (kinds.includes(kindOf(resource)) ? state(resource) : running(resource)))
  switch (situation) {
    case 'new':
      return fresh
    case 'running':
      return compose(claim, platform, all())
    case 'zero':
      return compose(claim, platform, only(['apps/Deployment'], scaledToZero))
    case 'stuck':
      return compose(askingPods(claim), platform, only(workloads, stuck), stuckLookup(fresh))
    case 'stream':
      return compose(claim, platform, only(['keda.sh/ScaledObject'], withoutStream))
    case 'taken':
      return compose(claim, platform, {}, takenLookup(fresh))
    case 'crd':
      return compose(claim, platform, {}, crdLookup(fresh))
    default:
      return situation satisfies never
  }
}

const workloads = ['apps/Deployment', 'serving.knative.dev/Service']

/** Whether a claim with these kinds can be in a situation. */
export function canBe(situation: Situation, kinds: readonly string[]): boolean {
  if (situation === 'zero') return kinds.includes('Deployment')
  return situation === 'stream' ? kinds.includes('ScaledObject') : true
}

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
