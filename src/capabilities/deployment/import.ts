// The part of a Deployment and the objects around it that a claim can express. What the platform does by default is left out.
import type { EventDrivenServiceSpec } from '../../claim/generated/types.ts'
import { resolveDefaults } from '../../claim/resolve.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { mainOf, podFields } from '../../convert/containers.ts'
import { environmentOf, natsVariables, variableValue } from '../../convert/env.ts'
import { definedFields, nonEmpty, unlessDefault } from '../../convert/fields.ts'
import { natsFileFields, natsFilesOf } from '../../convert/files.ts'
import { identityOf } from '../../convert/identity.ts'
import { meshOf } from '../../convert/mesh.ts'
import { portNumber } from '../../convert/port-number.ts'
import { processingOf } from '../../convert/processing.ts'
import { matchSize } from '../../convert/size.ts'
import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'

export interface Given {
  readonly deployment: JsonObject
  /** Undefined if requests bring the work, and the number of replicas is fixed. */
  readonly scaledObject: JsonObject | undefined
  readonly serviceAccount: JsonObject | undefined
  /** The Services that send requests to its pods. */
  readonly services: readonly JsonObject[]
}

export const triggerOf = (scaledObject: JsonObject): number =>
  items(at(scaledObject, 'spec', 'triggers')).findIndex(trigger => at(trigger, 'type') === 'nats-jetstream')

const triggerIn = (scaledObject: JsonObject) => at(scaledObject, 'spec', 'triggers', triggerOf(scaledObject), 'metadata')

/** The fields of the claim's spec. What the platform does by default is left out. */
export function specOf(given: Given, platform: Platform): JsonObject {
  const { deployment, scaledObject, serviceAccount, services } = given
  const [name, namespace] = [textOf(at(deployment, 'metadata', 'name')), textOf(at(deployment, 'metadata', 'namespace') ?? 'default')]
  const pod = at(deployment, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(deployment))
  const env = items(at(main, 'env'))
  const image = textOf(at(main, 'image') ?? '')
  const environment = environmentOf(env, { namespace, image }, platform)
  const processing = processingOf(pod, env, platform)
  const updates = updatesOf(given)
  const natsFiles = natsFilesOf(pod, main)
  const server = scaledObject && serverOf(scaledObject, env, platform, environment)
  const size = matchSize(at(main, 'resources'), platform.sizes)?.size
  const defaults = resolveDefaults(
    platform,
    {
      image,
      nats: { stream: '', consumer: '', ...(server !== undefined && { server }), ...natsFiles },
      ...(environment !== undefined && { environment }),
      ...(processing && { processing }),
      ...(updates && { updates }),
    },
    { name, namespace },
  )
  const http = services.find(service => at(service, 'metadata', 'name') === `${name}-http`)
  const probed = portOf(main)
  const port = scaledObject ? probed : (targetOf(http ?? services[0], main) ?? probed)
  const httpPort = scaledObject && http === undefined ? unlessDefault(defaults.port, port) : (port ?? defaults.port)
  return definedFields({
    image: at(main, 'image'),
    size: size ?? defaults.size,
    environment,
    nats: scaledObject && natsOf(scaledObject, env, defaults, { server, files: natsFileFields(natsFiles) }),
    processing: processing && { ...processing },
    scaling: scaledObject ? nonEmpty(scalingOf(scaledObject, defaults)) : { minReplicas: replicasOf(deployment) },
    ...podFields(deployment, defaults, httpPort),
    identity: identityOf(serviceAccount, platform),
    priority: priorityOf(pod, platform),
    updates,
    sessionAffinity: unlessDefault(defaults.sessionAffinity, at(http, 'spec', 'sessionAffinity')),
    mesh: meshOf(deployment, platform),
  })
}

const replicasOf = (deployment: JsonObject): Json => at(deployment, 'spec', 'replicas') ?? 1

/** The port of the readiness probe, else the first. */
function portOf(main: Json | undefined): Json | undefined {
  const asked = portNumber(at(main, 'readinessProbe', 'httpGet', 'port') ?? at(main, 'livenessProbe', 'httpGet', 'port'), main)
  return typeof asked === 'number' ? asked : at(main, 'ports', 0, 'containerPort')
}

/** The container's port behind a Service. */
function targetOf(service: JsonObject | undefined, main: Json | undefined): Json | undefined {
  const port = at(service, 'spec', 'ports', 0)
  const target = portNumber(at(port, 'targetPort') ?? at(port, 'port'), main)
  return typeof target === 'number' ? target : undefined
}

