import type { Labels, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { hasUnobservedGeneration, observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { withoutPodName } from '../../kubernetes/pod-troubles.ts'
import type { ComposedResource, FindObserved, KindInfo, Lifecycle } from '../capability.ts'
import { inProgress, notReady, type Readiness, ready, starting } from '../readiness.ts'
import { leftover } from '../takeover.ts'
import { metadata, NAME_LABEL, podMetadata, selectorLabels } from '../workload/labels.ts'
import { METRICS_PORT_NAME, ownMetricsPort } from '../workload/metrics.ts'
import { containerBase, imagePullSecrets, initContainers, podSecurity, program, runningImage, summarizePod } from '../workload/pod.ts'
import { MOST_PODS } from '../workload/pod-problems.ts'
import { probes } from '../workload/probes.ts'
import { countAt, hasOldPods, isRolledOut } from '../workload/rollout.ts'
import { SCALER_KEY } from '../workload/scaler.ts'
import { volumes } from '../workload/volumes.ts'
import { gracePeriod, preStop, stillRolls, updates } from './availability.ts'

export const KIND = { apiVersion: 'apps/v1', kind: 'Deployment' } as const

export const deploymentKind: KindInfo = {
  ...KIND,
  plural: 'deployments',
  summarize: manifest => summarizePod(at(manifest, 'spec', 'template', 'spec')),
}

export const deployment: ComposedResource = {
  key: 'deployment',
  build: (claim, lifecycle) => manifestOf(claim, firstCount(lifecycle), undefined),
  ready: (observed, claim) => readinessOf(observed, claim),
  readyCondition: 'Available',
  podLabels,
  status: (observed, claim, previous) => ({
    workload: {
      kind: 'Deployment',
      name: claim.name,
      ...runningImage(observed && isRolledOut(observed) ? observed : undefined, previous),
      size: claim.size,
      replicas: countAt(observed, 'spec', 'replicas'),
      readyReplicas: countAt(observed, 'status', 'readyReplicas'),
    },
  }),
  conflict: (manifest, foreign) =>
    sameSelector(manifest, foreign)
      ? (leftover(extraContainer(manifest, foreign)) ?? otherVolume(manifest, foreign))
      : `Its selector differs and is immutable: rename the claim, or delete the Deployment but not its pods: kubectl -n ${manifest.metadata.namespace} delete deployment ${manifest.metadata.name} --cascade=orphan`,
  freeze: {
    omit: observed => (setCount(observed) === undefined ? ['replicas'] : []),
    annotations: name => name === COUNT_ANNOTATION,
  },
}

/** KEDA owns the count. Set only at creation, server-side apply leaves it alone. */
const firstCount = (lifecycle: Lifecycle) => (lifecycle === 'new' ? 1 : undefined)

/**
 * The count that we set last. Without it, the first apply that leaves the count to KEDA would set it to 1, because nobody
 * else owns the field until the HPA changes it.
 */
const COUNT_ANNOTATION = 'platform.bizmatters.io/replicas'

/** The replica count, if it is still the one that we set. */
function setCount(observed: JsonObject | undefined): number | undefined {
  const count = at(observed, 'spec', 'replicas') ?? 0
  return typeof count === 'number' && at(observed, 'metadata', 'annotations', COUNT_ANNOTATION) === String(count) ? count : undefined
}

/** The Deployment with its replica count, as long as neither KEDA nor an HPA owns it. */
export const countedDeployment = (findObserved: FindObserved): ComposedResource => ({
  ...deployment,
  build: (claim, lifecycle) => {
    const observed = findObserved(deployment)
    const count = claim.nats ? setCount(observed) : findObserved({ key: SCALER_KEY }) ? undefined : claim.scaling.minReplicas
    if (count === undefined) return manifestOf(claim, firstCount(lifecycle), observed)
    return manifestOf(claim, count, observed, { annotations: { [COUNT_ANNOTATION]: String(count) } })
  },
})

const manifestOf = (claim: ResolvedClaim, replicas: number | undefined, observed: JsonObject | undefined, more?: JsonObject): Manifest => ({
  apiVersion: KIND.apiVersion,
  kind: KIND.kind,
  metadata: metadata(claim, claim.name, more),
  spec: {
    ...(replicas !== undefined && { replicas }),
    selector: { matchLabels: selectorLabels(claim) },
    ...updates(claim, observed),
    template: { metadata: podMetadata(claim), spec: podSpec(claim, observed) },
  },
})

function sameSelector(manifest: Manifest, foreign: JsonObject): boolean {
  const wanted = at(manifest, 'spec', 'selector', 'matchLabels')
  const found = at(foreign, 'spec', 'selector', 'matchLabels')
  const expressions = at(foreign, 'spec', 'selector', 'matchExpressions')
  if (!isObject(wanted) || !isObject(found) || expressions !== undefined) return false
  const names = Object.keys(wanted)
  return names.length === Object.keys(found).length && names.every(name => wanted[name] === at(found, name))
}

/** List entries that server-side apply leaves behind because it merges lists by name. */
function extraContainer(manifest: Manifest, foreign: JsonObject): string | undefined {
  for (const [list, description] of containerLists) {
    const ours = namesOf(manifest, list)
    const extra = namesOf(foreign, list).find(name => !ours.includes(name))
    if (extra !== undefined) return `${description} '${extra}'`
  }
  return undefined
}

/** A volume of the same name with another source, which Kubernetes would refuse beside ours. */
function otherVolume(manifest: Manifest, foreign: JsonObject): string | undefined {
  const volumesOf = (object: JsonObject) => items(at(object, 'spec', 'template', 'spec', 'volumes')).filter(isObject)
  const sourceOf = (volume: JsonObject | undefined) => Object.keys(volume ?? {}).find(field => field !== 'name')
  const clash = volumesOf(manifest).find(ours => {
    const theirs = volumesOf(foreign).find(volume => volume.name === ours.name)
    return theirs !== undefined && sourceOf(theirs) !== sourceOf(ours)
  })
  return clash && `Its volume '${textOf(clash.name)}' has another source than the claim's: eds migrate prints the command that replaces it.`
}

const containerLists = [
  ['containers', 'a container'],
  ['initContainers', 'an init container'],
] as const

const namesOf = (object: JsonObject, list: string) =>
  items(at(object, 'spec', 'template', 'spec', list)).map(item => textOf(at(item, 'name')))

export const podSpec = (claim: ResolvedClaim, observed: JsonObject | undefined): JsonObject => ({
  serviceAccountName: claim.name,
  automountServiceAccountToken: false,
  securityContext: podSecurity,
  ...(claim.priorityClass !== undefined && { priorityClassName: claim.priorityClass }),
  ...gracePeriod(claim),
  ...volumes(claim),
  ...imagePullSecrets(claim),
  ...initContainers(claim),
  containers: [
    {
      name: 'main',
      ...containerBase(claim),
      ...program(claim),
      ports: [{ name: 'http', containerPort: claim.port, protocol: 'TCP' }, ...metricsPorts(claim)],
      ...probes(claim, 'http'),
      ...preStop(claim, observed),
    },
  ],
})

/** A monitor finds a port only by its name. */
const metricsPorts = (claim: ResolvedClaim): JsonObject[] => {
  const port = ownMetricsPort(claim)
  return port === undefined ? [] : [{ name: METRICS_PORT_NAME, containerPort: port, protocol: 'TCP' }]
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status */
export function readinessOf(observed: JsonObject, claim: ResolvedClaim, name = claim.name): Readiness {
  const { namespace, nats } = claim
  const advice = `See: eds why ${namespace}/${claim.name}, or kubectl -n ${namespace} describe pods -l ${NAME_LABEL}=${name}`
  const available = availability(observed, name, advice)
  // The conditions describe the previous spec. Mostly only the replica count is new, and available pods stay available.
  const updating = inProgress('Updating', `Deployment ${name} is being updated.`)
  if (hasUnobservedGeneration(observed)) return available ?? updating
  if (stillRolls(observed, claim)) return updating
  const failure = observedCondition(observed, 'ReplicaFailure')
  // Crossplane creates both at once, and the Deployment may come first. Kubernetes keeps the message of the first failure.
  if (failure?.status === 'True' && failure.message.includes(`serviceaccount "${claim.name}" not found`))
    return inProgress(
      'Waiting',
      `Deployment ${name} waits for its ServiceAccount. If this message persists, something else prevents its pods: kubectl -n ${namespace} get events --field-selector reason=FailedCreate`,
    )
  if (failure?.status === 'True')
    return notReady(failure.reason || 'ReplicaFailure', `Deployment ${name} can't create pods: ${withoutPodName(failure.message)}`)
  const progress = observedCondition(observed, 'Progressing')
  if (progress?.status === 'False')
    return notReady(
      progress.reason || 'RolloutStuck',
      `The rollout of Deployment ${name} is stuck: its new pods do not become ready. ${rolloutCounts(observed)}. ${advice}`,
    )
  // KEDA scaled to zero because there is nothing to do, as requested.
  if (at(observed, 'spec', 'replicas') === 0)
    return ready('ScaledToZero', `Deployment ${name} is scaled to zero ${nats ? 'until messages arrive' : 'by spec.scaling.minReplicas'}.`)
  return rollout(observed, name, advice) ?? available ?? starting('Unavailable', `Deployment ${name} has no ready pod. ${advice}`)
}

/** Pods of the previous version remain. That they work does not mean that the new ones will. */
function rollout(observed: JsonObject, name: string, look: string): Readiness | undefined {
  return hasOldPods(observed)
    ? inProgress('RollingOut', `Deployment ${name} is rolling out: ${rolloutCounts(observed)}. ${look}`)
    : undefined
}

function rolloutCounts(observed: JsonObject): string {
  const unavailable = countAt(observed, 'status', 'unavailableReplicas')
  const stuck = unavailable === 0 ? '' : `, and ${unavailable} ${unavailable === 1 ? 'is' : 'are'} not available`
  return `${countAt(observed, 'status', 'updatedReplicas')} of ${countAt(observed, 'spec', 'replicas')} pods run the new version${stuck}`
}

/** The pods of the newest version. Pods that could not be created say nothing, and the Deployment says why. */
function podLabels(observed: JsonObject, claim: ResolvedClaim): Labels | undefined {
  if (hasUnobservedGeneration(observed) || observedCondition(observed, 'ReplicaFailure')?.status === 'True') return undefined
  const hash = newestHash(observed, claim)
  const count = countAt(observed, 'status', hash === undefined ? 'replicas' : 'updatedReplicas')
  if (count === 0 || count > MOST_PODS) return undefined
  return { ...selectorLabels(claim), ...(hash !== undefined && { 'pod-template-hash': hash }) }
}

/** The Deployment names its newest ReplicaSet only in the words of its condition. */
function newestHash(observed: JsonObject, { name }: ResolvedClaim): string | undefined {
  const words = observedCondition(observed, 'Progressing')?.message ?? ''
  const [, replicaSet = ''] = /^\w[\w ]*"([^"]+)"/i.exec(words) ?? []
  return /replica ?set/i.test(words) && replicaSet.startsWith(`${name}-`) ? replicaSet.slice(name.length + 1) : undefined
}

/** Kubernetes calls a Deployment unavailable while new replicas start, although the others keep working. */
function availability(observed: JsonObject, name: string, advice: string): Readiness | undefined {
  if (observedCondition(observed, 'Available')?.status === 'True') return ready('Available', `Deployment ${name} is available.`)
  if (countAt(observed, 'status', 'availableReplicas') === 0) return undefined
  return ready('PartlyAvailable', `Deployment ${name} has fewer ready pods than replicas, which is normal while it scales up. ${advice}`)
}
