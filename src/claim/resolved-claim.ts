import type { JsonObject } from '../kubernetes/json.ts'
import type { ResourceRequirements } from '../platform/defaults.ts'
import type { MeshPlatform, ObservabilityPlatform, Platform } from '../platform/platform.ts'
import type { EventDrivenServiceSpec, Runtime } from './generated/types.ts'
import type { Layer } from './layers.ts'

export type { ResourceRequirements, Runtime }

/** A Secret or a ConfigMap. The pods start without an optional one. */
export interface Source {
  readonly kind: 'Secret' | 'ConfigMap'
  readonly name: string
  readonly optional: boolean
}

/** A variable of the claim: a plain value, or one key of a Secret or a ConfigMap. */
export type Variable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly from: Source; readonly key: string }

/** A directory of the container and the source of its files. */
export type Files = { readonly mountPath: string } & (
  | { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string; readonly key?: string }
  | { readonly kind: 'Scratch'; readonly size: string; readonly memory: boolean }
)

/** Times in seconds. */
export interface Probe {
  readonly handler: { readonly path: string } | { readonly exec: readonly string[] } | { readonly tcp: number }
  readonly initialDelay: number
  readonly period: number
  readonly timeout: number
  readonly failures: number
}

/** The probes that the claim has; undefined for none. */
export interface Probes {
  readonly startup?: Probe
  readonly liveness?: Probe
  readonly readiness?: Probe
}

export interface Processing {
  readonly maxSeconds?: number
  readonly concurrency: number
}

export interface Nats {
  readonly url: string
  readonly stream: string
  readonly consumer: string
  readonly account: string
  readonly accountID?: string
  readonly monitoringEndpoint: string
  readonly useHttps: boolean
  readonly credentials?: { readonly secret: string; readonly key: string }
  readonly tls?: { readonly secret: string }
}

export interface Scaling {
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly lagThreshold: number
  readonly activationLagThreshold: number
  readonly pollingInterval?: number
  readonly cooldownPeriod?: number
  readonly paused: boolean
}

export type Labels = Readonly<Record<string, string>>

type KnativeSpec = NonNullable<EventDrivenServiceSpec['knative']>
type EventingSpec = NonNullable<EventDrivenServiceSpec['eventing']>
export type Delivery = NonNullable<NonNullable<EventingSpec['broker']>['delivery']>
export type TriggerSpec = NonNullable<EventingSpec['triggers']>[number]

type WithRequired<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: NonNullable<T[P]> }

export interface Knative {
  readonly autoscaling: WithRequired<
    NonNullable<KnativeSpec['autoscaling']>,
    'class' | 'metric' | 'target' | 'minScale' | 'maxScale' | 'scaleDownDelay'
  >
  readonly containerConcurrency: number
  readonly timeoutSeconds: number
  readonly visibility: 'external' | 'cluster-local'
  readonly traffic?: NonNullable<KnativeSpec['traffic']>
}

export interface Eventing {
  /** Undefined if the claim uses no broker. */
  readonly broker?: {
    readonly name: string
    readonly create: boolean
    readonly class: string
    /** Whether the claim itself names the class. */
    readonly ownClass: boolean
    readonly delivery?: Delivery
  }
  readonly triggers: readonly TriggerSpec[]
  readonly kafka?: WithRequired<NonNullable<EventingSpec['kafka']>, 'consumerGroup'>
}

type MeshSpec = NonNullable<EventDrivenServiceSpec['mesh']>

/** Times in seconds. */
export interface Retries {
  readonly attempts: number
  readonly perTryTimeout: number
  readonly on: readonly string[]
}

/** Times in seconds. */
export interface CircuitBreaker {
  readonly maxConnections?: number
  readonly maxPending?: number
  readonly maxRequests?: number
  readonly errors: number
  readonly interval: number
  readonly ejection: number
  readonly maxEjectionPercent?: number
}

export interface External {
  readonly host: string
  readonly port: number
  readonly tls: 'passthrough' | 'originate' | 'none'
  /** Undefined if it is turned off, as for every circuit breaker. */
  readonly circuitBreaker?: CircuitBreaker
}

export interface Canary {
  readonly image: string
  readonly weight: number
  readonly match: readonly { readonly header: string; readonly value: string }[]
  readonly replicas: number
}

