import type { Claim } from '../claim/claim.ts'
import type { JsonObject } from '../json.ts'
import { condition, metadata, notReady, ready } from './parts.ts'
import type { ComposedResource, Readiness } from './resource.ts'

const scaler = ({ name }: Claim) => `${name}-scaler`

export const scaledObject: ComposedResource = {
  key: 'scaledobject',
  concern: 'Scaling',
  build: claim => {
    const { name, nats, scaling, runtime } = claim
    if (runtime !== 'Deployment' || nats === undefined) return undefined
    const { minReplicas, maxReplicas, pollingInterval, cooldownPeriod, paused } = scaling
    return {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: metadata(claim, scaler(claim), paused ? { annotations: { 'autoscaling.keda.sh/paused': 'true' } } : {}),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicaCount: minReplicas,
        maxReplicaCount: maxReplicas,
        ...(pollingInterval !== undefined && { pollingInterval }),
        ...(cooldownPeriod !== undefined && { cooldownPeriod }),
        // KEDA's own name for the HPA would be keda-hpa-<name>-scaler, too long for a claim of more than 47 characters.
        advanced: { horizontalPodAutoscalerConfig: { name: scaler(claim) } },
        triggers: [{ type: 'nats-jetstream', metadata: trigger(claim, nats) }],
      },
    }
  },
  ready: judge,
  readyCondition: 'Ready',
  status: (_, claim) => {
    const { minReplicas, maxReplicas, paused } = claim.scaling
    return { autoscaler: { kind: 'ScaledObject', name: scaler(claim), minReplicas, maxReplicas, paused } }
  },
}

/** https://keda.sh/docs/latest/scalers/nats-jetstream-stream/ */
const trigger = (
  { scaling }: Claim,
  { monitoringEndpoint, account, accountID, stream, consumer }: NonNullable<Claim['nats']>,
): JsonObject => ({
  natsServerMonitoringEndpoint: monitoringEndpoint,
  account,
  ...(accountID !== undefined && { accountID }),
  stream,
  consumer,
  lagThreshold: String(scaling.lagThreshold),
  activationLagThreshold: String(scaling.activationLagThreshold),
})

function judge(observed: JsonObject, claim: Claim): Readiness {
  const name = scaler(claim)
  if (condition(observed, 'Paused')?.status === 'True')
    return ready('Paused', `Autoscaling is paused by spec.scaling.paused; the number of replicas stays as it is.`)
  const state = condition(observed, 'Ready')
  if (state?.status === 'True') return ready('Ready', `ScaledObject ${name} scales Deployment ${claim.name}.`)
  if (state === undefined || state.status === 'Unknown')
    return notReady('Waiting', `KEDA has not looked at ScaledObject ${name} yet; if this stays, see whether KEDA runs.`)
  return notReady(
    state.reason || 'NotReady',
    `KEDA can't scale on ScaledObject ${name}: ${state.message.replace(/\.?$/, '.')} ${advice(claim, state.message)} The cause: kubectl -n ${claim.namespace} describe scaledobject ${name}`,
  )
}

// KEDA reads what the container would read, also where it needs none of it to look at the lag.
const MISSING_SECRET = /\bsecret\b/i

function advice({ namespace, nats }: Claim, message: string): string {
  if (MISSING_SECRET.test(message)) return `Make the secret in namespace ${namespace}, or take it out of the claim (spec.secretRefs).`
  if (nats === undefined) return ''
  const { stream, consumer, account, accountID, monitoringEndpoint } = nats
  return `Check that stream '${stream}' with consumer '${consumer}' exists in account '${accountID ?? account}', and that ${monitoringEndpoint} is the monitoring port of the NATS server (spec.nats).`
}
