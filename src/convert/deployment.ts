// What of a Deployment and its ScaledObject a claim can say. What the platform would do anyway is left unsaid.
import type { ResolvedClaim } from '../claim/resolved-claim.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import type { Platform } from '../platform/platform.ts'
import { definedFields, nonEmpty, unlessDefault } from './fields.ts'
import { bulkSecretRefs } from './knative-service.ts'
import { matchSize } from './size.ts'

/** Set by the platform itself, so no claim may name them. */
const NATS_VARIABLES = ['NATS_URL', 'NATS_STREAM_NAME', 'NATS_CONSUMER_GROUP']
const RESERVED = [...NATS_VARIABLES, 'PORT']

export interface Given {
  readonly deployment: JsonObject
  readonly scaledObject: JsonObject
  readonly services: readonly JsonObject[]
}

/** The container that does the work: the one that is called so, or like the Deployment, or stands first. */
export function mainOf(deployment: JsonObject): number {
  const names = items(at(deployment, 'spec', 'template', 'spec', 'containers')).map(container => at(container, 'name'))
  return [names.indexOf('main'), names.indexOf(at(deployment, 'metadata', 'name') ?? null)].find(index => index >= 0) ?? 0
}

/** The init container that a claim can say: the same image with a command of its own. */
export function initOf(deployment: JsonObject): number {
  const pod = at(deployment, 'spec', 'template', 'spec')
  const image = at(pod, 'containers', mainOf(deployment), 'image')
  return items(at(pod, 'initContainers')).findIndex(
    init => at(init, 'image') === image && items(at(init, 'command')).length > 0 && at(init, 'restartPolicy') === undefined,
  )
}

export const triggerOf = (scaledObject: JsonObject): number =>
  items(at(scaledObject, 'spec', 'triggers')).findIndex(trigger => at(trigger, 'type') === 'nats-jetstream')

/** A port by its name is the number that the container gives it. */
export function portNumber(port: Json | undefined, container: Json | undefined): Json | undefined {
  const named = items(at(container, 'ports')).find(each => at(each, 'name') === port)
  return named === undefined ? port : at(named, 'containerPort')
}

/** The fields of the claim's spec. `plain` is a claim of the same platform that says nothing of its own. */
export function specOf({ deployment, scaledObject, services }: Given, plain: ResolvedClaim, platform: Platform): JsonObject {
  const name = textOf(at(deployment, 'metadata', 'name'))
  const pod = at(deployment, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(deployment))
  const init = at(pod, 'initContainers', initOf(deployment))
  const env = items(at(main, 'env'))
  const port = portOf(main)
  const http = services.find(service => at(service, 'metadata', 'name') === `${name}-http`)
  const affinity = at(http, 'spec', 'sessionAffinity')
  return definedFields({
    image: at(main, 'image'),
    size: matchSize(at(main, 'resources'), platform.sizes)?.size ?? plain.size,
    nats: natsOf(scaledObject, env, plain),
    scaling: nonEmpty(scalingOf(scaledObject, plain)),
    env: nonEmpty(plainVariables(env, name)),
    secretRefs: nonEmpty([...secretKeyRefs(env), ...bulkSecretRefs(items(at(main, 'envFrom')))]),
    imagePullSecrets: pullSecretsOf(pod, plain),
    initContainer: init === undefined ? undefined : definedFields({ command: at(init, 'command'), args: at(init, 'args') }),
    httpPort: http === undefined ? unlessDefault(plain.port, port) : (port ?? plain.port),
    healthPath: unlessDefault(plain.healthPath, at(main, 'livenessProbe', 'httpGet', 'path')),
    readyPath: unlessDefault(plain.readyPath, at(main, 'readinessProbe', 'httpGet', 'path')),
    sessionAffinity: unlessDefault(plain.sessionAffinity, affinity),
  })
}

/** The port that the readiness probe asks, else the first. */
function portOf(main: Json | undefined): Json | undefined {
  const asked = portNumber(at(main, 'readinessProbe', 'httpGet', 'port') ?? at(main, 'livenessProbe', 'httpGet', 'port'), main)
  return typeof asked === 'number' ? asked : at(main, 'ports', 0, 'containerPort')
}

function pullSecretsOf(pod: Json | undefined, plain: ResolvedClaim): JsonObject[] | undefined {
  const names = items(at(pod, 'imagePullSecrets')).map(secret => at(secret, 'name') ?? '')
  return JSON.stringify(names) === JSON.stringify(plain.imagePullSecrets) ? undefined : names.map(secret => ({ name: secret }))
}

function natsOf(scaledObject: JsonObject, env: readonly Json[], plain: ResolvedClaim): JsonObject {
  const trigger = at(scaledObject, 'spec', 'triggers', triggerOf(scaledObject), 'metadata')
  const value = (name: string) =>
    at(
      env.find(variable => at(variable, 'name') === name),
      'value',
    )
  const [account, accountID] = [at(trigger, 'account'), at(trigger, 'accountID')]
  // An account without its ID is looked up by its name; the platform's own may have one all the same.
  const isPlain =
    (account === undefined || account === plain.nats?.account) && (accountID === undefined || accountID === plain.nats?.accountID)
  return definedFields({
    url: value('NATS_URL'),
    stream: at(trigger, 'stream') ?? value('NATS_STREAM_NAME'),
    consumer: at(trigger, 'consumer') ?? value('NATS_CONSUMER_GROUP'),
    account: isPlain ? undefined : account,
    accountID: isPlain ? undefined : accountID,
    monitoringEndpoint: unlessDefault(plain.nats?.monitoringEndpoint ?? '', at(trigger, 'natsServerMonitoringEndpoint')),
  })
}

/** Where nothing is said KEDA has defaults of its own. */
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

function plainVariables(env: readonly Json[], service: string): JsonObject[] {
  return env
    .filter(variable => at(variable, 'valueFrom') === undefined && !RESERVED.includes(textOf(at(variable, 'name'))))
    .map(variable => ({ name: at(variable, 'name') ?? '', value: at(variable, 'value') ?? '' }))
    .filter(({ name, value }) => name !== 'OTEL_SERVICE_NAME' || value !== service)
}

/** Variables out of secrets, each secret once. */
function secretKeyRefs(env: readonly Json[]): JsonObject[] {
  const refs = new Map<string, JsonObject[]>()
  for (const variable of env) {
    const from = at(variable, 'valueFrom', 'secretKeyRef')
    const envName = textOf(at(variable, 'name'))
    if (!isObject(from) || RESERVED.includes(envName)) continue
    const secret = textOf(from.name)
    refs.set(secret, [...(refs.get(secret) ?? []), { secretKey: from.key, envName }])
  }
  return [...refs].map(([name, keys]) => ({ name, env: keys }))
}
