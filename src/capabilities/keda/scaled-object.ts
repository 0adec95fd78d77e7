import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { type ObjectCondition, observedCondition } from '../../kubernetes/conditions.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import { withFullStop } from '../../text/full-stop.ts'
import type { ComposedResource, KindInfo } from '../capability.ts'
import { inProgress, notReady, type Readiness, ready } from '../readiness.ts'
import { scalar, summarizeScale } from '../summary.ts'
import { metadata } from '../workload/labels.ts'
import { SCALER_KEY, scaledObjectName } from '../workload/scaler.ts'

const KIND = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' } as const

export const scaledObjectKind: KindInfo = {
  ...KIND,
  plural: 'scaledobjects',
  product: 'KEDA',
  summarize: ({ spec }) => [
    summarizeScale(at(spec, 'minReplicaCount'), at(spec, 'maxReplicaCount')),
    ...items(at(spec, 'triggers')).map(summarizeTrigger),
  ],
}

function summarizeTrigger(trigger: Json): string | undefined {
  const [stream, consumer, lag] = ['stream', 'consumer', 'lagThreshold'].map(field => scalar(at(trigger, 'metadata', field)))
  if (stream === undefined) return scalar(at(trigger, 'type'))
  return `one for ${lag === '1' ? 'each message' : `every ${lag} messages`} of ${stream}/${consumer}`
}

export const scaledObject: ComposedResource = {
  key: SCALER_KEY,
  build: claim => {
    const { name, nats, scaling } = claim
    if (nats === undefined) return undefined
    const { minReplicas, maxReplicas, pollingInterval, cooldownPeriod, paused } = scaling
    return {
      apiVersion: KIND.apiVersion,
      kind: KIND.kind,
      metadata: metadata(claim, scaledObjectName(claim), paused ? { annotations: { 'autoscaling.keda.sh/paused': 'true' } } : {}),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicaCount: minReplicas,
        maxReplicaCount: maxReplicas,
        ...(pollingInterval !== undefined && { pollingInterval }),
        ...(cooldownPeriod !== undefined && { cooldownPeriod }),
        // KEDA's default name, keda-hpa-<name>-scaler, is too long for a claim name of more than 47 characters.
        advanced: { horizontalPodAutoscalerConfig: { name: scaledObjectName(claim), ...scaleDown(claim) } },
        triggers: [{ type: 'nats-jetstream', metadata: natsTrigger(claim, nats) }],
      },
    }
  },
  ready: readinessOf,
  readyCondition: 'Ready',
  status: (_, claim) => {
    const { minReplicas, maxReplicas, paused } = claim.scaling
    return { autoscaler: { kind: 'ScaledObject', name: scaledObjectName(claim), minReplicas, maxReplicas, paused } }
  },
  freeze: { annotations: name => name.startsWith('autoscaling.keda.sh/') },
}

const SHORTEST_WINDOW_SECONDS = 300
/** Kubernetes allows at most an hour. */
const LONGEST_WINDOW_SECONDS = 3600

/** The count falls only once the lag was low for as long as a message may take. */
function scaleDown({ processing }: ResolvedClaim): JsonObject {
  if (processing?.maxSeconds === undefined) return {}
  const window = Math.min(Math.max(processing.maxSeconds, SHORTEST_WINDOW_SECONDS), LONGEST_WINDOW_SECONDS)
  return { behavior: { scaleDown: { stabilizationWindowSeconds: window } } }
}

/** https://keda.sh/docs/latest/scalers/nats-jetstream-stream/ */
const natsTrigger = (
  { scaling }: ResolvedClaim,
  { monitoringEndpoint, account, accountID, stream, consumer, useHttps }: NonNullable<ResolvedClaim['nats']>,
): JsonObject => ({
  natsServerMonitoringEndpoint: monitoringEndpoint,
  account,
  ...(accountID !== undefined && { accountID }),
  stream,
  consumer,
  lagThreshold: String(scaling.lagThreshold),
  activationLagThreshold: String(scaling.activationLagThreshold),
  ...(useHttps && { useHttps: 'true' }),
})