/** Times in seconds. */
export interface Cors {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly credentials: boolean
  readonly maxAge: number
}

export interface Mesh {
  readonly platform: MeshPlatform
  readonly mtls: 'STRICT' | 'PERMISSIVE'
  readonly hosts: readonly string[]
  readonly tlsSecret?: string
  /** In seconds. */
  readonly timeout: number
  readonly retries?: Retries
  readonly cors?: Cors
  readonly canary?: Canary
  readonly circuitBreaker?: CircuitBreaker
  /** Undefined lets everybody in, an empty list nobody. */
  readonly callers?: NonNullable<MeshSpec['callers']>
  readonly jwt?: Required<NonNullable<MeshSpec['jwt']>>
  readonly external: readonly External[]
  readonly egress: 'REGISTRY_ONLY' | 'ALLOW_ANY'
  /** The percentage of the requests that are traced. */
  readonly sampling: number
  readonly accessLogs: boolean
  readonly rateLimit?: { readonly requests: number; readonly per: number }
}

type ObservabilitySpec = NonNullable<EventDrivenServiceSpec['observability']>

export interface Observability {
  readonly platform: ObservabilityPlatform
  /** Undefined if the service has none. */
  readonly metrics?: { readonly path: string; readonly port?: number }
  /** Undefined if they are turned off. */
  readonly alerts?: { readonly lagSeconds: number }
  /** The share of requests or messages that must succeed, in percent. */
  readonly objective?: number
  readonly tracing?: NonNullable<ObservabilitySpec['tracing']>
  readonly dashboard: boolean
}

type BuildSpec = NonNullable<EventDrivenServiceSpec['build']>

export interface Build {
  readonly url: string
  readonly revision: string
  readonly follow: boolean
  readonly contextDir?: string
  readonly cloneSecret?: string
  readonly strategy: string
  readonly params: NonNullable<BuildSpec['params']>
  /** Without tag and digest. */
  readonly image: string
  readonly insecure: boolean
  readonly pushSecret?: string
  readonly serviceAccount?: string
  readonly platforms: NonNullable<NonNullable<BuildSpec['output']>['platforms']>
  readonly timeout: string
  /** The claim's own values. A changed default of the platform builds nothing again. */
  readonly asked: { readonly pushSecret?: string; readonly timeout?: string; readonly attempt?: string }
}

/** The builds of a claim, as the observed objects show them. */
export interface Builds {
  /** The build that the claim asks for; undefined until the commit of a branch is known. */
  readonly wanted?: { readonly key: string; readonly name: string; readonly revision: string; readonly isKnown: boolean }
  /** The observed build that failed last, which stays for its log. */
  readonly failed?: { readonly key: string; readonly object: JsonObject }
}

/** A claim with all defaults applied, from which the resources are built. */
export interface ResolvedClaim {
  /** From these a capability resolves its own fields, the most specific first. */
  readonly layers: readonly Layer[]
  readonly platform: Platform
  readonly name: string
  readonly namespace: string
  /** The labels of the claim that its objects get too. */
  readonly labels: Labels
  readonly runtime: Runtime
  /** Empty while the first build runs. */
  readonly image: string
  /** The commit from which the image was built. */
  readonly commit?: string
  readonly build?: Build
  /** Set with `build` once the observed objects are known. */
  readonly builds?: Builds
  readonly size: string
  readonly resources: ResourceRequirements
  readonly environment?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly nats?: Nats
  readonly processing?: Processing
  readonly scaling: Scaling
  readonly variables: readonly Variable[]
  /** The sources whose keys all become variables; a later one wins. */
  readonly bulkSources: readonly (Source & { readonly prefix?: string })[]
  readonly files: readonly Files[]
  readonly rootFilesystem: 'ReadOnly' | 'Writable'
  readonly imagePullSecrets: readonly string[]
  readonly initContainer?: { readonly command: readonly string[]; readonly args?: readonly string[] }
  /** The container's HTTP port. */
  readonly port: number
  /** The same port, if the claim sets it and so asks for a Service. */
  readonly httpPort?: number
  readonly probes: Probes
  readonly identity?: string
  readonly priorityClass?: string
  readonly updates: 'Rolling' | 'OneAtATime'
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly knative: Knative
  readonly eventing?: Eventing
  readonly mesh?: Mesh
  readonly observability?: Observability
}
