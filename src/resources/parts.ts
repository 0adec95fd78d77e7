// What several resources are made of. One place each.
import type { Claim, Variable } from '../claim/claim.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../json.ts'
import type { Manifest, Readiness } from './resource.ts'

/** The port of the Service, whatever port the container has. */
export const SERVICE_PORT = 8080

/** Ends the name of what stands in for the Service `<name>` while the runtime changes. */
export const STAND_IN = '-switch'

export const NAME_LABEL = 'app.kubernetes.io/name'

export const selector = ({ name }: Claim) => ({ [NAME_LABEL]: name })

/** What every object of ours says of itself. */
const common = { 'app.kubernetes.io/component': 'event-driven-worker', 'app.kubernetes.io/managed-by': 'crossplane' }

const labels = (claim: Claim) => ({ ...selector(claim), ...common })

export const metadata = (claim: Claim, name: string, more: JsonObject = {}): Manifest['metadata'] => ({
  name,
  namespace: claim.namespace,
  ...more,
  labels: { ...labels(claim), ...(more.labels as JsonObject | undefined) },
})

/** The name is what the Deployment selects by, so while a claim changes its runtime no pod of Knative's may bear it. */
export const podLabels = (claim: Claim) => (claim.runtime === 'Knative' ? common : labels(claim))

/** What the restricted Pod Security Standard asks of a container. */
const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
}

/** A tag that moves must be looked up again each time; a digest never moves. */
export function imagePullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent'
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

const variable = (v: Variable): JsonObject =>
  'value' in v ? { name: v.name, value: v.value } : { name: v.name, valueFrom: { secretKeyRef: { name: v.secret, key: v.key } } }

/** The platform's variables, then the claim's. Knative sets PORT itself and refuses another. */
export function env({ name, nats, port, runtime, variables }: Claim): JsonObject[] {
  // A server-side apply refuses a list with the same name twice, and the claim may name its own service to telemetry.
  const named = variables.some(v => v.name === 'OTEL_SERVICE_NAME')
  return [
    ...(nats
      ? [
          { name: 'NATS_URL', value: nats.url },
          { name: 'NATS_STREAM_NAME', value: nats.stream },
          { name: 'NATS_CONSUMER_GROUP', value: nats.consumer },
        ]
      : []),
    ...(runtime === 'Deployment' ? [{ name: 'PORT', value: String(port) }] : []),
    ...(named ? [] : [{ name: 'OTEL_SERVICE_NAME', value: name }]),
    ...variables.map(variable),
  ]
}

export const envFrom = ({ bulkSecrets }: Claim): { envFrom?: JsonObject[] } =>
  bulkSecrets.length === 0
    ? {}
    : { envFrom: bulkSecrets.map(({ name, prefix }) => ({ ...(prefix !== undefined && { prefix }), secretRef: { name } })) }

export const imagePullSecrets = ({ imagePullSecrets: names }: Claim): { imagePullSecrets?: JsonObject[] } =>
  names.length === 0 ? {} : { imagePullSecrets: names.map(name => ({ name })) }

const probe = (
  path: string,
  port: Json | undefined,
  initialDelaySeconds: number,
  periodSeconds: number,
  timeoutSeconds: number,
  failureThreshold: number,
) => ({
  httpGet: { path, ...(port !== undefined && { port }) },
  initialDelaySeconds,
  periodSeconds,
  timeoutSeconds,
  failureThreshold,
})

/** Knative knows the only port itself, so there none is named. */
export const probes = ({ healthPath, readyPath }: Claim, port?: Json) => ({
  livenessProbe: probe(healthPath, port, 10, 10, 5, 3),
  readinessProbe: probe(readyPath, port, 5, 5, 3, 2),
})

/** What the container and the init container have in common. Knative takes no settings for the pod, so there the container has them all. */
export const containerBase = (claim: Claim): JsonObject => ({
  image: claim.image,
  imagePullPolicy: imagePullPolicy(claim.image),
  env: env(claim),
  ...envFrom(claim),
  resources: claim.resources as unknown as JsonObject,
  securityContext: claim.runtime === 'Knative' ? { ...podSecurity, ...containerSecurity } : containerSecurity,
})

/** The image that runs: the one of the pod template once that is rolled out, until then the previous one. */
export function runningImage(rolledOut: JsonObject | undefined, before: Json | undefined, { image }: Claim): Json {
  const containers = items(at(rolledOut, 'spec', 'template', 'spec', 'containers'))
  const main = containers.find(container => at(container, 'name') === 'main')
  return (rolledOut ? at(main, 'image') : before) ?? image
}

/** The init container, which sees what the container sees. */
export const initContainers = (claim: Claim): { initContainers?: JsonObject[] } =>
  claim.initContainer === undefined
    ? {}
    : {
        initContainers: [
          {
            name: 'init',
            ...containerBase(claim),
            command: claim.initContainer.command,
            ...(claim.initContainer.args && { args: claim.initContainer.args }),
          },
        ],
      }

export interface Condition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** A condition of an observed object, or undefined where its controller has not said anything. */
export function condition(observed: JsonObject, type: string): Condition | undefined {
  const conditions = at(observed, 'status', 'conditions')
  if (!Array.isArray(conditions)) return undefined
  const found: unknown = conditions.find(c => at(c, 'type') === type)
  if (!isObject(found)) return undefined
  const text = (field: string) => (typeof found[field] === 'string' ? found[field] : '')
  return { status: text('status'), reason: text('reason'), message: text('message') }
}

/** Whether the object's controller has not yet looked at its newest spec. */
export function outdated(observed: JsonObject): boolean {
  const generation = at(observed, 'metadata', 'generation')
  const seen = at(observed, 'status', 'observedGeneration')
  return typeof generation === 'number' && typeof seen === 'number' && seen < generation
}

export const ready = (reason: string, message: string): Readiness => ({ ready: true, reason, message })
export const notReady = (reason: string, message: string): Readiness => ({ ready: false, reason, message })

/** For a resource that does its work as soon as it is there. */
export const exists = (observed: JsonObject): Readiness =>
  ready('Created', `${textOf(at(observed, 'kind'))} ${textOf(at(observed, 'metadata', 'name'))} is there.`)

export const called = ({ kind, metadata }: Manifest) => `${kind} ${metadata.namespace}/${metadata.name}`

/** The kind for kubectl, as another group may have one of the same name. */
const kindFor = ({ apiVersion, kind }: Manifest) => [kind.toLowerCase(), ...apiVersion.split('/').slice(0, -1)].join('.')

/** What is there will go by itself, and only then can the claim's be made. */
export const waitsForEnd = (manifest: Manifest, why: string, look: string): Readiness =>
  notReady(
    'Waiting',
    `${called(manifest)} ${why}, and is made anew once it is gone. If it stays: kubectl -n ${manifest.metadata.namespace} get ${kindFor(manifest)} ${manifest.metadata.name} -o jsonpath='${look}'`,
  )

export const beingDeleted = (manifest: Manifest): Readiness => waitsForEnd(manifest, 'is being deleted', '{.metadata.finalizers}')
