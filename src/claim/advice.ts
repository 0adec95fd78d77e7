// Warnings: fields that are valid but should change.
import { at, items, type Json, textOf } from '../kubernetes/json.ts'
import type { MeshPlatform, Platform } from '../platform/platform.ts'
import { seconds } from './duration.ts'
import type { Finding, Path } from './findings.ts'
import { lagThresholdOf } from './processing.ts'
import { inlined, type Schema } from './schema.ts'

/** The products of the platform that fields need. */
type Products = Pick<Platform, 'mesh' | 'observability'>

/** Finds deprecated fields, fields without effect, and an unpinned image. Accepts any document, valid or not. */
export function compileAdvice(published: Schema, products: Products = {}): (document: Json) => Finding[] {
  const deprecated = deprecatedFields(inlined(published), [])
  const isSet = (document: Json, path: Path) => (at(document, ...path) ?? null) !== null
  return document => {
    const outdated = [...deprecated, ...fieldsWithoutEffect(at(document, 'spec'), products)].filter(({ path }) => isSet(document, path))
    return [...outdated, ...busyReplicas(at(document, 'spec')), ...images.flatMap(path => unpinned(document, path))]
  }
}

const LONG_SECONDS = 300

/** A replica counts as busy only while the lag, which includes messages in work, is at least the threshold for each replica. */
function busyReplicas(spec: Json | undefined): Finding[] {
  const text = (field: string) => {
    const value = at(spec, 'processing', field)
    return typeof value === 'string' ? value : undefined
  }
  const [maxDuration, averageDuration, targetLatency] = ['maxDuration', 'averageDuration', 'targetLatency'].map(text)
  if (maxDuration === undefined || seconds(maxDuration) <= LONG_SECONDS) return []
  const given = at(spec, 'processing', 'concurrency')
  const concurrency = typeof given === 'number' ? given : 1
  const own = at(spec, 'scaling', 'lagThreshold')
  const threshold =
    own ??
    lagThresholdOf({
      maxDuration,
      concurrency,
      ...(averageDuration !== undefined && { averageDuration }),
      ...(targetLatency !== undefined && { targetLatency }),
    })
  if (typeof threshold !== 'number' || !(threshold > concurrency)) return []
  const problem = `makes ${threshold} messages per replica, but a replica works on ${concurrency} at once (spec.processing.concurrency), so the autoscaler will ask busy replicas to finish`
  return [
    {
      code: 'BUSY_REPLICAS',
      path: own === undefined ? ['spec', 'processing', 'targetLatency'] : ['spec', 'scaling', 'lagThreshold'],
      problem,
    },
  ]
}

const noEffect = (field: Path, why: string): Finding => ({ code: 'NO_EFFECT', path: ['spec', ...field], problem: `has no effect ${why}` })

/** Fields of the mesh that have no effect because of other fields or of the platform. */
function meshWithoutEffect(spec: Json | undefined, mesh: MeshPlatform | undefined): Finding[] {
  const hasHosts = items(at(spec, 'mesh', 'hosts')).length > 0
  return [
    ...(hasHosts ? [] : [noEffect(['mesh', 'tlsSecret'], 'without mesh.hosts')]),
    ...(mesh !== undefined && mesh.tracingProvider === undefined
      ? [noEffect(['mesh', 'tracing'], "here: the platform names no provider of traces (mesh.tracingProvider in the function's input)")]
      : []),
    ...(hasHosts && mesh?.gateway?.style === 'GatewayAPI'
      ? [noEffect(['mesh', 'retries'], 'on requests through mesh.hosts: the HTTPRoutes of this gateway have no retries')]
      : []),
  ]
}

/** The same of observability. */
function observabilityWithoutEffect(spec: Json | undefined, observability: Products['observability']): Finding[] {
  const hasLag = at(spec, 'runtime') !== 'Knative' && (at(spec, 'nats') ?? null) !== null
  return [
    ...(hasLag ? [] : [noEffect(['observability', 'alerts', 'lag'], 'without nats and runtime Deployment: there is no lag')]),
    ...(observability?.dashboards === 'Platform'
      ? [
          noEffect(
            ['observability', 'dashboard'],
            "here: the platform has one dashboard for all claims (observability.dashboards in the function's input)",
          ),
        ]
      : []),
  ]
}

/** Fields that have no effect because of other fields, whether or not they are set. */
function fieldsWithoutEffect(spec: Json | undefined, { mesh, observability }: Products): Finding[] {
  const ofProducts = [...meshWithoutEffect(spec, mesh), ...observabilityWithoutEffect(spec, observability)]
  if (at(spec, 'runtime') === 'Knative')
    return [
      ...ofProducts,
      noEffect(['scaling'], 'with runtime Knative: see knative.autoscaling'),
      noEffect(['sessionAffinity'], 'with runtime Knative'),
    ]
  const isSet = (field: string) => (at(spec, field) ?? null) !== null
  return [
    ...ofProducts,
    ...(isSet('httpPort') ? [] : [noEffect(['sessionAffinity'], 'without httpPort')]),
    ...(isSet('nats')
      ? []
      : [
          ...scalingByLag.map(field => noEffect(['scaling', field], 'without nats: minReplicas is the number of replicas')),
          noEffect(['processing', 'targetLatency'], 'without nats: nothing scales on the lag'),
        ]),
  ]
}

const scalingByLag = ['maxReplicas', 'lagThreshold', 'activationLagThreshold', 'pollingInterval', 'cooldownPeriod', 'paused']

/** The description of a deprecated field names its replacement. */
function deprecatedFields({ properties = {} }: Schema, above: Path): Finding[] {
  return Object.entries(properties).flatMap(([name, schema]): Finding[] => {
    const path = [...above, name]
    return schema.deprecated === true ? [{ code: 'DEPRECATED', path, problem: deprecation(schema) }] : deprecatedFields(schema, path)
  })
}

function deprecation({ description = 'deprecated' }: Schema): string {
  // The schema can be a user's own.
  const text = textOf(description)
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
}

const images: readonly Path[] = [
  ['spec', 'image'],
  ['spec', 'mesh', 'canary', 'image'],
]

function unpinned(document: Json, path: Path): Finding[] {
  const image = at(document, ...path)
  if (typeof image !== 'string' || image === '' || isPinned(image)) return []
  return [{ code: 'UNPINNED_IMAGE', path, problem: "must be pinned: use a tag other than 'latest', or a digest", found: image }]
}

const isPinned = (image: string) => image.includes('@') || /:(?!latest$)[^:/]+$/.test(image)
