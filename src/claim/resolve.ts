// Answers every question that the claim leaves open: claim, else environment, else platform, else built-in.
import type { JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import { builtIn, type Defaults, environments } from '../platform/defaults.ts'
import type { Platform } from '../platform/platform.ts'
import type { EventDrivenServiceSpec } from './generated/types.ts'
import type { Claim, Eventing, Knative, Nats, Scaling, Variable } from './resolved-claim.ts'

const HTTP_PORT = 8080
const SYSTEM_ACCOUNT = '$SYS'
// The account of a NATS server without configured accounts. No server keeps streams in its system account.
const GLOBAL_ACCOUNT = '$G'

type Spec = EventDrivenServiceSpec
type Layer = Defaults | Spec

export function settle(spec: Spec, name: string, namespace: string, platform: Platform): Claim {
  const layers: readonly Layer[] = [spec, ...(spec.environment ? platform.environments[spec.environment] : []), platform.defaults, builtIn]
  const settled = merge({}, ...(layers as readonly unknown[] as readonly JsonObject[])) as unknown as Spec & typeof builtIn
  const { image, runtime, initContainer, httpPort, sessionAffinity, eventing } = spec
  return {
    name,
    namespace,
    runtime,
    image,
    size: settled.size,
    resources: platform.sizes[settled.size],
    ...(spec.nats && { nats: settleNats(settled.nats, layers) }),
    scaling: settleScaling(settled.scaling, layers),
    variables: variables(spec),
    bulkSecrets: bulkSecrets(spec),
    imagePullSecrets: (settled.imagePullSecrets ?? []).map(secret => secret.name),
    ...(initContainer && { initContainer }),
    port: httpPort ?? HTTP_PORT,
    ...(httpPort !== undefined && { httpPort }),
    healthPath: settled.healthPath,
    readyPath: settled.readyPath,
    sessionAffinity,
    knative: settleKnative(settled.knative as Knative, layers),
    ...(eventing && { eventing: settleEventing(eventing, settleBroker(settled.eventing.broker as Broker, layers), name, namespace) }),
  }
}

/** Which layer says something first; the number of layers where none does. */
function rank(layers: readonly Layer[], says: (layer: Layer) => unknown): number {
  const index = layers.findIndex(layer => says(layer) !== undefined)
  return index < 0 ? layers.length : index
}

function settleNats(settled: Nats, layers: readonly Layer[]): Nats {
  const { accountID: _, ...nats } = settled
  // An account's ID is of use only with the account that it belongs to: never one layer's account with a lower layer's ID.
  const upToAccount = layers.slice(0, rank(layers, layer => layer.nats?.account) + 1)
  const accountID =
    upToAccount.map(layer => layer.nats?.accountID).find(id => id !== undefined) ??
    (nats.account === SYSTEM_ACCOUNT ? GLOBAL_ACCOUNT : undefined)
  return { ...nats, ...(accountID !== undefined && { accountID }) }
}

function settleScaling(settled: Scaling, layers: readonly Layer[]): Scaling {
  const [minReplicas, maxReplicas] = inOrder(
    settled.minReplicas,
    settled.maxReplicas,
    rank(layers, layer => layer.scaling?.minReplicas),
    rank(layers, layer => layer.scaling?.maxReplicas),
  )
  return { ...settled, minReplicas, maxReplicas }
}

/** Where a bound that somebody set meets a default beyond it, the default gives way: the claim's own word always holds. */
function inOrder(least: number, most: number, leastRank: number, mostRank: number): [number, number] {
  if (least <= most) return [least, most]
  return leastRank < mostRank ? [least, least] : [most, most]
}

const metricsOf = { kpa: ['concurrency', 'rps'], hpa: ['cpu', 'memory'] } as const

function settleKnative(settled: Knative, layers: readonly Layer[]): Knative {
  const { autoscaling } = settled
  const ranks = (field: keyof Knative['autoscaling']) => rank(layers, layer => layer.knative?.autoscaling?.[field])
  const [minScale, maxScale] =
    autoscaling.maxScale === 0
      ? [autoscaling.minScale, 0]
      : inOrder(autoscaling.minScale, autoscaling.maxScale, ranks('minScale'), ranks('maxScale'))
  const { activationScale: _, ...others } = autoscaling
  const chosen = classAndMetric(autoscaling, ranks('class') <= ranks('metric'))
  return {
    ...settled,
    autoscaling: {
      ...others,
      ...chosen,
      target: targetOf(chosen.metric, layers) ?? autoscaling.target,
      ...scales(minScale, maxScale, autoscaling.activationScale, ranks),
    },
  }
}

type Scales = Pick<Knative['autoscaling'], 'minScale' | 'maxScale' | 'activationScale'>

/** Knative wants the scale on waking between the bounds, and at least 2. Of two that do not fit the default gives way. */
function scales(minScale: number, maxScale: number, wanted: number | undefined, ranks: (field: keyof Scales) => number): Scales {
  if (wanted === undefined) return { minScale, maxScale }
  const wins = (bound: 'minScale' | 'maxScale') => ranks('activationScale') < ranks(bound)
  const least = minScale > wanted && wins('minScale') ? wanted : minScale
  const most = maxScale !== 0 && maxScale < wanted && wins('maxScale') ? wanted : maxScale
  const activationScale = Math.max(least, most === 0 ? wanted : Math.min(most, wanted))
  return { minScale: least, maxScale: most, ...(activationScale > 1 && { activationScale }) }
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
function targetOf(metric: Knative['autoscaling']['metric'], layers: readonly Layer[]): number | undefined {
  const fits = (layer: Layer) => (metric === 'memory' ? !presets.includes(layer) : layer.knative?.autoscaling?.metric !== 'memory')
  return layers
    .filter(fits)
    .map(layer => layer.knative?.autoscaling?.target)
    .find(target => target !== undefined)
}

type Broker = NonNullable<Eventing['broker']>

/** A dead letter sink is one value: never one layer's object with another's namespace or address. */
function settleBroker({ delivery, ...broker }: Broker, layers: readonly Layer[]): Broker {
  const deadLetter = layers.map(layer => layer.eventing?.broker?.delivery?.deadLetter).find(sink => sink !== undefined)
  return { ...broker, ...(delivery && { delivery: { ...delivery, ...(deadLetter && { deadLetter }) } }) }
}

function settleEventing(own: NonNullable<Spec['eventing']>, settled: Broker, name: string, namespace: string): Eventing {
  const { broker, triggers = [], kafka } = own
  const listens = broker !== undefined || triggers.length > 0 || kafka?.sink === 'broker'
  return {
    ...(listens && {
      broker: { ...settled, name: broker?.name ?? name, create: broker?.create ?? true, ownClass: broker?.class !== undefined },
    }),
    triggers,
    ...(kafka && { kafka: { ...kafka, consumerGroup: kafka.consumerGroup ?? `${namespace}-${name}` } }),
  }
}

const variables = ({ env = [], secretRefs = [] }: Spec): Variable[] => [
  ...env.map(({ name, value }) => ({ name, value })),
  ...secretRefs.flatMap(({ name: secret, env: keys = [] }) =>
    keys.map(({ secretKey, envName }) => ({ name: envName, secret, key: secretKey })),
  ),
]

/** secret1Name to secret5Name are the deprecated spelling of a secretRefs entry. */
const bulkSecrets = (spec: Spec): { name: string; prefix?: string }[] => [
  ...(spec.secretRefs ?? [])
    .filter(({ envFrom }) => envFrom)
    .map(({ name, prefix }) => ({ name, ...(prefix !== undefined && { prefix }) })),
  ...[spec.secret1Name, spec.secret2Name, spec.secret3Name, spec.secret4Name, spec.secret5Name].flatMap(name =>
    name === undefined ? [] : [{ name }],
  ),
]
