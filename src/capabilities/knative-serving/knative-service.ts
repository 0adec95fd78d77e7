import type { Knative, Labels, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { hasUnobservedGeneration, type ObjectCondition, observedCondition } from '../../kubernetes/conditions.ts'
import { at, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Manifest } from '../../kubernetes/objects.ts'
import { withFullStop } from '../../text/full-stop.ts'
import { type Address, STAND_IN_SUFFIX } from '../address.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { inProgress, notReady, type Readiness, ready } from '../readiness.ts'
import { summarizeScale } from '../summary.ts'
import { metadata, podMetadata } from '../workload/labels.ts'
import { containerBase, imagePullSecrets, initContainers, program, runningImage, summarizePod } from '../workload/pod.ts'
import { MOST_PODS } from '../workload/pod-problems.ts'
import { probes } from '../workload/probes.ts'
import { volumes } from '../workload/volumes.ts'

const KIND = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' } as const

export const knativeServiceKind: KindInfo = {
  ...KIND,
  plural: 'services',
  product: 'Knative Serving',
  summarize: manifest => {
    const template = at(manifest, 'spec', 'template')
    const annotation = (name: string) => at(template, 'metadata', 'annotations', `autoscaling.knative.dev/${name}`)
    const maximum = annotation('max-scale')
    return [...summarizePod(at(template, 'spec')), summarizeScale(annotation('min-scale'), maximum === '0' ? undefined : maximum)]
  },
}

export const knativeAddress = ({ name, namespace }: ResolvedClaim, host = name): Address => ({
  ref: { ...KIND, name: host, namespace },
})

/** Knative refuses a change under an existing revision name. */
const takeover: Pick<ComposedResource, 'conflict'> = {
  conflict: ({ metadata: { name, namespace } }, foreign) => {
    const revision = at(foreign, 'spec', 'template', 'metadata', 'name')
    return revision === undefined
      ? undefined
      : `Its template names its revision, '${textOf(revision)}', and Knative refuses a change under the same name. Remove the name first: kubectl -n ${namespace} patch services.serving.knative.dev ${name} --type=json -p '[{"op":"remove","path":"/spec/template/metadata/name"}]'`
  },
}

export const knativeService: ComposedResource = {
  key: 'knative-service',
  build: claim => buildService(claim, claim.name, claim.knative.traffic),
  ready: (observed, claim) => readinessOf(observed, claim, claim.name),
  readyCondition: 'Ready',
  podLabels: (observed, claim) => podLabels(observed, claim, claim.name),
  status: (observed, claim, previous) => {
    const { minScale, maxScale } = claim.knative.autoscaling
    const image = runningImage(observed && isServed(observed) ? observed : undefined, previous)
    const url = at(observed, 'status', 'url')
    const revision = at(observed, 'status', 'latestReadyRevisionName')
    return {
      workload: { kind: 'Service', name: claim.name, ...image, size: claim.size },
      ...(typeof url === 'string' && { url }),
      autoscaler: {
        kind: 'PodAutoscaler',
        ...(typeof revision === 'string' && { name: revision }),
        minReplicas: minScale,
        maxReplicas: maxScale,
      },
    }
  },
  ...takeover,
}

/** Serves while the Deployment's Service still has the claim's name, which Knative needs for its own Service. */
export const standInKnativeService: ComposedResource = {
  key: 'knative-service-switch',
  // It has no traffic split: the named revisions belong to the other Knative Service.
  build: claim => buildService(claim, `${claim.name}${STAND_IN_SUFFIX}`, undefined),
  ready: (observed, claim) => readinessOf(observed, claim, `${claim.name}${STAND_IN_SUFFIX}`),
  readyCondition: 'Ready',
  podLabels: (observed, claim) => podLabels(observed, claim, `${claim.name}${STAND_IN_SUFFIX}`),
  ...takeover,
}

/** https://github.com/knative/specs/blob/main/specs/serving/knative-api-specification-1.0.md */
const buildService = (claim: ResolvedClaim, name: string, traffic: Knative['traffic']): Manifest => {
  const { knative } = claim
  return {
    apiVersion: KIND.apiVersion,
    kind: KIND.kind,
    metadata: metadata(
      claim,
      name,
      knative.visibility === 'external' ? {} : { labels: { 'networking.knative.dev/visibility': 'cluster-local' } },
    ),
    spec: {
      template: {
        metadata: podMetadata(claim, autoscalingAnnotations(knative.autoscaling)),
        spec: {
          serviceAccountName: claim.name,
          automountServiceAccountToken: false,
          containerConcurrency: knative.containerConcurrency,
          timeoutSeconds: knative.timeoutSeconds,
          ...volumes(claim),
          ...imagePullSecrets(claim),
          ...initContainers(claim),
          containers: [
            {
              name: 'main',
              ...containerBase(claim),
              ...program(claim),
              ports: [{ name: 'http1', containerPort: claim.port, protocol: 'TCP' }],
              ...probes(claim),
            },
          ],
        },
      },
      // Always set, so that a removed split does not remain.
      traffic: (traffic ?? [{ latestRevision: true, percent: 100 }]).map(({ revisionName, percent, tag }) => ({
        ...(revisionName === undefined ? { latestRevision: true } : { latestRevision: false, revisionName }),
        percent,
        ...(tag !== undefined && { tag }),
      })),
    },
  }
}

/** https://knative.dev/docs/serving/autoscaling/: each class has annotations that the other does not look at. */
function autoscalingAnnotations(autoscaling: Knative['autoscaling']): JsonObject {
  const { class: kind, metric, target, minScale, maxScale, initialScale, window } = autoscaling
  const { scaleDownDelay, activationScale, targetUtilization, panicWindow, panicThreshold } = autoscaling
  const both = {
    class: `${kind}.autoscaling.knative.dev`,
    metric,
    target,
    'min-scale': minScale,
    'max-scale': maxScale,
    'initial-scale': initialScale,
    window,
  }
  const ownOfKpa = {
    'scale-down-delay': scaleDownDelay,
    'activation-scale': activationScale,
    'target-utilization-percentage': targetUtilization,
    'panic-window-percentage': panicWindow,
    'panic-threshold-percentage': panicThreshold,
  }
  const entries = Object.entries({ ...both, ...(kind === 'kpa' && ownOfKpa) })
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[`autoscaling.knative.dev/${name}`, String(value)]])),
  )
}