function readinessOf(observed: JsonObject, claim: ResolvedClaim): Readiness {
  const name = scaledObjectName(claim)
  if (observedCondition(observed, 'Paused')?.status === 'True') return pausedReadiness(observed, claim)
  const state = observedCondition(observed, 'Ready')
  const hpa = failingHpa(observed)
  if (hpa !== undefined) return hpaReadiness(hpa, claim)
  if (state?.status === 'True')
    return neverPolled(observed, claim) ?? ready('Ready', `ScaledObject ${name} scales Deployment ${claim.name}.`)
  if (state === undefined || state.status === 'Unknown')
    return inProgress('Waiting', `KEDA has not processed ScaledObject ${name} yet. If this message persists, check that KEDA is running.`)
  // Crossplane creates both at once, and KEDA may have read the ScaledObject first.
  if (state.message.includes(`deployments.apps "${claim.name}" not found`))
    return inProgress('Waiting', `ScaledObject ${name} waits for Deployment ${claim.name}.`)
  return notReady(
    state.reason || 'NotReady',
    `KEDA can't use ScaledObject ${name}: ${withFullStop(state.message)} ${advice(claim, state.message)} See: kubectl -n ${claim.namespace} describe scaledobject ${name}`,
  )
}

const DEFAULT_POLLING_INTERVAL = 30

/**
 * KEDA calls a new ScaledObject ready as soon as its HPA exists, and may thereby overwrite the error of its first poll.
 * Only a poll sets Active, so until the next one nobody knows whether the stream and the consumer exist.
 */
function neverPolled(observed: JsonObject, { scaling }: ResolvedClaim): Readiness | undefined {
  if (observedCondition(observed, 'Active')?.status !== 'Unknown') return undefined
  const seconds = scaling.pollingInterval ?? DEFAULT_POLLING_INTERVAL
  return inProgress(
    'Waiting',
    `KEDA has not reported a lag yet. It asks NATS every ${seconds} s (spec.scaling.pollingInterval). If this message persists, check that KEDA is running.`,
  )
}

/** https://keda.sh/docs/latest/concepts/scaling-deployments/#pausing-autoscaling */
const PAUSE = 'autoscaling.keda.sh/paused'

/** Anyone who may annotate the ScaledObject can pause it. */
function pausedReadiness(observed: JsonObject, claim: ResolvedClaim): Readiness {
  const asked = claim.scaling.paused
  const annotations = at(observed, 'metadata', 'annotations')
  const theirs = Object.entries(isObject(annotations) ? annotations : {}).filter(
    ([name, value]) => name.startsWith(PAUSE) && value !== 'false' && !(asked && name === PAUSE),
  )
  if (theirs.length > 0) {
    const name = scaledObjectName(claim)
    const what = theirs.length === 1 ? 'an annotation' : 'annotations'
    const shown = theirs.map(([name, value]) => `${name}=${textOf(value)}`).join(', ')
    return notReady(
      'PausedByAnnotation',
      `Autoscaling is paused by ${what} on ScaledObject ${name} that the claim did not set: ${shown}. To resume: kubectl -n ${claim.namespace} annotate scaledobject ${name} ${theirs.map(([name]) => `${name}-`).join(' ')}`,
    )
  }
  return asked
    ? ready('Paused', 'Autoscaling is paused by spec.scaling.paused; the replica count stays as it is.')
    : ready('Paused', 'Autoscaling is still paused; KEDA has not picked up the change yet.')
}

/** The HPA's condition as KEDA reports it, if the HPA can't scale. At zero replicas an inactive HPA is normal. */
function failingHpa(observed: JsonObject): ObjectCondition | undefined {
  const state = observedCondition(observed, 'Ready')
  // KEDA 2.20.0 and 2.20.1 report it only here.
  const hpa = state?.reason === 'HPAMetricsUnavailable' ? state : observedCondition(observed, 'HPAActive')
  const tells = state?.status === 'True' || hpa === state
  return tells && hpa?.status === 'False' ? hpa : undefined
}

function hpaReadiness({ reason, message }: ObjectCondition, claim: ResolvedClaim): Readiness {
  const name = scaledObjectName(claim)
  const why = withFullStop(message.replace(/^HPA is not actively scaling: /, ''))
  const api = reason.includes('Metric') ? '; kubectl describe apiservice v1beta1.external.metrics.k8s.io' : ''
  return notReady(
    reason || 'HPAInactive',
    `HPA ${name} can't scale beyond one replica: ${why} See: kubectl -n ${claim.namespace} describe hpa ${name}${api}`,
  )
}

// KEDA reads all secrets of the container, even if it needs none of them for the lag.
const MISSING_SECRET = /\bsecret\b/i

function advice({ namespace, nats }: ResolvedClaim, message: string): string {
  if (MISSING_SECRET.test(message)) return `Create the secret in namespace ${namespace}, or remove it from the claim (spec.secretRefs).`
  if (nats === undefined) return ''
  const { stream, consumer, account, accountID, monitoringEndpoint } = nats
  return `Check that stream '${stream}' with consumer '${consumer}' exists in account '${accountID ?? account}', and that ${monitoringEndpoint} is the monitoring endpoint of the NATS server (spec.nats).`
}