/** A claim replaces its only pod at once. Of several, one is always ready. */
function updatesOf({ deployment, scaledObject }: Given): 'OneAtATime' | undefined {
  const most = scaledObject ? (at(scaledObject, 'spec', 'maxReplicaCount') ?? kedaDefaults.maxReplicaCount) : replicasOf(deployment)
  return at(deployment, 'spec', 'strategy', 'type') === 'Recreate' && typeof most === 'number' && most <= 1 ? 'OneAtATime' : undefined
}

const priorityOf = (pod: Json | undefined, { priorities }: Platform): string | undefined =>
  Object.entries(priorities).find(([, name]) => name === at(pod, 'priorityClassName'))?.[0]

/** The platform's server with these addresses; undefined if the addresses are the platform's defaults. */
function serverOf(
  scaledObject: JsonObject,
  env: readonly Json[],
  platform: Platform,
  environment: EventDrivenServiceSpec['environment'],
): string | undefined {
  const { nats } = resolveDefaults(platform, environment === undefined ? {} : { environment })
  const url = variableValue(env, natsVariables.url) ?? nats?.url
  const endpoint = at(triggerIn(scaledObject), 'natsServerMonitoringEndpoint')
  const useHttps = at(triggerIn(scaledObject), 'useHttps') === 'true'
  if (!useHttps && url === nats?.url && endpoint === nats?.monitoringEndpoint) return undefined
  return Object.entries(platform.natsServers).find(
    ([, server]) => server.url === url && server.monitoringEndpoint === endpoint && (server.useHttps ?? false) === useHttps,
  )?.[0]
}

function natsOf(
  scaledObject: JsonObject,
  env: readonly Json[],
  defaults: ResolvedClaim,
  { server, files }: { server: string | undefined; files: JsonObject },
): JsonObject {
  const trigger = triggerIn(scaledObject)
  const value = (field: keyof typeof natsVariables) => variableValue(env, natsVariables[field])
  const [account, accountID] = [at(trigger, 'account'), at(trigger, 'accountID')]
  // Without an ID, KEDA looks up the account by name, even if the platform's account has an ID.
  const isPlain =
    (account === undefined || account === defaults.nats?.account) && (accountID === undefined || accountID === defaults.nats?.accountID)
  return definedFields({
    server,
    url: server === undefined ? value('url') : undefined,
    stream: at(trigger, 'stream') ?? value('stream'),
    consumer: at(trigger, 'consumer') ?? value('consumer'),
    account: isPlain ? undefined : account,
    accountID: isPlain ? undefined : accountID,
    monitoringEndpoint: unlessDefault(defaults.nats?.monitoringEndpoint ?? '', at(trigger, 'natsServerMonitoringEndpoint')),
    ...files,
  })
}

/** The defaults of KEDA, which differ from the platform's. */
export const kedaDefaults = {
  minReplicaCount: 0,
  maxReplicaCount: 100,
  pollingInterval: 30,
  cooldownPeriod: 300,
  lagThreshold: '10',
  activationLagThreshold: '0',
} as const

function scalingOf(scaledObject: JsonObject, { scaling }: ResolvedClaim): JsonObject {
  const spec = scaledObject.spec
  const trigger = triggerIn(scaledObject)
  const whole = (text: Json) => (/^\d+$/.test(textOf(text)) ? Number(text) : text)
  const seconds = (own: number | undefined, field: 'pollingInterval' | 'cooldownPeriod') => {
    const value = at(spec, field)
    return own === undefined ? value : unlessDefault(own, value ?? kedaDefaults[field])
  }
  return definedFields({
    minReplicas: unlessDefault(scaling.minReplicas, at(spec, 'minReplicaCount') ?? kedaDefaults.minReplicaCount),
    maxReplicas: unlessDefault(scaling.maxReplicas, at(spec, 'maxReplicaCount') ?? kedaDefaults.maxReplicaCount),
    lagThreshold: unlessDefault(scaling.lagThreshold, whole(at(trigger, 'lagThreshold') ?? kedaDefaults.lagThreshold)),
    activationLagThreshold: unlessDefault(
      scaling.activationLagThreshold,
      whole(at(trigger, 'activationLagThreshold') ?? kedaDefaults.activationLagThreshold),
    ),
    pollingInterval: seconds(scaling.pollingInterval, 'pollingInterval'),
    cooldownPeriod: seconds(scaling.cooldownPeriod, 'cooldownPeriod'),
    paused: unlessDefault(scaling.paused, at(scaledObject, 'metadata', 'annotations', 'autoscaling.keda.sh/paused') === 'true'),
  })
}
