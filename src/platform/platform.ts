// The function's input: the settings of the platform team for all claims.
import schema from '../../schemas/input.schema.json' with { type: 'json' }
import type { Finding } from '../claim/findings.ts'
import type { EventDrivenServiceSpec } from '../claim/generated/types.ts'
import type { Schema } from '../claim/schema.ts'
import { compileValidator, type Validate } from '../claim/validate.ts'
import { at, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import { merge } from '../kubernetes/merge.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import { didYouMean } from '../text/did-you-mean.ts'
import { type Defaults, environments, type ResourceRequirements, sizes } from './defaults.ts'
import { type Policy, wrongPolicy } from './policy.ts'

export interface Features {
  readonly knativeInitContainers: boolean
  readonly knativeInitialScaleZero: boolean
  readonly knativeEmptyDir: boolean
  /** The cloud in which pods can have an identity. */
  readonly identity?: Cloud
  readonly prometheusAnnotations: boolean
  /** Whether Crossplane may be asked for the pods of a workload that is not ready. */
  readonly podReasons: boolean
}

export type Cloud = 'GCP' | 'AWS' | 'Azure'

export interface NatsServer {
  readonly url: string
  readonly monitoringEndpoint: string
  readonly account?: string
  readonly accountID?: string
  readonly useHttps?: boolean
}

/** The Istio mesh that claims can join. */
export interface MeshPlatform {
  readonly gateway?: {
    readonly style: 'Istio' | 'GatewayAPI'
    readonly name: string
    readonly namespace: string
    readonly selector?: Readonly<Record<string, string>>
    readonly serviceAccount?: string
  }
  readonly hostSuffixes?: readonly string[]
  readonly trustDomain: string
  readonly revision?: string
  readonly tracingProvider?: string
  readonly accessLogProvider?: string
  readonly egressHosts?: readonly string[]
  readonly natsBypass: boolean
  readonly eventingPrincipals?: readonly string[]
  readonly clusterIssuer?: string
}

/** The Prometheus that watches claims. */
export interface ObservabilityPlatform {
  /** By these a Prometheus selects its monitors and rules. */
  readonly labels: Readonly<Record<string, string>>
  readonly interval?: string
  readonly kedaNamespaceLabel: 'namespace' | 'exported_namespace'
  readonly knativeMetrics: boolean
  readonly natsMetricPrefix: string
  readonly dashboards: 'Platform' | 'ConfigMap' | 'GrafanaDashboard'
  /** By these Grafana's sidecar finds a ConfigMap, or a GrafanaDashboard its Grafana. */
  readonly dashboardLabels?: Readonly<Record<string, string>>
  /** The Instrumentation of the OpenTelemetry Operator. */
  readonly instrumentation?: string
}

/** The Shipwright that builds the images of claims. */
export interface BuildPlatform {
  readonly registry?: string
  readonly insecure: boolean
  readonly pushSecret?: string
  readonly serviceAccount?: string
  readonly languages?: Readonly<
    Partial<Record<string, { readonly strategy: string; readonly params?: NonNullable<EventDrivenServiceSpec['build']>['params'] }>>
  >
}

export interface Platform {
  readonly composeAs: 'Native' | 'ProviderKubernetes'
  readonly providerConfig: string
  readonly features: Features
  /** Standard: what lets a Deployment survive the drain of a node and a rollout. */
  readonly availability: 'Standard' | 'None'
  /** The NATS servers that a claim can name. */
  readonly natsServers: Readonly<Record<string, NatsServer>>
  /** The PriorityClass of each priority. */
  readonly priorities: Readonly<Partial<Record<string, string>>>
  readonly defaults: Defaults
  /** The defaults of each environment: the platform's own before the built-in preset. */
  readonly environments: Readonly<Partial<Record<string, readonly Defaults[]>>>
  readonly sizes: Readonly<Partial<Record<string, ResourceRequirements>>>
  readonly policy: Policy
  /** Undefined if the cluster has no mesh. */
  readonly mesh?: MeshPlatform
  /** Undefined if nobody watches claims. */
  readonly observability?: ObservabilityPlatform
  /** Undefined if nobody builds images. */
  readonly build?: BuildPlatform
}

export type ParsedPlatform =
  | { readonly ok: true; readonly platform: Platform }
  | { readonly ok: false; readonly findings: readonly Finding[] }

let compiled: Validate | undefined
/** Compiled on the first use, because the command line usually has no input. */
const validateInput: Validate = input => {
  compiled ??= compileValidator(schema as Schema)
  return compiled(input)
}

const environmentLayers = (own: Readonly<Partial<Record<string, Defaults>>> = {}): Platform['environments'] => {
  const presets: Readonly<Partial<Record<string, Defaults>>> = environments
  const names = new Set([...Object.keys(presets), ...Object.keys(own)])
  return Object.fromEntries([...names].map(name => [name, [own[name] ?? {}, presets[name] ?? {}]]))
}

/** The platform settings without any input. */
export const builtInPlatform: Platform = {
  composeAs: 'Native',
  providerConfig: 'default',
  features: {
    knativeInitContainers: false,
    knativeInitialScaleZero: false,
    knativeEmptyDir: true,
    prometheusAnnotations: false,
    podReasons: false,
  },
  availability: 'Standard',
  natsServers: {},
  priorities: {},
  defaults: {},
  environments: environmentLayers(),
  sizes,
  policy: { maxGracePeriod: '1h' },
}

export function parsePlatform(input: Json | undefined): ParsedPlatform {
  if (input === undefined || (isObject(input) && Object.keys(input).length === 0)) return { ok: true, platform: builtInPlatform }
  const { value, findings } = validateInput(input)
  if (findings.length > 0) return { ok: false, findings }
  const { environments: own, ...said } = value as JsonObject
  const { environments: _, ...rest } = builtInPlatform
  const merged = merge(said, rest as unknown as JsonObject) as unknown as Platform
  const platform = {
    ...merged,
    environments: environmentLayers(own as Parameters<typeof environmentLayers>[0]),
    // The built-in ones first, as people read them.
    // An entry is complete, so that it can leave out a CPU limit.
    sizes: { ...sizes, ...(said.sizes as Platform['sizes'] | undefined) },
  }
  const wrong = [...wrongNames(value), ...unknownSizes(value, platform), ...reversedSizes(value), ...wrongPolicy(platform.policy)]
  return wrong.length > 0 ? { ok: false, findings: wrong } : { ok: true, platform }
}

const NAME = /^[a-z0-9]+(?:-+[a-z0-9]+)*$/
const LONGEST_NAME = 63

/** Names that a claim must be able to say, which a Kubernetes schema can't check. */
const wrongNames = (input: Json): Finding[] =>
  ['sizes', 'environments', 'priorities', 'natsServers'].flatMap(map => {
    const named = at(input, map)
    return Object.keys(isObject(named) ? named : {})
      .filter(name => name.length > LONGEST_NAME || !NAME.test(name))
      .map((name): Finding => {
        const problem = `must be a name of at most ${LONGEST_NAME} lower-case letters, digits and '-'`
        return { code: 'BAD_FORMAT', path: [map, name], problem, found: name }
      })
  })

/** Sizes of which Kubernetes would refuse every pod. */
function reversedSizes(input: Json): Finding[] {
  const sizes = at(input, 'sizes')
  return Object.entries(isObject(sizes) ? sizes : {}).flatMap(([name, size]) =>
    ['cpu', 'memory'].flatMap((resource): Finding[] => {
      const [request, limit] = ['requests', 'limits'].map(bound => parseQuantity(at(size, bound, resource)))
      if (request === undefined || limit === undefined || request <= limit) return []
      const path = ['sizes', name, 'requests', resource]
      return [{ code: 'CONFLICT', path, problem: `must be at most sizes.${name}.limits.${resource}`, found: at(input, ...path) }]
    }),
  )
}

/** Defaults that name a size which the platform does not have. */
function unknownSizes(input: Json, { sizes: known }: Platform): Finding[] {
  const names = Object.keys(known)
  const environments = at(input, 'environments')
  const places = [['defaults'], ...Object.keys(isObject(environments) ? environments : {}).map(name => ['environments', name])]
  return places.flatMap((place): Finding[] => {
    const path = [...place, 'size']
    const found = at(input, ...path)
    if (typeof found !== 'string' || names.includes(found)) return []
    const meant = didYouMean(found, names)
    return [{ code: 'NOT_ALLOWED', path, problem: `must be one of [${names.join(', ')}]`, found, ...(meant && { meant }) }]
  })
}