/** https://github.com/knative/specs/blob/main/specs/serving/knative-api-specification-1.0.md#error-signalling */
function readinessOf(observed: JsonObject, claim: ResolvedClaim, name: string): Readiness {
  const { namespace } = claim
  const state = observedCondition(observed, 'Ready')
  if (state === undefined || hasUnobservedGeneration(observed))
    return inProgress(
      'Deploying',
      `Knative Service ${name} is being updated. If this message persists, check that Knative Serving is running.`,
    )
  if (state.status === 'True') return ready('Ready', `Knative Service ${name} is ready.`)
  if (state.status === 'Unknown')
    return inProgress(
      'Deploying',
      `Knative Service ${name} is being deployed. See: kubectl -n ${namespace} get revisions -l serving.knative.dev/service=${name}`,
    )
  const { reason, message } = causeOf(state, observed, claim)
  return notReady(
    reason || 'NotReady',
    `Knative Service ${name} is not ready: ${withFullStop(message)} ${advice(observed, reason, namespace, name)}`,
  )
}

/** The Route reports RevisionMissing also when the first revision fails. Then the Configuration has the cause. */
function causeOf(state: ObjectCondition, observed: JsonObject, { knative }: ResolvedClaim): ObjectCondition {
  const namesRevision = knative.traffic?.some(({ revisionName }) => revisionName !== undefined) ?? false
  const configuration = observedCondition(observed, 'ConfigurationsReady')
  if (state.reason !== 'RevisionMissing' || namesRevision) return state
  return configuration?.status === 'False' ? configuration : { ...state, reason: 'RevisionFailed' }
}

/** The pods of the newest revision. */
function podLabels(observed: JsonObject, { knative }: ResolvedClaim, name: string): Labels | undefined {
  const revision = at(observed, 'status', 'latestCreatedRevisionName')
  if (typeof revision !== 'string' || hasUnobservedGeneration(observed)) return undefined
  // Knative starts as many pods of a new revision as it has to keep, or the first few.
  if (Math.max(knative.autoscaling.minScale, knative.autoscaling.initialScale ?? 1) > MOST_PODS) return undefined
  return { 'serving.knative.dev/service': name, 'serving.knative.dev/revision': revision }
}

const isServed = (observed: JsonObject): boolean =>
  !hasUnobservedGeneration(observed) && observedCondition(observed, 'Ready')?.status === 'True'

function advice(observed: JsonObject, reason: string, namespace: string, name: string): string {
  if (reason === 'NotOwned') return `Knative creates a Service of this name itself: delete or rename the existing one.`
  if (reason === 'RevisionMissing') return 'Check the names under spec.knative.traffic.'
  const serving = at(observed, 'status', 'latestReadyRevisionName')
  const command = `See: kubectl -n ${namespace} describe revisions -l serving.knative.dev/service=${name}`
  return serving === undefined ? command : `Requests still go to revision ${serving}. ${command}`
}
