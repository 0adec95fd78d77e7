// What of a Knative Service a claim can say. What is as the built-in defaults have it is left unsaid.

import { at, isObject, items, type Json, type JsonObject, textOf } from '../kubernetes/json.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import { builtIn, sizes } from '../platform/defaults.ts'
import { definedFields, nonEmpty, unlessDefault } from './fields.ts'

const AUTOSCALING = 'autoscaling.knative.dev/'

/** The fields of a claim's spec that make this Service. */
export function servingOf(service: JsonObject, name: string): JsonObject {
  const pod = at(service, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', 0)
  const init = at(pod, 'initContainers', 0)
  const port = at(main, 'ports', 0, 'containerPort')
  const { nats, env } = variablesOf(items(at(main, 'env')), name)
  const secretRefs = [...secretKeyRefs(items(at(main, 'env'))), ...bulkSecretRefs(items(at(main, 'envFrom')))]
  const imagePullSecrets = items(at(pod, 'imagePullSecrets'))
  const knative = definedFields({
    autoscaling: nonEmpty(autoscalingOf(at(service, 'spec', 'template', 'metadata', 'annotations'))),
    // What Knative takes where nothing is said is not what we take.
    containerConcurrency: unlessDefault(builtIn.knative.containerConcurrency, at(pod, 'containerConcurrency') ?? 0),
    timeoutSeconds: unlessDefault(builtIn.knative.timeoutSeconds, at(pod, 'timeoutSeconds')),
    visibility: unlessDefault(builtIn.knative.visibility, at(service, 'metadata', 'labels', 'networking.knative.dev/visibility')),
    traffic: trafficOf(items(at(service, 'spec', 'traffic'))),
  })
  return definedFields({
    image: at(main, 'image'),
    size: unlessDefault(builtIn.size, sizeOf(at(main, 'resources'))),
    runtime: 'Knative',
    nats,
    env: nonEmpty(env),
    secretRefs: nonEmpty(secretRefs),
    imagePullSecrets: nonEmpty(imagePullSecrets.map(secret => ({ name: at(secret, 'name') ?? '' }))),
    initContainer: init === undefined ? undefined : definedFields({ command: at(init, 'command'), args: at(init, 'args') }),
    httpPort: unlessDefault(8080, port),
    healthPath: unlessDefault(builtIn.healthPath, at(main, 'livenessProbe', 'httpGet', 'path')),
    readyPath: unlessDefault(builtIn.readyPath, at(main, 'readinessProbe', 'httpGet', 'path')),
    knative: nonEmpty(knative),
  })
}

/** The smallest size that has no less memory. */
function sizeOf(resources: Json | undefined): string | undefined {
  const wanted = parseQuantity(at(resources, 'limits', 'memory') ?? at(resources, 'requests', 'memory'))
  if (wanted === undefined) return undefined
  return Object.entries(sizes).find(([, { limits }]) => (parseQuantity(limits.memory) ?? 0) >= wanted)?.[0] ?? 'large'
}

const names = { NATS_URL: 'url', NATS_STREAM_NAME: 'stream', NATS_CONSUMER_GROUP: 'consumer' } as const

/** Plain variables, less those that the platform sets itself. */
function variablesOf(env: readonly Json[], service: string): { nats: JsonObject | undefined; env: JsonObject[] } {
  const plain = env.filter(variable => at(variable, 'valueFrom') === undefined)
  const value = (name: string) =>
    at(
      plain.find(variable => at(variable, 'name') === name),
      'value',
    )
  const nats = Object.fromEntries(Object.entries(names).map(([name, field]) => [field, value(name)]))
  const isOurs = (name: Json | undefined) =>
    Object.hasOwn(names, textOf(name)) || (name === 'OTEL_SERVICE_NAME' && value('OTEL_SERVICE_NAME') === service)
  return {
    nats:
      nats.stream === undefined || nats.consumer === undefined
        ? undefined
        : definedFields({ ...nats, url: unlessDefault(builtIn.nats.url, nats.url) }),
    env: plain
      .filter(variable => !isOurs(at(variable, 'name')))
      .map(variable => ({ name: at(variable, 'name') ?? '', value: at(variable, 'value') ?? '' })),
  }
}

/** Variables out of secrets; those that follow one another out of one secret stand together. */
function secretKeyRefs(env: readonly Json[]): JsonObject[] {
  const refs: { name: Json; env: JsonObject[] }[] = []
  for (const variable of env) {
    const from = at(variable, 'valueFrom', 'secretKeyRef')
    const secret = at(from, 'name')
    if (secret === undefined) continue
    const key = { secretKey: at(from, 'key') ?? '', envName: at(variable, 'name') ?? '' }
    const last = refs.at(-1)
    if (last?.name === secret) last.env.push(key)
    else refs.push({ name: secret, env: [key] })
  }
  return refs
}

export const bulkSecretRefs = (envFrom: readonly Json[]): JsonObject[] =>
  envFrom
    .filter(source => at(source, 'secretRef') !== undefined)
    .map(source => definedFields({ name: at(source, 'secretRef', 'name'), envFrom: true, prefix: at(source, 'prefix') }))

const fields = {
  metric: 'metric',
  target: 'target',
  'min-scale': 'minScale',
  'max-scale': 'maxScale',
  'scale-down-delay': 'scaleDownDelay',
  window: 'window',
  'initial-scale': 'initialScale',
  'activation-scale': 'activationScale',
  'target-utilization-percentage': 'targetUtilization',
  'panic-window-percentage': 'panicWindow',
  'panic-threshold-percentage': 'panicThreshold',
} as const

/** What is aimed at where nothing is said, by Knative and, of the CPU, by Kubernetes. */
const standardTargets: ReadonlyMap<Json, number> = new Map([
  ['rps', 200],
  ['cpu', 80],
])

function autoscalingOf(annotations: Json | undefined): JsonObject {
  const all = Object.entries(isObject(annotations) ? annotations : {})
  const given = new Map(all.map(([name, value]) => [plainAnnotation(name).replace(AUTOSCALING, ''), value]))
  const isHpa = given.get('class') === 'hpa.autoscaling.knative.dev'
  const read: Record<string, Json | undefined> = {}
  for (const [annotation, field] of Object.entries(fields)) {
    const value = given.get(annotation)
    if (typeof value === 'string') read[field] = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  const { autoscaling } = builtIn.knative
  const metric = read.metric ?? (isHpa ? 'cpu' : autoscaling.metric)
  return definedFields({
    class: isHpa ? 'hpa' : undefined,
    ...read,
    metric: isHpa ? metric : unlessDefault(autoscaling.metric, metric),
    target: metric === 'memory' ? read.target : unlessDefault(autoscaling.target, read.target ?? standardTargets.get(metric)),
    minScale: unlessDefault(autoscaling.minScale, read.minScale),
    // Here too Knative has defaults of its own: no limit, and no delay.
    maxScale: unlessDefault(autoscaling.maxScale, read.maxScale ?? 0),
    scaleDownDelay: isHpa ? undefined : unlessDefault(autoscaling.scaleDownDelay, read.scaleDownDelay ?? '0s'),
  })
}

/** Older manifests have their annotations in camelCase, which Knative still takes. */
export const plainAnnotation = (name: string) =>
  name.startsWith(AUTOSCALING) ? name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`) : name

/** Nothing where all goes to the latest revision anyway. */
function trafficOf(traffic: readonly Json[]): JsonObject[] | undefined {
  const shares = traffic.map(share =>
    definedFields({
      revisionName: at(share, 'revisionName'),
      latestRevision: at(share, 'revisionName') === undefined ? true : undefined,
      percent: at(share, 'percent') ?? 0,
      tag: at(share, 'tag'),
    }),
  )
  const [first, second] = shares
  const isPlain = first?.latestRevision === true && first.percent === 100 && first.tag === undefined && second === undefined
  return shares.length === 0 || isPlain ? undefined : shares
}
