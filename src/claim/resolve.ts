// Answers every question that the claim leaves open: claim, else environment, else platform, else built-in.
import type { JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import { builtIn, environments } from '../platform/defaults.ts'
import type { Platform } from '../platform/platform.ts'
import { resolveBuild } from './build.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import { type Layer, rank } from './layers.ts'
import { resolveMesh } from './mesh.ts'
import { resolveObservability } from './observability.ts'
import { resolveProbes } from './probes.ts'
import { lagThresholdOf, resolveProcessing } from './processing.ts'
import type { Eventing, Files, Knative, Labels, Nats, ResolvedClaim, Scaling, Source, Variable } from './resolved-claim.ts'

const HTTP_PORT = 8080
const SYSTEM_ACCOUNT = '$SYS'
// The account of a NATS server without configured accounts. No server keeps streams in its system account.
const GLOBAL_ACCOUNT = '$G'

type Spec = EventDrivenServiceSpec
type FilesSpec = NonNullable<Spec['files']>[number]
type SecretVariable = NonNullable<NonNullable<Spec['secretRefs']>[number]['env']>[number]

export function resolveClaim(spec: Spec, name: string, namespace: string, platform: Platform, labels: Labels = {}): ResolvedClaim {
  const layers: readonly Layer[] = [
    oneAtATime(spec),
    ...(spec.environment ? (platform.environments[spec.environment] ?? []) : []),
    platform.defaults,
    builtIn,
  ]
  const layered = merge({}, ...(layers as readonly unknown[] as readonly JsonObject[])) as unknown as Spec & typeof builtIn
  const { image = '', runtime, environment, command, args, initContainer, httpPort, identity, sessionAffinity, eventing } = spec
  const resources = platform.sizes[layered.size]
  if (resources === undefined) throw new Error(`the platform has no size ${layered.size}`)
  const processing = resolveProcessing(spec.processing)
  const mesh = resolveMesh(spec, layers, platform)
  const observability = resolveObservability(spec, layers, platform)
  const build = resolveBuild(spec, layers, platform, { name, namespace })
  const priorityClass = spec.priority && platform.priorities[spec.priority]
  return {
    layers,
    platform,
    name,
    namespace,
    labels,
    runtime,
    image,
    ...(build && { build }),
    size: layered.size,
    resources,
    ...(environment && { environment }),
    ...(command && { command }),
    ...(args && { args }),
    ...(spec.nats && { nats: resolveNats(spec.nats, layers, platform) }),
    ...(processing && { processing }),
    scaling: resolveScaling(layered.scaling, layers, spec, platform),
    variables: variables(spec),
    bulkSources: bulkSources(spec),
    files: (spec.files ?? []).map(filesOf),
    rootFilesystem: resolveRoot(spec, layered.rootFilesystem, platform),
    imagePullSecrets: (layered.imagePullSecrets ?? []).map(secret => secret.name),
    ...(initContainer && { initContainer }),
    port: httpPort ?? HTTP_PORT,
    ...(httpPort !== undefined && { httpPort }),
    probes: resolveProbes(spec.probes ?? {}, { liveness: layered.healthPath, readiness: layered.readyPath }),
    ...(identity !== undefined && { identity }),
    ...(priorityClass !== undefined && { priorityClass }),
    updates: spec.updates ?? 'Rolling',
    sessionAffinity,
    knative: resolveKnative(layered.knative as Knative, layers, platform),
    ...(eventing && { eventing: resolveEventing(eventing, resolveBroker(layered.eventing.broker as Broker, layers), name, namespace) }),
    ...(mesh && { mesh }),
    ...(observability && { observability }),
  }
}

/** The resolved claim of a spec that sets only these fields. Without them, name, namespace, image, stream and consumer are empty. */
export const resolveDefaults = (platform: Platform, fields: Partial<Spec> = {}, { name = '', namespace = '' } = {}): ResolvedClaim =>
  resolveClaim(
    {
      image: '',
      runtime: 'Deployment',
      sessionAffinity: 'None',
      nats: { stream: '', consumer: '' },
      eventing: { broker: { create: true } },
      ...fields,
    },
    name,
    namespace,
    platform,
  )

/** A default gives way where Knative can't have a writable /tmp beside it. */
const resolveRoot = ({ runtime, rootFilesystem }: Spec, layered: ResolvedClaim['rootFilesystem'], { features }: Platform) =>
  rootFilesystem === undefined && runtime === 'Knative' && !features.knativeEmptyDir ? 'Writable' : layered

/** OneAtATime allows one replica, whatever the defaults say. */
const oneAtATime = (spec: Spec): Spec => (spec.updates === 'OneAtATime' ? { ...spec, scaling: { ...spec.scaling, maxReplicas: 1 } } : spec)

function resolveNats({ credentials, tls, server }: NonNullable<Spec['nats']>, claimLayers: readonly Layer[], platform: Platform): Nats {
  // The server that the claim names is its own answer, before any default.
  const [own, ...others] = claimLayers
  const chosen = server === undefined ? undefined : platform.natsServers[server]
  const layers = own && chosen ? [own, { nats: chosen }, ...others] : claimLayers
  const { accountID: _, server: __, ...nats } = layeredNats(layers)
  // An account's ID is of use only with the account that it belongs to: never one layer's account with a lower layer's ID.
  const upToAccount = layers.slice(0, rank(layers, layer => layer.nats?.account) + 1)
  const accountID =
    upToAccount.map(layer => layer.nats?.accountID).find(id => id !== undefined) ??
    (nats.account === SYSTEM_ACCOUNT ? GLOBAL_ACCOUNT : undefined)
  return {
    ...nats,
    ...(accountID !== undefined && { accountID }),
    useHttps: chosen?.useHttps ?? false,
    ...(credentials && { credentials }),
    ...(tls && { tls }),
  }
}

const layeredNats = (layers: readonly Layer[]) =>
  merge({}, ...layers.map(({ nats }) => (nats ?? {}) as unknown as JsonObject)) as unknown as Omit<Nats, 'useHttps'> & { server?: string }

/** A default above the platform's limit is lowered; a claim that asks for more is refused. */
const limited = (count: number, { policy: { maxReplicas = count } }: Platform) => Math.min(count, maxReplicas)

function resolveScaling(
  layered: Scaling,
  layers: readonly Layer[],
  { nats, runtime, scaling, updates, processing = {} }: Spec,
  platform: Platform,
): Scaling {
  const [minReplicas, maxReplicas] = yieldingBounds(
    layered.minReplicas,
    layered.maxReplicas,
    rank(layers, layer => layer.scaling?.minReplicas),
    rank(layers, layer => layer.scaling?.maxReplicas),
  )
  const lagThreshold = scaling?.lagThreshold ?? lagThresholdOf(processing) ?? layered.lagThreshold
  // Nothing wakes a Deployment without KEDA, so a default of 0 does not apply.
  const isCount = runtime === 'Deployment' && nats === undefined
  const isDefault = scaling?.minReplicas === undefined
  // There the maximum has no effect, so the count does not give way to it.
  const least = isCount && updates !== 'OneAtATime' ? layered.minReplicas : minReplicas
  const count = limited(isCount && isDefault ? Math.max(1, least) : least, platform)
  return { ...layered, lagThreshold, minReplicas: count, maxReplicas: Math.max(count, limited(maxReplicas, platform)) }
}

/** Where a bound that somebody set meets a default beyond it, the default gives way: the claim's own word always holds. */
function yieldingBounds(least: number, most: number, leastRank: number, mostRank: number): [number, number] {
  if (least <= most) return [least, most]
  return leastRank < mostRank ? [least, least] : [most, most]
}

const metricsOf = { kpa: ['concurrency', 'rps'], hpa: ['cpu', 'memory'] } as const

function resolveKnative(layered: Knative, layers: readonly Layer[], platform: Platform): Knative {
  const { autoscaling } = layered
  const ranks = (field: keyof Knative['autoscaling']) => rank(layers, layer => layer.knative?.autoscaling?.[field])
  const [minScale, maxScale] =
    autoscaling.maxScale === 0
      ? [autoscaling.minScale, 0]
      : yieldingBounds(autoscaling.minScale, autoscaling.maxScale, ranks('minScale'), ranks('maxScale'))
  const { activationScale: _, initialScale, ...others } = autoscaling
  const chosen = classAndMetric(autoscaling, ranks('class') <= ranks('metric'))
  return {
    ...layered,
    autoscaling: {
      ...others,
      ...(initialScale !== undefined && { initialScale: limited(initialScale, platform) }),
      ...chosen,
      target: targetFor(chosen.metric, layers) ?? autoscaling.target,
      ...limitedScales(scaleBounds(minScale, maxScale, autoscaling.activationScale, ranks), platform),
    },
  }
}

type Scales = Pick<Knative['autoscaling'], 'minScale' | 'maxScale' | 'activationScale'>

/** Knative wants the scale on waking between the bounds, and at least 2. Of two that do not fit the default gives way. */
function scaleBounds(minScale: number, maxScale: number, wanted: number | undefined, ranks: (field: keyof Scales) => number): Scales {
  if (wanted === undefined) return { minScale, maxScale }
  const wins = (bound: 'minScale' | 'maxScale') => ranks('activationScale') < ranks(bound)
  const least = minScale > wanted && wins('minScale') ? wanted : minScale
  const most = maxScale !== 0 && maxScale < wanted && wins('maxScale') ? wanted : maxScale
  const activationScale = Math.max(least, most === 0 ? wanted : Math.min(most, wanted))
  return { minScale: least, maxScale: most, ...(activationScale > 1 && { activationScale }) }
}

/** The same for Knative, where a maximum of 0 is no limit. */
function limitedScales(scales: Scales, platform: Platform): Scales {
  const { maxReplicas } = platform.policy
  if (maxReplicas === undefined) return scales
  const { minScale, maxScale, activationScale = 0 } = scales
  const wakesWith = limited(activationScale, platform)
  return {
    minScale: limited(minScale, platform),
    maxScale: maxScale === 0 ? maxReplicas : limited(maxScale, platform),
    ...(wakesWith > 1 && { activationScale: wakesWith }),
  }
}

/** A default that does not fit gives way here too: a class brings its own metric, and a metric its class. */
function classAndMetric(
  { class: kind, metric }: Knative['autoscaling'],
  classFirst: boolean,
): Pick<Knative['autoscaling'], 'class' | 'metric'> {
  if ((metricsOf[kind] as readonly string[]).includes(metric)) return { class: kind, metric }
  return classFirst ? { class: kind, metric: kind === 'hpa' ? 'cpu' : 'concurrency' } : { class: kind === 'hpa' ? 'kpa' : 'hpa', metric }
}

const presets: readonly Layer[] = [...Object.values(environments), builtIn]

/** That of memory counts megabytes: our presets have none for it, and what comes with it is none for another metric. */
function targetFor(metric: Knative['autoscaling']['metric'], layers: readonly Layer[]): number | undefined {
  const fits = (layer: Layer) => (metric === 'memory' ? !presets.includes(layer) : layer.knative?.autoscaling?.metric !== 'memory')
  return layers
    .filter(fits)
    .map(layer => layer.knative?.autoscaling?.target)
    .find(target => target !== undefined)
}

type Broker = NonNullable<Eventing['broker']>

/** A dead letter sink is one value: never one layer's object with another's namespace or address. */
function resolveBroker({ delivery, ...broker }: Broker, layers: readonly Layer[]): Broker {
  const deadLetter = layers.map(layer => layer.eventing?.broker?.delivery?.deadLetter).find(sink => sink !== undefined)
  return { ...broker, ...(delivery && { delivery: { ...delivery, ...(deadLetter && { deadLetter }) } }) }
}

function resolveEventing(own: NonNullable<Spec['eventing']>, layered: Broker, name: string, namespace: string): Eventing {
  const { broker, triggers = [], kafka } = own
  const listens = broker !== undefined || triggers.length > 0 || kafka?.sink === 'broker'
  return {
    ...(listens && {
      broker: { ...layered, name: broker?.name ?? name, create: broker?.create ?? true, ownClass: broker?.class !== undefined },
    }),
    triggers,
    ...(kafka && { kafka: { ...kafka, consumerGroup: kafka.consumerGroup ?? `${namespace}-${name}` } }),
  }
}

const variables = ({ env = [], configRefs = [], secretRefs = [] }: Spec): Variable[] => [
  ...env.map(({ name, value }) => ({ name, value })),
  ...configRefs.flatMap(({ name, optional, env: keys = [] }) =>
    keys.map(one => ({ name: one.name, from: { kind: 'ConfigMap', name, optional } as const, key: one.key })),
  ),
  ...secretRefs.flatMap(({ name, optional, env: keys = [] }) =>
    keys.map(one => ({ ...keyAndName(one), from: { kind: 'Secret', name, optional } as const })),
  ),
]

/** secretKey and envName are the older spelling of key and name. A rule holds that each is there once. */
export const keyAndName = ({ key, name, secretKey, envName }: SecretVariable): { readonly key: string; readonly name: string } => ({
  key: key ?? secretKey ?? '',
  name: name ?? envName ?? '',
})

/** secret1Name to secret5Name are the deprecated spelling of a secretRefs entry. Of two keys of one name the secret's wins. */
const bulkSources = (spec: Spec): ResolvedClaim['bulkSources'] => [
  ...wholeSources('ConfigMap', spec.configRefs),
  ...wholeSources('Secret', spec.secretRefs),
  ...[spec.secret1Name, spec.secret2Name, spec.secret3Name, spec.secret4Name, spec.secret5Name].flatMap(name =>
    name === undefined ? [] : [{ kind: 'Secret', name, optional: false } as const],
  ),
]

const wholeSources = (kind: Source['kind'], refs: Spec['configRefs'] | Spec['secretRefs'] = []): ResolvedClaim['bulkSources'] =>
  refs
    .filter(({ envFrom }) => envFrom)
    .map(({ name, prefix, optional }) => ({ kind, name, optional, ...(prefix !== undefined && { prefix }) }))

function filesOf({ mountPath, secret, configMap, key, scratch = '', memory = false }: FilesSpec): Files {
  const name = secret ?? configMap
  if (name === undefined) return { mountPath, kind: 'Scratch', size: scratch, memory }
  return { mountPath, kind: secret === undefined ? 'ConfigMap' : 'Secret', name, ...(key !== undefined && { key }) }
}
