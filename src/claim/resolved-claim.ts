import type { ResourceRequirements } from '../platform/defaults.ts'
import type { EventDrivenServiceSpec, Runtime, Size } from './generated/types.ts'
import type { Layer } from './layers.ts'

export type { ResourceRequirements, Runtime, Size }

/** A variable of the claim: a plain value, or one key of a secret. */
export type Variable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secret: string; readonly key: string }

export interface Nats {
  readonly url: string
  readonly stream: string
  readonly consumer: string
  readonly account: string
  readonly accountID?: string
  readonly monitoringEndpoint: string
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

/** A claim with all defaults applied, from which the resources are built. */
export interface ResolvedClaim {
  /** From these a capability resolves its own fields, the most specific first. */
  readonly layers: readonly Layer[]
  readonly name: string
  readonly namespace: string
  readonly runtime: Runtime
  readonly image: string
  readonly size: Size
  readonly resources: ResourceRequirements
  readonly nats?: Nats
  readonly scaling: Scaling
  readonly variables: readonly Variable[]
  /** Secrets whose keys all become variables. */
  readonly bulkSecrets: readonly { readonly name: string; readonly prefix?: string }[]
  readonly imagePullSecrets: readonly string[]
  readonly initContainer?: { readonly command: readonly string[]; readonly args?: readonly string[] }
  /** The container's HTTP port. */
  readonly port: number
  /** The same port, if the claim sets it and so asks for a Service. */
  readonly httpPort?: number
  readonly healthPath: string
  readonly readyPath: string
  readonly sessionAffinity: 'None' | 'ClientIP'
  readonly knative: Knative
  readonly eventing?: Eventing
}
