// The part of a Knative Service that a claim can express. What the platform does by default is left out.

import { resolveDefaults } from '../../claim/resolve.ts'
import type { Knative, ResolvedClaim } from '../../claim/resolved-claim.ts'
import { initOf, mainOf } from '../../convert/containers.ts'
import { natsVariables, plainVariables, pullSecrets, secretRefs, variableValue } from '../../convert/env.ts'
import { definedFields, nonEmpty, unlessDefault } from '../../convert/fields.ts'
import { matchSize } from '../../convert/size.ts'
import { at, isObject, items, type Json, type JsonObject } from '../../kubernetes/json.ts'
import type { Platform } from '../../platform/platform.ts'

const AUTOSCALING = 'autoscaling.knative.dev/'

/** The fields of a claim's spec that render this Service. */
export function servingOf(service: JsonObject, name: string, platform: Platform): JsonObject {
  const defaults = resolveDefaults(platform)
  const pod = at(service, 'spec', 'template', 'spec')
  const main = at(pod, 'containers', mainOf(service))
  const init = at(pod, 'initContainers', initOf(service))
  const env = items(at(main, 'env'))
  const knative = definedFields({
    autoscaling: nonEmpty(autoscalingOf(at(service, 'spec', 'template', 'metadata', 'annotations'), defaults.knative)),
    // The default of Knative is no limit.
    containerConcurrency: unlessDefault(defaults.knative.containerConcurrency, at(pod, 'containerConcurrency') ?? 0),
    timeoutSeconds: unlessDefault(defaults.knative.timeoutSeconds, at(pod, 'timeoutSeconds')),
    visibility: unlessDefault(defaults.knative.visibility, at(service, 'metadata', 'labels', 'networking.knative.dev/visibility')),
    traffic: trafficOf(items(at(service, 'spec', 'traffic'))),
  })
  return definedFields({
    image: at(main, 'image'),
    size: unlessDefault(defaults.size, matchSize(at(main, 'resources'), platform.sizes)?.size),
    runtime: 'Knative',
    nats: natsOf(env, defaults),
    env: nonEmpty(plainVariables(env, name)),
    secretRefs: nonEmpty(secretRefs(env, items(at(main, 'envFrom')))),
    imagePullSecrets: nonEmpty(pullSecrets(pod)),
    initContainer: init === undefined ? undefined : definedFields({ command: at(init, 'command'), args: at(init, 'args') }),
    httpPort: unlessDefault(defaults.port, at(main, 'ports', 0, 'containerPort')),
    healthPath: unlessDefault(defaults.healthPath, at(main, 'livenessProbe', 'httpGet', 'path')),
    readyPath: unlessDefault(defaults.readyPath, at(main, 'readinessProbe', 'httpGet', 'path')),
    knative: nonEmpty(knative),
  })
}

function natsOf(env: readonly Json[], { nats }: ResolvedClaim): JsonObject | undefined {
  const [url, stream, consumer] = [natsVariables.url, natsVariables.stream, natsVariables.consumer].map(name => variableValue(env, name))
  return stream === undefined || consumer === undefined
    ? undefined
    : definedFields({ url: unlessDefault(nats?.url ?? '', url), stream, consumer })
}

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

/** The default targets of Knative and, for the CPU, of Kubernetes. */
const standardTargets: ReadonlyMap<Json, number> = new Map([
  ['rps', 200],
  ['cpu', 80],
])

function autoscalingOf(annotations: Json | undefined, { autoscaling }: Knative): JsonObject {
  const all = Object.entries(isObject(annotations) ? annotations : {})
  const given = new Map(all.map(([name, value]) => [plainAnnotation(name).replace(AUTOSCALING, ''), value]))
  const isHpa = given.get('class') === 'hpa.autoscaling.knative.dev'
  const read: Record<string, Json | undefined> = {}
  for (const [annotation, field] of Object.entries(fields)) {
    const value = given.get(annotation)
    if (typeof value === 'string') read[field] = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  }
  const metric = read.metric ?? (isHpa ? 'cpu' : autoscaling.metric)
  return definedFields({
    class: isHpa ? 'hpa' : undefined,
    ...read,
    metric: isHpa ? metric : unlessDefault(autoscaling.metric, metric),
    target: metric === 'memory' ? read.target : unlessDefault(autoscaling.target, read.target ?? standardTargets.get(metric)),
    minScale: unlessDefault(autoscaling.minScale, read.minScale),
    // The defaults of Knative are no limit and no delay.
    maxScale: unlessDefault(autoscaling.maxScale, read.maxScale ?? 0),
    scaleDownDelay: isHpa ? undefined : unlessDefault(autoscaling.scaleDownDelay, read.scaleDownDelay ?? '0s'),
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
