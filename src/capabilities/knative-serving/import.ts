// The part of a Knative Service that a claim can express. What the platform does by default is left out.

import { resolveDefaults } from '../../claim/resolve.ts'
import type { Knative, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { mainOf, podFields } from '../../convert/containers.ts'
import { environmentOf, natsVariables, variableValue } from '../../convert/env.ts'
import { definedFields, nonEmpty, unlessDefault } from '../../convert/fields.ts'
import { natsFileFields, natsFilesOf } from '../../convert/files.ts'
import { identityOf } from '../../convert/identity.ts'
import { meshOf } from '../../convert/mesh.ts'
import { matchSize } from '../../convert/size.ts'
import { at, isObject, items, type Json, type JsonObject, textOf } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'

const AUTOSCALING = 'autoscaling.knative.dev/'

/** The fields of a claim's spec that render this Service, whose pods have this account. */
export function servingOf(service: JsonObject, serviceAccount: JsonObject | undefined, platform: Platform): JsonObject {
  const [name, namespace] = [textOf(at(service, 'metadata', 'name')), textOf(at(service, 'metadata', 'namespace') ?? 'default')]
  const pod = at(service, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(service))
  const env = items(at(main, 'env'))
  const image = textOf(at(main, 'image') ?? '')
  const environment = environmentOf(env, { namespace, image }, platform)
  const natsFiles = natsFilesOf(pod, main)
  const size = matchSize(at(main, 'resources'), platform.sizes)?.size
  const nats = { stream: '', consumer: '', ...natsFiles }
  const defaults = resolveDefaults(
    platform,
    { image, runtime: 'Knative', nats, ...(environment !== undefined && { environment }) },
    { name, namespace },
  )
  const knative = definedFields({
    autoscaling: nonEmpty(autoscalingOf(at(service, 'spec', 'template', 'metadata', 'annotations'), defaults.knative)),
    containerConcurrency: unlessDefault(
      defaults.knative.containerConcurrency,
      at(pod, 'containerConcurrency') ?? UNSET.containerConcurrency,
    ),
    timeoutSeconds: unlessDefault(defaults.knative.timeoutSeconds, at(pod, 'timeoutSeconds') ?? UNSET.timeoutSeconds),
    visibility: unlessDefault(
      defaults.knative.visibility,
      at(service, 'metadata', 'labels', 'networking.knative.dev/visibility') ?? UNSET.visibility,
    ),
    traffic: trafficOf(items(at(service, 'spec', 'traffic'))),
  })
  return definedFields({
    image: at(main, 'image'),
    size: unlessDefault(defaults.size, size),
    environment,
    runtime: 'Knative',
    nats: natsOf(env, defaults, natsFileFields(natsFiles)),
    ...podFields(service, defaults, unlessDefault(defaults.port, at(main, 'ports', 0, 'containerPort'))),
    identity: identityOf(serviceAccount, platform),
    knative: nonEmpty(knative),
    mesh: meshOf(service, platform),
  })
}

function natsOf(env: readonly Json[], { nats }: ResolvedClaim, files: JsonObject): JsonObject | undefined {
  const [url, stream, consumer] = [natsVariables.url, natsVariables.stream, natsVariables.consumer].map(name => variableValue(env, name))
  return stream === undefined || consumer === undefined
    ? undefined
    : definedFields({ url: unlessDefault(nats?.url ?? '', url), stream, consumer, ...files })
}

/** Knative's own defaults. The platform's defaults do not change them. */
const UNSET = { containerConcurrency: 0, timeoutSeconds: 300, visibility: 'external' } as const

/** The targets of Knative and, for the CPU, of Kubernetes. Memory has none. */
const unsetTargets: ReadonlyMap<Json, number> = new Map([
  ['concurrency', 100],
  ['rps', 200],
  ['cpu', 80],
])

interface Annotation {
  readonly field: Exclude<keyof Knative['autoscaling'], 'class' | 'metric' | 'target'>
  /** Knative's default without the annotation; undefined if a claim can't express it. */
  readonly unset?: number | string
}

const annotationsOfBoth: Readonly<Record<string, Annotation>> = {
  'min-scale': { field: 'minScale', unset: 0 },
  'max-scale': { field: 'maxScale', unset: 0 },
  'initial-scale': { field: 'initialScale', unset: 1 },
}

const annotationsOf: Readonly<Record<'kpa' | 'hpa', Readonly<Record<string, Annotation>>>> = {
  kpa: {
    ...annotationsOfBoth,
    'scale-down-delay': { field: 'scaleDownDelay', unset: '0s' },
    window: { field: 'window', unset: '60s' },
    'activation-scale': { field: 'activationScale' },
    'target-utilization-percentage': { field: 'targetUtilization', unset: 70 },
    'panic-window-percentage': { field: 'panicWindow', unset: 10 },
    'panic-threshold-percentage': { field: 'panicThreshold', unset: 200 },
  },
  hpa: { ...annotationsOfBoth, window: { field: 'window' } },
}

function autoscalingOf(annotations: Json | undefined, { autoscaling: defaults }: Knative): JsonObject {
  const all = Object.entries(isObject(annotations) ? annotations : {})
  const given = new Map(all.map(([name, value]) => [plainAnnotation(name).replace(AUTOSCALING, ''), value]))
  const read = (annotation: string): Json | undefined => {
    const value = given.get(annotation)
    if (typeof value !== 'string') return undefined
    return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  const scaler = read('class') === 'hpa.autoscaling.knative.dev' ? 'hpa' : 'kpa'
  const metric = read('metric') ?? (scaler === 'hpa' ? 'cpu' : 'concurrency')
  const target = read('target') ?? unsetTargets.get(metric)
  // A target in MiB is no default for another metric.
  const sharesTarget = metric !== 'memory' && defaults.metric !== 'memory'
  const others = Object.entries(annotationsOf[scaler]).map(([annotation, { field, unset }]) => {
    const standard = defaults[field]
    return [field, standard === undefined ? read(annotation) : unlessDefault(standard, read(annotation) ?? unset)] as const
  })
  return definedFields({
    class: unlessDefault(defaults.class, scaler),
    metric: scaler === defaults.class ? unlessDefault(defaults.metric, metric) : metric,
    target: sharesTarget ? unlessDefault(defaults.target, target) : target,
    ...Object.fromEntries(others),
  })
}

/** Knative still accepts the camelCase annotations of older manifests. */
export const plainAnnotation = (name: string) =>
  name.startsWith(AUTOSCALING) ? name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`) : name

/** Undefined if all requests go to the latest revision, as by default. */
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
