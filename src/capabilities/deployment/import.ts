// The part of a Deployment and its ScaledObject that a claim can express. What the platform does by default is left out.
import { resolveDefaults } from '../../claim/resolve.ts'
import type { ResolvedClaim } from '../../claim/resolved-claim.ts'
import { mainOf, podFields, portNumber } from '../../convert/containers.ts'
import { natsVariables, variableValue } from '../../convert/env.ts'
import { definedFields, nonEmpty, unlessDefault } from '../../convert/fields.ts'
import { matchSize } from '../../convert/size.ts'
import { at, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'

export interface Given {
  readonly deployment: JsonObject
  readonly scaledObject: JsonObject
  readonly services: readonly JsonObject[]
}

export const triggerOf = (scaledObject: JsonObject): number =>
  items(at(scaledObject, 'spec', 'triggers')).findIndex(trigger => at(trigger, 'type') === 'nats-jetstream')

/** The fields of the claim's spec. What the platform does by default is left out. */
export function specOf({ deployment, scaledObject, services }: Given, platform: Platform): JsonObject {
  const defaults = resolveDefaults(platform)
  const name = textOf(at(deployment, 'metadata', 'name'))
  const main = at(deployment, 'spec', 'template', 'spec', 'containers', mainOf(deployment))
  const port = portOf(main)
  const http = services.find(service => at(service, 'metadata', 'name') === `${name}-http`)
  const affinity = at(http, 'spec', 'sessionAffinity')
  return definedFields({
    image: at(main, 'image'),
    size: matchSize(at(main, 'resources'), platform.sizes)?.size ?? defaults.size,
    nats: natsOf(scaledObject, items(at(main, 'env')), defaults),
    scaling: nonEmpty(scalingOf(scaledObject, defaults)),
    ...podFields(deployment, defaults, http === undefined ? unlessDefault(defaults.port, port) : (port ?? defaults.port)),
    sessionAffinity: unlessDefault(defaults.sessionAffinity, affinity),
  })
}

/** The port of the readiness probe, else the first. */
function portOf(main: Json | undefined): Json | undefined {
  const asked = portNumber(at(main, 'readinessProbe', 'httpGet', 'port') ?? at(main, 'livenessProbe', 'httpGet', 'port'), main)
  return typeof asked === 'number' ? asked : at(main, 'ports', 0, 'containerPort')
}

function natsOf(scaledObject: JsonObject, env: readonly Json[], defaults: ResolvedClaim): JsonObject {
  const trigger = at(scaledObject, 'spec', 'triggers', triggerOf(scaledObject), 'metadata')
  const value = (field: keyof typeof natsVariables) => variableValue(env, natsVariables[field])
  const [account, accountID] = [at(trigger, 'account'), at(trigger, 'accountID')]
  // Without an ID, KEDA looks up the account by name, even if the platform's account has an ID.
  const isPlain =
    (account === undefined || account === defaults.nats?.account) && (accountID === undefined || accountID === defaults.nats?.accountID)
  return definedFields({
    url: value('url'),
    stream: at(trigger, 'stream') ?? value('stream'),
    consumer: at(trigger, 'consumer') ?? value('consumer'),
    account: isPlain ? undefined : account,
    accountID: isPlain ? undefined : accountID,
    monitoringEndpoint: unlessDefault(defaults.nats?.monitoringEndpoint ?? '', at(trigger, 'natsServerMonitoringEndpoint')),
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
  const trigger = at(spec, 'triggers', triggerOf(scaledObject), 'metadata')
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
